"""PyTorch's exporter: `torch.onnx.export` of the layer, and the model that it writes in ONNX
Runtime.

What is tested is the way from one framework to the other, so the exporter and the session are one
engine here.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import onnxruntime
import torch

from conformance.adapters.torch import Torch, to_torch
from conformance.system.processor import isa


class TorchOnnx(Torch):
    """One layer, exported, and one session of the result, run once."""

    def versions(self) -> dict[str, str]:
        packages = ("onnxscript", "onnx", "onnxruntime")
        return {**super().versions(), **{name: version(name) for name in packages}}

    def devices(self) -> list[str]:
        return ["cpu"]

    def facts(self) -> dict[str, bool | str]:
        return {"provider": "CPUExecutionProvider", "isa": isa()}

    def prepare(
        self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any], device: str
    ) -> Callable[[], Any]:
        layer = self.layer(x, kernel, bias, native, device).eval()
        size = {"output_size": native["output_size"]} if "output_size" in native else {}
        exported = torch.onnx.export(
            layer, (to_torch(x, device),), kwargs=size, input_names=["x"], verbose=False
        )
        options = onnxruntime.SessionOptions()
        if threads := os.environ.get("CONFORMANCE_THREADS"):
            options.intra_op_num_threads = int(threads)
        session = onnxruntime.InferenceSession(
            exported.model_proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        return lambda: session.run(None, {"x": x})[0]

    def fetch(self, y: Any) -> Any:
        return y

    gradients = None  # type: ignore[assignment]  # the exported model is for inference
