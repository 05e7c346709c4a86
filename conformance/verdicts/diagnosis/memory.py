"""What the memory of a result says: parts never written, or written with what belongs elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from conformance.oracle import Truth
from conformance.oracle.reference import Float64
from conformance.verdicts.diagnosis.mistake import Mistake
from conformance.verdicts.diagnosis.rounding import SMALLEST_NORMAL
from conformance.wording import counted

HUGE = 2.0**10  # times the largest sum of magnitudes: no mistake in the sums reaches that
FEWEST = 4  # wrong elements of which a repetition is told
PROBES = 64
NOT_A_NUMBER = 1.25e307  # stands for NaN, which is equal to nothing


def memory_mistakes(truth: Truth) -> Iterator[Mistake]:
    """The last third of the result's memory never written, or repeating what lies before it: for
    making, not for telling.
    """
    flat, count = truth.y.ravel(), truth.y.size // 3
    if not count:
        return
    garbage = flat.copy()
    garbage[-count:] = np.resize([3e34, -1e-44, 5e-39, np.nan], count)
    yield Mistake(
        name="uninitialised-memory",
        text="elements look never written",
        y=garbage.reshape(truth.y.shape),
    )
    repeated = flat.copy()
    repeated[-count:] = flat[-2 * count : -count]
    yield Mistake(
        name="repeated-memory", text="memory is repeated", y=repeated.reshape(truth.y.shape)
    )


def remembered(
    got: Float64, y: Float64, truth: Truth, right: NDArray[np.bool_]
) -> Iterator[tuple[Mistake, float]]:
    """What `got` (N, C_out, *out) has where it is not `right`: garbage, zeros, or what belongs
    elsewhere; and the share.

    `right` says where it is y, the right result or what a mistake makes of it, of the same shape.
    """
    wrong = ~right
    zero = wrong & (got == 0)
    if zero.sum() == wrong.sum():
        where = (
            "the result is zero everywhere"
            if wrong.all()
            else f"{counted(int(wrong.sum()), 'element was', 'elements were')} left zero"
        )
        yield Mistake(name="left-zero", text=where), 1.0
        return
    strange = wrong & _strange(got, truth)
    explained = strange | zero
    if not wrong.all() and strange.any() and 2 * explained.sum() >= wrong.sum():
        text = (
            "uninitialised memory: "
            f"{counted(int(wrong.sum()), 'element looks', 'elements look')} never written, "
            f"among them {got[strange][0]:.3g}"
        )
        yield Mistake(name="uninitialised-memory", text=text), float((right | explained).mean())
    lag = 0 if wrong.all() else _lag(got.ravel(), np.where(right, got, y).ravel(), wrong.ravel())
    if lag:
        where = f"{counted(abs(lag), 'element')} {'before' if lag > 0 else 'after'} them in memory"
        text = (
            f"memory is repeated: {counted(int(wrong.sum()), 'element has', 'elements have')} what "
            f"belongs {where}"
        )
        yield Mistake(name="repeated-memory", text=text), 1.0


def _strange(got: Float64, truth: Truth) -> NDArray[np.bool_]:
    """Values that no sum of these products has: huge, subnormal, or not finite where all operands
    are.
    """
    magnitudes = truth.magnitude[np.isfinite(truth.magnitude)]
    largest = float(magnitudes.max()) if magnitudes.size else 0.0
    with np.errstate(invalid="ignore"):
        normal = SMALLEST_NORMAL[truth.dtype]
        small = (got != 0) & (np.abs(got) < normal) & (largest > HUGE * normal)
        huge = np.isfinite(got) & (np.abs(got) > HUGE * largest)
        if np.isfinite(truth.x).all() and np.isfinite(truth.kernel).all():
            huge |= ~np.isfinite(got)
        return np.asarray(huge | small)


def _lag(got: Float64, y: Float64, wrong: NDArray[np.bool_]) -> int:
    """How many elements before itself every wrong element finds its value; 0 where there is no such
    number.

    Few or all too similar elements say nothing: they would be found somewhere by chance.
    """
    got, y = (np.where(np.isnan(values), NOT_A_NUMBER, values) for values in (got, y))
    at = np.flatnonzero(wrong)
    probes = at[:: max(1, len(at) // PROBES)]
    if len(at) < FEWEST or len(np.unique(got[probes])) < FEWEST:
        return 0
    lags = set(range(probes[0] - y.size + 1, probes[0] + 1))
    for probe in probes:
        lags &= set((probe - np.flatnonzero(y == got[probe])).tolist())
        if not lags:
            return 0
    for lag in sorted(lags, key=abs):
        origin = at - lag
        if lag and origin.min() >= 0 and origin.max() < y.size and (y[origin] == got[at]).all():
            return int(lag)
    return 0
