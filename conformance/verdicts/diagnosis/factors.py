"""Results that are right but for a factor per slice of the output, or for a factor of the bias.

Factor 0 says that a slice is left out: never written.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from conformance.oracle.reference import Float64
from conformance.verdicts.diagnosis.mistake import Call, Mistake
from conformance.verdicts.diagnosis.slices import Slicing, factors_text, result_slicings, snapped

MOST_SLICES = 4096
"""Slices of a result that a factor of their own is sought for."""


LEAST_PER_FACTOR = 3
"""Elements that there are for every factor: fewer could be explained by anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A result `got` (N, C_out, *out) that is read as another, and the right one, y, of that shape.

    `tolerance` is the relative error that rounding leaves in a factor.
    """

    call: Call
    y: Float64
    got: Float64
    tolerance: float

    @property
    def bias(self) -> Float64:
        """(C_out, 1, ...) as it is added; zero where there is none."""
        if self.call.bias is None:
            return np.zeros(1)
        return self.call.bias.reshape(-1, *[1] * self.call.geometry.rank)

    @property
    def is_finite(self) -> bool:
        return bool(np.isfinite(self.y).all() and np.isfinite(self.got).all())

    def simple(self, factors: Float64) -> Float64:
        return snapped(factors, self.tolerance)


def factor_mistakes(reading: Reading) -> Iterator[Mistake]:
    """Every reading of the result as the right one with a factor per slice, or of the bias; not
    all explain it.
    """
    if not reading.is_finite:
        return
    yield from _of_bias(reading)
    for slicing in result_slicings(reading.call.geometry, reading.y.shape):
        if slicing.count <= MOST_SLICES:
            yield from _of_result(slicing, reading)


def _of_bias(reading: Reading) -> Iterator[Mistake]:
    """The bias times one number, or once for every product that reaches an element."""
    call, bias = reading.call, reading.bias
    if not bias.any():
        return
    sums = reading.y - bias
    ratios = ((reading.got - sums) / np.where(bias == 0, np.nan, bias))[:, bias.reshape(-1) != 0]
    factor = float(reading.simple(np.array([np.median(ratios)]))[0])
    if factor not in (0.0, 1.0, 2.0):
        text = f"the bias is multiplied by {factor:.6g}"
        yield Mistake(name="bias-scaled", text=text, y=sums + factor * bias)
    counts = np.ones((1, 1))
    for axis in call.geometry.axes:
        counts = counts[..., np.newaxis] * np.array(axis.overlap(), np.float64)
    for times, what in (
        (counts, "tap"),
        (counts * (len(call.w) // call.geometry.groups), "product"),
    ):
        text = f"the bias is added once for every {what} that reaches an element"
        yield Mistake(name="bias-scaled", text=text, y=sums + times * bias)


def _of_result(slicing: Slicing, reading: Reading) -> Iterator[Mistake]:
    """A factor per slice of the whole result, or of the sums before the bias."""
    y, bias = reading.y, reading.bias
    for offset in (bias, np.zeros(1)) if bias.any() else (bias,):
        sums = y - offset
        medians = factors_of(slicing, reading.got - offset, sums)
        factors = None if medians is None else reading.simple(medians)
        if factors is None or (factors == factors[0]).all():
            continue
        kind, text = factors_text(factors, slicing.noun, slicing.where)
        if bias.any():
            text += ", before the bias" if offset is bias else ", with the bias"
        candidate = slicing.spread(factors, y.ndim) * sums + offset
        yield Mistake(name=f"{slicing.key}-{kind}", text=text, y=candidate)


def factors_of(slicing: Slicing, got: Float64, sums: Float64) -> Float64 | None:
    """By slice the median of got / sums, 1 where nothing tells; None where all are alike, or there
    are so few elements that factors explain anything.
    """
    rows_got, rows = (np.moveaxis(part, slicing.axis, 0) for part in (got, sums))
    factors = np.ones(slicing.count)
    order = np.argsort(slicing.of, kind="stable")
    ends = np.cumsum(np.bincount(slicing.of, minlength=slicing.count))
    for number, (start, end) in enumerate(itertools.pairwise([0, *ends])):
        numbers = order[start:end]
        below = rows[numbers].ravel()
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            ratios = (rows_got[numbers].ravel() / below)[below != 0]
        if ratios.size:
            factors[number] = np.median(ratios)
    overdetermined = LEAST_PER_FACTOR * slicing.count <= np.count_nonzero(sums)
    if (factors == factors[0]).all() or not (overdetermined or set(factors) == {0.0, 1.0}):
        return None
    return factors
