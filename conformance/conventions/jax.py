"""`jax.lax.conv_transpose`, and `jax.lax.conv_general_dilated` for groups: explicit pairs pad the
dilated input.

With Ke the dilated kernel, a pair (a, b) cuts Ke - 1 - a and Ke - 1 - b from the full output, so
every window has one. With use_consistent_padding=True (since jax 0.9) pairs are what is cut, as in
torch. `feature_group_count` is conv_general_dilated's name for groups; conv_transpose has no such
argument. Source: documentation of jax.lax.conv_transpose, and _conv_transpose_padding in
jax/_src/lax/convolution.py for SAME and VALID.
"""

from __future__ import annotations

from collections.abc import Sequence

from conformance.conventions.arguments import (
    Argument,
    Native,
    Unrepresentable,
    boolean,
    number,
    pairs,
    per_axis,
    word_or,
)
from conformance.geometry import Axis, Geometry

ARGUMENTS = {
    "strides": Argument(read=per_axis, default=1),
    "padding": Argument(read=word_or(("SAME", "VALID"), pairs), default="SAME"),
    "rhs_dilation": Argument(read=per_axis, default=1),
    "transpose_kernel": Argument(read=boolean, default=False),
    "use_consistent_padding": Argument(read=boolean, optional=True),
    "feature_group_count": Argument(read=number, default=1),
}


def geometry(native: Native, *, size: Sequence[int], kernel: Sequence[int]) -> Geometry:
    """The window of native arguments. transpose_kernel says how the kernel is laid out, not what is
    cut.
    """
    padding = native["padding"]
    cuts = native.get("use_consistent_padding", False)
    axes = []
    for position, (n, k, s, d) in enumerate(
        zip(size, kernel, native["strides"], native["rhs_dilation"], strict=True)
    ):
        plain = Axis(size=n, kernel=k, stride=s, dilation=d)
        if isinstance(padding, str):
            low, high = named_crops(padding, plain)
        else:
            low, high = (
                padding[position] if cuts else crops_of_input_padding(padding[position], plain)
            )
        axes.append(Axis(size=n, kernel=k, stride=s, dilation=d, crop_low=low, crop_high=high))
    return Geometry(axes=tuple(axes), groups=native["feature_group_count"])


def native(geometry: Geometry) -> Native | Unrepresentable:
    """strides, explicit padding, rhs_dilation, and feature_group_count: there are some for every
    window.
    """
    return {
        "strides": list(geometry.stride),
        "padding": input_padding(geometry),
        "rhs_dilation": list(geometry.dilation),
        "transpose_kernel": False,
        "feature_group_count": geometry.groups,
    }


def input_padding(geometry: Geometry) -> list[list[int]]:
    """Per axis, the [low, high] padding of the dilated input that leaves this window; negative ones
    cut it.
    """
    return [
        [axis.extent - 1 - axis.crop_low, axis.extent - 1 - axis.crop_high]
        for axis in geometry.axes
    ]


def crops_of_input_padding(pair: Sequence[int], axis: Axis) -> tuple[int, int]:
    """The inverse of `input_padding` for one axis."""
    low, high = pair
    return axis.extent - 1 - low, axis.extent - 1 - high


def named_crops(padding: str, axis: Axis) -> tuple[int, int]:
    """The crops of SAME and VALID: the output of SAME has size * stride elements, VALID
    never cuts.
    """
    if padding == "VALID":
        return 0, -max(axis.stride - axis.extent, 0)
    low = (
        0
        if axis.stride > axis.extent - 1
        else axis.extent - 1 - -(-(axis.extent + axis.stride - 2) // 2)
    )
    return low, axis.extent - axis.stride - low
