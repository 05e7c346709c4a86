"""Parts of a selection that are the same on every machine, and take about as long as one another.

What a case costs is estimated from its products and not from times: those of one machine are not
those of another, and a shard must be the same on all of them.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.corpus.case import Case
from conformance.errors import UsageError

PRODUCTS_OF_A_CALL = 2**17
"""The products that take as long as all the rest of a small call: measured on the oracle, 0.35 ms
and 360 products a microsecond."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """One of `of` parts of a selection; the first has the number 1."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @classmethod
    def read(cls, option: str, text: str) -> Shard:
        """The shard that an option names as I/N. Raises UsageError."""
        match = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
        number, of = map(int, match.groups()) if match else (0, 0)
        if not 1 <= number <= of:
            raise UsageError(f"{option} {text[:60]}: should be I/N, with I from 1 to N, as 2/5")
        return cls(number=number, of=of)

    def takes(self, cases: Sequence[Case]) -> tuple[Case, ...]:
        """Those of the cases that belong to it, in their order."""
        shards = numbers(cases, self.of)
        return tuple(case for case in cases if shards[case.name] == self.number)

    def line(self, cases: Sequence[Case]) -> dict[str, Any]:
        """What the run line says of it: its cases, each with its place in the whole selection."""
        shards = numbers(cases, self.of)
        positions = {case.name: position for position, case in enumerate(cases)}
        return {
            "number": self.number,
            "of": self.of,
            "total": len(cases),
            "cases": {name: at for name, at in positions.items() if shards[name] == self.number},
        }


def numbers(cases: Sequence[Case], of: int) -> Mapping[str, int]:
    """By full name: the number of the shard that a case belongs to, whatever order they are in.

    The dearest case comes first, and each goes to the shard that has least so far.
    """
    loads = [(0, number) for number in range(1, of + 1)]
    shards = {}
    for case in sorted(cases, key=lambda case: (-cost(case), case.name)):
        load, number = loads[0]
        shards[case.name] = number
        heapq.heapreplace(loads, (load + cost(case), number))
    return shards


def cost(case: Case) -> int:
    """An estimate of what the verdicts of a case take, in products."""
    calls = 1 if case.gradients is None else 2
    return calls * (PRODUCTS_OF_A_CALL + (0 if case.must_fail else case.products))
