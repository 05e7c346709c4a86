"""The calls for TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from native.calls import FEWER, WINDOWS, Call, columns, refused, short


def tensorflow_call(
    name: str,
    size: tuple[int, ...],
    kernel: tuple[int, ...],
    section: Any = "padding",
    **arguments: Any,
) -> Call:
    """A call of the function for that many axes."""
    source = f"TensorFlow documentation, tf.nn.conv{len(size)}d_transpose, {section}"
    groups = arguments.get("groups", 1)
    return Call(
        name=name, source=source, size=size, kernel=kernel, arguments=arguments, groups=groups
    )


def tensorflow_padding() -> Iterator[Call]:
    """Kernels and strides with both words."""
    for padding, windows in (("SAME", WINDOWS), ("VALID", FEWER)):
        for size, kernel, stride in map(columns, windows):
            yield tensorflow_call(
                padding.lower(), size, kernel, strides=short(stride), padding=padding
            )


def tensorflow_output_shape() -> Iterator[Call]:
    """Calls with output_shape, with both words."""
    for padding, size, kernel, strides, out in (
        ("SAME", (4,), (3,), 3, 10),
        ("SAME", (3, 4), (4, 3), 2, [5, 8]),
        ("SAME", (2, 2, 3), (3, 2, 1), [2, 4, 3], [3, 6, 7]),
        ("VALID", (5,), (2,), 4, 21),
        ("VALID", (3, 2), (3, 2), [2, 3], [7, 6]),
    ):
        yield tensorflow_call(
            padding.lower(),
            size,
            kernel,
            "output_shape",
            strides=strides,
            padding=padding,
            output_shape=out,
        )


def tensorflow_explicit() -> Iterator[Call]:
    """Explicit pads, with and without output_shape."""
    for size, kernel, strides, pads, shape in (
        ((3, 4), (3, 3), 2, [[1, 1], [1, 1]], {}),
        ((3, 4), (4, 3), 2, [[0, 1], [2, 0]], {}),
        ((2, 3), (5, 2), [3, 4], [[1, 3], [0, 1]], {}),
        ((3, 4), (3, 3), 2, [[1, 1], [1, 0]], {"output_shape": [6, 9]}),
        ((2, 4), (1, 3), [2, 3], [[0, 0], [2, 0]], {"output_shape": [4, 12]}),
    ):
        yield tensorflow_call(
            "explicit", size, kernel, strides=strides, padding=[[0, 0], *pads, [0, 0]], **shape
        )


def tensorflow_dilations_and_groups() -> Iterator[Call]:
    """dilations, and a filter of fewer channels than the input."""
    yield tensorflow_call("same", (5,), (3,), "dilations", strides=1, padding="SAME", dilations=2)
    yield tensorflow_call(
        "same", (3, 4), (3, 2), "dilations", strides=[1, 2], padding="SAME", dilations=2
    )
    yield tensorflow_call(
        "valid", (4, 3), (2, 3), "dilations", strides=1, padding="VALID", dilations=[2, 1]
    )
    yield tensorflow_call(
        "explicit",
        (3, 4),
        (3, 2),
        "dilations",
        strides=[1, 2],
        padding=[[1, 2], [0, 1]],
        dilations=2,
    )
    yield tensorflow_call("groups", (3, 4), (3, 2), "filters", strides=2, padding="SAME", groups=2)


def tensorflow_refused() -> Iterator[Call]:
    """Calls that the documentation rules out."""
    notes = (
        "TensorFlow documentation, tf.nn, Notes on padding: output size of the forward convolution"
    )
    yield refused(
        "output_shape has more elements than any convolution with SAME reduces to this input",
        name="same-output-shape-too-large", source=notes, size=(3, 4), kernel=(3, 2),
        arguments={"strides": 2, "padding": "SAME", "output_shape": [7, 8]},
    )  # fmt: skip
    yield refused(
        "output_shape has fewer elements than any convolution with VALID reduces to this input",
        name="valid-output-shape-too-small", source=notes, size=(3, 4), kernel=(3, 2),
        arguments={"strides": 2, "padding": "VALID", "output_shape": [6, 8]},
    )  # fmt: skip
    yield refused(
        "padding is a list, and the call is one-dimensional",
        name="explicit-in-1d", source=("TensorFlow documentation, tf.nn.conv1d_transpose, "
            "padding"), size=(4,), kernel=(3,),
        arguments={"strides": 2, "padding": [[1, 1]]},
    )  # fmt: skip


def tensorflow_calls() -> Iterator[Call]:
    """All of them, in the order of the file."""
    yield from tensorflow_padding()
    yield from tensorflow_output_shape()
    yield from tensorflow_explicit()
    yield from tensorflow_dilations_and_groups()
    yield from tensorflow_refused()
