"""The truth of a case: the output, and the quantities that bound an engine's rounding error in
every element.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from conformance.geometry import Geometry
from conformance.oracle.reference import Float64, transpose_into_window

SIGNIFICAND_BITS = {"float64": 53, "float32": 24, "float16": 11, "bfloat16": 8}
"""Bits of the significand, the hidden one counted."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Truth:
    """The true output of a call, of shape (N, C_out, *out), and what its error bound is made of.

    The operands are those of the case, rounded to its dtype and then held in float64.
    """

    x: Float64
    kernel: Float64
    bias: Float64 | None
    geometry: Geometry
    dtype: str
    y: Float64

    @cached_property
    def magnitude(self) -> Float64:
        """B = oracle(|x|, |w|, |b|): the sum of the magnitudes of all terms of an element."""
        bias = None if self.bias is None else abs(self.bias)
        return transpose_into_window(abs(self.x), abs(self.kernel), bias, self.geometry)

    @cached_property
    def squares(self) -> Float64:
        """The sum of the squares of all products of an element: the variance of independent
        relative errors.
        """
        with np.errstate(over="ignore"):
            return transpose_into_window(self.x**2, self.kernel**2, None, self.geometry)

    @property
    def before_bias(self) -> Float64:
        """The sums of products alone."""
        return (
            self.y
            if self.bias is None
            else self.y - self.bias.reshape(-1, *[1] * self.geometry.rank)
        )

    def rounded(self, bits: int) -> Float64:
        """The output of the operands rounded to so many significand bits, computed in float64."""
        return transpose_into_window(
            significand(self.x, bits), significand(self.kernel, bits), self.bias, self.geometry
        )

    @cached_property
    def terms(self) -> Float64:
        """The number of terms of every element, the bias counted: shape (1, 1, *out)."""
        count = np.full((1, 1), float(self.x.shape[1] // self.geometry.groups))
        for axis in self.geometry.axes:
            count = count[..., np.newaxis] * np.array(axis.overlap(), np.float64)
        return count + (self.bias is not None)

    @cached_property
    def exact(self) -> bool:
        """Whether every order of summation gives the same bits in the case's dtype.

        So it is when all operands are integers and no partial sum can exceed 2^p, p the bits of the
        significand.
        """
        operands = (self.x, self.kernel) if self.bias is None else (self.x, self.kernel, self.bias)
        if not all(integers(operand) for operand in operands):
            return False
        return bool(
            self.magnitude.size == 0 or self.magnitude.max() <= 2.0 ** SIGNIFICAND_BITS[self.dtype]
        )


def significand(values: Float64, bits: int) -> Float64:
    """The values rounded to so many significand bits, ties to even, with no limit to the
    exponent.
    """
    with np.errstate(invalid="ignore"):
        fraction, exponent = np.frexp(values)
        return np.asarray(np.ldexp(np.round(np.ldexp(fraction, bits)), exponent - bits))


def truth_of(
    x: NDArray[np.generic],
    kernel: NDArray[np.generic],
    bias: NDArray[np.generic] | None,
    geometry: Geometry,
    dtype: str,
) -> Truth:
    """The truth of a call whose arguments are known to make sense."""
    x64, w64 = x.astype(np.float64), kernel.astype(np.float64)
    b64 = None if bias is None else bias.astype(np.float64)
    y = transpose_into_window(x64, w64, b64, geometry)
    return Truth(x=x64, kernel=w64, bias=b64, geometry=geometry, dtype=dtype, y=y)


def integers(values: Float64) -> bool:
    with np.errstate(invalid="ignore"):
        return bool(np.isfinite(values).all() and (values == np.floor(values)).all())
