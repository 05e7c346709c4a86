"""An ONNX file: its ConvTranspose nodes, those in branches, loops and local functions too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import onnx
from onnx import inliner, shape_inference

from conformance.models.readers.onnxconstants import Constants
from conformance.models.readers.onnxfile import load
from conformance.models.readers.onnxrun import run
from conformance.models.results import LayerEntry, ReadingError, Request, Results
from conformance.wording import counted

_AXES = {1: "W", 2: "HW", 3: "DHW"}
_MOST_FUSED = 3
_MOST_NODES = 1000  # of transposed convolutions
_SMALL_BYTES = 4096  # of a constant that shapes may be computed of


def read(request: Request, results: Results) -> None:
    """Shapes are inferred; the model is run only where that leaves some open, or to have its
    activations.
    """
    results.versions["onnx"] = onnx.__version__
    results.say("loads the model")
    model, folder = load(request.path)
    if model.functions:
        model = inliner.inline_local_functions(model)
    inputs = _inputs(model.graph)
    samples = _take(request, inputs)
    for name, value in inputs.items():
        shape = [size or None for size in dimensions(value)] if _has_shape(value) else None
        sample = samples.get(name)
        results.add_input(
            name, shape, kind_of(value), None if sample is None else sample.numbers(kind_of(value))
        )
        if sample is not None:
            _fix(value, sample.shape)
    inferred = _inferred(model)
    shapes: dict[str, list[int]] = {}
    entries = []
    for graph, constants in _graphs(inferred.graph, Constants(None, model.graph, folder)):
        shapes |= _shapes(graph)
        entries += [
            (node, constants, graph) for node in graph.node if is_transposed_convolution(node)
        ]
    if len(entries) > _MOST_NODES:
        raise ReadingError(
            f"has {len(entries)} ConvTranspose nodes, should have at most {_MOST_NODES}"
        )
    for number, (node, constants, graph) in enumerate(entries, 1):
        results.say(f"{name_of(node)}: {number} of {len(entries)} ConvTranspose nodes")
        results.layers.append(_layer(node, constants, graph, shapes, results))
    run(model, folder, request, results, {name_of(node): n for n, (node, *_) in enumerate(entries)})


def is_transposed_convolution(node: Any) -> bool:
    return node.op_type == "ConvTranspose" and node.domain in ("", "ai.onnx")


def name_of(node: Any) -> str:
    return str(node.name or (node.output[0] if node.output else node.op_type))


def _inputs(graph: Any) -> dict[str, Any]:
    """The inputs of a model that are not initializers too."""
    initializers = {tensor.name for tensor in graph.initializer}
    return {value.name: value for value in graph.input if value.name not in initializers}


def _has_shape(value: Any) -> bool:
    return bool(value.type.tensor_type.HasField("shape"))


def dimensions(value: Any) -> list[int]:
    """A value's shape, 0 for a size that is symbolic or unknown; empty where there is none."""
    return [axis.dim_value for axis in value.type.tensor_type.shape.dim]


def kind_of(value: Any) -> str | None:
    """The dtype of a value, None where it is none of NumPy's."""
    try:
        return str(onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type))
    except (KeyError, TypeError):
        return None


def _take(request: Request, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The sample of each input that was given one, by name. Raises ReadingError for a misfit."""
    samples = request.inputs_of(list(inputs))
    for name, sample in samples.items():
        known = dimensions(inputs[name])
        fits = len(known) == len(sample.shape) and all(
            have in (0, want) for have, want in zip(known, sample.shape, strict=True)
        )
        if _has_shape(inputs[name]) and not fits:
            raise ReadingError(
                f"has an input {name} of {sizes(known)}, and {sizes(sample.shape)} is given"
            )
    return samples


def sizes(shape: Sequence[int]) -> str:
    return ",".join(str(size or "?") for size in shape)


def _fix(value: Any, shape: Sequence[int]) -> None:
    """Give a value this shape."""
    dims = value.type.tensor_type.shape
    del dims.dim[:]
    for size in shape:
        dims.dim.add().dim_value = size


def _inferred(model: Any) -> Any:
    """The model with the shapes of its values; of large constants it has the shapes alone, which
    spares a copy of them.
    """
    light = onnx.ModelProto(ir_version=model.ir_version, opset_import=model.opset_import)
    light.graph.name = model.graph.name
    for part in ("node", "input", "output", "value_info"):
        getattr(light.graph, part).extend(getattr(model.graph, part))
    known = {value.name for value in light.graph.input}
    for tensor in model.graph.initializer:
        if len(tensor.raw_data) <= _SMALL_BYTES:
            light.graph.initializer.append(tensor)
        elif tensor.name not in known:
            light.graph.input.append(
                onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
            )
    try:
        return shape_inference.infer_shapes(light, data_prop=True)
    except Exception:  # inference is a help only: without it the model is run
        return light


def _graphs(graph: Any, constants: Constants) -> Iterator[tuple[Any, Constants]]:
    """A graph, and those of the branches and loops in it, each with the constants it sees."""
    yield graph, constants
    for node in graph.node:
        for attribute in node.attribute:
            inner = [*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs]
            for part in inner:
                yield from _graphs(part, Constants(constants, part, constants.folder))


def _shapes(graph: Any) -> dict[str, list[int]]:
    shapes = {value.name: dimensions(value) for value in [*graph.input, *graph.value_info]}
    return shapes | {tensor.name: list(tensor.dims) for tensor in graph.initializer}


def _layer(
    node: Any, constants: Constants, graph: Any, shapes: Mapping[str, list[int]], results: Results
) -> LayerEntry:
    if len(node.input) < 2:
        raise ReadingError(
            f"has a node {name_of(node)} of {counted(len(node.input), 'input')}, "
            "should have 2 or 3: X, W, B"
        )
    arguments = {a.name: _value(node, a) for a in node.attribute}
    entry = LayerEntry(
        name=name_of(node),
        operator="ConvTranspose",
        convention="onnx",
        arguments=arguments,
        native=arguments,
        followed_by=_followers(graph, node),
    )
    names = {"kernel": node.input[1], "bias": node.input[2] if len(node.input) > 2 else ""}
    for role, name in names.items():
        array, makers = constants.value(name) if name else (None, [])
        if array is not None:
            setattr(entry, role, results.store(array))
            axes = f"IO{_AXES.get(array.ndim - 2, '')}" if role == "kernel" else "O"
            tensor = {"name": None if makers else name, "axes": axes}
            setattr(entry, f"{role}_tensor", tensor)
        elif name:
            entry.notes.append(f"Its {role} {name} is computed while the model runs.")
        if role == "kernel":
            entry.normalised_by = makers
    shape = shapes.get(node.input[0])
    if shape and 0 not in shape:
        entry.inputs.append(shape)
    return entry


def _followers(graph: Any, node: Any) -> list[str]:
    """The operators behind a node, as long as each is the only one that uses what it gets."""
    chain: list[str] = []
    name = node.output[0]
    outputs = {value.name for value in graph.output}
    while len(chain) < _MOST_FUSED and name not in outputs:
        users = [other for other in graph.node if name in other.input]
        if len(users) != 1 or not users[0].output:
            break
        chain.append(users[0].op_type)
        name = users[0].output[0]
    return chain


def _value(node: Any, attribute: Any) -> Any:
    """An attribute as a number, a word or a list of them. Raises ReadingError for another."""
    try:
        value = onnx.helper.get_attribute_value(attribute)
        if isinstance(value, bytes):
            return value.decode(errors="replace")
        return value if isinstance(value, (int, float, str)) else list(value)
    except (TypeError, ValueError):
        raise ReadingError(
            f"has a node {name_of(node)} whose {attribute.name or 'attribute'} is of a type that "
            "ConvTranspose has not"
        ) from None
