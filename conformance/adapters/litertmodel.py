"""LiteRT models of one TRANSPOSE_CONV or CONV_3D_TRANSPOSE, by the schema that LiteRT brings.

Kernel, bias and output_shape are constants of the model, as a converter writes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from conformance.adapters.adapter import refuse_unsaid
from conformance.conventions import tensorflow as convention

_IDENTIFIER = b"TFL3"


def one_operator_model(
    x: Any, kernel: Any, bias: Any | None, native: dict[str, Any], *, template: str = "litert"
) -> tuple[bytes, tuple[int, ...]]:
    """A .tflite model whose only operator is that call, and the shape (N, *out, C_out) of its
    output; its input is (N, *spatial, C_in). Raises Unsupported for what the LIMITS of the template
    say.
    """
    refuse_unsaid(template, x, kernel, bias, native)
    out = convention.geometry(native, size=x.shape[2:], kernel=kernel.shape[2:]).out
    y_shape = (x.shape[0], *out, kernel.shape[1])
    layout = (3, 0) if x.ndim == 4 else (-1, -2)  # (C_out, *kernel, C_in), (*kernel, C_out, C_in)
    graph = _Graph()
    operands = [
        graph.tensor("output_shape", np.array(y_shape, np.int32)),
        graph.tensor("kernel", np.moveaxis(kernel, (0, 1), layout)),
        graph.tensor("x", shape=(x.shape[0], *x.shape[2:], x.shape[1])),
        *([] if bias is None else [graph.tensor("bias", bias)]),
    ]
    y = graph.tensor("y", shape=y_shape)
    return graph.model(_operator(native, operands, y), operands[2], y), y_shape


def _operator(native: dict[str, Any], inputs: list[int], output: int) -> Any:
    operator = schema.OperatorT()
    operator.inputs, operator.outputs = inputs, [output]
    padding = getattr(schema.Padding, native["padding"])
    if len(native["strides"]) == 2:
        operator.builtinOptionsType = schema.BuiltinOptions.TransposeConvOptions
        operator.builtinOptions = options = schema.TransposeConvOptionsT()
        options.strideH, options.strideW = native["strides"]
    else:
        operator.builtinOptionsType = schema.BuiltinOptions.Conv3DOptions
        operator.builtinOptions = options = schema.Conv3DOptionsT()
        options.strideD, options.strideH, options.strideW = native["strides"]
        dilations = native["dilations"]
        options.dilationDFactor, options.dilationHFactor, options.dilationWFactor = dilations
    options.padding = padding
    return operator


class _Graph:
    """A subgraph under construction; tensors are numbered as they are added."""

    def __init__(self) -> None:
        self._tensors: list[Any] = []
        self._buffers = [schema.BufferT()]  # the first is empty by the schema's rule

    def tensor(self, name: str, array: Any = None, shape: Sequence[int] | None = None) -> int:
        """A constant, or a float32 tensor of this shape."""
        tensor = schema.TensorT()
        tensor.name = name
        tensor.shape = list(array.shape if shape is None else shape)
        integer = array is not None and array.dtype == np.int32
        tensor.type = schema.TensorType.INT32 if integer else schema.TensorType.FLOAT32
        if array is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(array).tobytes(), np.uint8)
            self._buffers.append(buffer)
            tensor.buffer = len(self._buffers) - 1
        self._tensors.append(tensor)
        return len(self._tensors) - 1

    def model(self, operator: Any, x: int, y: int) -> bytes:
        code = schema.OperatorCodeT()
        is_plane = operator.builtinOptionsType == schema.BuiltinOptions.TransposeConvOptions
        kinds = schema.BuiltinOperator
        code.builtinCode = kinds.TRANSPOSE_CONV if is_plane else kinds.CONV_3D_TRANSPOSE
        code.deprecatedBuiltinCode = min(code.builtinCode, kinds.PLACEHOLDER_FOR_GREATER_OP_CODES)
        code.version = (
            3 if is_plane and len(operator.inputs) == 4 else 1
        )  # a bias came in version 3
        graph = schema.SubGraphT()
        graph.tensors, graph.operators = self._tensors, [operator]
        graph.inputs, graph.outputs = [x], [y]
        model = schema.ModelT()
        model.version = 3  # of the schema
        model.operatorCodes, model.subgraphs, model.buffers = [code], [graph], self._buffers
        builder = flatbuffers.Builder()
        builder.Finish(model.Pack(builder), _IDENTIFIER)
        return bytes(builder.Output())
