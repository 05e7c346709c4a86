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
from collections.abc import Callable
from typing import Any

TAG = "network"
SLICES = {"off": 0.0, "quick": 0.2, "full": 5.0}
"""The seconds that one case may take on one adapter, by mode."""
ROUNDS = {"off": 0, "quick": 4, "full": 10}
"""The number of turns of a case, by mode. With `quick` an adapter that has used its seconds up has
no more of them."""

FAILED = "could not be timed"
"""The beginning of the message of a verdict that conforms and has no timing for that reason."""

MOST_CALLS = 2_000
"""The most calls of a turn."""
SETTLE = 0.01
"""The seconds between two turns, in which threads of the one before stop to look for work."""

_WARM_UP = 0.4  # of the slice at most, and at least one call
# a call that takes less than this of the fastest one so far says that it still gets faster
_STEADY = 0.98
_IN_A_ROW = 3  # calls that do not


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
