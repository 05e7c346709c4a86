"""The cases that compiled variants run too."""

from __future__ import annotations

from collections.abc import Sequence

from covering.arguments import spoken
from covering.designs import Design, Tuple
from covering.entry import Entry
from covering.rows import of

COMPILED = {"line": 8, "plane": 52, "volume": 8}
"""The number of cases that compiled variants run too, by design."""

COMPILED_FACTORS = ("kernel", "stride", "dilation", "groups", "padding", "output_padding", "bias")
"""The factors that choose code paths; of output_padding, whether there is any."""


def compiled(design: Design, entries: Sequence[Entry]) -> set[int]:
    """Numbers of cases that cover, few as they are, every pair of the factors that choose code
    paths, then triples.
    """
    coarse = []
    for entry in entries:
        row = {factor: entry.row[factor] for factor in COMPILED_FACTORS}
        coarse.append(
            row | {"output_padding": "zero" if row["output_padding"] in ("none", "0") else "some"}
        )
    covered: set[Tuple] = set()
    chosen: set[int] = set()
    while len(chosen) < min(COMPILED[design.name], len(entries)):
        # ties go to what torch can spell, and to what is cheap
        best = max(
            (number for number in range(len(entries)) if number not in chosen),
            key=lambda number: (
                len(of(coarse[number], 2) - covered),
                len(of(coarse[number], 3) - covered) + 4 * spoken(entries[number].arguments),
                -entries[number].arguments.products,
            ),
        )
        chosen.add(best)
        covered |= of(coarse[best], 2) | of(coarse[best], 3)
    return chosen
