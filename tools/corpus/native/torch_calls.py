"""The calls for PyTorch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from native.calls import WINDOWS, Call, columns, refused, short


def torch_call(
    name: str,
    size: tuple[int, ...],
    kernel: tuple[int, ...],
    *,
    section: str = "Shape",
    **arguments: Any,
) -> Call:
    """A call of the layer for that many axes."""
    source = f"PyTorch documentation, torch.nn.ConvTranspose{len(size)}d, {section}"
    groups = arguments.get("groups", 1)
    return Call(
        name=name, source=source, size=size, kernel=kernel, arguments=arguments, groups=groups
    )


def torch_padding() -> Iterator[Call]:
    """Kernels and strides, with padding alone."""
    for window in WINDOWS:
        size, kernel, stride = columns(window)
        yield torch_call(
            "padding", size, kernel, stride=short(stride), padding=short([k // 2 for k in kernel])
        )
    yield torch_call("padding", (4,), (1,), stride=3, padding=1)


def torch_output_padding() -> Iterator[Call]:
    """output_padding below the stride, and below the dilation."""
    yield torch_call("output-padding", (3,), (3,), stride=2, padding=1, output_padding=1)
    yield torch_call("output-padding", (4,), (2,), stride=4, output_padding=3)
    yield torch_call(
        "output-padding", (2, 3), (3, 4), stride=[2, 3], padding=[1, 2], output_padding=[1, 2]
    )
    yield torch_call(
        "output-padding", (3, 2), (5, 1), stride=[4, 2], padding=[2, 0], output_padding=[3, 0]
    )
    yield torch_call(
        "output-padding",
        (2, 3, 2),
        (3, 2, 3),
        stride=[2, 3, 2],
        padding=[1, 0, 1],
        output_padding=[0, 2, 1],
    )
    yield torch_call(
        "output-padding", (3, 4), (3, 2), stride=1, dilation=2, padding=1, output_padding=1
    )


def torch_dilation_and_groups() -> Iterator[Call]:
    """Dilation with strides and padding, and groups."""
    yield torch_call("dilation", (5,), (3,), stride=1, dilation=2, padding=2)
    yield torch_call("dilation", (3, 4), (3, 2), stride=[2, 1], dilation=[2, 1], padding=[1, 0])
    yield torch_call(
        "dilation", (2, 3, 2), (2, 1, 3),
        stride=[3, 2, 2], dilation=[2, 2, 1], padding=[0, 0, 1], output_padding=[1, 1, 0],
    )  # fmt: skip
    yield torch_call("groups", (3, 4), (3, 2), section="groups", stride=2, padding=[1, 0], groups=2)
    yield torch_call(
        "groups", (4,), (4,), section="groups", stride=2, padding=1, output_padding=1, groups=3
    )


def torch_output_size() -> Iterator[Call]:
    """Calls with output_size in place of output_padding."""
    size_section = "Examples, output_size"
    yield torch_call(
        "output-size", (3,), (3,), section=size_section, stride=2, padding=1, output_size=6
    )
    yield torch_call(
        "output-size", (3, 4), (3, 3), section=size_section, stride=2, padding=1, output_size=[5, 8]
    )
    yield torch_call(
        "output-size",
        (2, 3),
        (2, 4),
        section=size_section,
        stride=[4, 3],
        padding=[0, 1],
        output_size=[9, 8],
    )
    yield torch_call(
        "output-size", (2, 2, 3), (1, 3, 2), section=size_section,
        stride=[3, 2, 1], padding=[0, 1, 0], output_size=[6, 3, 4],
    )  # fmt: skip
    yield torch_call(
        "output-size",
        (3, 4),
        (3, 2),
        section=size_section,
        stride=[3, 1],
        dilation=2,
        output_size=[13, 6],
    )


def torch_refused() -> Iterator[Call]:
    """Calls that the checks of the arguments refuse."""
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


def torch_calls() -> Iterator[Call]:
    """All of them, in the order of the file."""
    yield from torch_padding()
    yield from torch_output_padding()
    yield from torch_dilation_and_groups()
    yield from torch_output_size()
    yield from torch_refused()
