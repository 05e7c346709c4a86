"""How long a call takes: measured in the engine's process, summed up in the parent's.

Only calls that conform are timed, after all comparing is done and with nothing else at work: all
adapters of a case in turn, round after round, so that a machine that gets slower or faster does so
for all alike. The operands lie where the engine wants them, the output is awaited, and every engine
has the same number of threads. The first call (compilation, the choice of a kernel) is a figure of
its own, taken when the case was compared. Rounds are compared pairwise: what disturbs the machine
for longer than a turn cancels in the ratio of two adapters in one round, and the spread of these
ratios says how sure their mean is (bootstrap: B. Efron and R. Tibshirani, An Introduction to the
Bootstrap, 1993, ch. 13).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

TAG = "network"
SLICES = {"off": 0.0, "quick": 0.2, "full": 5.0}
"""Seconds that one case may take on one adapter."""
ROUNDS = {"off": 0, "quick": 4, "full": 10}
"""How many turns these are. With `quick` an adapter that has used its seconds up has no more of
them."""

FAILED = "could not be timed"
"""How the message of a verdict begins that conforms and has no timing for that reason."""

MOST_CALLS = 2_000
"""Of a turn."""
SETTLE = 0.01
"""Seconds between two turns, in which threads of the one before stop to look for work."""
RESAMPLES = 2_000
CONFIDENCE = 0.95

_WARM_UP = 0.4  # of the slice at most, and at least one call
# a call that takes less than this of the fastest one so far says that it still gets faster
_STEADY = 0.98
_IN_A_ROW = 3  # calls that do not


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds: the first call, quartiles of `count` steady ones, and the median of every round."""

    mode: str
    threads: int
    first: float | None
    minimum: float
    lower: float
    median: float
    upper: float
    count: int
    rounds: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """How many times longer one takes than the other: the geometric mean over the rounds, and its
    95 % interval.
    """

    ratio: float
    low: float
    high: float

    @property
    def spans_one(self) -> bool:
        """Whether no difference was seen."""
        return self.low <= 1.0 <= self.high


def measure(run: Callable[[], Any], seconds: float) -> list[float]:
    """Durations of as many calls as fill the slice, after a warm-up that is part of it; at least
    one.

    It is warm when the last three calls were no faster than the fastest before them, or when two
    fifths of the slice are gone.
    """
    began = time.perf_counter()
    fastest, same = math.inf, 0
    while same < _IN_A_ROW:
        start = time.perf_counter()
        run()
        end = time.perf_counter()
        same = 0 if end - start < _STEADY * fastest else same + 1
        fastest = min(fastest, end - start)
        if end - began > _WARM_UP * seconds:
            break
    durations = []
    while True:
        start = time.perf_counter()
        run()
        end = time.perf_counter()
        durations.append(end - start)
        if end - began + durations[-1] > seconds or len(durations) == MOST_CALLS:
            return durations


def summarise(
    rounds: Sequence[Sequence[float]], *, first: float | None, mode: str, threads: int
) -> Timing:
    """The figures of a record from the durations of every round, by linear interpolation between
    the ordered durations.
    """
    every = [duration for durations in rounds for duration in durations]
    return Timing(
        mode=mode,
        threads=threads,
        first=first,
        minimum=min(every),
        lower=_quantile(every, 0.25),
        median=_quantile(every, 0.5),
        upper=_quantile(every, 0.75),
        count=len(every),
        rounds=tuple(_quantile(durations, 0.5) for durations in rounds),
    )


def _quantile(durations: Sequence[float], share: float) -> float:
    ordered = sorted(durations)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def interval(
    one: Sequence[float], other: Sequence[float], *, paired: bool = True
) -> Interval | None:
    """How many times longer `one` takes than `other`, from their rounds' medians; None without any,
    or with a 0.

    `paired` says that rounds of one number were made at one time, as in one run; those of two runs
    were not.
    """
    import numpy as np

    if paired and len(one) != len(other):  # of one that had fewer turns, those that both had
        common = min(len(one), len(other))
        one, other = (one[:common], other[:common]) if common > 1 else ((), ())
    if not one or not other or min(*one, *other) <= 0:
        return None
    a, b = np.log(np.asarray(one)), np.log(np.asarray(other))
    random = np.random.RandomState(0)
    draws_of_a = random.randint(0, len(a), (RESAMPLES, len(a)))
    draws_of_b = draws_of_a if paired else random.randint(0, len(b), (RESAMPLES, len(b)))
    means = a[draws_of_a].mean(axis=1) - b[draws_of_b].mean(axis=1)
    low, high = np.quantile(means, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(ratio=math.exp(a.mean() - b.mean()), low=math.exp(low), high=math.exp(high))
