"""ONNX's own shape inference, `onnx.shape_inference.infer_shapes`, of a one-node model."""

from __future__ import annotations

from typing import Any

import onnx
import onnx.shape_inference

from conformance.adapters import Operand, ShapeFunction, Sizes
from conformance.adapters.onnxmodel import one_node_model


class OnnxShapeInference(ShapeFunction):
    """One inference; where it is not `strict`, an error in it is no error, and nothing is said."""

    convention = "onnx"

    def __init__(self, *, strict: bool = False, unknown: tuple[str, ...] = ()) -> None:
        self._strict, self.unknown = strict, unknown

    def versions(self) -> dict[str, str]:
        return {"onnx": onnx.__version__}

    def devices(self) -> list[str]:
        return ["cpu"]

    def shape(
        self, x: Operand, kernel: Any, bias: Any | None, native: dict[str, Any], device: str
    ) -> Sizes | None:
        model = onnx.shape_inference.infer_shapes(
            one_node_model(x, kernel, bias, native), strict_mode=self._strict, data_prop=True
        )
        kind = model.graph.output[0].type.tensor_type
        if not kind.HasField("shape"):
            return None
        return [size.dim_value if size.HasField("dim_value") else None for size in kind.shape.dim]
