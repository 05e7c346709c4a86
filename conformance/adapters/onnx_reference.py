"""ONNX's own `ReferenceEvaluator` of a one-node ConvTranspose model: an engine under test, never an
oracle.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import onnx
from onnx.reference import ReferenceEvaluator

from conformance.adapters import PreparedCall
from conformance.adapters.onnxmodel import one_node_model
from conformance.system.processor import isa


class OnnxReference(PreparedCall):
    """One evaluator, run once. The model is of that opset, or of the first with today's attributes
    that names the dtype.
    """

    convention = "onnx"

    def __init__(self, *, opset: int | None = None) -> None:
        self._opset = opset

    def versions(self) -> dict[str, str]:
        return {"onnx": onnx.__version__}

    def devices(self) -> list[str]:
        return ["cpu"]

    def facts(self) -> dict[str, str]:
        return {"isa": isa()}  # NumPy's

    def prepare(
        self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any], device: str
    ) -> Callable[[], Any]:
        evaluator = ReferenceEvaluator(one_node_model(x, kernel, bias, native, opset=self._opset))
        operands = {"x": x, "w": kernel} | ({} if bias is None else {"b": bias})
        return lambda: evaluator.run(None, operands)[0]

    def fetch(self, y: Any) -> Any:
        return y
