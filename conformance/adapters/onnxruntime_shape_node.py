"""ONNX Runtime's shape of an output, as a Shape node behind ConvTranspose says it: an optimizer may
answer it without the call.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime

from conformance.adapters import Operand, Sizes
from conformance.adapters.onnxmodel import model_of
from conformance.adapters.onnxruntime_shape import OnnxRuntimeShape


class OnnxRuntimeShapeNode(OnnxRuntimeShape):
    """One session of ConvTranspose and Shape, run once on zeros. Nothing but Shape is an output of
    the model, so that the call is not made where its shape is inferred.
    """

    def shape(
        self, x: Operand, kernel: Any, bias: Any | None, native: dict[str, Any], device: str
    ) -> Sizes | None:
        operands = {"x": x.zeros(), "w": kernel} | ({} if bias is None else {"b": bias})
        nodes = [
            onnx.helper.make_node("ConvTranspose", list(operands), ["y"], **native),
            onnx.helper.make_node("Shape", ["y"], ["shape"]),
        ]
        model = model_of(nodes, operands, {}, result=("shape", onnx.TensorProto.INT64))
        session = self.session(model.SerializeToString(), device)
        filled = {name: _value(array) for name, array in operands.items()}
        (sizes,) = session.run_with_ort_values(None, filled)
        return [int(size) for size in sizes.numpy()]


def _value(array: Any) -> onnxruntime.OrtValue:
    """The array as ONNX Runtime takes it; bfloat16, which it does not read from NumPy, by its
    bits.
    """
    array = np.ascontiguousarray(array)
    if array.dtype.name != "bfloat16":
        return onnxruntime.OrtValue.ortvalue_from_numpy(array)
    bits, element = array.view(np.uint16), onnx.TensorProto.BFLOAT16
    return onnxruntime.OrtValue.ortvalue_from_numpy_with_onnx_type(bits, element)
