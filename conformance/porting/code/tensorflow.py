"""TensorFlow's programs: `tf.nn.conv1d_transpose`, `2d`, `3d`, and the bias added."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.porting.code.spelling import Spoken, added, keywords
from conformance.porting.layouts import Layout
from conformance.porting.recipes import Plan

IMPORTS: Sequence[str] = ("import numpy as np", "import tensorflow as tf")


def spelled(spoken: Spoken) -> str:
    arguments, geometry = spoken.explicit_arguments, spoken.geometry
    arguments.pop("output_shape", None)  # written as a function of the input's
    arguments.pop("groups", None)  # the shapes say them
    if not isinstance(arguments["padding"], str):
        arguments["padding"] = [[0, 0], *arguments["padding"], [0, 0]]
    shape = [
        _grown(f"tf.shape(x)[{number}]", axis.stride, axis.out - axis.size * axis.stride)
        for number, axis in enumerate(geometry.axes, 1)
    ]
    sizes = f"[tf.shape(x)[0], {', '.join(shape)}, {spoken.c_out}]"
    spelled_keywords = keywords(arguments, whole=("padding",))
    return f"tf.nn.conv{geometry.rank}d_transpose(x, w, {sizes}{spelled_keywords})"


def _grown(name: str, stride: int, more: int) -> str:
    """An output size as a function of the input's."""
    product = name if stride == 1 else f"{name} * {stride}"
    return product if more == 0 else f"{product} {'+' if more > 0 else '-'} {abs(more)}"


def body(call: str, plan: Plan, layout: Layout, bias: bool) -> list[str]:
    conversion = "x, w = tf.convert_to_tensor(x), tf.convert_to_tensor(convert(weight))"
    return [
        conversion,
        *added(call, plan, layout, pad="tf.pad", bias="np.asarray(bias)" if bias else None),
    ]
