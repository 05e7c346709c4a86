"""A LiteRT (TensorFlow Lite) model: its TRANSPOSE_CONV operators."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import tensorflow as tf
    from tensorflow.lite.python import schema_py_generated as schema

from conformance.models.results import (
    LayerEntry,
    ReadingError,
    Request,
    Results,
    open_sizes,
    random_input,
)

_PADDINGS = {0: "SAME", 1: "VALID"}
_MOST_FUSED = 3
_ACTIVATIONS = {
    code: name
    for name, code in vars(schema.ActivationFunctionType).items()
    if isinstance(code, int)
}


def read(request: Request, results: Results) -> None:
    """The interpreter runs the model on its own shapes, or on those that are given."""
    results.versions["tensorflow"] = tf.__version__
    interpreter = _interpreter(request.path)
    _allocate(interpreter, request, results)
    results.say("runs the model")
    interpreter.invoke()
    details = {entry["index"]: entry for entry in interpreter.get_tensor_details()}
    options = _options(request.path)
    operators = [op for op in interpreter._get_ops_details() if op["op_name"] != "DELEGATE"]
    for op in operators:
        index = None
        if op["op_name"] == "TRANSPOSE_CONV":
            results.layers.append(_entry(op, operators, interpreter, details, options, results))
            index = len(results.layers) - 1
        if request.activations:
            _record(op, index, interpreter, details, results)
    if request.activations:
        for output in interpreter.get_output_details():
            results.outputs[output["name"]] = results.store(interpreter.get_tensor(output["index"]))


def _interpreter(path: str) -> Any:
    kinds = tf.lite.experimental.OpResolverType
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return tf.lite.Interpreter(
                path,
                experimental_op_resolver_type=kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
                experimental_preserve_all_tensors=True,
            )
        except ValueError as error:
            first = str(error).splitlines()[0]
            raise ReadingError(f"is not a LiteRT model: {first}") from None


def _allocate(interpreter: Any, request: Request, results: Results) -> None:
    inputs = {entry["name"]: entry for entry in interpreter.get_input_details()}
    samples = request.inputs_of(list(inputs))
    for name, sample in samples.items():
        interpreter.resize_tensor_input(inputs[name]["index"], list(sample.shape))
    interpreter.allocate_tensors()
    for name, entry in inputs.items():
        dtype = np.dtype(entry["dtype"])
        signature = [None if size < 0 else int(size) for size in entry["shape_signature"]]
        if name in samples:
            array = np.asarray(samples[name].numbers(dtype.name), dtype)
        elif None in signature[1:]:
            raise open_sizes(name, signature)
        else:
            array = random_input([int(size) for size in entry["shape"]], dtype.name)
        interpreter.set_tensor(entry["index"], array)
        results.add_input(name, signature, dtype.name, array)


def _options(path: str) -> dict[int, Any]:
    """The options of every TRANSPOSE_CONV of the first subgraph, by the index of its output."""
    model = schema.Model.GetRootAs(Path(path).read_bytes(), 0)
    graph = model.Subgraphs(0)
    options = {}
    for number in range(graph.OperatorsLength()):
        operator = graph.Operators(number)
        if operator.BuiltinOptionsType() == schema.BuiltinOptions.TransposeConvOptions:
            table = operator.BuiltinOptions()
            entry = schema.TransposeConvOptions()
            entry.Init(table.Bytes, table.Pos)
            options[int(operator.Outputs(0))] = entry
    return options


def _entry(
    op: Any,
    operators: Any,
    interpreter: Any,
    details: dict[int, Any],
    options: dict[int, Any],
    results: Results,
) -> LayerEntry:
    """Inputs are output_shape, weights (C_out, H, W, C_in), x (N, H, W, C_in), and a bias."""
    output = int(op["outputs"][0])
    sizes, weights, x, *bias = (int(index) for index in op["inputs"])
    output_shape = [int(n) for n in interpreter.get_tensor(sizes)]
    arguments, native = _arguments(options[output], output_shape)
    activation = arguments["fused_activation_function"].lower()
    has_bias = bool(bias) and bias[0] >= 0
    return LayerEntry(
        name=details[output]["name"],
        operator="TRANSPOSE_CONV",
        convention="tensorflow",
        arguments=arguments,
        native=native,
        kernel=results.store(np.moveaxis(interpreter.get_tensor(weights), -1, 0)),
        bias=results.store(interpreter.get_tensor(bias[0])) if has_bias else None,
        kernel_tensor={"name": details[weights]["name"], "axes": "OHWI"},
        bias_tensor={"name": details[bias[0]]["name"], "axes": "O"} if has_bias else None,
        activation=None if activation == "none" else activation,
        followed_by=_followers(op, operators),
        inputs=[list(np.moveaxis(interpreter.get_tensor(x), -1, 1).shape)],
    )


def _arguments(option: Any, output_shape: list[int]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(the options of an operator, the native arguments that they stand for)."""
    strides = [option.StrideH(), option.StrideW()]
    padding = _PADDINGS[option.Padding()]
    arguments = {
        "stride_h": strides[0],
        "stride_w": strides[1],
        "padding": padding,
        "fused_activation_function": _ACTIVATIONS.get(option.FusedActivationFunction(), "NONE"),
        "output_shape": output_shape,
    }
    return arguments, {
        "strides": strides,
        "padding": padding,
        "output_shape": output_shape[1:3],
        "dilations": [1, 1],
        "groups": 1,
    }


def _followers(op: Any, operators: Any) -> list[str]:
    chain: list[str] = []
    output = op["outputs"][0]
    while len(chain) < _MOST_FUSED:
        users = [other for other in operators if output in other["inputs"]]
        if len(users) != 1 or not len(users[0]["outputs"]):
            break
        chain.append(users[0]["op_name"])
        output = users[0]["outputs"][0]
    return chain


def _record(
    op: Any, layer: int | None, interpreter: Any, details: dict[int, Any], results: Results
) -> None:
    output = int(op["outputs"][0])
    name, array = details[output]["name"], interpreter.get_tensor(output)
    if layer is not None:
        x = np.moveaxis(interpreter.get_tensor(int(op["inputs"][2])), -1, 1)
        array = np.moveaxis(array, -1, 1)
        results.add_activation(name, op["op_name"], array, layer=layer, input=x)
    elif array.dtype.kind == "f":
        results.add_activation(name, op["op_name"], array)
