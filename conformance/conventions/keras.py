"""`keras.layers.Conv1D/2D/3DTranspose`: padding "same" or "valid", and an optional output_padding.

With Ke the dilated kernel, F the full size and q the output_padding:

    valid, None   low = 0                    out = size * stride + max(Ke - stride, 0)
    valid, q      low = 0                    out = F + q
    same,  None   low = max(F - out, 0)//2   out = size * stride
    same,  q      low = max(F - out, 0)//2   out = F - 2 * (Ke // 2) + q

so with `same` the *start* depends on q too. Source: keras/src/backend/common/backend_utils.py of
Keras 3.15 (compute_conv_transpose_output_shape and the padding conversions), measured on all three
backends.
"""

from __future__ import annotations

from collections.abc import Sequence

from conformance.conventions.arguments import (
    Argument,
    Native,
    Unrepresentable,
    per_axis,
    per_axis_or_none,
    word,
)
from conformance.geometry import Axis, Geometry

ARGUMENTS = {
    "strides": Argument(read=per_axis, default=1),
    "padding": Argument(read=word("valid", "same"), default="valid"),
    "output_padding": Argument(read=per_axis_or_none),
    "dilation_rate": Argument(read=per_axis, default=1),
}


def geometry(native: Native, *, size: Sequence[int], kernel: Sequence[int]) -> Geometry:
    """The window of native arguments."""
    extras = native["output_padding"] or [None] * len(size)
    axes = []
    for n, k, s, d, extra in zip(
        size, kernel, native["strides"], native["dilation_rate"], extras, strict=True
    ):
        low, high = _crops(native["padding"], extra, Axis(size=n, kernel=k, stride=s, dilation=d))
        axes.append(Axis(size=n, kernel=k, stride=s, dilation=d, crop_low=low, crop_high=high))
    return Geometry(axes=tuple(axes))


def native(geometry: Geometry) -> Native | Unrepresentable:
    """strides, padding, output_padding and dilation_rate, or why there are none.

    `valid` is preferred to `same`, and both without output_padding to both with it.
    """
    if geometry.groups != 1:
        return Unrepresentable(
            reason=(
                f"Keras's transposed convolutions have no groups, and this has {geometry.groups}."
            )
        )
    if max(geometry.stride) > 1 and max(geometry.dilation) > 1:
        return Unrepresentable(
            reason="Keras documents strides > 1 together with dilation_rate > 1 as not supported."
        )
    for padding in ("valid", "same"):
        if all(
            _crops(padding, None, axis) == (axis.crop_low, axis.crop_high) for axis in geometry.axes
        ):
            return _native(geometry, padding, None)
    for padding in ("valid", "same"):
        extras = [_extra(padding, axis) for axis in geometry.axes]
        if None not in extras:
            return _native(geometry, padding, [extra for extra in extras if extra is not None])
    crops = ", ".join(f"{axis.crop_low} and {axis.crop_high}" for axis in geometry.axes)
    return Unrepresentable(
        reason=f"The crops at start and end of the full output are {crops} (per axis), and neither"
        ' padding="valid" nor padding="same" with any output_padding below strides takes that '
        "window."
    )


def _native(geometry: Geometry, padding: str, output_padding: list[int] | None) -> Native:
    return {
        "strides": list(geometry.stride),
        "padding": padding,
        "output_padding": output_padding,
        "dilation_rate": list(geometry.dilation),
    }


def _crops(padding: str, extra: int | None, axis: Axis) -> tuple[int, int]:
    """(crop_low, crop_high) that the arguments give; the axis' own crops are not looked at."""
    if padding == "valid":
        return 0, -max(axis.stride - axis.extent, 0) if extra is None else -extra
    total = axis.extent - axis.stride if extra is None else 2 * (axis.extent // 2) - extra
    low = max(total, 0) // 2
    return low, total - low


def _extra(padding: str, axis: Axis) -> int | None:
    """The output_padding, in the range that the layer accepts, that gives this axis its window."""
    total = axis.crop_low + axis.crop_high  # _crops is linear in output_padding: at most one fits
    extra = -axis.crop_high if padding == "valid" else 2 * (axis.extent // 2) - total
    fits = 0 <= extra < axis.stride and _crops(padding, extra, axis) == (
        axis.crop_low,
        axis.crop_high,
    )
    return extra if fits else None
