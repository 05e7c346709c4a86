"""The transposed convolution by its definition: every input element stamps the kernel, scaled by
itself, on the output.

    full[n, o, i * stride + k * dilation] += sum over c of x[n, c, i] * w[c, o, k]

for every position i and tap k.
    y[n, o, p] = full[n, o, p + crop_low] + bias[o]

A position of the window that no stamp reaches is zero before the bias. Source: the definition. V.
Dumoulin and F. Visin, arXiv:1603.07285, section 4, arrive at it as the convolution's backward pass.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from conformance.geometry import Geometry

Float64 = NDArray[np.float64]


def conv_transpose(x: Float64, w: Float64, bias: Float64 | None, geometry: Geometry) -> Float64:
    """y (N, C_out, *out) of x (N, C_in, *size), w (C_in, C_out / groups, *kernel) and bias (C_out,)
    or None.

    Source: the definition, one stamp per input position.
    """
    per_group = geometry.groups, w.shape[0] // geometry.groups
    inputs = x.reshape(x.shape[0], *per_group, *x.shape[2:])
    kernels = w.reshape(*per_group, *w.shape[1:])
    begin, end, window = _canvas(geometry)
    lengths = (high - low for low, high in zip(begin, end, strict=True))
    canvas = np.zeros((x.shape[0], geometry.groups, w.shape[1], *lengths))

    for i in np.ndindex(*geometry.size):
        stamp = np.einsum("ngc,gco...->ngo...", inputs[:, :, :, *i], kernels)
        first = [
            at * stride - low for at, stride, low in zip(i, geometry.stride, begin, strict=True)
        ]
        under = [
            slice(f, f + d * k, d)
            for f, d, k in zip(first, geometry.dilation, geometry.kernel, strict=True)
        ]
        canvas[:, :, :, *under] += stamp

    y = canvas[:, :, :, *window]
    y = y.reshape(x.shape[0], geometry.groups * w.shape[1], *y.shape[3:])
    return y if bias is None else y + bias.reshape(-1, *[1] * len(geometry.axes))


def _canvas(geometry: Geometry) -> tuple[list[int], list[int], list[slice]]:
    """Per axis where the canvas begins and ends, and the window in it.

    It holds the full output [0, full) and the window [low, full - high), whichever reaches further.
    """
    begin, end, window = [], [], []
    for axis in geometry.axes:
        full = (axis.size - 1) * axis.stride + axis.dilation * (axis.kernel - 1) + 1
        begin.append(min(0, axis.crop_low))
        end.append(max(0, full, full - axis.crop_high))
        window.append(slice(axis.crop_low - begin[-1], full - axis.crop_high - begin[-1]))
    return begin, end, window
