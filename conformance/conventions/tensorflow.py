"""`tf.nn.conv1d/2d/3d_transpose`: the gradient of a convolution, whose input shape `output_shape`
chooses.

    SAME      low = max(F - L, 0) // 2    any L with (size - 1) * stride < L <= size * stride
    VALID     low = 0                     any L with F <= L < F + stride
    explicit  low = begin                 L = F - begin - end + q, 0 <= q < stride; 2-D only

with F the full size and L = output_shape: those L whose forward convolution gives `size` back.
(With size 1, oneDNN also runs VALID with F - stride < L < F, which is neither documented nor what
TensorFlow does without it.) `groups` is no argument of the call (the filter's and output_shape's
channels say it) but part of what is asked for. Source: documentation of tf.nn.conv2d_transpose, and
GetWindowedOutputSize in tensorflow/core/framework/kernel_shape_util.cc.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from conformance.conventions.arguments import (
    Argument,
    Native,
    Unrepresentable,
    is_pair,
    number,
    pairs,
    per_axis,
    word_or,
)
from conformance.geometry import Axis, Geometry


def _explicit(value: Any, rank: int) -> list[list[int]]:
    """Pairs per spatial axis; those of the batch and channel axes, [0, 0], may stand around them as
    in the call.
    """
    if (
        isinstance(value, Sequence)
        and len(value) == rank + 2
        and all(map(is_pair, value))
        and not any((*value[0], *value[-1]))
    ):
        value = value[1:-1]
    return pairs(value, rank)


ARGUMENTS = {
    "strides": Argument(read=per_axis, default=1),
    "padding": Argument(read=word_or(("SAME", "VALID"), _explicit), default="SAME"),
    "output_shape": Argument(read=per_axis, optional=True),
    "dilations": Argument(read=per_axis, default=1),
    "groups": Argument(read=number, default=1),
}


def geometry(native: Native, *, size: Sequence[int], kernel: Sequence[int]) -> Geometry:
    """The window of native arguments; without output_shape, the one that Keras would ask for."""
    padding, output_shape = native["padding"], native.get("output_shape")
    axes = []
    for position, (n, k, s, d) in enumerate(
        zip(size, kernel, native["strides"], native["dilations"], strict=True)
    ):
        plain = Axis(size=n, kernel=k, stride=s, dilation=d)
        pair = None if isinstance(padding, str) else padding[position]
        out = _usual(padding, pair, plain) if output_shape is None else output_shape[position]
        low = _low(padding, pair, plain.full - out)
        axes.append(
            Axis(
                size=n,
                kernel=k,
                stride=s,
                dilation=d,
                crop_low=low,
                crop_high=plain.full - out - low,
            )
        )
    return Geometry(axes=tuple(axes), groups=native["groups"])


def native(geometry: Geometry) -> Native | Unrepresentable:
    """strides, padding, output_shape, dilations and groups, or why there are none."""
    for padding in ("SAME", "VALID"):
        if all(_is_named(padding, axis) for axis in geometry.axes):
            return _native(geometry, padding)
    if geometry.rank != 2:
        return Unrepresentable(
            reason=(
                "Neither SAME nor VALID with any output_shape takes this window, and tf.nn "
                "takes explicit padding in 2-D only."
            )
        )
    for position, axis in enumerate(geometry.axes):
        if axis.crop_low < 0:
            return Unrepresentable(
                reason=(
                    f"On axis {position}, {-axis.crop_low} zeros are prepended, and TensorFlow "
                    "refuses negative padding."
                )
            )
        if -axis.crop_high >= max(axis.stride, 1):
            return Unrepresentable(
                reason=f"On axis {position}, {-axis.crop_high} zeros are appended, and the"
                " convolution whose gradient tf.nn takes has this input size only for fewer than"
                f" stride = {axis.stride}."
            )
    return _native(geometry, [[axis.crop_low, max(axis.crop_high, 0)] for axis in geometry.axes])


def _native(geometry: Geometry, padding: Any) -> Native:
    return {
        "strides": list(geometry.stride),
        "padding": padding,
        "output_shape": list(geometry.out),
        "dilations": list(geometry.dilation),
        "groups": geometry.groups,
    }


def _usual(padding: Any, pair: Sequence[int] | None, axis: Axis) -> int:
    if pair is not None:
        return axis.full - sum(pair)
    return axis.size * axis.stride + (
        max(axis.extent - axis.stride, 0) if padding == "VALID" else 0
    )


def _low(padding: Any, pair: Sequence[int] | None, total: int) -> int:
    if pair is not None:
        return pair[0]
    return 0 if padding == "VALID" else max(total, 0) // 2


def _is_named(padding: str, axis: Axis) -> bool:
    """Whether the axis has the window of that padding with an output_shape that TensorFlow
    accepts.
    """
    if axis.crop_low != _low(padding, None, axis.full - axis.out):
        return False
    if padding == "SAME":
        return (axis.size - 1) * axis.stride < axis.out <= axis.size * axis.stride
    return axis.full <= axis.out < axis.full + axis.stride
