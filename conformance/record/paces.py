"""How the times of calls changed between two records."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from conformance.record.record import Record
from conformance.record.timing import interval
from conformance.verdicts.verdict import Key, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How the time of one call changed: medians in seconds, their ratio new / old, and the interval
    of that ratio.

    The interval is that of `timing.interval` over the rounds of both runs. Of a timing without
    rounds it goes from the lower quartile of the new calls over the upper one of the old to the
    reverse. Where it holds 1, no difference is seen. It is all from 0 to infinity where either side
    has fewer than FEWEST calls.
    """

    key: Key
    old: float
    new: float
    ratio: float
    low: float
    high: float

    @property
    def slower(self) -> bool:
        return self.low > 1

    @property
    def faster(self) -> bool:
        return self.high < 1


FEWEST = 5
"""The fewest calls whose quartiles say how much they scatter; those of fewer are next to the
extremes, and of one call all the same."""


def paces(before: Mapping[Key, Verdict], after: Mapping[Key, Verdict]) -> Iterable[Pace]:
    for key, new in after.items():
        old = before.get(key)
        if old is None or old.timing is None or new.timing is None:
            continue
        if not all(side.timing and side.timing["lower"] > 0 for side in (old, new)):
            continue  # below the clock's resolution
        then, now = old.timing, new.timing
        ratio_interval = interval(now.get("rounds") or (), then.get("rounds") or (), paired=False)
        enough = min(then["count"], now["count"]) >= FEWEST
        yield Pace(
            key=key,
            old=then["median"],
            new=now["median"],
            ratio=ratio_interval.ratio if ratio_interval else now["median"] / then["median"],
            low=0.0
            if not enough
            else ratio_interval.low
            if ratio_interval
            else now["lower"] / then["upper"],
            high=math.inf
            if not enough
            else ratio_interval.high
            if ratio_interval
            else now["upper"] / then["lower"],
        )


def why_not_comparable(old: Record, new: Record) -> str | None:
    """Why times of the two cannot be held against each other, if so: another processor, or another
    number of threads.
    """
    models = [str(record.run["cpu"].get("model")) for record in (old, new)]
    if models[0] != models[1]:
        return f"another processor: {models[1]}, before {models[0]}"
    threads = [record.run["threads"] for record in (old, new)]
    if threads[0] != threads[1]:
        return f"another number of threads: {threads[1]}, before {threads[0]}"
    return None
