"""How long calls took: the figures of a record, and how two of them compare."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

RESAMPLES = 2_000

CONFIDENCE = 0.95


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
    position = share * (len(ordered) - 1)
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (position - below) * (ordered[above] - ordered[below])


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
