"""The cases that may be chosen, and the needs that each meets."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, product
from math import prod

from conformance.conventions import NAMES, Unrepresentable
from conformance.corpus.case import Case
from conformance.corpus.files import load_cases
from conformance.corpus.truths import prepare
from conformance.verdicts.known_reader import load_differences
from covering.designs import designs
from covering.entries import entries
from covering.files import FOLDER, stem_of
from quick.factors import Need, factor_pairs
from quick.mistakes import detected

CASES = FOLDER.parent

DTYPE = "float32"
"""The dtype that every engine computes in: mistakes count in it, so that three cases detect them
everywhere."""

OF_FEW_BITS = frozenset({"result-cut"})
"""Mistakes that show where a dtype has few bits: they count in all of them."""

MOST_PRODUCTS, MOST_OUTPUTS = 2**17, 2**13
"""Limits of a case that may be chosen."""


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


def design_pairs() -> dict[str, set[Need]]:
    """By full name, the pairs of levels that the cases of the covering design have in it, without
    the far ones: their numbers are for the whole corpus.
    """
    return {
        f"arithmetic/{stem_of(design, entry)}/{entry.case.name}": {
            (design.name, *pair) for pair in combinations(entry.row.items(), 2)
        }
        for design in designs(FOLDER)
        if not design.is_far
        for entry in entries(design)
    }


def conventions_of(case: Case) -> list[str]:
    """The conventions that have arguments for the case."""
    return [
        name
        for name in NAMES
        if case.concerns(name) and not isinstance(case.arguments(name), Unrepresentable)
    ]


def candidate(case: Case, pairs: set[Need]) -> Candidate:
    """The candidate of a case, which meets these pairs of the covering design besides its own
    needs.
    """
    truth = prepare(case).truth
    names = set() if truth is None else detected(truth)
    if case.dtype != DTYPE:
        names &= OF_FEW_BITS
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
