"""Models of one ConvTranspose node, or of a few nodes round it, for both engines that run ONNX."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx

from conformance.adapters.adapter import Unsupported
from conformance.conventions import onnx as convention


def one_node_model(
    x: Any,
    kernel: Any,
    bias: Any | None,
    native: dict[str, Any],
    *,
    opset: int | None = None,
    initializers: bool = False,
) -> onnx.ModelProto:
    """A model whose only node is ConvTranspose with these attributes.

    Its inputs are x, w and b, or x alone where w and b are initializers. Without an opset it is of
    the first that says the call. Raises Unsupported for a call that the opset does not say.
    """
    if opset is not None:
        size, dtype = x.shape[2:], x.dtype.name
        reason = convention.unsaid_by_opset(
            opset, native, dtype, size=size, kernel=kernel.shape[2:]
        )
        if reason is not None:
            raise Unsupported(reason)
    operands = {"x": x, "w": kernel} | ({} if bias is None else {"b": bias})
    constants = {name: array for name, array in operands.items() if initializers and name != "x"}
    inputs = {name: array for name, array in operands.items() if name not in constants}
    node = onnx.helper.make_node("ConvTranspose", list(operands), ["y"], **native)
    return model_of([node], inputs, constants, opset=opset)


def model_of(
    nodes: Sequence[onnx.NodeProto],
    inputs: Mapping[str, Any],
    constants: Mapping[str, Any],
    *,
    opset: int | None = None,
    result: tuple[str, int | None] = ("y", None),
) -> onnx.ModelProto:
    """A model of these nodes; `inputs` and `constants` are arrays by name, and x is an input.

    Without an opset it is of the first that names the dtype. `result` is the name of the output and
    its element type, that of x unless it is said.
    """
    dtype = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(inputs["x"].dtype))
    name, element = result
    graph = onnx.helper.make_graph(
        nodes,
        "conv_transpose",
        [
            onnx.helper.make_tensor_value_info(name, dtype, array.shape)
            for name, array in inputs.items()
        ],
        [onnx.helper.make_tensor_value_info(name, element or dtype, None)],
        [
            onnx.numpy_helper.from_array(np.ascontiguousarray(array), name)
            for name, array in constants.items()
        ],
    )
    if opset is None:
        is_bfloat16 = dtype == onnx.TensorProto.BFLOAT16
        opset = convention.BFLOAT16_OPSET if is_bfloat16 else convention.OPSET
    operators = onnx.helper.make_opsetid("", opset)
    lowest = onnx.helper.find_min_ir_version_for([operators])
    return onnx.helper.make_model(graph, opset_imports=[operators], ir_version=max(8, lowest))
