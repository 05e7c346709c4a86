"""The pinned requirements of engines and converters that have environments of their own."""

from __future__ import annotations

from collections.abc import Mapping

PINS: Mapping[str, tuple[str, ...]] = {
    "openvino": ("openvino==2026.4.1",),
    "tract": ("tract==0.23.9",),
    "litert": ("ai-edge-litert==2.3.0", "flatbuffers==25.12.19"),
    "onnxruntime": (),
    "tf2onnx": ("tf2onnx==1.17.0",),
    # and what contradicts the newest of these in what litert-torch requires
    "litert_torch": (
        "litert-torch==0.10.0",
        "anyio==4.14.2",
        "pydantic==2.11.10",
        "typing-extensions==4.12.2",
    ),
}
