"""Every ConvTranspose node of an ONNX file, with the shapes that its initializers and shape
inference give.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from conformance.errors import PortError
from conformance.porting.calls.onnx import from_attributes
from conformance.porting.layer import Layer
from conformance.system.reading import read_regular
from conformance.wording import counted, quoted

MOST_BYTES = 2**31
"""Of one file: protobuf has no larger messages."""
MOST_NODES = 1000
"""ConvTranspose nodes of one file: each has an answer, and a proof, of its own."""
Shapes = Mapping[str, list[int]]
"""Shapes by the name of a value, 0 for a size that is symbolic or unknown."""


def layers(path: str, input_shape: Sequence[int] | None = None) -> list[Layer]:
    """The ConvTranspose nodes of a model in the order of its graph; raises PortError. Needs the
    package onnx.

    `input_shape` is the shape of the model's first input; shape inference takes it to the nodes.
    """
    if not find_spec("onnx"):
        raise PortError(
            f"{path} needs the package onnx to be read, which is not installed: pip install onnx"
        )
    onnx = import_module("onnx")
    model = _loaded(onnx, path)
    if input_shape is not None:
        _set_input(model.graph, path, input_shape)
    if len(model.functions):
        model = _inlined(onnx, model, path)
    graphs = list(_graphs(onnx, _inferred(onnx, model).graph))
    shapes: dict[str, list[int]] = {}
    for graph in graphs:
        shapes |= _shapes(graph)
    kinds = {
        t.name: onnx.TensorProto.DataType.Name(t.data_type).lower()
        for graph in graphs
        for t in graph.initializer
        if t.data_type in onnx.TensorProto.DataType.values()
    }
    nodes = [node for graph in graphs for node in graph.node if _is_transposed_convolution(node)]
    if not 1 <= len(nodes) <= MOST_NODES:
        raise PortError(
            f"{path} has {len(nodes) or 'no'} ConvTranspose node{'s' * (len(nodes) > 1)}, should "
            f"have 1 to {MOST_NODES}"
        )
    asked = "" if input_shape is None else _sizes(input_shape)
    return [
        replace(layer, input_words=asked)
        for layer in (_layer(onnx, node, shapes, kinds) for node in nodes)
    ]


def _inlined(onnx: Any, model: Any, path: str) -> Any:
    """The model with its local functions written out where they are called."""
    try:
        return import_module("onnx.inliner").inline_local_functions(model)
    except Exception as error:  # onnx' own, of a function that calls itself or lacks an opset
        raise PortError(f"{path} has functions that are not ONNX: {_first_line(error)}") from None


def _is_transposed_convolution(node: Any) -> bool:
    return node.op_type == "ConvTranspose" and node.domain in ("", "ai.onnx")


def _loaded(onnx: Any, path: str) -> Any:
    try:
        content = read_regular(Path(path), MOST_BYTES)
        return onnx.load_model_from_string(content)
    except OSError as error:
        raise PortError(f"{path} cannot be read: {error.strerror}") from None
    except Exception as error:  # protobuf's own, of a name that depends on its implementation
        raise PortError(f"{path} is not an ONNX model: {_first_line(error)}") from None


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _set_input(graph: Any, path: str, input_shape: Sequence[int]) -> None:
    """Give the model's first input this shape, which has to agree with what the model says of
    it.
    """
    initializer_names = {tensor.name for tensor in graph.initializer}
    value = next((value for value in graph.input if value.name not in initializer_names), None)
    if value is None:
        raise PortError(f"{path} has no input, should be given no shape for one")
    known = _dimensions(value)
    fits = len(input_shape) == len(known) and all(
        have in (0, want) for have, want in zip(known, input_shape, strict=True)
    )
    if (known and not fits) or min(input_shape, default=0) < 1:
        should = _sizes(known) if known else "of numbers of at least 1"
        raise PortError(
            f"input is {_sizes(input_shape)}, should be {should}: the shape of {value.name} in "
            f"{path}"
        )
    kind = value.type.tensor_type.shape
    del kind.dim[:]
    for size in input_shape:
        kind.dim.add().dim_value = size


def _inferred(onnx: Any, model: Any) -> Any:
    try:
        return onnx.shape_inference.infer_shapes(model)
    except Exception:  # inference is a help only: without it a default input is chosen
        return model


def _graphs(onnx: Any, graph: Any) -> Iterator[Any]:
    """A graph, and those of the branches and loops in it."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                yield from _graphs(onnx, inner)


def _shapes(graph: Any) -> Shapes:
    shapes = {value.name: _dimensions(value) for value in [*graph.input, *graph.value_info]}
    shapes |= {tensor.name: list(tensor.dims) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.output:
            shapes.update(
                (node.output[0], list(part.t.dims))
                for part in node.attribute
                if part.name == "value"
            )
    return shapes


def _dimensions(value: Any) -> list[int]:
    """A value's shape; empty where there is none."""
    kind = value.type.tensor_type
    return [axis.dim_value for axis in kind.shape.dim] if kind.HasField("shape") else []


def _sizes(shape: Sequence[int]) -> str:
    return ",".join(str(size or "?") for size in shape)


def _layer(onnx: Any, node: Any, shapes: Shapes, kinds: Mapping[str, str]) -> Layer:
    name = node.name or (node.output[0] if node.output else "ConvTranspose")
    if len(node.input) < 2:
        raise PortError(
            f"{name} has {counted(len(node.input), 'input')}, should have 2 or 3: X, W and B"
        )
    try:
        values = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        attributes = {key: _plain(value) for key, value in values.items()}
    except ValueError as error:  # of a type that no attribute has
        raise PortError(f"{name}: {_first_line(error)}") from None
    weights = shapes.get(node.input[1]) or None
    if weights is not None and 0 in weights:
        weights = None
    if weights is None and "kernel_shape" not in attributes:
        raise PortError(
            f"{name}: neither kernel_shape nor the shape of its weights {node.input[1]} is known"
        )
    spelled = ", ".join(f"{key}={quoted(value)}" for key, value in attributes.items())
    try:
        layer = from_attributes(
            attributes,
            text=f"ConvTranspose({spelled})",
            name=name,
            weights=weights,
            bias=len(node.input) > 2 and node.input[2] != "",
            notes=_notes(kinds.get(node.input[1], "float")),
            shape=_input(shapes.get(node.input[0]), weights),
        )
    except PortError as error:
        raise PortError(f"{name}: {error}") from None
    return replace(layer, tensors=(node.input[1], node.input[2] if layer.bias else None))


def _notes(kind: str) -> tuple[str, ...]:
    return (
        ()
        if kind == "float"
        else (f"Its weights are {kind}, which is left to you: the proof is in float32.",)
    )


def _input(shape: list[int] | None, weights: list[int] | None) -> list[int] | None:
    """The shape of a node's input, 1 for an unknown batch; None if not even its rank is known."""
    if not shape or len(shape) < 3:
        return None
    if weights is not None and (len(shape) != len(weights) or shape[1] not in (0, weights[0])):
        raise PortError(f"its input of {_sizes(shape)} does not fit weights of {_sizes(weights)}")
    return [shape[0] or 1, *shape[1:]]


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    try:
        return value if isinstance(value, (int, float, str)) else list(value)
    except TypeError:
        raise PortError(
            "an attribute is a graph or a tensor, should be numbers or a word"
        ) from None
