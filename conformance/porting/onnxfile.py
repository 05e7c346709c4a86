"""Every ConvTranspose node of an ONNX file, with the shapes that its initializers and shape inference give."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from conformance.porting.calls import Layer, PortError, from_attributes


def layers(path: str) -> list[Layer]:
    """The ConvTranspose nodes of a model in the order of its graph; raises PortError. Needs the package onnx."""
    if not find_spec("onnx"):
        raise PortError(f"{path} needs the package onnx to be read, which is not installed: pip install onnx")
    onnx = import_module("onnx")
    try:
        model = onnx.load(path, load_external_data=False)
    except OSError as error:
        raise PortError(f"{path} cannot be read: {error.strerror}") from None
    except Exception as error:  # protobuf's own, of a name that depends on its implementation
        raise PortError(f"{path} is no ONNX model: {error}") from None
    graph = _inferred(onnx, model).graph
    shapes = {tensor.name: list(tensor.dims) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            shapes.update((node.output[0], list(part.t.dims)) for part in node.attribute if part.name == "value")
    activations = {value.name: _dimensions(value) for value in [*graph.input, *graph.value_info]}
    nodes = [node for node in graph.node if node.op_type == "ConvTranspose"]
    if not nodes:
        raise PortError(f"{path} has no ConvTranspose node")
    return [_layer(onnx, node, shapes, activations) for node in nodes]


def _inferred(onnx: Any, model: Any) -> Any:
    try:
        return onnx.shape_inference.infer_shapes(model)
    except Exception:  # inference is a help only: without it a default input is chosen
        return model


def _dimensions(value: Any) -> list[int] | None:
    """A value's shape with 0 for what is symbolic; None where there is none."""
    kind = value.type.tensor_type
    return [axis.dim_value for axis in kind.shape.dim] if kind.HasField("shape") else None


def _layer(onnx: Any, node: Any, shapes: dict[str, list[int]], activations: dict[str, list[int] | None]) -> Layer:
    attributes = {a.name: _plain(onnx.helper.get_attribute_value(a)) for a in node.attribute}
    name = node.name or node.output[0]
    weights = shapes.get(node.input[1]) or activations.get(node.input[1])
    if weights is not None and 0 in weights:
        weights = None
    if weights is None and "kernel_shape" not in attributes:
        raise PortError(f"{name}: neither kernel_shape nor the shape of its weights {node.input[1]} is known")
    x = activations.get(node.input[0])
    shape = [x[0] or 1, *x[1:]] if x and 0 not in x[2:] else None
    text = f"ConvTranspose({', '.join(f'{key}={value!r}' for key, value in attributes.items())})"
    bias = len(node.input) > 2 and node.input[2] != ""
    try:
        return from_attributes(attributes, text=text, name=name, weights=weights, bias=bias, shape=shape)
    except PortError as error:
        raise PortError(f"{name}: {error}") from None


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode()
    return value if isinstance(value, (int, float, str)) else list(value)
