"""The rows of runtimes that are given ONNX models, each with an environment of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from conformance.adapters.pins import PINS


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeRow:
    """One runtime: the module of its class, which its program is called after, what it imports, and
    the pinned packages that bring that; for inference alone.
    """

    module: str
    adapter: str
    needs: tuple[str, ...]
    extra: str
    packages: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    variant_of: str | None = None


_WEBGPU = RuntimeRow(
    module="onnxruntime_webgpu",
    adapter="OnnxRuntimeWebGpu",
    needs=("onnxruntime", "onnx"),
    extra="onnx",
    packages=("onnxruntime-webgpu==1.27.0", "onnx>=1.16"),
    variant_of="onnxruntime",
)
_OPENVINO = RuntimeRow(
    module="openvino",
    adapter="OpenVino",
    needs=("openvino", "onnx"),
    extra="openvino",
    packages=(*PINS["openvino"], "onnx>=1.16"),
)
_TRACT = RuntimeRow(
    module="tract",
    adapter="Tract",
    needs=("tract", "onnx"),
    extra="tract",
    packages=(*PINS["tract"], "onnx>=1.16"),
    environment={"RUST_BACKTRACE": "0"},
)
_INITIALIZERS = {"initializers": True}

RUNTIME_ROWS: Mapping[str, RuntimeRow] = {
    "openvino": _OPENVINO,
    "openvino-initializer": replace(_OPENVINO, variant_of="openvino", options=_INITIALIZERS),
    "tract": _TRACT,
    "tract-initializer": replace(_TRACT, variant_of="tract", options=_INITIALIZERS),
    "onnxruntime-webgpu": _WEBGPU,
    "onnxruntime-webgpu-nchw": replace(_WEBGPU, options={"layout": "NCHW"}),
}
