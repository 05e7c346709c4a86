"""A one-node ConvTranspose model, for both engines that run ONNX."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx


def one_node_model(
    x: Any,
    kernel: Any,
    bias: Any | None,
    native: dict[str, Any],
    *,
    opset: int = 11,
    initializers: bool = False,
) -> onnx.ModelProto:
    """A model whose only node is ConvTranspose with these attributes; opset 22 is the first with
    bfloat16.

    Its inputs are x, w and b, or x alone where w and b are initializers.
    """
    dtype = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(x.dtype))
    operands = {"x": x, "w": kernel} | ({} if bias is None else {"b": bias})
    constants = {name: array for name, array in operands.items() if initializers and name != "x"}
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("ConvTranspose", list(operands), ["y"], **native)],
        "conv_transpose",
        [
            onnx.helper.make_tensor_value_info(name, dtype, array.shape)
            for name, array in operands.items()
            if name not in constants
        ],
        [onnx.helper.make_tensor_value_info("y", dtype, None)],
        [
            onnx.numpy_helper.from_array(np.ascontiguousarray(array), name)
            for name, array in constants.items()
        ],
    )
    opset = 22 if x.dtype.name == "bfloat16" else opset
    return onnx.helper.make_model(
        graph,
        opset_imports=[onnx.helper.make_opsetid("", opset)],
        ir_version=8 if opset == 11 else 10,
    )
