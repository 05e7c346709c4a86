"""The levels of each case of a design."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product
from typing import Any

from covering.designs import Design, Row, Tuple

CANDIDATES, ROUNDS = 6, 20


def rows(design: Design, numbers: random.Random, accepted: Any) -> Iterator[Row]:
    """Rows, each the best of a few candidates that `accepted` finds arguments for."""
    missing = dict.fromkeys(
        design.tuples(design.strength)
    )  # a dict keeps its order, a set of words does not
    pairs = dict.fromkeys(design.tuples(2))
    for _ in range(design.cases):
        row = next(filter(accepted, candidates(design, numbers, missing, pairs)))
        for combination in of(row, 2):
            pairs.pop(combination, None)
        for combination in of(row, design.strength):
            missing.pop(combination, None)
        yield row


def candidates(
    design: Design, numbers: random.Random, missing: Mapping[Tuple, Any], pairs: Mapping[Tuple, Any]
) -> Iterator[Row]:
    """A few rows, the best first, then as many more where no arguments are found for those."""
    grown_rows: list[Row] = []
    for _ in range(ROUNDS):
        grown_rows = []
        for _ in range(CANDIDATES):
            uncovered = list(pairs or missing)
            start = numbers.choice(uncovered) if uncovered else ()
            grown_rows.append(grown(design, dict(start), numbers, missing, pairs))
        new = [
            5 * len(of(row, 2) & pairs.keys()) + len(of(row, design.strength) & missing.keys())
            for row in grown_rows
        ]
        yield from (
            row for _, row in sorted(zip(new, grown_rows, strict=True), key=lambda pair: -pair[0])
        )
    raise ValueError(
        f"{design.name}: no arguments for any of {grown_rows}; does `illegal` lack a combination?"
    )


def of(row: Row, strength: int) -> set[Tuple]:
    """The tuples of that many factors which a row covers."""
    return set(combinations(row.items(), strength))


def grown(
    design: Design,
    row: Row,
    numbers: random.Random,
    missing: Mapping[Tuple, Any],
    pairs: Mapping[Tuple, Any],
) -> Row:
    """A whole row from a few levels: factor after factor, in random order, the level that covers
    most of what is missing.
    """
    order = {factor: number for number, factor in enumerate(design.factors)}
    for factor in numbers.sample(list(design.factors), len(design.factors)):
        if factor in row:
            continue
        before = [
            (name, row[name])
            for name in design.factors
            if name in row and order[name] < order[factor]
        ]
        after = [
            (name, row[name])
            for name in design.factors
            if name in row and order[name] > order[factor]
        ]
        parts = list(around(before, after, design.strength - 1))
        alone = list(around(before, after, 1))
        levels = [
            level for level in design.factors[factor] if design.possible(row | {factor: level})
        ]
        new = [
            sum((*first, (factor, level), *last) in missing for first, last in parts)
            + 5 * sum((*first, (factor, level), *last) in pairs for first, last in alone)
            for level in levels
        ]
        best = [level for level, count in zip(levels, new, strict=True) if count == max(new)]
        row[factor] = numbers.choice(best)
    return {factor: row[factor] for factor in design.factors}


def around(
    before: Sequence[Any], after: Sequence[Any], count: int
) -> Iterator[tuple[Tuple, Tuple]]:
    """All choices of that many (factor, level), parted where another factor has its place among
    them.
    """
    for first in range(count + 1):
        yield from product(combinations(before, first), combinations(after, count - first))
