"""The cases of a design."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from conformance.corpus.case import Case, Made, Place
from covering.arguments import Arguments, geometry_of
from covering.compilation import compiled
from covering.designs import Design, Row
from covering.draws import arguments_of
from covering.entry import Entry
from covering.rows import rows
from covering.wording import identity, summary

SEED = 5


def entries(design: Design) -> list[Entry]:
    """The cases of a design, in the order of their files."""
    numbers = random.Random(f"{design.name} {SEED}")
    seen: Counter[Any] = Counter()
    drawn_entries: list[Entry] = []
    last: list[Arguments] = []

    def accepted(row: Row) -> bool:
        drawn = arguments_of(design, row, numbers, seen)
        last[:] = [] if drawn is None else [drawn]
        return drawn is not None

    for row in rows(design, numbers, accepted):
        drawn = last[0]
        seen.update(drawn.atoms())
        drawn_entries.append(Entry(row=row, case=case_of(design, row, drawn), arguments=drawn))
    names = [entry.case.name for entry in drawn_entries]
    if len(set(names)) < len(names):
        raise ValueError(
            f"{sorted(name for name in names if names.count(name) > 1)} are there twice"
        )
    chosen = compiled(design, drawn_entries)
    marked = [
        replace(entry, compiled=number in chosen) for number, entry in enumerate(drawn_entries)
    ]
    return sorted(
        marked, key=lambda entry: (entry.arguments.kernel, entry.arguments.stride, entry.case.name)
    )


def case_of(design: Design, row: Row, drawn: Arguments) -> Case:
    values = row["values"]
    # wide integers have a bias of small ones: with wide's own, from -2 to 2, one that is missing
    # shows less often
    bias = Made(shape=(drawn.outputs,), values="integers" if values == "wide" else values, seed=3)
    return Case(
        name=identity(row, drawn),
        summary=summary(row, drawn),
        source="design of the suite",
        spatial=design.rank,
        input=Made(shape=(drawn.batch, drawn.channels, *drawn.size), values=values, seed=1),
        kernel=Made(
            shape=(drawn.channels, drawn.outputs // drawn.groups, *drawn.kernel),
            values=values,
            seed=2,
        ),
        bias=bias if row["bias"] == "present" else None,
        dtype="float32",
        geometry=geometry_of(drawn),
        native=None,
        must_fail=False,
        expected=None,
        tags=(),
        place=Place(file=Path(design.name), lines={"": 1}),
    )
