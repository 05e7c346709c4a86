"""The transposed convolution as sub-pixel phases: a small dense correlation for every residue
modulo the stride, interleaved.

Position p of the window is position f = p + crop_low of the full output, f = q * stride + r with 0
<= r < stride. A tap k reaches it from i = (f - k * dilation) / stride, which is whole only where k
* dilation = r modulo the stride. So the phase r has its own taps, every (stride / g)-th one, g =
gcd(stride, dilation), or none at all where g does not divide r:

    y[q * stride + r - crop_low] = sum over t of x[q - m[t]] * w[k[t]]
    m[t] = (k[t] * dilation - r) / stride

The phases share no output element and no tap with each other in any one axis, and none multiplies
by an inserted zero. Source: W. Shi et al., arXiv:1609.05158, section 2.2, and arXiv:1609.07009, for
the kernel split by sub-pixel; any crop, dilation and a kernel that is no multiple of the stride
follow from the congruence.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from conformance.geometry import Geometry

Float64 = NDArray[np.float64]


class Phase(NamedTuple):
    """One residue class of one axis: its output positions, its taps, and the input position of each
    pair (q, t).
    """

    outputs: slice
    kernel_positions: NDArray[np.int64]
    positions: NDArray[np.int64]


def conv_transpose(x: Float64, w: Float64, bias: Float64 | None, geometry: Geometry) -> Float64:
    """y (N, C_out, *out) of x (N, C_in, *size), w (C_in, C_out / groups, *kernel) and bias (C_out,)
    or None.

    Source: Shi et al., arXiv:1609.05158 and arXiv:1609.07009.
    """
    spans = [
        (axis.size - 1) * axis.stride
        + (axis.kernel - 1) * axis.dilation
        + 1
        - axis.crop_low
        - axis.crop_high
        for axis in geometry.axes
    ]
    y = np.empty((len(x), geometry.groups * w.shape[1], *spans))
    # one zero at the end, to be read for positions outside
    around = np.pad(x, [(0, 0), (0, 0), *((0, 1) for _ in spans)])
    per_axis = [_phases(geometry, axis, span) for axis, span in enumerate(spans)]
    for chosen in np.ndindex(*map(len, per_axis)):
        phases = [every[i] for every, i in zip(per_axis, chosen, strict=True)]
        target = (slice(None), slice(None), *(phase.outputs for phase in phases))
        y[target] = _subpixels(around, w, phases, geometry.groups)
    if bias is not None:
        y += bias.reshape(1, -1, *(1 for _ in spans))
    return y


def _subpixels(x: Float64, w: Float64, phases: list[Phase], groups: int) -> Float64:
    """(N, C_out, *q): the correlation of one phase per axis, group by group."""
    rank = len(phases)
    patches, small = x, w
    for axis, (_, taps, positions) in enumerate(phases):
        # (N, C, q1, t1, q2, t2, ..., what is left)
        patches = np.take(patches, positions, axis=2 + 2 * axis)
        small = np.take(small, taps, axis=2 + axis)
    summed = [1, *range(3, 3 + 2 * rank, 2)], [0, *range(2, 2 + rank)]
    parts = [
        np.tensordot(image, kernel, axes=summed)
        for image, kernel in zip(
            np.split(patches, groups, axis=1), np.split(small, groups), strict=True
        )
    ]
    return np.concatenate([np.moveaxis(part, -1, 1) for part in parts], axis=1)


def _phases(geometry: Geometry, number: int, span: int) -> list[Phase]:
    """The phases of one axis that have an output position."""
    axis = geometry.axes[number]
    every = np.arange(axis.kernel)
    phases = []
    for start in range(min(axis.stride, span)):
        q, r = divmod(start + axis.crop_low, axis.stride)
        taps = every[every * axis.dilation % axis.stride == r]
        m = (taps * axis.dilation - r) // axis.stride
        positions = np.arange(q, q + len(range(start, span, axis.stride)))[:, np.newaxis] - m
        positions[(positions < 0) | (positions >= axis.size)] = axis.size
        phases.append(Phase(slice(start, span, axis.stride), taps, positions))
    return phases
