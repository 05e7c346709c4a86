"""Writes the native cases of `cases/conventions/`: each framework's own arguments, with what the
oracle makes of them.

    python tools/corpus/native_cases.py [FOLDER]

The tables below choose the calls, few of them: every framework sees kernels 1 to 5, strides 1 to 4,
dilation 1 and 2, odd and even sizes, one to three spatial axes and each of its ways to say padding,
but no full product. The axes of one call differ from each other, so that exchanged axes show.
Identifiers, summaries and `expected` follow from the arguments; running this again changes nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance import conventions
from conformance.corpus.case import Case, Made, Place
from conformance.corpus.expected import expectation
from conformance.corpus.tensors import tensors_of
from conformance.geometry import Geometry
from conformance.oracle import truth_of

FOLDER = Path(__file__).resolve().parents[2] / "cases" / "conventions"
HEADER = """\
# {title}
# Written by `python tools/corpus/native_cases.py`: change the tables there, not this file.
format: 1
cases:
"""
WIDTH = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One case: how its id begins, where its claim is documented, the spatial sizes and the
    framework's own arguments.

    `error` says, for arguments that the documentation rules out, what the rule is about; the
    summary is then made of it.
    """

    name: str
    source: str
    size: tuple[int, ...]
    kernel: tuple[int, ...]
    arguments: dict[str, Any]
    groups: int = 1
    error: str | None = None


# (size, kernel, stride) of every axis. Together they hold each kernel from 1 to 5 with each stride
# from 1 to 4.
WINDOWS = (
    ((5, 3, 2),),
    ((4, 2, 3),),
    ((3, 4, 2), (4, 5, 3)),
    ((4, 1, 1), (3, 2, 2)),
    ((5, 3, 1), (2, 4, 4)),
    ((2, 5, 2), (3, 3, 3)),
    ((3, 1, 2), (4, 3, 4)),
    ((2, 4, 1), (3, 2, 4)),
    ((3, 5, 4), (4, 4, 3)),
    ((2, 2, 1), (3, 1, 3), (2, 5, 1)),
    ((3, 2, 2), (2, 3, 2), (2, 1, 4)),
)
# Fewer, which still hold each kernel, each stride, each rank and kernels shorter than their
# strides.
FEWER = tuple(WINDOWS[number] for number in (1, 2, 3, 4, 6, 9))


def columns(window: Sequence[tuple[int, int, int]]) -> tuple[tuple[int, ...], ...]:
    """(sizes, kernels, strides) of a row of WINDOWS."""
    return tuple(zip(*window, strict=True))


def short(values: Sequence[int]) -> Any:
    """One number where all axes have the same, which every framework takes for all of them."""
    return values[0] if len(set(values)) == 1 else list(values)


def torch_calls() -> Iterator[Call]:
    def call(
        name: str,
        size: tuple[int, ...],
        kernel: tuple[int, ...],
        *,
        section: str = "Shape",
        **arguments: Any,
    ) -> Call:
        source = f"PyTorch documentation, torch.nn.ConvTranspose{len(size)}d, {section}"
        groups = arguments.get("groups", 1)
        return Call(
            name=name, source=source, size=size, kernel=kernel, arguments=arguments, groups=groups
        )

    for window in WINDOWS:
        size, kernel, stride = columns(window)
        yield call(
            "padding", size, kernel, stride=short(stride), padding=short([k // 2 for k in kernel])
        )
    yield call("padding", (4,), (1,), stride=3, padding=1)
    yield call("output-padding", (3,), (3,), stride=2, padding=1, output_padding=1)
    yield call("output-padding", (4,), (2,), stride=4, output_padding=3)
    yield call(
        "output-padding", (2, 3), (3, 4), stride=[2, 3], padding=[1, 2], output_padding=[1, 2]
    )
    yield call(
        "output-padding", (3, 2), (5, 1), stride=[4, 2], padding=[2, 0], output_padding=[3, 0]
    )
    yield call(
        "output-padding",
        (2, 3, 2),
        (3, 2, 3),
        stride=[2, 3, 2],
        padding=[1, 0, 1],
        output_padding=[0, 2, 1],
    )
    yield call("output-padding", (3, 4), (3, 2), stride=1, dilation=2, padding=1, output_padding=1)
    yield call("dilation", (5,), (3,), stride=1, dilation=2, padding=2)
    yield call("dilation", (3, 4), (3, 2), stride=[2, 1], dilation=[2, 1], padding=[1, 0])
    yield call(
        "dilation", (2, 3, 2), (2, 1, 3),
        stride=[3, 2, 2], dilation=[2, 2, 1], padding=[0, 0, 1], output_padding=[1, 1, 0],
    )  # fmt: skip
    yield call("groups", (3, 4), (3, 2), section="groups", stride=2, padding=[1, 0], groups=2)
    yield call(
        "groups", (4,), (4,), section="groups", stride=2, padding=1, output_padding=1, groups=3
    )
    size_section = "Examples, output_size"
    yield call("output-size", (3,), (3,), section=size_section, stride=2, padding=1, output_size=6)
    yield call(
        "output-size", (3, 4), (3, 3), section=size_section, stride=2, padding=1, output_size=[5, 8]
    )
    yield call(
        "output-size",
        (2, 3),
        (2, 4),
        section=size_section,
        stride=[4, 3],
        padding=[0, 1],
        output_size=[9, 8],
    )
    yield call(
        "output-size", (2, 2, 3), (1, 3, 2), section=size_section,
        stride=[3, 2, 1], padding=[0, 1, 0], output_size=[6, 3, 4],
    )  # fmt: skip
    yield call(
        "output-size",
        (3, 4),
        (3, 2),
        section=size_section,
        stride=[3, 1],
        dilation=2,
        output_size=[13, 6],
    )
    checks = "PyTorch, aten/src/ATen/native, checks of arguments in "
    yield refused(
        "output_padding is as large as both stride and dilation",
        name="output-padding-of-stride", source=checks + "NaiveConvolutionTranspose2d.cpp", size=(3,
        4), kernel=(3, 3),
        arguments={"stride": 2, "padding": 1, "output_padding": 2},
    )  # fmt: skip
    yield refused(
        "padding is negative",
        name="negative-padding", source=checks + "Convolution.cpp", size=(3, 4), kernel=(3, 2),
        arguments={"stride": 2, "padding": [-1, 0]},
    )  # fmt: skip
    yield refused(
        "output_size is one more than stride - 1 above the smallest",
        name="output-size-too-large", source=("PyTorch, torch/nn/modules/conv.py, "
            "_ConvTransposeNd._output_padding"),
        size=(3, 4), kernel=(3, 3), arguments={"stride": 2, "padding": 1, "output_size": [7, 8]},
    )  # fmt: skip


def keras_calls() -> Iterator[Call]:
    def call(
        name: str,
        size: tuple[int, ...],
        kernel: tuple[int, ...],
        section: str = "padding",
        **arguments: Any,
    ) -> Call:
        source = f"Keras documentation, Conv{len(size)}DTranspose, {section}"
        return Call(name=name, source=source, size=size, kernel=kernel, arguments=arguments)

    for padding, windows in (("same", WINDOWS), ("valid", FEWER)):
        for size, kernel, stride in map(columns, windows):
            yield call(padding, size, kernel, strides=short(stride), padding=padding)
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
        yield call(
            padding,
            size,
            kernel,
            "output_padding",
            strides=strides,
            padding=padding,
            output_padding=extra,
        )
    for padding, size, kernel in (
        ("same", (5,), (3,)),
        ("same", (4, 3), (2, 4)),
        ("valid", (3, 4), (3, 2)),
        ("valid", (2, 3, 3), (2, 1, 3)),
    ):
        yield call(
            padding, size, kernel, "dilation_rate", strides=1, padding=padding, dilation_rate=2
        )
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


def tensorflow_calls() -> Iterator[Call]:
    def call(
        name: str,
        size: tuple[int, ...],
        kernel: tuple[int, ...],
        section: Any = "padding",
        **arguments: Any,
    ) -> Call:
        source = f"TensorFlow documentation, tf.nn.conv{len(size)}d_transpose, {section}"
        groups = arguments.get("groups", 1)
        return Call(
            name=name, source=source, size=size, kernel=kernel, arguments=arguments, groups=groups
        )

    for padding, windows in (("SAME", WINDOWS), ("VALID", FEWER)):
        for size, kernel, stride in map(columns, windows):
            yield call(padding.lower(), size, kernel, strides=short(stride), padding=padding)
    for padding, size, kernel, strides, out in (
        ("SAME", (4,), (3,), 3, 10),
        ("SAME", (3, 4), (4, 3), 2, [5, 8]),
        ("SAME", (2, 2, 3), (3, 2, 1), [2, 4, 3], [3, 6, 7]),
        ("VALID", (5,), (2,), 4, 21),
        ("VALID", (3, 2), (3, 2), [2, 3], [7, 6]),
    ):
        yield call(
            padding.lower(),
            size,
            kernel,
            "output_shape",
            strides=strides,
            padding=padding,
            output_shape=out,
        )
    for size, kernel, strides, pads, shape in (
        ((3, 4), (3, 3), 2, [[1, 1], [1, 1]], {}),
        ((3, 4), (4, 3), 2, [[0, 1], [2, 0]], {}),
        ((2, 3), (5, 2), [3, 4], [[1, 3], [0, 1]], {}),
        ((3, 4), (3, 3), 2, [[1, 1], [1, 0]], {"output_shape": [6, 9]}),
        ((2, 4), (1, 3), [2, 3], [[0, 0], [2, 0]], {"output_shape": [4, 12]}),
    ):
        yield call(
            "explicit", size, kernel, strides=strides, padding=[[0, 0], *pads, [0, 0]], **shape
        )
    yield call("same", (5,), (3,), "dilations", strides=1, padding="SAME", dilations=2)
    yield call("same", (3, 4), (3, 2), "dilations", strides=[1, 2], padding="SAME", dilations=2)
    yield call("valid", (4, 3), (2, 3), "dilations", strides=1, padding="VALID", dilations=[2, 1])
    yield call(
        "explicit",
        (3, 4),
        (3, 2),
        "dilations",
        strides=[1, 2],
        padding=[[1, 2], [0, 1]],
        dilations=2,
    )
    yield call("groups", (3, 4), (3, 2), "filters", strides=2, padding="SAME", groups=2)
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


def jax_calls() -> Iterator[Call]:
    def call(
        name: str,
        size: tuple[int, ...],
        kernel: tuple[int, ...],
        section: str = "padding",
        **arguments: Any,
    ) -> Call:
        source = f"JAX documentation, jax.lax.conv_transpose, {section}"
        groups = arguments.get("feature_group_count", 1)
        return Call(
            name=name, source=source, size=size, kernel=kernel, arguments=arguments, groups=groups
        )

    yield from named_or_paired(call, WINDOWS, "rhs_dilation")
    consistent = "use_consistent_padding"
    for size, kernel, strides, pads, flipped in (
        ((5,), (3,), 2, [[1, 1]], True),
        ((3, 4), (4, 3), [2, 3], [[1, 0], [0, 2]], False),
        ((2, 3, 2), (3, 1, 2), [2, 4, 1], [[1, 1], [0, 0], [0, 1]], True),
    ):
        yield call(
            "consistent", size, kernel, consistent,
            strides=strides, padding=pads, use_consistent_padding=True, transpose_kernel=flipped,
        )  # fmt: skip
    yield call(
        "consistent", (4, 3), (3, 2), consistent,
        strides=1, padding=[[2, 1], [1, 0]], rhs_dilation=2, use_consistent_padding=True,
    )  # fmt: skip
    yield call(
        "consistent-same",
        (4,),
        (4,),
        consistent,
        strides=3,
        padding="SAME",
        use_consistent_padding=True,
    )
    yield call(
        "explicit",
        (3,),
        (3,),
        consistent,
        strides=2,
        padding=[[1, 1]],
        use_consistent_padding=False,
    )
    yield Call(
        name="groups",
        source="JAX documentation, jax.lax.conv_general_dilated, feature_group_count",
        size=(3, 4),
        kernel=(3, 2),
        arguments={"strides": 2, "padding": "SAME", "feature_group_count": 2},
        groups=2,
    )


def flax_calls() -> Iterator[Call]:
    def call(
        name: str,
        size: tuple[int, ...],
        kernel: tuple[int, ...],
        section: str = "padding",
        **arguments: Any,
    ) -> Call:
        source = f"Flax documentation, flax.nnx.ConvTranspose, {section}"
        return Call(name=name, source=source, size=size, kernel=kernel, arguments=arguments)

    yield from named_or_paired(call, FEWER, "kernel_dilation")
    yield call("integer", (4,), (3,), strides=2, padding=1)
    yield call("integer", (3, 4), (5, 2), strides=[3, 4], padding=0, transpose_kernel=True)
    yield call("integer", (3, 2), (4, 3), strides=2, padding=[3, 1])


def named_or_paired(call: Any, same: Any, dilation: str) -> Iterator[Call]:
    """What jax.lax.conv_transpose and the layer on top of it have in common; their names for
    dilation differ.
    """
    for padding, windows in (("SAME", same), ("VALID", FEWER)):
        for number, (size, kernel, stride) in enumerate(map(columns, windows)):
            yield call(
                padding.lower(),
                size,
                kernel,
                strides=short(stride),
                padding=padding,
                transpose_kernel=number % 2 == 1,
            )
    for size, kernel, strides, pads, flipped in (
        ((4,), (4,), 2, [[2, 1]], True),
        ((3, 4), (3, 2), 2, [[1, 1], [0, 1]], False),
        ((2, 3), (5, 1), [3, 4], [[4, 0], [0, 2]], True),
        ((2, 2, 3), (3, 2, 4), [2, 1, 2], [[2, 1], [1, -1], [0, 3]], False),
    ):
        yield call(
            "explicit", size, kernel, strides=strides, padding=pads, transpose_kernel=flipped
        )
    yield call("same", (4, 3), (3, 2), dilation, strides=[1, 3], padding="SAME", **{dilation: 2})
    yield call(
        "valid",
        (4, 3),
        (2, 3),
        dilation,
        strides=[2, 1],
        padding="VALID",
        transpose_kernel=True,
        **{dilation: [2, 1]},
    )
    yield call("explicit", (5,), (3,), dilation, strides=2, padding=[[1, 4]], **{dilation: 2})


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


def onnx_calls() -> Iterator[Call]:
    for number, (size, kernel, stride) in enumerate(map(columns, FEWER)):
        begins, ends = [k // 2 for k in kernel], [(k + number % 2) // 3 for k in kernel]
        yield onnx_call("pads", size, kernel, "pads", strides=short(stride), pads=begins + ends)
    yield onnx_call("pads", (3,), (3,), "pads", strides=2, pads=[0, 3])
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
    return word.lower().replace("_", "-")


def refused(what: str, **fields: Any) -> Call:
    return Call(error=what, **fields)


# file name without its ending: (the framework, the call and what the file holds of it, its calls)
FILES = {
    "torch": (
        "torch",
        "torch.nn.ConvTranspose1d/2d/3d: padding, output_padding, dilation, groups, output_size.",
        torch_calls,
    ),
    "keras": (
        "keras",
        "keras.layers.Conv1D/2D/3DTranspose: same and valid, with and without output_padding.",
        keras_calls,
    ),
    "tensorflow": (
        "tensorflow",
        "tf.nn.conv1d/2d/3d_transpose: SAME, VALID, explicit, output_shape.",
        tensorflow_calls,
    ),
    "jax": (
        "jax",
        "jax.lax.conv_transpose: SAME, VALID, pairs, transpose_kernel, use_consistent_padding.",
        jax_calls,
    ),
    "flax": (
        "flax",
        "flax.nnx.ConvTranspose: SAME, VALID, pairs, integers, transpose_kernel.",
        flax_calls,
    ),
    "onnx": ("onnx", "ONNX ConvTranspose: pads, output_padding, group, output_shape.", onnx_calls),
    "onnx_auto_pad": (
        "onnx",
        "ONNX ConvTranspose: auto_pad alone, with output_shape, with output_padding.",
        onnx_auto_pad_calls,
    ),
}


def identity(framework: str, call: Call) -> str:
    """A readable id: the name, then k(ernel), s(tride), d(ilation), p(adding), q for
    output_padding, l(ength of the output).

    What all axes share stands once, but for the kernel, which shows how many axes there are.
    """
    if call.error:
        return "refused-" + call.name
    normal = conventions.normal_form(framework, call.arguments, len(call.size))
    parts = [call.name, "k" + "x".join(map(str, call.kernel))]
    for name, keys in LETTERS.items():
        value = next((normal[key] for key in keys if normal.get(key) is not None), None)
        if isinstance(value, list) and (name != "q" or "output_padding" in call.arguments):
            parts.append(letter(name, value))
    if normal.get("transpose_kernel"):
        parts.append("transposed")
    if normal.get("use_consistent_padding") is False:
        parts.append("not-consistent")
    return "-".join(parts)


LETTERS = {
    "s": ("strides", "stride"),
    "d": ("dilation", "dilation_rate", "dilations", "rhs_dilation", "kernel_dilation"),
    "p": ("pads", "padding"),
    "q": ("output_padding",),
    "l": ("output_size", "output_shape"),
}


def letter(name: str, values: Sequence[Any]) -> str:
    words = [
        "_".join(map(str, value)) if isinstance(value, list) else str(value) for value in values
    ]
    return name + (words[0] if len(set(words)) == 1 else "x".join(words))


def summary(framework: str, call: Call, geometry: Geometry | None) -> str:
    """What is: for a refused call what it asks for, else what the start and the end of the full
    output lose.
    """
    if geometry is None:
        assert call.error
        return call.error[0].upper() + call.error[1:] + "."
    lost = " x ".join(f"({low}, {high})" for low, high in geometry.crops)
    said = (
        f"The full output of {'x'.join(map(str, geometry.full))} loses {lost} at its start and end"
    )
    if min(map(min, geometry.crops)) < 0:
        said += " (negative: zeros are added)"
    if splits(framework, call, geometry):
        return said + ". Engines disagree where a kernel is shorter than its stride."
    return said + "."


def splits(framework: str, call: Call, geometry: Geometry) -> bool:
    """Whether this is ONNX's SAME_* with a kernel shorter than its stride, where engines give one
    of two sizes.
    """
    same = (
        framework == "onnx"
        and call.arguments.get("auto_pad", "").startswith("SAME")
        and "output_shape" not in call.arguments
    )
    return same and any(axis.extent < axis.stride for axis in geometry.axes)


def case_of(framework: str, call: Call, number: int, stem: str) -> Case:
    """The case. The number varies what the arguments leave open: two channels or three, a batch of
    two now and then, a bias.
    """
    rank = len(call.size)
    normal = conventions.normal_form(framework, call.arguments, rank)
    convention = conventions.get(framework)
    geometry = (
        None if call.error else convention.geometry(normal, size=call.size, kernel=call.kernel)
    )
    c_in = 2 * call.groups if call.groups > 1 else 2 + number % 2
    bias = Made(shape=(2 * call.groups,), values="integers", seed=3) if number % 3 == 2 else None
    return Case(
        name=f"{stem}/{identity(framework, call)}",
        summary=summary(framework, call, geometry),
        source=call.source,
        spatial=rank,
        input=Made(
            shape=(2 if number % 5 == 4 else 1, c_in, *call.size), values="integers", seed=1
        ),
        kernel=Made(shape=(c_in, 2, *call.kernel), values="integers", seed=2),
        bias=bias,
        dtype="float32",
        geometry=geometry,
        native=(framework, normal),
        must_fail=bool(call.error),
        expected=None,
        tags=(),
        place=Place(file=Path(stem), lines={"": 1}),
    )


def entry(case: Case, arguments: dict[str, Any]) -> str:
    """The case as YAML, with the oracle's answer."""
    assert case.native is not None
    assert isinstance(case.input, Made)
    assert isinstance(case.kernel, Made)
    identifier = case.name.rpartition("/")[2]
    lines = [
        f"  - id: {identifier}",
        *wrapped(f"    summary: {quoted(case.summary)}"),
        f"    source: {quoted(case.source)}",
    ]
    if case.spatial != 2:
        lines.append(f"    spatial: {case.spatial}")
    for key, made in (("input", case.input), ("kernel", case.kernel)):
        lines.append(f"    {key}: {{shape: {flow(list(made.shape))}, values: integers}}")
    if case.bias is not None:
        lines.append("    bias: {values: integers}")
    lines.append(f"    native: {{{case.native[0]}: {flow(arguments)}}}")
    if case.geometry is None:
        return "\n".join([*lines, "    expected: {error: true}"]) + "\n"
    tensors = tensors_of(case)
    expected = expectation(truth_of(*tensors, case.geometry, case.dtype))
    assert expected.shape is not None
    lines += ["    expected:", f"      shape: {flow(list(expected.shape))}"]
    if expected.numbers is not None:
        lines += wrapped(
            "      values: "
            f"{flow(nested([int(number) for number in expected.numbers], expected.shape))}"
        )
    else:
        lines.append(f'      sha256: "{expected.sha256}"')
    return "\n".join(lines) + "\n"


def nested(numbers: list[Any], shape: Sequence[int]) -> list[Any]:
    for size in reversed(shape[1:]):
        numbers = [numbers[start : start + size] for start in range(0, len(numbers), size)]
    return numbers


def flow(value: Any) -> str:
    """YAML's flow style of lists, mappings, numbers, words and truth values."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def quoted(text: str) -> str:
    """The text as a scalar: in quotes where a colon and a blank would end it early."""
    return f'"{text}"' if ": " in text else text


def wrapped(line: str) -> list[str]:
    """The line broken at blanks, its rest further in; YAML reads such a break as a blank."""
    lines = []
    while len(line) > WIDTH:
        cut = line.rindex(" ", 0, WIDTH)
        lines.append(line[:cut])
        line = " " * 8 + line[cut + 1 :]
    return [*lines, line]


def text(stem: str) -> str:
    """The whole file of that name."""
    framework, title, calls = FILES[stem]
    entries, seen = [], set[str]()
    for number, call in enumerate(calls()):
        case = case_of(framework, call, number, stem)
        if case.name in seen:
            raise ValueError(f"{case.name} is there twice")
        seen.add(case.name)
        entries.append(entry(case, call.arguments))
    return HEADER.format(title=title) + "\n".join(entries)


def main(arguments: Sequence[str]) -> None:
    folder = Path(arguments[0]) if arguments else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for stem in FILES:
        (folder / f"{stem}.yaml").write_text(text(stem), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
