"""How TensorFlow's calls are read: `tf.nn.conv1d_transpose`, `2d`, `3d`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.conventions import normal_form
from conformance.errors import PortError
from conformance.porting.calls.grammar import Call, Signature
from conformance.porting.layer import Layer
from conformance.porting.layouts import layout_of
from conformance.wording import counted, quoted

SIGNATURES: Mapping[str, Signature] = {
    f"conv{n}d_transpose": Signature(
        positional="input filters output_shape strides padding data_format dilations name",
        renamed={"value": "input", "filter": "filters"},  # as TensorFlow 1 names them
    )
    for n in (1, 2, 3)
}
EXAMPLE = 'conv2d_transpose(x, (3, 3, 32, 64), strides=2, padding="SAME")'


def layer(call: Call) -> Layer:
    rank = int(call.function[4])
    filters = call.operand("filters", f"({'3, ' * rank}C_out, C_in)")
    if len(filters) != rank + 2:
        raise call.wrong(
            f"filters has {counted(len(filters), 'axis', 'axes')}, "
            f"should have {rank + 2}: (*kernel, C_out, C_in)"
        )
    form = call.value("data_format")
    if isinstance(form, str) and form.startswith("NC"):
        raise call.wrong(
            f"data_format is {quoted(form)}, should be channels last: TensorFlow's CPU takes no "
            "other"
        )
    x, y = _shapes(call, rank, filters)
    native = normal_form("tensorflow", _arguments(call, rank) | _output(call, filters, y), rank)
    return Layer(
        framework="tensorflow",
        text=call.text,
        rank=rank,
        kernel=tuple(filters[:rank]),
        native=native,
        layout=layout_of("tensorflow", rank),
        groups=native["groups"],
        c_in=filters[-1],
        c_out=filters[-2] * native["groups"],
        bias=False,
        batch=x[0] if x else y[0] if y else None,
        size=tuple(x[1:-1]) if x else None,
        notes=call.all_notes(),
    )


def _arguments(call: Call, rank: int) -> dict[str, Any]:
    """The spatial arguments; those of batch and channels, which TensorFlow takes too where they are
    1, are left out.
    """
    if call.absent("strides"):
        raise PortError(f"{call.function} needs strides")
    arguments = call.native_arguments("strides", "padding", "dilations")
    padding = arguments.get("padding")
    if isinstance(padding, list) and rank != 2:
        raise call.wrong(
            f"padding is {padding}, should be 'SAME' or 'VALID': conv2d_transpose alone takes pairs"
        )
    if isinstance(padding, list) and not all(isinstance(entry, list) for entry in padding):
        raise call.wrong(f"padding is {padding}, should be 'SAME', 'VALID' or a pair per axis")
    for key in ("strides", "dilations"):
        value = arguments.get(key)
        if isinstance(value, list) and len(value) == rank + 2 and value[0] == value[-1] == 1:
            arguments[key] = value[1:-1]
    return arguments


def _shapes(call: Call, rank: int, filters: list[int]) -> tuple[list[int] | None, list[int] | None]:
    x, y = call.shape("input"), call.shape("output_shape")
    for key, shape in (("input", x), ("output_shape", y)):
        if shape is not None and len(shape) != rank + 2:
            raise call.wrong(
                f"{key} has {counted(len(shape), 'number')}, "
                f"should have {rank + 2}: (N, *spatial, C)"
            )
    if x is not None and x[-1] != filters[-1]:
        raise call.wrong(
            f"the input has {x[-1]} channels and filters {filters[-1]}, should be the same"
        )
    return x, y


def _output(call: Call, filters: list[int], y: list[int] | None) -> dict[str, Any]:
    """The size and the groups that the output's shape gives."""
    if y is None:
        return {}
    groups = y[-1] // filters[-2]
    if y[-1] % filters[-2] or filters[-1] % groups:
        raise call.wrong(
            f"output_shape has {y[-1]} channels, should be groups times the {filters[-2]} of "
            "filters"
        )
    return {"output_shape": y[1:-1], "groups": groups}
