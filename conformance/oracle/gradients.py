"""The true gradients of sum(y * cotangent), y a transposed convolution: with respect to input,
kernel and bias.

    dL/dx[n, c, i] = sum over o and k of w[c, o, k] * cotangent[n, o, p]
    dL/dw[c, o, k] = sum over n and i of x[n, c, i] * cotangent[n, o, p]
    dL/dbias[o]    = sum over n and p of cotangent[n, o, p]
    p = i * stride + k * dilation - crop_low in the first two

group by group, over the pairs (i, k) that reach the window: the first is the convolution whose
transpose y is, the second that convolution's own gradient with the roles of image and cotangent
exchanged. One matrix product per tap; a product that has no place in the window is never formed, so
that NaN and infinity go where their products go. Source: V. Dumoulin and F. Visin,
arXiv:1603.07285, section 4.1, for the first; docs/mathematics.md derives all three.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conformance.geometry import Axis, Geometry
from conformance.oracle.reference import Float64, as_slice, blocks, of_rows
from conformance.oracle.truth import SIGNIFICAND_BITS, integers, significand

BLOCK_BYTES = 2 * 2**20
"""The most memory for what one tap reads and makes: every tap passes over a block again, which is
faster in a cache."""


@dataclass(frozen=True, kw_only=True, eq=False)
class GradientTruth:
    """The true gradient of sum(y * cotangent) with respect to one operand, and the quantities that
    its error bound is made of.

    `of` is "input", "kernel" or "bias", and y the gradient, of that operand's shape. `operands` are
    what it is computed from, rounded to the dtype and then held in float64: (kernel, cotangent),
    (x, cotangent) or (cotangent,).
    """

    of: str
    y: Float64
    dtype: str
    operands: tuple[Float64, ...]
    geometry: Geometry

    @cached_property
    def magnitude(self) -> Float64:
        """B, the same gradient of the operands' magnitudes: the sum of the magnitudes of all terms
        of an element.
        """
        return self._gradient(*map(np.abs, self.operands))

    @cached_property
    def squares(self) -> Float64:
        """The sum of the squares of all products of an element; those of the bias are the
        cotangent's numbers times one.
        """
        with np.errstate(over="ignore"):
            squared = [operand**2 for operand in self.operands]
        return self._gradient(*squared)

    @cached_property
    def terms(self) -> Float64:
        """The number of products of every element: shape (1, 1, *size), (1, 1, *kernel) or (1,)."""
        if self.of == "bias":
            batch, _, *out = self.operands[0].shape
            return np.full(1, float(batch * math.prod(out)))
        summed, which = (
            (self.operands[0].shape[1], 0) if self.of == "input" else (len(self.operands[0]), 1)
        )
        count = np.full((1, 1), float(summed))
        for axis in self.geometry.axes:
            count = count[..., np.newaxis] * _reached(axis)[which]
        return count

    @cached_property
    def exact(self) -> bool:
        """Whether every order of summation gives the same bits in the dtype: integers, and no
        partial sum above 2^p.
        """
        if not all(map(integers, self.operands)):
            return False
        return bool(
            self.magnitude.size == 0 or self.magnitude.max() <= 2.0 ** SIGNIFICAND_BITS[self.dtype]
        )

    @property
    def before_bias(self) -> Float64:
        """The sums of products alone: the gradient itself, to which nothing is added."""
        return self.y

    def rounded(self, bits: int) -> Float64:
        """The gradient of the operands rounded to so many significand bits, computed in float64."""
        return self._gradient(*(significand(operand, bits) for operand in self.operands))

    def _gradient(self, *operands: Float64) -> Float64:
        return _GRADIENTS[self.of](*operands, self.geometry)


def gradient_truths(
    x: NDArray[np.generic],
    kernel: NDArray[np.generic],
    bias: NDArray[np.generic] | None,
    cotangent: NDArray[np.generic],
    geometry: Geometry,
    dtype: str,
) -> dict[str, GradientTruth]:
    """The truths of a call's gradients, by operand: "input", "kernel", and "bias" where there is
    one.

    x is (N, C_in, *size), kernel (C_in, C_out / groups, *kernel), bias (C_out,), cotangent (N,
    C_out, *out), of a call that makes sense and rounded to its dtype. Raises ValueError where the
    cotangent is not of the output's shape.
    """
    shape = (len(x), kernel.shape[1] * geometry.groups, *geometry.out)
    if cotangent.shape != shape:
        raise ValueError(
            f"cotangent: has shape {list(cotangent.shape)}, should have the output's {list(shape)}"
        )
    x64, w64, c64 = (array.astype(np.float64) for array in (x, kernel, cotangent))
    operands: dict[str, tuple[Float64, ...]] = {"input": (w64, c64), "kernel": (x64, c64)}
    if bias is not None:
        operands["bias"] = (c64,)
    return {
        of: GradientTruth(
            of=of, y=_GRADIENTS[of](*used, geometry), dtype=dtype, operands=used, geometry=geometry
        )
        for of, used in operands.items()
    }


def input_gradient(kernel: Float64, cotangent: Float64, geometry: Geometry) -> Float64:
    """dL/dx (N, C_in, *size) of kernel (C_in, C_out / groups, *kernel) and cotangent (N, C_out,
    *out).
    """
    batch, groups = len(cotangent), geometry.groups
    dx = np.zeros((batch, len(kernel), *geometry.size))
    into, seen = _grouped(dx, groups), np.ascontiguousarray(_grouped(cotangent, groups))
    weights = _by_tap(kernel, groups)
    with np.errstate(invalid="ignore", over="ignore"):
        for tap, source, at in _pairs(geometry, batch, dx.shape[1] + cotangent.shape[1]):
            part = seen[at]
            products = np.matmul(weights[tap], _matrices(part))
            into[source] += products.reshape(*products.shape[:2], *part.shape[2:])
    return dx


def kernel_gradient(x: Float64, cotangent: Float64, geometry: Geometry) -> Float64:
    """dL/dkernel (C_in, C_out / groups, *kernel) of x (N, C_in, *size) and cotangent (N, C_out,
    *out).
    """
    batch, groups = len(cotangent), geometry.groups
    dw = np.zeros((x.shape[1], cotangent.shape[1] // groups, *geometry.kernel))
    sums = np.zeros_like(_by_tap(dw, groups))
    images, seen = (np.ascontiguousarray(_grouped(array, groups)) for array in (x, cotangent))
    with np.errstate(invalid="ignore", over="ignore"):
        for tap, source, at in _pairs(geometry, batch, x.shape[1] + cotangent.shape[1]):
            sums[tap] += np.matmul(_matrices(images[source]), _matrices(seen[at]).swapaxes(1, 2))
    dw[:] = np.moveaxis(sums, (-3, -2, -1), (0, 1, 2)).reshape(dw.shape)
    return dw


def bias_gradient(cotangent: Float64, geometry: Geometry) -> Float64:
    """dL/dbias (C_out,) of cotangent (N, C_out, *out): bias is added to every element, appended
    ones too.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        return np.asarray(cotangent.sum(axis=(0, *range(2, 2 + geometry.rank))))


_GRADIENTS: dict[str, Callable[..., Float64]] = {
    "input": input_gradient,
    "kernel": kernel_gradient,
    "bias": bias_gradient,
}

_Index = tuple[slice, ...]


def _pairs(
    geometry: Geometry, batch: int, channels: int
) -> Iterator[tuple[tuple[int, ...], _Index, _Index]]:
    """(tap, where in the input, where in the output) of all products, a block of batch items and
    positions at a time.

    The indices are of arrays (groups, channels, N, *spatial). What a tap reads of both arrays,
    `channels` numbers per position, takes at most BLOCK_BYTES, or is one position.
    """
    shape = (batch, *geometry.size)
    taps = [list(axis.taps()) for axis in geometry.axes]
    for (n, m), *spans in itertools.product(
        *map(blocks, shape, _block(shape, BLOCK_BYTES // 8 // max(1, channels)))
    ):
        near = (
            _within(of_axis, stride, *span)
            for of_axis, stride, span in zip(taps, geometry.stride, spans, strict=True)
        )
        every = (slice(None), slice(None), slice(n, m))
        for tap in itertools.product(*near):
            yield (
                tuple(k for k, _, _ in tap),
                (*every, *(source for _, source, _ in tap)),
                (*every, *(at for _, _, at in tap)),
            )


def _within(
    taps: list[Any], stride: int, start: int, stop: int
) -> Iterator[tuple[int, slice, slice]]:
    """The taps of an axis with the input positions, limited to [start, stop), and the output
    positions of each.
    """
    for tap, positions, outputs in of_rows(taps, stride, start, stop):
        yield tap, slice(start + positions.start, start + positions.stop), as_slice(outputs)


def _block(shape: Sequence[int], most: int) -> list[int]:
    """The lengths of a block of at most `most` positions, at least one: whole last axes first."""
    lengths: list[int] = []
    for length in reversed(shape):
        lengths.insert(0, max(1, min(length, most // math.prod(lengths))))
    return lengths


def _reached(axis: Axis) -> tuple[Float64, Float64]:
    """How many taps each input position has in the window, and how many positions each tap."""
    per_position, per_tap = np.zeros(axis.size), np.zeros(axis.kernel)
    for tap, positions, _ in axis.taps():
        per_position[as_slice(positions)] += 1
        per_tap[tap] = len(positions)
    return per_position, per_tap


def _grouped(array: Float64, groups: int) -> Float64:
    """A view (groups, C / groups, N, *spatial) of (N, C, *spatial)."""
    batch, channels, *spatial = array.shape
    return np.moveaxis(array, 1, 0).reshape(groups, channels // groups, batch, *spatial)


def _by_tap(kernel: Float64, groups: int) -> Float64:
    """(C_in, C_out / groups, *kernel) as one matrix per tap and group: (*kernel, groups, C_in /
    groups, C_out / groups).
    """
    split = kernel.reshape(groups, len(kernel) // groups, *kernel.shape[1:])
    return np.ascontiguousarray(np.moveaxis(split, (0, 1, 2), (-3, -2, -1)))


def _matrices(part: Float64) -> Float64:
    """(groups, C, N, *spatial) as one matrix per group, contiguous as fast products want it."""
    return np.ascontiguousarray(part.reshape(*part.shape[:2], math.prod(part.shape[2:])))
