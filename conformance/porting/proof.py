"""The proof: source and target run on the same integers, each in a process of its own, and agree
bit for bit, or do not.

Where a framework is not installed, or its engine fails, the oracle stands in for it, and the proof
says so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np

from conformance.errors import PortError
from conformance.geometry import Geometry
from conformance.porting import recipes
from conformance.porting.code import Program, program
from conformance.porting.layer import Channels, Layer, times
from conformance.porting.operands import Array, Numbers, canonical, integers, oracle, plan_on_oracle
from conformance.porting.recipes import Plan
from conformance.porting.running import Failure, described, missing, run_programs

MOST_NUMBERS = 2**26  # of one array: the oracle and two processes hold a few copies of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Whether the target computes what the source does; `by` says which two computed, `notes` why
    one is the oracle.
    """

    agrees: bool
    exact: bool
    by: tuple[str, str]
    notes: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """A proof, the plan that it is of, and why that is not the one that was to be proved."""

    proof: Proof
    plan: Plan
    reason: str | None


def prove(
    layer: Layer, geometry: Geometry, channels: Channels, ours: Program, plan: Plan
) -> Proved:
    """The proof of a plan, or of the cautious one if the engine fails at it. Raises PortError if it
    needs too much memory.
    """
    _small_enough(geometry, channels)
    trial = _Trial(
        layer=layer,
        geometry=geometry,
        channels=channels,
        numbers=integers(geometry, channels, bias=layer.bias),
    )
    left, left_by = trial.computed(ours)
    plan, right, right_by, reason = trial.target(plan)
    if right is None:
        text = f"the code does not run. {trial.notes.pop()}"
        failed = Proof(
            agrees=False, exact=True, by=(left_by, right_by), notes=tuple(trial.notes), text=text
        )
        return Proved(proof=failed, plan=plan, reason=reason)
    true = oracle(trial.numbers, geometry)
    if left is None:
        left, left_by = true, "the oracle"
    agrees = _equal(left, right)
    if not agrees and _equal(right, true):
        trial.notes.append(
            f"The target is what the specification says, and {left_by} computes something else."
        )
    text = (
        f"{left_by} and {right_by} {'agree bit for bit' if agrees else 'DIFFER'} on integers, "
        f"{times(right.shape)}."
    )
    proof = Proof(
        agrees=agrees, exact=True, by=(left_by, right_by), notes=tuple(trial.notes), text=text
    )
    return Proved(proof=proof, plan=plan, reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    """A layer and the numbers that it is tried on; `notes` grow with what could not be run."""

    layer: Layer
    geometry: Geometry
    channels: Channels
    numbers: Numbers
    notes: list[str] = field(default_factory=list)

    def target(self, plan: Plan) -> tuple[Plan, Array | None, str, str | None]:
        """The plan that is run, what it computes, and what did; and why it is the cautious one.
        None where its framework is there and runs neither.
        """
        right, by = self.computed(self.program(plan))
        if right is None and by == "failed":
            other = recipes.cautious(plan.target, self.geometry)
            second, second_by = replace(self, notes=[]).computed(self.program(other))
            if second is not None:
                return other, second, second_by, self.notes.pop()
        if right is None and by == "missing":
            right, by = (
                plan_on_oracle(self.numbers, plan, self.geometry),
                "the oracle with the arguments of the target",
            )
        return plan, right, by, None

    def program(self, plan: Plan) -> Program:
        return program(self.layer, plan, self.geometry, self.channels)

    def computed(self, program: Program) -> tuple[Array | None, str]:
        """The output of a program, and the name of what computed it; None if its framework is not
        installed or fails, which is noted.
        """
        absent = missing(program.framework)
        if absent:
            self.notes.append(
                f"{program.framework} is not proved by running it: {' and '.join(absent)} is not "
                "installed."
            )
            return None, "missing"
        name = described(program.framework)
        arrays = self.numbers.program_arrays(program.x, self.layer.layout, self.geometry.groups)
        (y,) = run_programs(program.framework, [(program.code, arrays)])
        if isinstance(y, Failure):
            self.notes.append(f"{name} fails at this call: {y.text.splitlines()[0][:300]}")
            return None, "failed"
        return canonical(y, program.y), name


def _small_enough(geometry: Geometry, channels: Channels) -> None:
    shapes = {
        "input": (channels.batch, channels.c_in, *geometry.size),
        "kernel": (channels.c_in, channels.c_out // geometry.groups, *geometry.kernel),
        "output": (channels.batch, channels.c_out, *geometry.out),
    }
    for name, shape in shapes.items():
        if math.prod(shape) > MOST_NUMBERS:
            raise PortError(
                f"the {name} of {times(shape)} has too many numbers for a proof, at most "
                f"{MOST_NUMBERS}:"
                " should be a smaller input, or no proof"
            )


def _equal(one: Array, other: Array) -> bool:
    return one.shape == other.shape and bool(np.array_equal(one, other))
