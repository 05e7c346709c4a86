"""The cases of a design."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import Any

from covering.arguments import Arguments
from covering.cases import case_of
from covering.compilation import compiled
from covering.designs import Design, Row
from covering.draws import arguments_of
from covering.entry import Entry
from covering.rows import rows

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
        drawn_entries.append(
            Entry(
                row=row,
                case=case_of(design, row, drawn),
                arguments=drawn,
                gradients=design.rank != 2 and not design.is_far,
            )
        )
    names = [entry.case.name for entry in drawn_entries]
    if len(set(names)) < len(names):
        raise ValueError(
            f"{sorted(name for name in names if names.count(name) > 1)} are there twice"
        )
    chosen = set() if design.is_far else compiled(design, drawn_entries)
    marked = [
        replace(entry, compiled=number in chosen) for number, entry in enumerate(drawn_entries)
    ]
    return sorted(
        marked, key=lambda entry: (entry.arguments.kernel, entry.arguments.stride, entry.case.name)
    )
