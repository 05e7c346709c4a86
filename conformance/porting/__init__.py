"""A transposed convolution of one framework in another: the arguments or the shortest recipe, the proof, and the trap."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from conformance import conventions
from conformance.conventions import Native, Unrepresentable
from conformance.geometry import Geometry, call_problems
from conformance.porting import calls, code, proof, recipes
from conformance.porting.calls import Layer, PortError
from conformance.porting.code import Channels, Program
from conformance.porting.proof import Failure, Numbers, Proof
from conformance.porting.recipes import Plan
from conformance.porting.trap import Trap, trap

__all__ = ["Port", "PortError", "Proof", "Trap", "port", "port_model"]

USUAL_SIZE = 8
MOST_SIZES = 64  # input sizes that are tried to see for which a recipe holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """The answer. Shapes are (N, C, *spatial) and (C_in, C_out / groups, *kernel); `code` defines `conv_transpose`.

    `arguments` are those of the target's one call where it has one for this geometry, even if its engine refuses it;
    `reason` says why `code` has more than one call, `recipe` what else it does. `holds` says for which input sizes.
    """

    source: str
    target: str
    call: str
    name: str | None
    input: tuple[int, ...]
    kernel: tuple[int, ...]
    output: tuple[int, ...]
    geometry: Geometry
    arguments: Native | None
    reason: str | None
    target_call: str
    recipe: tuple[str, ...]
    weights: tuple[str, ...]
    holds: str
    notes: tuple[str, ...]
    code: str
    source_code: str
    trap: Trap
    kernel_trap: str | None
    proof: Proof | None


def port(call: str, *, source: str, target: str, input: Sequence[int] | None = None, prove: bool = True) -> Port:
    """What a call of `source` is in `target`. `input` is (N, C_in, *spatial); what is not said is chosen, and said.

    Names are those of `conformance.conventions.NAMES`. Raises PortError (a ValueError) for a call that cannot be read or
    makes no sense. With `prove` both programs run, in processes of their own.
    """
    _named(source, target)
    return port_layer(calls.read(call, source), target, input, prove=prove)


def port_model(path: str, *, target: str, input: Sequence[int] | None = None, prove: bool = True) -> list[Port]:
    """The same for every ConvTranspose node of an ONNX file, in the order of its graph."""
    from conformance.porting.onnxfile import layers

    _named("onnx", target)
    return [port_layer(layer, target, input, prove=prove) for layer in layers(path)]


def port_layer(layer: Layer, target: str, input: Sequence[int] | None = None, *, prove: bool = True) -> Port:
    """The port of a layer that has been read."""
    channels, size, notes = _completed(layer, input)
    geometry = _geometry(layer, size, channels)
    found = recipes.single(target, geometry)
    reason = found if isinstance(found, str) else recipes.refusal(target, found.native, geometry)
    plan = found if isinstance(found, Plan) and reason is None else recipes.recipe(target, geometry)
    ours = code.source_program(layer, geometry, channels)
    theirs = code.program(layer, plan, geometry, channels)
    evidence = None
    if prove:
        evidence, instead, why = _prove(layer, geometry, channels, ours, plan)
        if instead is not plan:
            plan, reason, theirs = instead, why, code.program(layer, instead, geometry, channels)
    return Port(
        source=layer.framework,
        target=target,
        call=layer.text,
        name=layer.name,
        input=(channels.batch, channels.c_in, *size),
        kernel=(channels.c_in, channels.c_out // geometry.groups, *geometry.kernel),
        output=(channels.batch, channels.c_out, *geometry.out),
        geometry=geometry,
        arguments=found.native if isinstance(found, Plan) else None,
        reason=reason,
        target_call=theirs.call,
        recipe=tuple(steps(plan)),
        weights=theirs.weights,
        holds=_holds(layer, geometry),
        notes=(*notes, *layer.notes),
        code=theirs.code,
        source_code=ours.code,
        trap=trap(layer, target, geometry, channels),
        kernel_trap=_kernel_trap(layer, target),
        proof=evidence,
    )


def steps(plan: Plan) -> list[str]:
    """What surrounds the call, a sentence each; nothing if the call is all."""
    said = []
    if plan.block_diagonal:
        said.append("Write the groups as one block-diagonal kernel.")
    if plan.insert_zeros:
        said.append("Write the dilation as a kernel with zeros between its taps.")
    if any(map(any, plan.pad)):
        said.append(f"Pad the input with zeros first, {_ends(plan.pad)}: the bias then reaches what is appended.")
    if any(map(any, plan.cut)):
        said.append(f"Cut the output afterwards, {_ends(plan.cut)}.")
    return said


def _ends(pairs: recipes.Pairs) -> str:
    return ", ".join(f"{low} and {high} on axis {axis}" for axis, (low, high) in enumerate(pairs) if low or high)


def _named(source: str, target: str) -> None:
    for name in (source, target):
        if name not in conventions.NAMES:
            raise PortError(f"there is no framework {name!r}, should be one of {', '.join(conventions.NAMES)}")
    if source == target:
        raise PortError(f"source and target are both {source}, should be two frameworks")


# What the call does not say


def _completed(layer: Layer, given: Sequence[int] | None) -> tuple[Channels, tuple[int, ...], list[str]]:
    """Batch, channels and size from the call, the input, or a choice; and what was chosen."""
    if given is not None and (len(given) != layer.rank + 2 or min(given) < 1):
        what = ",".join(map(str, given))
        raise PortError(f"input is {what}, should be {layer.rank + 2} numbers of at least 1: N,C and {layer.rank} for the space")
    notes: list[str] = []
    if given is not None and layer.c_in not in (None, given[1]):
        raise PortError(f"input has {given[1]} channels, should have the {layer.c_in} of the call")
    c_in = given[1] if given else layer.c_in
    if c_in is None:
        c_in = 2 * layer.groups
        notes.append(f"The call does not say how many channels the input has: {c_in} is chosen.")
    c_out = layer.c_out
    if c_out is None:
        c_out = 3 * layer.groups
        notes.append(f"The call does not say how many channels the output has: {c_out} is chosen.")
    batch = given[0] if given else layer.batch or 1
    size = tuple(given[2:]) if given else layer.size
    if size is None:
        size = _usual_size(layer)
        notes.append(f"No input is given: {','.join(map(str, (batch, c_in, *size)))} is chosen.")
    return Channels(batch=batch, c_in=c_in, c_out=c_out), size, notes


def _usual_size(layer: Layer) -> tuple[int, ...]:
    """8 per axis, or the first size for which the source itself has the call: it may ask for one output size alone."""
    convention, chosen = conventions.get(layer.framework), []
    for axis in range(layer.rank):
        for size in (USUAL_SIZE, *range(1, 4096)):
            one = _raw_geometry(layer, (size,) * layer.rank).axes[axis]
            alike = Geometry(axes=(one,) * layer.rank)
            if min(one.stride, one.dilation, one.out) >= 1 and not isinstance(convention.native(alike), Unrepresentable):
                break
            if min(one.stride, one.dilation) < 1:
                break
        else:
            size = USUAL_SIZE
        chosen.append(size)
    return tuple(chosen)


def _raw_geometry(layer: Layer, size: Sequence[int]) -> Geometry:
    return conventions.get(layer.framework).geometry(layer.native, size=size, kernel=layer.kernel)


def _geometry(layer: Layer, size: Sequence[int], channels: Channels) -> Geometry:
    """The geometry of the call, which makes sense; else PortError."""
    native = layer.native
    least = min(min(value) for key, value in native.items() if "stride" in key or "dilation" in key)
    if least < 1 or layer.groups < 1:
        raise PortError("strides, dilations and groups should be at least 1")
    geometry = _raw_geometry(layer, size)
    geometry = Geometry(axes=geometry.axes, groups=layer.groups)
    if channels.c_out % geometry.groups:
        raise PortError(f"{geometry.groups} groups of {channels.c_out} output channels, should divide them")
    kernel = (channels.c_in, channels.c_out // geometry.groups, *geometry.kernel)
    found = call_problems(geometry, x=(channels.batch, channels.c_in, *size), kernel=kernel, bias=None)
    if found:
        raise PortError("; ".join(f"{problem.key}: {problem.text}" for problem in found))
    refused = conventions.get(layer.framework).native(geometry)
    if layer.framework in ("torch", "keras", "tensorflow") and isinstance(refused, Unrepresentable):
        raise PortError(f"{layer.framework} refuses this call itself. {refused.reason}")
    return geometry


def _holds(layer: Layer, geometry: Geometry) -> str:
    """For which input sizes the answer is right: those at which the source takes the same window."""
    limited = []
    for axis, right in enumerate(geometry.axes):
        sizes = [n for n in range(1, MOST_SIZES + 1) if _window(layer, geometry, axis, n) == (right.crop_low, right.crop_high)]
        if len(sizes) < MOST_SIZES:
            limited.append(f"{_listed(sizes or [right.size])} on axis {axis}")
    if not limited:
        return "It holds for every input size."
    where = " and ".join(limited)
    return f"It holds for input sizes of {where} alone: the call asks for an output of one size, {_times(geometry.out)}."


def _window(layer: Layer, geometry: Geometry, axis: int, size: int) -> tuple[int, int]:
    sizes = [*geometry.size]
    sizes[axis] = size
    found = _raw_geometry(layer, sizes).axes[axis]
    return found.crop_low, found.crop_high


def _listed(sizes: list[int]) -> str:
    return ", ".join(map(str, sizes))


def _times(numbers: Sequence[int]) -> str:
    return " x ".join(map(str, numbers))


def _kernel_trap(layer: Layer, target: str) -> str | None:
    """What goes wrong with a kernel that is copied axis by axis, where one framework flips and the other does not."""
    unflipped = target in ("jax", "flax")
    if layer.layout.flipped == unflipped or math.prod(layer.kernel) == 1:
        return None
    which = target if unflipped else layer.framework
    return (
        f"{which} does not flip kernels: one whose axes are moved but not flipped is correlated with the dilated input,"
        " which gives the right shape and the wrong numbers."
    )


# The proof


def _prove(layer: Layer, geometry: Geometry, channels: Channels, ours: Program, plan: Plan) -> tuple[Proof, Plan, str | None]:
    """The proof of a plan, or of the cautious one if the engine fails at it; the plan that is proved, and why."""
    numbers = proof.integers(geometry, channels, bias=layer.bias)
    true = proof.oracle(numbers, geometry)
    notes: list[str] = []
    left, left_by = _computed(layer.framework, ours, layer, numbers, geometry, notes)
    why = None
    theirs = code.program(layer, plan, geometry, channels)
    right, right_by = _computed(plan.target, theirs, layer, numbers, geometry, notes)
    if right is None and right_by == "failed":
        other = recipes.cautious(plan.target, geometry)
        second, by = _computed(plan.target, code.program(layer, other, geometry, channels), layer, numbers, geometry, [])
        if second is not None:
            plan, right, right_by, why = other, second, by, notes.pop()
    if right is None:
        right, right_by = proof.plan_on_oracle(numbers, plan, geometry), "the oracle with the arguments of the target"
    if left is None:
        left, left_by = true, "the oracle"
    agrees = _equal(left, right)
    if not agrees and _equal(right, true):
        notes.append(f"The target is what the specification says, and {left_by} computes something else.")
    verb = "agree bit for bit" if agrees else "DIFFER"
    text = f"{left_by} and {right_by} {verb} on integers, {_times(right.shape)}."
    return Proof(agrees=agrees, exact=True, by=(left_by, right_by), notes=tuple(notes), text=text), plan, why


def _computed(
    framework: str, program: Program, layer: Layer, numbers: Numbers, geometry: Geometry, notes: list[str]
) -> tuple[proof.Array | None, str]:
    """What a program computes, and what did; None if its framework is not installed or fails, which is noted."""
    absent = proof.missing(framework)
    if absent:
        notes.append(f"{framework} is not proved by running it: {' and '.join(absent)} is not installed.")
        return None, "missing"
    name = proof.described(framework)
    (y,) = proof.run_programs(framework, [(program.code, numbers.given(program, layer.layout, geometry.groups))])
    if isinstance(y, Failure):
        notes.append(f"{name} fails at this call: {y.text.splitlines()[0][:300]}")
        return None, "failed"
    return proof.canonical(y, program.y), name


def _equal(one: proof.Array, other: proof.Array) -> bool:
    return one.shape == other.shape and bool(np.array_equal(one, other))
