"""The comparison of a result with the truth: the only place where numbers meet a bound.

Exact where it can be, bit for bit; else within `oracle.bound`. There are no tolerances to tune.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conformance.corpus.tensors import Array, dtype_of
from conformance.oracle import GradientTruth, Truth
from conformance.oracle.bound import bound
from conformance.verdicts.precision import effective_precision, is_rounding
from conformance.wording import part

Float64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The outcome of a comparison: what disagrees, if anything, and how near it came."""

    mismatch: dict[str, Any] | None
    error_over_bound: float | None
    precision: dict[str, Any] | None = None


def compare(
    got: Array,
    truth: Truth | GradientTruth,
    *,
    signed_zero: bool = False,
    name: str = "out",
    briefly: bool = False,
) -> Comparison:
    """The first mismatch, in this order: shape, dtype, the pattern of NaN and infinity, values.
    `name` is what messages call it.

    `briefly` leaves out the precision of what differs, which takes as long as the call.
    """
    mismatch = _mismatch_of_type(got, truth, name)
    if mismatch is not None:
        return Comparison(mismatch=mismatch, error_over_bound=None)
    with np.errstate(over="ignore", invalid="ignore"):
        nearest = truth.y.astype(dtype_of(truth.dtype))
    if truth.exact and not signed_zero and np.array_equal(got, nearest):
        return Comparison(mismatch=None, error_over_bound=0.0)
    with np.errstate(
        invalid="ignore"
    ):  # a signalling NaN, as memory that was never written may hold
        values, rounded = got.astype(np.float64), nearest.astype(np.float64)
    strange = _pattern(values) != _pattern(rounded)
    if strange.any():
        mismatch = _mismatch("nonfinite", strange, values, truth.y, name)
        return Comparison(mismatch=mismatch, error_over_bound=None)
    error = _error(values, truth.y, rounded)
    wrong = _beyond(error, truth)
    if truth.exact and signed_zero:
        wrong |= (values == 0) & (truth.y == 0) & (np.signbit(values) != np.signbit(truth.y))
    if wrong.any():
        mismatch = _mismatch("values", wrong, values, truth.y, name) | _worst(error, wrong, truth)
    return _near(error, truth, mismatch, briefly=briefly)


def _mismatch_of_type(got: Array, truth: Truth | GradientTruth, name: str) -> dict[str, Any] | None:
    """Another shape than the truth's, else another dtype; None where both agree."""
    shape, true_shape = list(got.shape), list(truth.y.shape)
    if shape != true_shape:
        text = f"{name}.shape={shape}, should be {true_shape}"
        return {"kind": "shape", "got": shape, "expected": true_shape, "text": text}
    dtype = got.dtype.name
    if dtype != truth.dtype:
        text = f"{name}.dtype={dtype}, should be {truth.dtype}"
        return {"kind": "dtype", "got": dtype, "expected": truth.dtype, "text": text}
    return None


def _beyond(error: Float64, truth: Truth | GradientTruth) -> NDArray[np.bool_]:
    """Where an error is larger than its bound: than nothing where all sums are exact."""
    return np.asarray(error > (0.0 if truth.exact else bound(truth)))


def _near(
    error: Float64,
    truth: Truth | GradientTruth,
    mismatch: dict[str, Any] | None,
    *,
    briefly: bool,
) -> Comparison:
    """The comparison of values: how large the errors are, and of what precision if they are
    rounding.
    """
    within = mismatch is None
    looked_into = within or not briefly
    return Comparison(
        mismatch=mismatch,
        error_over_bound=_largest_ratio(error, truth) if error.any() else 0.0,
        precision=effective_precision(error, truth, within=within)
        if looked_into and is_rounding(error, truth)
        else None,
    )


def _worst(
    error: Float64, wrong: NDArray[np.bool_], truth: Truth | GradientTruth
) -> dict[str, float]:
    """The largest absolute error of the elements that are wrong, and what was allowed there:
    nothing where all sums are exact.
    """
    index = np.unravel_index(np.argmax(np.where(wrong, error, -1.0)), error.shape)
    return {
        "abs_error": float(error[index]),
        "allowed": 0.0 if truth.exact else float(bound(truth)[index]),
    }


def between(
    one: Array, other: Array, truth: Truth | GradientTruth, *, name: str = "out"
) -> dict[str, Any] | None:
    """How far apart two results for the same truth are; None if they hold the same numbers.

    {"largest", "over_bound", "beyond", "text"}: the largest difference, as a multiple of the bound
    too, and whether it is beyond that bound, or beyond nothing at all where the sums are exact.
    """
    if one.shape != other.shape or one.dtype != other.dtype:
        text = (
            f"{name} of shape {list(other.shape)} and dtype {other.dtype.name}, not "
            f"{list(one.shape)} and {one.dtype.name}"
        )
        return {"largest": None, "over_bound": None, "beyond": True, "text": text}
    a, b = one.astype(np.float64), other.astype(np.float64)
    strange = _pattern(a) != _pattern(b)
    with np.errstate(invalid="ignore"):
        error = np.where(np.isfinite(a) & np.isfinite(b), abs(a - b), 0.0)
    apart = strange | (error > 0)
    if not apart.any():
        return None
    beyond = strange | _beyond(error, truth)
    index = tuple(int(i) for i in np.argwhere(beyond if beyond.any() else apart)[0])
    text = f"{name}{list(index)}={_number(float(b[index]))}, not {_number(float(a[index]))}"
    return {
        "largest": float(error.max()),
        "over_bound": _largest_ratio(error, truth),
        "beyond": bool(beyond.any()),
        "text": f"{text}; {part(int(apart.sum()), apart.size, 'element', 'differ')}",
    }


def _pattern(values: Float64) -> NDArray[np.int8]:
    """0 finite, 1 infinity, -1 minus infinity, 2 NaN."""
    pattern = np.zeros(values.shape, np.int8)
    pattern[np.isnan(values)] = 2
    pattern[np.isposinf(values)] = 1
    pattern[np.isneginf(values)] = -1
    return pattern


def _error(values: Float64, y: Float64, rounded: Float64) -> Float64:
    """|got - y| where the true value can be held by the dtype, 0 elsewhere: the pattern has agreed
    there.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        return np.where(np.isfinite(y) & np.isfinite(rounded), abs(values - y), 0.0)


def _largest_ratio(error: Float64, truth: Truth | GradientTruth) -> float:
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        ratio = error / bound(truth)
    return float(np.nanmax(np.where(error > 0, ratio, 0.0)))


def _mismatch(
    kind: str, wrong: NDArray[np.bool_], got: Float64, y: Float64, name: str
) -> dict[str, Any]:
    """Where it begins, what is there, and how many there are; the text is one message grammar
    everywhere.
    """
    index = [int(i) for i in np.argwhere(wrong)[0]]
    count, total = int(wrong.sum()), int(wrong.size)
    position = tuple(index)
    actual, expected = float(got[position]), float(y[position])
    text = (
        f"{name}{index}={_number(actual)}, should be {_number(expected)}; "
        f"{part(count, total, 'element', 'differ')}"
    )
    return {
        "kind": kind,
        "index": index,
        "got": actual,
        "expected": expected,
        "count": count,
        "of": total,
        "text": text,
    }


def _number(value: float) -> str:
    return f"{value:.0f}" if value.is_integer() and abs(value) < 2**53 else f"{value!r}"
