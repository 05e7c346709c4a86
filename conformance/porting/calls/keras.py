"""How Keras' calls are read: the layers `Conv1DTranspose`, `2D`, `3D`, and their longer names."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from conformance.conventions import normal_form
from conformance.conventions.arguments import is_integer
from conformance.porting.calls.grammar import Call, Signature, shown
from conformance.porting.layer import Layer
from conformance.porting.layouts import layout_of
from conformance.wording import quoted

_HEAD = "filters kernel_size strides padding"
_TAIL = (
    "activation use_bias kernel_initializer bias_initializer kernel_regularizer "
    "bias_regularizer activity_regularizer"
)
_TAIL += " kernel_constraint bias_constraint name dtype trainable input_shape"
_ORDER = {
    n: "output_padding data_format" if n < 3 else "data_format output_padding" for n in (1, 2, 3)
}

SIGNATURES: Mapping[str, Signature] = {
    f"{name}{n}DTranspose": Signature(
        positional=f"{_HEAD} {_ORDER[n]} dilation_rate {_TAIL}", after="inputs"
    )
    for name in ("Conv", "Convolution")
    for n in (1, 2, 3)
}
EXAMPLE = 'Conv2DTranspose(32, 3, strides=2, padding="same")'


def layer(call: Call) -> Layer:
    rank = int(call.function.removesuffix("DTranspose")[-1])
    call.require("filters", "kernel_size")
    filters, words = call.channels("filters")
    arguments = call.native_arguments("strides", "padding", "output_padding", "dilation_rate")
    if isinstance(arguments.get("padding"), str):
        arguments["padding"] = arguments["padding"].lower()  # Keras takes "SAME" too
    form = call.value("data_format")
    if form not in (None, "channels_last", "channels_first"):
        raise call.wrong(
            f"data_format is {quoted(form)}, should be 'channels_last' or 'channels_first'"
        )
    batch, c_in, size = _input(call, rank, first=form == "channels_first")
    return Layer(
        framework="keras",
        text=call.text,
        rank=rank,
        kernel=call.kernel_size(rank),
        native=normal_form("keras", arguments, rank),
        layout=layout_of("keras", rank),
        c_in=c_in,
        c_out=filters,
        words=(None, words),
        bias=call.bias("use_bias"),
        batch=batch,
        size=size,
        normalised=call.normalised,
        notes=(*call.all_notes("use_bias"), *_notes(call, form)),
    )


def literal(value: Any) -> ast.expr:
    """The expression of a literal: an argument that a call leaves to a default of its own."""
    return ast.Constant(value)


def _notes(call: Call, form: str | None) -> list[str]:
    notes = []
    if not call.absent("activation"):
        text = shown(call.arguments["activation"])
        notes.append(f"activation={text} is not part of what is ported: apply it afterwards.")
    if form == "channels_first":
        notes.append(
            "The layer is channels first; the code and the proof are channels last, where every "
            "backend runs."
        )
    return notes


def _input(
    call: Call, rank: int, *, first: bool
) -> tuple[int | None, int | None, tuple[int, ...] | None]:
    """Batch, channels and size of an input whose shape is given, to the layer or as its
    input_shape; there None is open.
    """
    key = "input_shape" if call.absent("inputs") and not call.absent("input_shape") else "inputs"
    shape = call.value(key) if key == "input_shape" else call.shape(key)
    if shape is None:
        return None, None, None
    whole = [None, *shape] if key == "input_shape" and isinstance(shape, list) else shape
    if (
        not isinstance(whole, list)
        or len(whole) != rank + 2
        or not all(n is None or (is_integer(n) and n > 0) for n in whole)
    ):
        should = "(C, *spatial)" if first else "(*spatial, C)"
        raise call.wrong(
            f"{key} is {quoted(shape)}, should be "
            f"{'N and then ' if key == 'inputs' else ''}{should}"
        )
    batch, channels, size = (
        whole[0],
        whole[1] if first else whole[-1],
        whole[2:] if first else whole[1:-1],
    )
    return batch, channels, None if None in size else tuple(size)
