"""The ONNX operator ConvTranspose: pads, output_padding, auto_pad and output_shape.

    total = stride * (size - 1) + output_padding + extent - output_shape,
    extent the dilated kernel

    SAME_UPPER: begin = total / 2, end = total - begin
    otherwise:  end = total / 2, begin = total - end

where output_shape is given, or size * stride for SAME_*; else pads are what is cut and
output_padding is given back at the end. An odd total below 0, which SAME_* with a kernel smaller
than its stride has, is halved downwards as in ONNX's reference evaluator: the text does not say,
and ONNX Runtime takes a total below 0 for 0. So `native` has no arguments for prepended zeros,
which that evaluator would give. Source: ONNX operator specification, ConvTranspose, attributes
`auto_pad`, `output_shape` and `pads`.

`kernel_shape` says once more what the kernel's own sizes say ("If not present, should be inferred
from input W"), so that there is no window where the two disagree.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from conformance.conventions.arguments import (
    Argument,
    ArgumentError,
    Native,
    Unrepresentable,
    number,
    per_axis,
    word,
)
from conformance.geometry import Axis, Geometry, from_padding


def _begins_and_ends(value: Any, rank: int) -> list[int]:
    """pads as the specification writes them: all begins, then all ends; a number stands for all."""
    return per_axis(value, 2 * rank)


OPSET = 11
"""The first opset with today's attributes, whose text is followed here."""

BFLOAT16_OPSET = 22
"""The first opset that names bfloat16."""

ARGUMENTS = {
    "strides": Argument(read=per_axis, default=1),
    "dilations": Argument(read=per_axis, default=1),
    "group": Argument(read=number, default=1),
    "output_padding": Argument(read=per_axis, default=0),
    "pads": Argument(read=_begins_and_ends, optional=True),
    "auto_pad": Argument(read=word("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"), optional=True),
    "output_shape": Argument(read=per_axis, optional=True),
    "kernel_shape": Argument(read=per_axis, optional=True),
}


def geometry(native: Native, *, size: Sequence[int], kernel: Sequence[int]) -> Geometry:
    """The window of native arguments, by the text of the specification from opset 11 on. Raises
    ArgumentError where kernel_shape is not the kernel's.
    """
    _check_kernel_shape(native, list(kernel))
    auto_pad = native.get("auto_pad", "NOTSET")
    plain = _plain(native, size=size, kernel=kernel)
    totals = _totals(native, plain)
    if totals is None:
        return plain
    axes = []
    for axis, total, extra in zip(plain.axes, totals, native["output_padding"], strict=True):
        low = _begin(total, upper=auto_pad == "SAME_UPPER")
        axes.append(
            Axis(
                size=axis.size,
                kernel=axis.kernel,
                stride=axis.stride,
                dilation=axis.dilation,
                crop_low=low,
                crop_high=total - extra - low,
            )
        )
    return Geometry(axes=tuple(axes), groups=native["group"])


def _plain(native: Native, *, size: Sequence[int], kernel: Sequence[int]) -> Geometry:
    """The window of pads and output_padding alone."""
    rank = len(size)
    pads = native.get("pads", [0] * 2 * rank)
    if native.get("auto_pad") == "VALID":
        pads = [0] * 2 * rank
    return from_padding(
        size=size,
        kernel=kernel,
        stride=native["strides"],
        padding=list(zip(pads[:rank], pads[rank:], strict=True)),
        output_padding=native["output_padding"],
        dilation=native["dilations"],
        groups=native["group"],
    )


def unsaid_by_opset(
    opset: int, native: Native, dtype: str, *, size: Sequence[int], kernel: Sequence[int]
) -> str | None:
    """Why a model of this opset cannot say a call of the arguments and dtype; None where it can.

    Source: ONNX operator changelog, ConvTranspose-1, ConvTranspose-11 and ConvTranspose-22.
    """
    if dtype == "bfloat16" and opset < BFLOAT16_OPSET:
        return f"ConvTranspose names bfloat16 from opset {BFLOAT16_OPSET} on (ONNX changelog)."
    if opset >= OPSET:
        return None
    if native.get("auto_pad") in ("SAME_UPPER", "SAME_LOWER"):
        return (
            f"Before opset {OPSET} SAME_UPPER and SAME_LOWER mean an output of the input's size "
            "(ONNX changelog, ConvTranspose-1)."
        )
    totals = _totals(native, _plain(native, size=size, kernel=kernel))
    if totals is not None and any(total % 2 for total in totals):
        return (
            f"Before opset {OPSET} the end gets the larger half of an odd total of padding (ONNX "
            "changelog, ConvTranspose-1)."
        )
    return None


def _totals(native: Native, plain: Geometry) -> list[int] | None:
    """The total of padding per axis that is to be split; None where pads are given."""
    output_shape: Sequence[int] | None = native.get("output_shape")
    if output_shape is None and native.get("auto_pad") in ("SAME_UPPER", "SAME_LOWER"):
        output_shape = [axis.size * axis.stride for axis in plain.axes]
    if output_shape is None:
        return None
    extras = native["output_padding"]
    return [
        axis.full + extra - out
        for axis, out, extra in zip(plain.axes, output_shape, extras, strict=True)
    ]


def _check_kernel_shape(native: Native, kernel: list[int]) -> None:
    if native.get("kernel_shape", kernel) != kernel:
        raise ArgumentError(
            "kernel_shape",
            f"is {native['kernel_shape']}, should be the kernel's own sizes {kernel}",
        )


def _begin(total: int, *, upper: bool) -> int:
    """The share of `total` that the beginning gets: of an odd total the larger one, unless
    SAME_UPPER.
    """
    return total // 2 if upper else total - total // 2


def native(geometry: Geometry) -> Native | Unrepresentable:
    """strides, pads, output_padding, dilations and group, or why there are none.

    Symmetric pads with output_padding are preferred, as exporters write them, then asymmetric pads.
    """
    begins, ends, extras = [], [], []
    for position, axis in enumerate(geometry.axes):
        pads = _pads(axis)
        if isinstance(pads, str):
            return Unrepresentable(reason=f"On axis {position}, {pads}.")
        begin, end, extra = pads
        begins.append(begin)
        ends.append(end)
        extras.append(extra)
    return {
        "strides": list(geometry.stride),
        "pads": begins + ends,
        "output_padding": extras,
        "dilations": list(geometry.dilation),
        "group": geometry.groups,
    }


def _pads(axis: Axis) -> tuple[int, int, int] | str:
    """(begin, end, output_padding) of an axis, or why there is none."""
    low, high = axis.crop_low, axis.crop_high
    limit = max(axis.stride, axis.dilation)
    if low < 0:
        return f"{-low} zeros are prepended, and ONNX's pads are never negative"
    if low == high or 0 < low - high < limit:
        return low, low, low - high
    if high >= 0:
        return low, high, 0
    if -high < limit:
        return low, 0, -high
    return (
        f"{-high} zeros are appended, which is output_padding={-high}, and ONNX wants it below "
        f"max(stride, dilation) = {limit}"
    )
