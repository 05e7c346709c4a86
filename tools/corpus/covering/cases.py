"""Which case is made of arguments, and of which numbers?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from conformance.corpus.case import Case, Location, Made
from conformance.corpus.tensors import tensors_of
from conformance.oracle import truth_of
from covering.arguments import Arguments, geometry_of
from covering.designs import Design, Row
from covering.wording import identity, summary

EXACT = ("integers", "signs")
"""The recipes of the level `exact`: the first whose sums are exact in the dtype."""


def case_of(design: Design, row: Row, drawn: Arguments) -> Case:
    values = drawn.values
    # wide integers have a bias of small ones: with wide's own, from -2 to 2, one that is missing
    # shows less often
    bias = Made(shape=(drawn.outputs,), values="integers" if values == "wide" else values, seed=3)
    return Case(
        name=identity(row, drawn),
        summary=summary(design, row, drawn),
        source="design of the suite",
        spatial=design.rank,
        input=Made(shape=(drawn.batch, drawn.channels, *drawn.size), values=values, seed=1),
        kernel=Made(
            shape=(drawn.channels, drawn.outputs // drawn.groups, *drawn.kernel),
            values=values,
            seed=2,
        ),
        bias=bias if row["bias"] == "present" else None,
        dtype=drawn.dtype,  # type: ignore[arg-type]
        geometry=geometry_of(drawn),
        native=None,
        must_fail=False,
        expected=None,
        tags=(),
        location=Location(file=Path(design.name), lines={"": 1}),
    )


def valued(design: Design, row: Row, drawn: Arguments) -> Arguments | None:
    """The arguments with the recipe that their level of values is; None where no sums are exact
    that should be, or none need rounding that should.
    """
    if not design.is_far:
        return drawn
    exact = row["values"] == "exact"
    for values in EXACT if exact else ("normal",):
        found = replace(drawn, values=values)
        case = case_of(design, row, found)
        if truth_of(*tensors_of(case), geometry_of(drawn), drawn.dtype).exact == exact:
            return found
    return None
