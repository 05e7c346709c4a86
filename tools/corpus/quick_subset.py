"""Writes `cases/subsets/quick.txt`: few shipped cases that still detect every mistake and meet
every pair of factors.

    python tools/corpus/quick_subset.py [--check]

What a member is good for: the mistakes of the diagnosis that it detects (of those that a convention
can spell, three must detect each, for every convention); the pairs of levels of the covering design
of `cases/arithmetic/`; and the pairs of `factors`, which every case has. Members are chosen
greedily, then those that the others make needless are left out, and a seeded search exchanges some
of them for fewer. With `--check` nothing is written, and the exit status is 1 where the file is not
what would be.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, product
from math import prod

import numpy as np

from conformance.conventions import NAMES, Unrepresentable
from conformance.corpus.case import Case
from conformance.corpus.files import load_cases
from conformance.corpus.tensors import dtype_of
from conformance.corpus.truths import prepare
from conformance.geometry import Geometry
from conformance.oracle import Truth
from conformance.verdicts.compare import compare
from conformance.verdicts.diagnosis.detection import detection
from conformance.verdicts.known_reader import load_differences
from covering.designs import designs
from covering.entries import entries
from covering.files import FOLDER, stem_of

CASES = FOLDER.parent
FILE = CASES / "subsets" / "quick.txt"
DETECTIONS = 3
DTYPE = "float32"
"""What every engine computes in: mistakes count in it, so that three cases detect them everywhere.
"""
MOST_PRODUCTS, MOST_OUTPUTS = 2**17, 2**13
"""Of a case that may be chosen."""
SEED = 17
ROUNDS = 200
SHARE = 0.12
"""Of the members, those that a round of the search tries to do without."""
HEADER = """\
# The smallest set found in which {least} cases or more detect each of {mistakes} mistakes, and
# every pair of factors meets. Written by `python tools/corpus/quick_subset.py`: run it when
# cases change.
"""

Need = tuple[object, ...]
"""("mistake", name, convention), or a pair of levels with what they are levels of."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A case that may be chosen, and what it is good for."""

    case: Case
    meets: frozenset[Need]
    inexact: frozenset[Need]
    """Mistakes that it detects by a bound instead of bit for bit: another machine may not."""

    @property
    def cost(self) -> tuple[int, int]:
        """Products and output elements; gradients are three calls instead of one."""
        calls = 1 if self.case.gradients is None else 3
        return calls * products(self.case), prod(
            self.case.output_shape
        ) if self.case.geometry else 0


def products(case: Case) -> int:
    return prod(case.input.shape) * prod(case.kernel.shape[1:])


def is_quick(case: Case) -> bool:
    """Whether a case is small: neither a layer of a network as it is, nor slow, nor large."""
    small = products(case) <= MOST_PRODUCTS and (
        case.must_fail or prod(case.output_shape) <= MOST_OUTPUTS
    )
    return small and not {"network", "slow"} & set(case.tags)


def factors(case: Case) -> dict[str, str]:
    """The levels of what chooses a path through an engine's code, of any case."""
    return {
        "rank": str(case.spatial),
        "dtype": case.dtype,
        "native": case.native[0] if case.native else "none",
        "refused": str(case.must_fail),
        "gradients": "none" if case.gradients is None else "asked",
        "bias": "none" if case.bias is None else "given",
        "batch": "one" if case.input.shape[0] == 1 else "more",
        "input channels": _channels(case.input.shape[1]),
        "kernel channels": _channels(case.kernel.shape[1]),
        **(_window(case.geometry, case.input.shape[1]) if case.geometry else {}),
    }


def _channels(count: int) -> str:
    """One, a multiple of what vectors hold, or a tail behind the last whole vector."""
    return "one" if count == 1 else "whole" if count % 8 == 0 else "tail"


def _window(geometry: Geometry, channels: int) -> dict[str, str]:
    groups = geometry.groups
    return {
        "stride": "one" if set(geometry.stride) == {1} else "more",
        "dilation": "one" if set(geometry.dilation) == {1} else "more",
        "gaps": "some" if any(axis.stride > axis.extent for axis in geometry.axes) else "none",
        "groups": "one" if groups == 1 else "depthwise" if groups == channels else "some",
        "crops": _crops(geometry),
    }


def _crops(geometry: Geometry) -> str:
    lows, highs = zip(*geometry.crops, strict=True)
    if min(lows) < 0 or min(highs) < 0:
        return "prepended" if min(lows) < 0 else "appended"
    if lows != highs:
        return "asymmetric"
    return "symmetric" if any(lows) else "none"


def factor_pairs(case: Case) -> set[Need]:
    return {("factors", *pair) for pair in combinations(factors(case).items(), 2)}


def design_pairs() -> dict[str, set[Need]]:
    """By full name, the pairs of levels that the cases of the covering design have in it."""
    return {
        f"arithmetic/{stem_of(design, entry)}/{entry.case.name}": {
            (design.name, *pair) for pair in combinations(entry.row.items(), 2)
        }
        for design in designs(FOLDER)
        for entry in entries(design)
    }


def detected(truth: Truth) -> set[str]:
    """The mistakes of docs/diagnosis.md that a case detects: those that are made, and those that
    are read off a result.
    """
    found = set(detection(truth).noticed)
    y, dtype = truth.y, dtype_of(truth.dtype)
    with np.errstate(over="ignore"):
        doubled = 2 * y
    wrong = {
        "other-window": np.pad(y, [(0, 0)] * (y.ndim - 1) + [(0, 1)]),
        "scaled": doubled,
        "left-zero": np.where(np.arange(y.size).reshape(y.shape) < y.size // 2, y, 0),
    }
    if (
        truth.bias is not None and truth.bias.size > 3
    ):  # of three, every order is reversed, moved on or dealt out
        order = [1, 0, *range(2, truth.bias.size)]
        exchanged = (truth.bias[order] - truth.bias).reshape(-1, *[1] * (y.ndim - 2))
        wrong["bias-permuted"] = y + exchanged
    with np.errstate(over="ignore", invalid="ignore"):
        return found | {
            name
            for name, got in wrong.items()
            if compare(got.astype(dtype), truth).mismatch is not None
        }


def conventions_of(case: Case) -> list[str]:
    """The conventions that have arguments for the case."""
    return [
        name
        for name in NAMES
        if case.concerns(name) and not isinstance(case.arguments(name), Unrepresentable)
    ]


def candidate(case: Case, pairs: set[Need]) -> Candidate:
    """What a case is good for beside these pairs of the covering design."""
    truth = prepare(case).truth
    names = detected(truth) if truth is not None and case.dtype == DTYPE else set()
    mistakes = frozenset(("mistake", *pair) for pair in product(names, conventions_of(case)))
    certain = truth is not None and truth.exact
    meets = frozenset(factor_pairs(case) | pairs)
    return Candidate(
        case=case,
        meets=meets | mistakes if certain else meets,
        inexact=frozenset() if certain else mistakes,
    )


def candidates() -> list[Candidate]:
    """All quick cases but those that are known to end an engine's process, which costs a start."""
    crashing = [
        entry for entry in load_differences([CASES]) if entry.status in ("crashed", "timed-out")
    ]
    pairs = design_pairs()
    return [
        candidate(case, pairs.get(case.name, set()))
        for case in load_cases(CASES)
        if is_quick(case) and not any(entry.names(case.name) for entry in crashing)
    ]


class Problem:
    """What must be covered, how often, and what covers it, as bits of integers."""

    def __init__(self, given: Sequence[Candidate]) -> None:
        self.given = given
        exact = set().union(*(candidate.meets for candidate in given))
        meets = [
            candidate.meets | (candidate.inexact - exact) for candidate in given
        ]  # bounds count where nothing else does
        needs = sorted(set().union(*meets), key=str)
        bit = {need: 1 << number for number, need in enumerate(needs)}
        self.mistakes = {need[1] for need in needs if need[0] == "mistake"}
        self.sets = [sum(bit[need] for need in found) for found in meets]
        mistakes = sum(bit[need] for need in needs if need[0] == "mistake")
        reached = self.counted(range(len(given)))
        often = [reached[count] & ~reached[count + 1] & mistakes for count in range(DETECTIONS)]
        # self.times[k]: what must be covered k + 1 times; a mistake that fewer cases detect, by all
        # of them
        self.times = [
            reached[0] & ~mistakes | often[0],
            *often[1 : DETECTIONS - 1],
            reached[DETECTIONS - 1] & mistakes,
        ]

    @cached_property
    def order(self) -> list[int]:
        """The candidates, cheap ones first."""
        return sorted(
            range(len(self.given)),
            key=lambda number: (self.given[number].cost, self.given[number].case.name),
        )

    def counted(self, members: Iterable[int]) -> list[int]:
        """For each k what at least k + 1 of the members cover."""
        levels = [0] * (DETECTIONS + 1)
        for member in members:
            for level in range(DETECTIONS, 0, -1):
                levels[level] |= levels[level - 1] & self.sets[member]
            levels[0] |= self.sets[member]
        return levels

    def left(self, levels: Sequence[int]) -> int:
        """What must be covered and is not by members of these counts."""
        return sum(needed & ~level for needed, level in zip(self.times, levels, strict=False))

    def completed(self, members: set[int], numbers: random.Random | None) -> set[int]:
        """The members and those that cover most of what is left, one after the other; ties to what
        is cheap, or by lot.
        """
        members = set(members)
        order = list(self.order)
        if numbers is not None:
            numbers.shuffle(order)
        while left := self.left(self.counted(members)):
            members.add(
                max(
                    (n for n in order if n not in members),
                    key=lambda n: (self.sets[n] & left).bit_count(),
                )
            )
        return members

    def pruned(self, members: set[int]) -> set[int]:
        """The members without those that the others make needless, the dearest first."""
        members = set(members)
        for member in reversed(self.order):
            if member in members and not self.left(self.counted(members - {member})):
                members.discard(member)
        return members

    def price(self, members: Iterable[int]) -> tuple[int, int]:
        """How many there are, and their products."""
        chosen = list(members)
        return len(chosen), sum(self.given[member].cost[0] for member in chosen)

    def solution(self) -> list[Case]:
        """Few candidates that cover everything, in the order of their files."""
        numbers = random.Random(SEED)
        best = self.pruned(self.completed(set(), None))
        for _ in range(ROUNDS):
            without = set(numbers.sample(sorted(best), round(len(best) * SHARE)))
            tried = self.pruned(self.completed(best - without, numbers))
            best = min(tried, best, key=self.price)
        return [self.given[member].case for member in sorted(best)]


def written() -> str:
    """The text of the file."""
    problem = Problem(candidates())
    names = [case.name for case in problem.solution()]
    head = HEADER.format(mistakes=len(problem.mistakes), least=DETECTIONS)
    return head + "".join(f"{name}\n" for name in names)


def main(arguments: Sequence[str]) -> int:
    text = written()
    if "--check" not in arguments:
        FILE.parent.mkdir(exist_ok=True)
        FILE.write_text(text, encoding="utf-8")
        return 0
    is_current = FILE.is_file() and FILE.read_text(encoding="utf-8") == text
    print(f"{FILE.name} is {'what the cases say' if is_current else 'out of date'}")
    return not is_current


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
