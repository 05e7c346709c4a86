"""An ONNX model is run by ONNX Runtime, with every tensor of its graph as an output."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx

from conformance.models.readers.onnxfile import external_file
from conformance.models.results import (
    LayerEntry,
    Request,
    Results,
    open_sizes,
    random_input,
)

_TENSORS_AT_ONCE = 64


def run(
    model: Any, folder: Path, request: Request, results: Results, layers: Mapping[str, int]
) -> None:
    """Fill in the shapes that inference left open, and with `activations` every tensor.

    Optimisations are off: they would merge nodes whose outputs are asked for. Nodes of branches and
    loops have no outputs that can be asked for.
    """
    nodes = [node for node in model.graph.node if any(node.output) and node.op_type != "Constant"]
    by_node = {node.name or node.output[0]: node for node in nodes}
    open_layers = [name for name, index in layers.items() if not results.layers[index].inputs]
    reachable = [name for name in open_layers if name in by_node]
    if not request.activations and not reachable:
        return
    samples = _samples(results, request)
    if samples is None:
        return
    if request.activations:
        _record(model, nodes, folder, samples, results, layers)
    else:
        wanted = [by_node[name].input[0] for name in reachable]
        tensors = next(_outputs(model, wanted, folder, samples))
        for name in reachable:
            shape = list(tensors[by_node[name].input[0]].shape)
            results.layers[layers[name]].inputs.append(shape)


def _samples(results: Results, request: Request) -> dict[str, Any] | None:
    """The array of every input: given, or drawn; None where a size is open and none was given."""
    samples = {}
    asked = request.inputs_of([entry["name"] for entry in results.inputs])
    for entry in results.inputs:
        shape = entry["shape"]
        if entry["name"] in asked:
            samples[entry["name"]] = asked[entry["name"]].numbers(entry["dtype"])
            continue
        if shape is not None and shape[:1] == [None]:
            shape = [1, *shape[1:]]
        if shape is None or None in shape:
            if request.activations:
                raise open_sizes(entry["name"], shape)
            return None
        samples[entry["name"]] = random_input(shape, entry["dtype"])
        entry["sample"] = results.store(samples[entry["name"]])
    return samples


def _record(
    model: Any,
    nodes: Any,
    folder: Path,
    samples: Mapping[str, Any],
    results: Results,
    layers: Mapping[str, int],
) -> None:
    finals = {value.name for value in model.graph.output}
    wanted = [name for node in nodes for name in node.output if name]
    inputs = {n.input[0] for n in nodes if n.op_type == "ConvTranspose"}
    tensors: dict[str, Any] = dict(samples)
    for some in _outputs(model, wanted, folder, samples):
        tensors |= some
        for node in nodes:
            output = node.output[0]
            if output in some:
                name = node.name or output
                index = layers.get(name)
                before, after = None, some[output]
                if index is not None:
                    before = tensors[node.input[0]]
                    results.layers[index].inputs = [list(before.shape)]
                    if before.dtype == np.float16:
                        after = _alone(node, before, results.layers[index], model, results, after)
                results.add_activation(name, node.op_type, after, layer=index, input=before)
        results.outputs |= {
            name: results.store(array) for name, array in some.items() if name in finals
        }
        tensors = {name: array for name, array in tensors.items() if name in inputs}


def _alone(node: Any, x: Any, layer: LayerEntry, model: Any, results: Results, after: Any) -> Any:
    """The output of one node for its input; `after` where its weights are not constant.

    In float16 ONNX Runtime computes in float32 and hands that on to the next node, whatever the
    tensor between them is said to hold: a layer's output in the whole model is not what it makes of
    the input that can be asked for.
    """
    import onnxruntime

    arrays = {"x": x}
    for role, name in (("kernel", "w"), ("bias", "b")):
        entry = getattr(layer, role)
        if entry is not None:
            arrays[name] = results.load(entry)
    if len(arrays) != len([name for name in node.input if name]):
        return after
    single = onnx.NodeProto()
    single.CopyFrom(node)
    del single.input[:], single.output[:]
    single.input.extend(arrays)
    single.output.append("y")
    kind = onnx.helper.np_dtype_to_tensor_dtype(x.dtype)
    values = [
        onnx.helper.make_tensor_value_info(name, kind, array.shape)
        for name, array in arrays.items()
    ]
    graph = onnx.helper.make_graph([single], "alone", values, [onnx.ValueInfoProto(name="y")])
    whole = onnx.ModelProto(ir_version=model.ir_version, opset_import=model.opset_import)
    whole.graph.CopyFrom(graph)
    session = onnxruntime.InferenceSession(
        whole.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(["y"], arrays)[0]


def _outputs(model: Any, wanted: Any, folder: Path, samples: Mapping[str, Any]) -> Any:
    """The wanted tensors by name, some at a time, so that memory need not hold all."""
    import onnxruntime

    with TemporaryDirectory() as temporary:
        file = _with_outputs(model, wanted, folder, Path(temporary))
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        for start in range(0, len(wanted), _TENSORS_AT_ONCE):
            names = wanted[start : start + _TENSORS_AT_ONCE]
            yield {
                name: array
                for name, array in zip(names, session.run(names, dict(samples)), strict=True)
                if hasattr(array, "shape")
            }


def _with_outputs(model: Any, wanted: Any, folder: Path, temporary: Path) -> str:
    """A file of the model with more outputs. Its external data, which has been checked, is linked
    to from beside it.
    """
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    present = {value.name for value in changed.graph.output}
    for name in wanted:
        if name not in present:
            changed.graph.output.append(onnx.ValueInfoProto(name=name))
            present.add(name)
    for tensor in changed.graph.initializer:
        if onnx.external_data_helper.uses_external_data(tensor):
            file, _, _ = external_file(tensor, folder)
            link = temporary / file.name
            if not link.exists():
                link.hardlink_to(file)
            next(e for e in tensor.external_data if e.key == "location").value = file.name
    path = temporary / "model.onnx"
    onnx.save(changed, str(path))
    return str(path)
