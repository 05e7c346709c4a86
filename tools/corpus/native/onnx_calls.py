"""The calls for ONNX."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from native.calls import FEWER, WINDOWS, Call, columns, refused, short

ONNX = "ONNX operator specification, ConvTranspose-11, "

# Where the kernel is shorter than the stride, engines split; the cases follow this equation of the
# specification. Of an odd total below zero it does not say which end gets more: it is halved
# downwards here, as ONNX's own ReferenceEvaluator does.
SAME = "auto_pad: output_shape[i] = input_shape[i] * strides[i]"

NAMED = {"SAME_UPPER": SAME, "SAME_LOWER": SAME, "VALID": "auto_pad"}


def onnx_call(
    name: str, size: tuple[int, ...], kernel: tuple[int, ...], section: str, **arguments: Any
) -> Call:
    groups = arguments.get("group", 1)
    return Call(
        name=name,
        source=ONNX + section,
        size=size,
        kernel=kernel,
        arguments=arguments,
        groups=groups,
    )


def onnx_pads() -> Iterator[Call]:
    """Calls with kernels and strides, with pads."""
    for number, (size, kernel, stride) in enumerate(map(columns, FEWER)):
        begins, ends = [k // 2 for k in kernel], [(k + number % 2) // 3 for k in kernel]
        yield onnx_call("pads", size, kernel, "pads", strides=short(stride), pads=begins + ends)
    yield onnx_call("pads", (3,), (3,), "pads", strides=2, pads=[0, 3])


def onnx_output_padding() -> Iterator[Call]:
    """Calls with output_padding, dilations and group."""
    for size, kernel, strides, dilations, pads, extra in (
        ((4,), (3,), 2, 1, [1, 1], 1),
        ((3, 2), (2, 5), [4, 3], 1, [0, 2, 0, 2], [3, 1]),
        ((2, 3, 2), (3, 1, 2), [2, 3, 1], 1, [1, 0, 0, 1, 0, 1], [1, 2, 0]),
        ((3, 4), (3, 2), 1, 2, [2, 1, 2, 1], 1),
    ):
        yield onnx_call(
            "output-padding", size, kernel, "output_padding",
            strides=strides, dilations=dilations, pads=pads, output_padding=extra,
        )  # fmt: skip
    yield onnx_call("pads", (5,), (3,), "dilations", strides=2, dilations=2, pads=[1, 2])
    yield onnx_call("group", (3, 4), (3, 2), "group", strides=2, pads=[1, 0, 1, 1], group=2)


def onnx_output_shape() -> Iterator[Call]:
    """output_shape, which leaves the pads to the operator."""
    for size, kernel, strides, out in (
        ((4,), (3,), 2, 8),
        ((3, 4), (4, 3), [2, 3], [7, 10]),
        ((2, 3, 2), (2, 3, 1), [2, 2, 4], [4, 5, 5]),
    ):
        yield onnx_call(
            "output-shape", size, kernel, "output_shape", strides=strides, output_shape=out
        )
    yield onnx_call(
        "output-shape",
        (3, 4),
        (3, 3),
        "output_shape",
        strides=2,
        output_padding=1,
        output_shape=[6, 7],
    )


def onnx_refused() -> Iterator[Call]:
    """Calls that the specification rules out."""
    yield refused(
        "output_padding is as large as both strides and dilations",
        name="output-padding-of-strides", source=ONNX + "output_padding", size=(3, 4), kernel=(3,
        2),
        arguments={"strides": 2, "output_padding": 2},
    )  # fmt: skip
    yield refused(
        "a pad is negative",
        name="negative-pads", source=ONNX + "pads", size=(3, 4), kernel=(3, 2),
        arguments={"strides": 2, "pads": [-1, 0, 0, 0]},
    )  # fmt: skip


def onnx_calls() -> Iterator[Call]:
    """All of them, in the order of the file."""
    yield from onnx_pads()
    yield from onnx_output_padding()
    yield from onnx_output_shape()
    yield from onnx_refused()


def onnx_auto_pad_calls() -> Iterator[Call]:
    for auto_pad, windows in (("SAME_UPPER", WINDOWS), ("SAME_LOWER", FEWER), ("VALID", FEWER[3:])):
        for size, kernel, stride in map(columns, windows):
            yield onnx_call(
                dashed(auto_pad),
                size,
                kernel,
                NAMED[auto_pad],
                strides=short(stride),
                auto_pad=auto_pad,
            )
    yield onnx_call("same-lower", (4,), (3,), NAMED["SAME_LOWER"], strides=2, auto_pad="SAME_LOWER")
    yield onnx_call(
        "notset", (3, 4), (3, 2), "auto_pad", strides=2, pads=[1, 0, 0, 1], auto_pad="NOTSET"
    )
    yield onnx_call(
        "same-upper",
        (4, 3),
        (3, 2),
        NAMED["SAME_UPPER"],
        strides=[1, 2],
        dilations=2,
        auto_pad="SAME_UPPER",
    )
    for auto_pad in ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"):
        yield onnx_call(
            dashed(auto_pad) + "-output-shape", (3, 4), (4, 3), "output_shape",
            strides=[2, 3], auto_pad=auto_pad, output_shape=[7, 11],
        )  # fmt: skip
        yield onnx_call(
            dashed(auto_pad) + "-output-padding", (3, 4), (5, 3), "output_padding",
            strides=[3, 2], auto_pad=auto_pad, output_padding=1,
        )  # fmt: skip


def dashed(word: str) -> str:
    """A word of ONNX as identifiers have it."""
    return word.lower().replace("_", "-")
