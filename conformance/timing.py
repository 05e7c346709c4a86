"""How long a call takes: measured in the engine's process, summed up in the parent's.

Only calls that conform are timed, after all comparing is done and with nothing else at work, all adapters of a case in turn. The
operands lie where the engine wants them, the output is awaited, and every engine has the same number of threads. The first call
(compilation, the choice of a kernel) is a figure of its own, taken when the case was compared.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

TAG = "network"
SLICES = {"off": 0.0, "quick": 1.0, "full": 5.0}
"""Seconds that one case may take on one adapter."""

MOST_CALLS = 10_000
_WARM_UP = 0.2  # of the slice, and at least one call


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds: the first call, and quartiles of `count` steady ones."""

    mode: str
    threads: int
    first: float | None
    minimum: float
    lower: float
    median: float
    upper: float
    count: int


def measure(run: Callable[[], Any], seconds: float) -> list[float]:
    """Durations of as many calls as fill the slice, after a warm-up that is part of it; at least one."""
    began = time.perf_counter()
    run()
    while time.perf_counter() - began < _WARM_UP * seconds:
        run()
    durations = []
    while True:
        start = time.perf_counter()
        run()
        end = time.perf_counter()
        durations.append(end - start)
        if end - began + durations[-1] > seconds or len(durations) == MOST_CALLS:
            return durations


def summarise(durations: Sequence[float], *, first: float | None, mode: str, threads: int) -> Timing:
    """The figures of a record, by linear interpolation between the ordered durations."""
    ordered = sorted(durations)

    def quantile(share: float) -> float:
        place = share * (len(ordered) - 1)
        below = int(place)
        above = min(below + 1, len(ordered) - 1)
        return ordered[below] + (place - below) * (ordered[above] - ordered[below])

    return Timing(
        mode=mode,
        threads=threads,
        first=first,
        minimum=ordered[0],
        lower=quantile(0.25),
        median=quantile(0.5),
        upper=quantile(0.75),
        count=len(ordered),
    )
