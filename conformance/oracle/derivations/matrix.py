"""The transposed convolution as what its name says: the transpose of a convolution's matrix.

The convolution of the same stride, dilation, crops (as padding) and kernel takes an image u over
the output's positions to one over the input's:

    (C u)[c, i] = sum over o and k of w[c, o, k] * u[o, i * stride + k * dilation - crop_low]

    C[(c, i), (o, p)] = sum over k of w[c, o, k] * S[k, i, p]
    S[k, i, p] = [p = i * stride + k * dilation - crop_low]

S is zero where p leaves the window: there the convolution reads its padding. Then y = C^T x + bias,
group by group. Source: V. Dumoulin and F. Visin, arXiv:1603.07285, sections 4.1 and 4.2.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from conformance.geometry import Geometry

Float64 = NDArray[np.float64]


def conv_transpose(x: Float64, w: Float64, bias: Float64 | None, geometry: Geometry) -> Float64:
    """y (N, C_out, *out) of x (N, C_in, *size), w (C_in, C_out / groups, *kernel) and bias (C_out,)
    or None.

    Source: Dumoulin and Visin, arXiv:1603.07285, sections 4.1 and 4.2.
    """
    images = np.split(x, geometry.groups, axis=1)
    kernels = np.split(w, geometry.groups, axis=0)
    out = [
        (n - 1) * s + d * (k - 1) + 1 - low - high
        for n, k, s, d, (low, high) in zip(
            geometry.size,
            geometry.kernel,
            geometry.stride,
            geometry.dilation,
            geometry.crops,
            strict=True,
        )
    ]
    y = np.concatenate(
        [
            (forward_matrix(kernel, geometry, out).T @ image.reshape(len(x), -1).T).T.reshape(
                len(x), w.shape[1], *out
            )
            for image, kernel in zip(images, kernels, strict=True)
        ],
        axis=1,
    )
    return y if bias is None else y + bias[(slice(None), *[np.newaxis] * len(out))]


def forward_matrix(w: Float64, geometry: Geometry, out: list[int]) -> Float64:
    """C (C_in * prod(size), C_out * prod(out)) of one group's kernel w (C_in, C_out, *kernel)."""
    c = w
    for axis, length in zip(geometry.axes, out, strict=True):
        k, i, p = np.ogrid[: axis.kernel, : axis.size, :length]
        s = (p == i * axis.stride + k * axis.dilation - axis.crop_low).astype(np.float64)
        c = np.tensordot(c, s, axes=(2, 0))  # the tap axis goes, (i, p) come last
    rank = len(out)
    rows, columns = range(2, 2 + 2 * rank, 2), range(3, 3 + 2 * rank, 2)
    c = c.transpose(0, *rows, 1, *columns)
    return c.reshape(w.shape[0] * int(np.prod(geometry.size)), w.shape[1] * int(np.prod(out)))
