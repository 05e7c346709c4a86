"""How ONNX is read: a JSON object of attributes, a call that makes the node, or the attributes of a
file's node.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from conformance.conventions import ArgumentError, normal_form
from conformance.errors import PortError
from conformance.porting.calls.arithmetic import MOST_CHARACTERS
from conformance.porting.calls.grammar import Call, Signature, is_shape, shown
from conformance.porting.calls.onnxtext import Node
from conformance.porting.layer import Layer
from conformance.porting.layouts import layout_of
from conformance.wording import quoted

_ATTRIBUTES = "auto_pad dilations group kernel_shape output_padding output_shape pads strides W"

SIGNATURES: Mapping[str, Signature] = {
    "ConvTranspose": Signature(named=_ATTRIBUTES),
    "make_node": Signature(
        positional="op_type inputs outputs name doc_string domain overload", named=_ATTRIBUTES
    ),
}
EXAMPLE = 'make_node("ConvTranspose", ["x", "w"], ["y"], kernel_shape=[3, 3], strides=[2, 2])'


def is_call(text: str) -> bool:
    """Whether a text begins as a call and not as JSON."""
    return re.match(r"\s*(?:\w+\s*=\s*)?[A-Za-z_][\w.]*\s*\(", text) is not None


def layer(call: Call) -> Layer:
    kind, inputs = call.value("op_type", "ConvTranspose"), call.value("inputs", [])
    if kind != "ConvTranspose":
        raise call.wrong(f"op_type is {quoted(kind)}, should be 'ConvTranspose'")
    bias = call.absent("inputs") or (
        isinstance(inputs, list) and len(inputs) > 2 and inputs[2] != ""
    )
    return from_attributes(call.native_arguments(*_ATTRIBUTES.split()), text=call.text, bias=bias)


def from_node(text: str, node: Node) -> Layer:
    """The layer of a node that was printed; raises PortError."""
    return from_attributes(
        node.attributes,
        text=" ".join(text.split())[:300],
        name=node.name,
        weights=node.weights,
        bias=node.bias,
        shape=node.shape,
    )


def from_json(text: str) -> Layer:
    """The layer of a JSON object of attributes; raises PortError."""
    text = text.strip()
    if len(text) > MOST_CHARACTERS:
        raise PortError(f"the JSON has {len(text)} characters, should be at most {MOST_CHARACTERS}")
    try:
        attributes = json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        raise PortError(
            f"{shown(text)!r} is not JSON ({error}), should be an object of attributes, or an "
            ".onnx file"
        ) from None
    except RecursionError:
        raise PortError(
            "the JSON is nested too deeply, should be an object of attributes"
        ) from None
    except PortError:
        raise
    except ValueError:  # Python's, of thousands of digits
        raise PortError(f"{shown(text)!r} has a number that is too large to be a size") from None
    if not isinstance(attributes, dict):
        raise PortError(
            f"{shown(text)} is not an object, should be one of attributes, such as "
            + '{"kernel_shape": [3, 3]}'
        )
    return from_attributes(attributes, text=shown(text, 1000))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    for key, value in pairs:
        if key in attributes:
            raise PortError(f"{quoted(key)} is given twice")
        attributes[key] = value
    return attributes


def from_attributes(
    attributes: Mapping[str, Any],
    *,
    text: str,
    name: str | None = None,
    weights: Sequence[int] | None = None,
    bias: bool = True,
    shape: Sequence[int] | None = None,
    notes: tuple[str, ...] = (),
) -> Layer:
    """The layer of a node's attributes; `weights` is the shape of W, which may also stand among
    them as "W".

    `shape` is the input's, with 0 for what is not known of channels and sizes. Raises PortError.
    """
    left = dict(attributes)
    weights = left.pop("W", weights)
    kernel = _kernel(left.pop("kernel_shape", None), weights)
    if shape is not None and len(shape) != len(kernel) + 2:
        raise PortError(f"X has {len(shape)} axes, should have {len(kernel) + 2}: (N, C, *spatial)")
    try:
        native = normal_form("onnx", left, len(kernel))
    except ArgumentError as error:
        raise PortError(f"ConvTranspose: {error}") from None
    return Layer(
        framework="onnx",
        text=text,
        name=name,
        rank=len(kernel),
        kernel=kernel,
        native=native,
        layout=layout_of("onnx", len(kernel)),
        groups=native["group"],
        c_in=weights[0] if weights else shape[1] or None if shape else None,
        c_out=weights[1] * native["group"] if weights else None,
        bias=bias,
        batch=shape[0] if shape else None,
        size=tuple(shape[2:]) if shape and 0 not in shape[2:] else None,
        notes=notes,
    )


def _kernel(kernel: Any, weights: Any) -> tuple[int, ...]:
    """The kernel's sizes, which kernel_shape says, the shape of W, or both alike."""
    if weights is not None and (not is_shape(weights) or not 3 <= len(weights) <= 5):
        raise PortError(
            f"W has shape {quoted(weights)}, should be (C_in, C_out / group, *kernel) with a "
            "kernel of 1, 2 or 3 axes"
        )
    if kernel is None and weights is not None:
        kernel = list(weights[2:])
    if not is_shape(kernel) or len(kernel) > 3:
        raise PortError(f"kernel_shape is {quoted(kernel)}, should be the kernel's 1, 2 or 3 sizes")
    if weights is not None and list(weights[2:]) != list(kernel):
        raise PortError(
            f"W has shape {quoted(weights)}, should be (C_in, C_out / group, "
            f"{', '.join(map(str, kernel))})"
        )
    return tuple(kernel)
