"""Two layers brought to one form before they are compared: one dtype, groups or none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from conformance.comparison.calls import LayerCall
from conformance.comparison.kernels import rounded_to
from conformance.corpus.tensors import dtype_of
from conformance.geometry import Geometry
from conformance.oracle.reference import Float64
from conformance.oracle.truth import SIGNIFICAND_BITS
from conformance.verdicts.diagnosis.mistake import Call


def written_alike(
    a: LayerCall, b: LayerCall, right: Geometry | None, other: Geometry | None
) -> tuple[Call, Float64, Geometry | None]:
    """(the source's call on zeros, the target's kernel, the target's window).

    A target of fewer bits is compared with the source's weights in its own dtype: to be of another
    dtype is no mistake. Groups that only one side has are written out as zeros on the other.
    """
    kernel, other_kernel, bias = a.kernel, b.kernel, a.bias
    if SIGNIFICAND_BITS[b.dtype] < SIGNIFICAND_BITS[a.dtype]:
        kernel = _in_dtype(kernel, b.kernel, b.dtype)
        bias = None if bias is None else _in_dtype(bias, b.bias, b.dtype)
    geometry = right or Geometry(axes=(), groups=1)
    if right is not None and other is not None and right.groups != other.groups:
        dense, other_dense = _dense(kernel, right.groups), _dense(other_kernel, other.groups)
        if dense.shape == other_dense.shape and 1 in (right.groups, other.groups):
            kernel, other_kernel = dense, other_dense
            geometry, other = replace(right, groups=1), replace(other, groups=1)
    x = np.zeros((1, kernel.shape[0], *geometry.size))
    return Call(x=x, w=kernel, bias=bias, geometry=geometry), other_kernel, other


def _in_dtype(values: Float64, others: Float64 | None, dtype: str) -> Float64:
    """Values in a dtype: as a converter has them, if it rounded and no more, else rounded here."""
    if others is not None and rounded_to(values, others) == dtype:
        return others
    with np.errstate(over="ignore"):
        return values.astype(dtype_of(dtype)).astype(np.float64)


def _dense(kernel: Float64, groups: int) -> Float64:
    """(C_in, C_out, *kernel) of (C_in, C_out / groups, *kernel), with zeros between groups."""
    inside, outside = kernel.shape[0] // groups, kernel.shape[1]
    dense = np.zeros((kernel.shape[0], outside * groups, *kernel.shape[2:]))
    for group in range(groups):
        rows = slice(group * inside, (group + 1) * inside)
        dense[rows, group * outside : (group + 1) * outside] = kernel[rows]
    return dense
