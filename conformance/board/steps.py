"""What changed from one release of an engine to the next, in one place and on the same calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from conformance.board.entries import Asked, Entry
from conformance.verdicts.verdict import Verdict, standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """From an old release to a new one: how many verdicts are of the same call, and which of them
    fail now and did not, conform now and failed, or changed otherwise.
    """

    old: Entry
    new: Entry
    compared: int
    failing: Sequence[Asked]
    passing: Sequence[Asked]
    others: Sequence[Asked]

    @property
    def lists(self) -> list[tuple[str, Sequence[Asked]]]:
        """The cases with what is said of their number, where there are any."""
        named = [
            ("fail now and did not", self.failing),
            ("conform now and failed", self.passing),
            ("changed otherwise", self.others),
        ]
        return [(words, asked) for words, asked in named if asked]


def steps(entries: Sequence[Entry]) -> list[Step]:
    """The steps between neighbouring releases of one engine in each place, the newest first;
    `entries` have the newest release first, and each release once a place.
    """
    places = dict.fromkeys(entry.place for entry in entries)
    in_place = [[entry for entry in entries if entry.place == place] for place in places]
    return [
        step(old, new)
        for line in in_place
        for new, old in pairwise(line)
        if old.release != new.release
    ]


def step(old: Entry, new: Entry) -> Step:
    """What changed between two entries; verdicts are compared where the case is the same call."""
    failing, passing, others, compared = [], [], [], 0
    for asked, verdict in new.verdicts.items():
        before = old.verdicts.get(asked)
        if before is None or old.source.digests[asked[0]] != new.source.digests[asked[0]]:
            continue
        compared += 1
        if verdict.fails and not before.fails:
            failing.append(asked)
        elif before.fails and verdict.status == "conforms":
            passing.append(asked)
        elif _answer(before) != _answer(verdict):
            others.append(asked)
    return Step(
        old=old, new=new, compared=compared, failing=failing, passing=passing, others=others
    )


def _answer(verdict: Verdict) -> tuple[str | None, ...]:
    return verdict.status, verdict.kind, verdict.mistake, standing(verdict)
