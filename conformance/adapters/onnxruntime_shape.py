"""ONNX Runtime's shape of an output, as a session says it that has not run."""

from __future__ import annotations

from typing import Any

import onnxruntime

from conformance.adapters import Operand, ShapeFunction, Sizes
from conformance.adapters.onnxmodel import one_node_model
from conformance.adapters.onnxruntime import OnnxRuntime


class OnnxRuntimeShape(ShapeFunction):
    """One session of a one-node model; a size that is a name, or nothing, is unknown."""

    convention = "onnx"

    def __init__(self, *, unknown: tuple[str, ...] = ()) -> None:
        self._onnxruntime, self.unknown = OnnxRuntime(), unknown

    def versions(self) -> dict[str, str]:
        return self._onnxruntime.versions()

    def devices(self) -> list[str]:
        return ["cpu"]

    def shape(
        self, x: Operand, kernel: Any, bias: Any | None, native: dict[str, Any], device: str
    ) -> Sizes | None:
        model = one_node_model(x, kernel, bias, native)
        sizes = self.session(model.SerializeToString(), device).get_outputs()[0].shape
        return [size if isinstance(size, int) else None for size in sizes] if sizes else None

    def session(self, model: bytes, device: str) -> onnxruntime.InferenceSession:
        """A session of a serialised model on this device."""
        return self._onnxruntime.session(model, device)
