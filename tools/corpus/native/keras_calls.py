"""The calls for Keras."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from native.calls import FEWER, WINDOWS, Call, columns, refused, short


def keras_call(
    name: str,
    size: tuple[int, ...],
    kernel: tuple[int, ...],
    section: str = "padding",
    **arguments: Any,
) -> Call:
    """A call of the layer for that many axes."""
    source = f"Keras documentation, Conv{len(size)}DTranspose, {section}"
    return Call(name=name, source=source, size=size, kernel=kernel, arguments=arguments)


def keras_padding() -> Iterator[Call]:
    """Kernels and strides with both words."""
    for padding, windows in (("same", WINDOWS), ("valid", FEWER)):
        for size, kernel, stride in map(columns, windows):
            yield keras_call(padding, size, kernel, strides=short(stride), padding=padding)


def keras_output_padding() -> Iterator[Call]:
    """Calls with output_padding, with both words."""
    for padding, size, kernel, strides, extra in (
        ("same", (4,), (3,), 2, 1),
        ("same", (4,), (4,), 3, 0),
        ("same", (3, 2), (3, 4), 2, 1),
        ("same", (3, 4), (5, 2), [3, 4], [0, 3]),
        ("same", (2, 3, 2), (3, 1, 4), [2, 3, 2], [1, 2, 1]),
        ("valid", (5,), (2,), 4, 3),
        ("valid", (3, 4), (3, 1), [2, 3], [1, 0]),
        ("valid", (2, 2, 3), (2, 3, 4), [1, 2, 3], [0, 1, 2]),
    ):
        yield keras_call(
            padding,
            size,
            kernel,
            "output_padding",
            strides=strides,
            padding=padding,
            output_padding=extra,
        )


def keras_dilation() -> Iterator[Call]:
    """Calls with dilation_rate, with both words."""
    for padding, size, kernel in (
        ("same", (5,), (3,)),
        ("same", (4, 3), (2, 4)),
        ("valid", (3, 4), (3, 2)),
        ("valid", (2, 3, 3), (2, 1, 3)),
    ):
        yield keras_call(
            padding, size, kernel, "dilation_rate", strides=1, padding=padding, dilation_rate=2
        )


def keras_refused() -> Iterator[Call]:
    """Calls that the documentation rules out."""
    documented = "Keras documentation, Conv2DTranspose, "
    yield refused(
        "output_padding is not below strides",
        name="output-padding-of-strides", source=documented + "output_padding", size=(3, 4),
        kernel=(3, 2),
        arguments={"strides": 2, "padding": "valid", "output_padding": 2},
    )  # fmt: skip
    yield refused(
        "strides and dilation_rate are both above 1",
        name="strides-with-dilation", source=documented + "dilation_rate and Raises", size=(3, 4),
        kernel=(3, 2),
        arguments={"strides": 2, "padding": "same", "dilation_rate": 2},
    )  # fmt: skip


def keras_calls() -> Iterator[Call]:
    """All of them, in the order of the file."""
    yield from keras_padding()
    yield from keras_output_padding()
    yield from keras_dilation()
    yield from keras_refused()
