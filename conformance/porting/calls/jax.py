"""How JAX's calls are read: `lax.conv_transpose`, and `lax.conv_general_dilated` with
lhs_dilation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from conformance.conventions import Native, normal_form
from conformance.porting.calls.grammar import Call, Signature
from conformance.porting.layer import Layer
from conformance.porting.layouts import SPATIAL, Layout
from conformance.wording import counted, quoted

_TRANSPOSE = (
    "lhs rhs strides padding rhs_dilation dimension_numbers transpose_kernel precision "
    "preferred_element_type"
)
_GENERAL = (
    "lhs rhs window_strides padding lhs_dilation rhs_dilation dimension_numbers "
    "feature_group_count batch_group_count"
)

SIGNATURES: Mapping[str, Signature] = {
    "conv_transpose": Signature(positional=_TRANSPOSE + " use_consistent_padding"),
    "conv_general_dilated": Signature(
        positional=_GENERAL + " precision preferred_element_type out_sharding"
    ),
}
EXAMPLE = 'conv_transpose(x, (3, 3, 64, 32), (2, 2), "SAME")'


def layer(call: Call) -> Layer:
    general = call.function == "conv_general_dilated"
    rhs = call.operand("rhs", "(3, 3, 64, 32)")
    rank = len(rhs) - 2
    if rank not in SPATIAL:
        raise call.wrong(f"rhs has {counted(len(rhs), 'axis', 'axes')}, should have 3, 4 or 5")
    native = normal_form("jax", _general(call, rank) if general else _transpose(call), rank)
    numbers = call.value("dimension_numbers")
    layout = _layout(call, numbers, rank, general=general, native=native)
    sizes = dict(zip(layout.kernel, rhs, strict=True))
    groups = call.count("feature_group_count", native["feature_group_count"])
    c_in = sizes["I"] * groups if layout.groups_in_output else sizes["I"]
    axes = _input(call, layout, c_in)
    return Layer(
        framework="jax",
        text=call.text,
        rank=rank,
        kernel=tuple(sizes[letter] for letter in SPATIAL[rank]),
        native=native,
        layout=layout,
        groups=groups,
        c_in=c_in,
        c_out=sizes["O"],
        bias=False,
        batch=axes.get("N"),
        size=tuple(axes[letter] for letter in SPATIAL[rank]) if axes else None,
        dimension_numbers=tuple(numbers)
        if numbers
        else (layout.x, "OI" + SPATIAL[rank], layout.y)
        if general
        else None,
        general=general,
        notes=call.all_notes(),
    )


def _transpose(call: Call) -> dict[str, Any]:
    call.needed("strides", "padding")
    return call.native_arguments(
        "padding", "rhs_dilation", "strides", "transpose_kernel", "use_consistent_padding"
    )


def _general(call: Call, rank: int) -> dict[str, Any]:
    call.needed("window_strides", "padding")
    arguments = call.native_arguments(
        "padding", "rhs_dilation", "feature_group_count", lhs_dilation="strides"
    )
    steps, batches = call.value("window_strides", 1), call.value("batch_group_count", 1)
    if steps not in (1, [1] * rank) or batches != 1:
        raise call.wrong(
            "window_strides and batch_group_count should be 1 in a transposed convolution"
        )
    if isinstance(arguments["padding"], str):
        raise call.wrong(
            f"padding is {quoted(arguments['padding'])}, should be pairs: words mean the forward "
            "convolution's"
        )
    return arguments


def _input(call: Call, layout: Layout, c_in: int) -> Mapping[str, int]:
    """The sizes of an input whose shape is given, by the letter of their axis."""
    lhs = call.shape("lhs")
    if lhs is None:
        return {}
    if len(lhs) != len(layout.x):
        raise call.wrong(
            f"lhs has {counted(len(lhs), 'axis', 'axes')}, "
            f"should have as many as rhs: {len(layout.x)}"
        )
    axes = dict(zip(layout.x, lhs, strict=True))
    if axes["C"] != c_in:
        raise call.wrong(f"lhs has {axes['C']} channels, should have the {c_in} that rhs is for")
    return axes


def _layout(call: Call, numbers: Any, rank: int, *, general: bool, native: Native) -> Layout:
    """The layout of dimension_numbers. The kernel's spatial letters, in their order there, are the
    spatial axes.
    """
    spatial = SPATIAL[rank]
    if numbers is not None:
        orders = _orders(call, numbers, rank)
    elif general:
        orders = ["NC" + spatial, "OI" + spatial, "NC" + spatial]
    else:
        orders = [f"N{spatial}C", spatial + "IO", f"N{spatial}C"]
    transposed = native["transpose_kernel"]
    kernel = orders[1].translate(str.maketrans("IO", "OI")) if transposed else orders[1]
    return Layout(
        x=orders[0],
        kernel=kernel,
        y=orders[2],
        flipped=not transposed,
        groups_in_output=native["feature_group_count"] > 1,
    )


def _orders(call: Call, numbers: Any, rank: int) -> list[str]:
    """The three orders of axes with this project's letters for the spatial ones."""
    if (
        not isinstance(numbers, list)
        or len(numbers) != 3
        or not all(isinstance(order, str) for order in numbers)
    ):
        raise call.wrong(f"dimension_numbers is {quoted(numbers)}, should be three strings")
    theirs = re.sub("[IO]", "", numbers[1])
    expected = [set("NC" + theirs), set("IO" + theirs), set("NC" + theirs)]
    if [set(order) for order in numbers] != expected or any(
        len(order) != rank + 2 for order in numbers
    ):
        raise call.wrong(
            f"dimension_numbers is {numbers}, should be such as ('NHWC', 'HWIO', 'NHWC')"
        )
    return [order.translate(str.maketrans(theirs, SPATIAL[rank])) for order in numbers]
