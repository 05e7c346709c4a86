"""The transposed convolution as a plain correlation: zeros between the input's elements, and the
kernel flipped.

    z[(e - 1 - crop_low) + i * stride] = x[i], zero elsewhere
    e = dilation * (kernel - 1) + 1
    v[e - 1 - k * dilation] = w[k], zero elsewhere
    y[n, o, p] = sum over c and t of z[n, c, p + t] * v[c, o, t] + bias[o]

z has out + e - 1 positions per axis, so that the correlation of stride 1 with nothing appended has
`out` of them. Substituting t = e - 1 - k * dilation leaves the terms with p + crop_low = i * stride
+ k * dilation: the definition. A crop above e - 1 makes the margin of z negative: the input then
loses what lies beyond it. Source: V. Dumoulin and F. Visin, arXiv:1603.07285, sections 4.5 and 4.6,
relationships 12 to 14.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from conformance.geometry import Geometry

Float64 = NDArray[np.float64]


def conv_transpose(x: Float64, w: Float64, bias: Float64 | None, geometry: Geometry) -> Float64:
    """y (N, C_out, *out) of x (N, C_in, *size), w (C_in, C_out / groups, *kernel) and bias (C_out,)
    or None.

    Source: Dumoulin and Visin, arXiv:1603.07285, sections 4.5 and 4.6.
    """
    z = stretched(x, geometry)
    v = flipped(w, geometry)
    per_group = w.shape[0] // geometry.groups
    y = np.concatenate(
        [
            correlation(z[:, c : c + per_group], v[c : c + per_group])
            for c in range(0, w.shape[0], per_group)
        ],
        axis=1,
    )
    return y if bias is None else y + np.expand_dims(bias, tuple(range(1, y.ndim - 1)))


def stretched(x: Float64, geometry: Geometry) -> Float64:
    """z (N, C_in, *(out + e - 1)): x with stride - 1 zeros between its elements and e - 1 - crop
    zeros at each end.
    """
    lengths, sources, targets = [], [], []
    for axis in geometry.axes:
        reach = axis.dilation * (axis.kernel - 1)
        length = (
            (axis.size - 1) * axis.stride + 1 + (reach - axis.crop_low) + (reach - axis.crop_high)
        )
        target = np.arange(axis.size) * axis.stride + (reach - axis.crop_low)
        inside = (target >= 0) & (target < length)
        lengths.append(length)
        sources.append(np.flatnonzero(inside))
        targets.append(target[inside])
    z = np.zeros((*x.shape[:2], *lengths))
    channels = [np.arange(n) for n in x.shape[:2]]
    z[np.ix_(*channels, *targets)] = x[
        np.ix_(*channels, *sources)
    ]  # z[i * stride + margin] = x[i], every axis at once
    return z


def flipped(w: Float64, geometry: Geometry) -> Float64:
    """v (C_in, C_out / groups, *e): w back to front along every spatial axis, dilation - 1 zeros
    between its taps.
    """
    v = np.zeros(
        (
            *w.shape[:2],
            *(d * (k - 1) + 1 for d, k in zip(geometry.dilation, geometry.kernel, strict=True)),
        )
    )
    v[:, :, *[slice(None, None, d) for d in geometry.dilation]] = np.flip(
        w, tuple(range(2, w.ndim))
    )
    return v


def correlation(z: Float64, v: Float64) -> Float64:
    """sum over c and t of z[n, c, p + t] * v[c, o, t]: (N, C_out, *out), stride 1, nothing
    appended.
    """
    rank = v.ndim - 2
    windows = sliding_window_view(z, v.shape[2:], axis=tuple(range(2, z.ndim)))  # (N, C, *out, *e)
    summed = [1, *range(2 + rank, 2 + 2 * rank)]
    return np.moveaxis(np.tensordot(windows, v, axes=(summed, [0, *range(2, 2 + rank)])), -1, 1)
