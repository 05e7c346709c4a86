"""The rows of libraries in JavaScript, which compute in a page of headless Chromium."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class WebRow:
    """One row: the words of the Node program, and what it speaks and is asked for.

    The first word is the library, which names a module of the program and the folder of its
    packages, the second one of its backends.
    """

    node: tuple[str, str]
    convention: str
    variant_of: str | None = None
    quantities: tuple[str, ...] = ("output", "gradients")


def _onnx(backend: str, variant_of: str | None = None) -> WebRow:
    return WebRow(
        node=("onnxruntime-web", backend),
        convention="onnx",
        variant_of=variant_of,
        quantities=("output",),
    )


def _tfjs(backend: str, variant_of: str | None = None) -> WebRow:
    return WebRow(node=("tfjs", backend), convention="tensorflow", variant_of=variant_of)


WEB_ROWS: Mapping[str, WebRow] = {
    "onnxruntime-web": _onnx("wasm"),
    "onnxruntime-web-webgpu": _onnx("webgpu", "onnxruntime-web"),
    "onnxruntime-web-jsep": _onnx("jsep", "onnxruntime-web"),
    "tfjs": _tfjs("cpu"),
    "tfjs-wasm": _tfjs("wasm", "tfjs"),
    "tfjs-webgl": _tfjs("webgl", "tfjs"),
    "tfjs-webgpu": _tfjs("webgpu", "tfjs"),
}
