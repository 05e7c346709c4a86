"""ONNX Runtime's WebGPU execution provider: an `InferenceSession` of a one-node ConvTranspose model
on whatever Dawn, Chromium's WebGPU, finds: Vulkan, Metal or Direct3D.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import onnxruntime

from conformance.adapters.adapter import Missing, PreparedCall, Unsupported
from conformance.adapters.onnxmodel import one_node_model
from conformance.system import vulkan

PROVIDER = "WebGpuExecutionProvider"


class OnnxRuntimeWebGpu(PreparedCall):
    """One session, run once. Operands and result pass through the host's memory, since the package
    makes no tensors on the device.

    Nodes may not fall back to the CPU, which is the default, and the profile of a session's first
    run says which provider ran the node. `layout` is that of the kernels: "NHWC" is the provider's
    own choice, with transpositions round the node, "NCHW" the model's.
    """

    convention = "onnx"

    def __init__(self, *, layout: str = "NHWC") -> None:
        if PROVIDER not in onnxruntime.get_available_providers():
            raise Missing(
                "this onnxruntime is built without WebGPU: conformance engines install "
                "onnxruntime-webgpu brings the one with it"
            )
        vulkan.choose_driver()
        self._devices = vulkan.devices()
        if sys.platform == "linux" and not self._devices:
            raise Missing(f"Vulkan has no device here: {vulkan.HOW_TO_GET_ONE}")
        self._layout = layout
        self._ran = ""

    def versions(self) -> dict[str, str]:
        return {"onnxruntime-webgpu": onnxruntime.__version__, "onnx": onnx.__version__}

    def devices(self) -> list[str]:
        return ["webgpu"]

    def facts(self) -> dict[str, bool | str]:
        return {"provider": PROVIDER, **vulkan.facts(self._devices)}

    def computed_by(self) -> str:
        return f"webgpu: {vulkan.facts(self._devices).get('gpu', 'a device')} ({self._ran})"

    def prepare(
        self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any], device: str
    ) -> Callable[[], Any]:
        _refuse_dtypes(x, kernel, bias)
        profiles = tempfile.TemporaryDirectory(prefix="conformance-onnxruntime-")
        session = self._session(one_node_model(x, kernel, bias, native), profiles.name)
        operands = {"x": x, "w": kernel, "b": bias}
        feeds = {wanted.name: operands[wanted.name] for wanted in session.get_inputs()}
        self._ran = ""

        def run() -> Any:
            if self._ran:
                return session.run(["y"], feeds)[0]
            with profiles:
                y = _first_run(session, feeds)
                self._ran = _placement(session)
            return y

        return run

    def _session(self, model: onnx.ModelProto, folder: str) -> onnxruntime.InferenceSession:
        options = onnxruntime.SessionOptions()
        options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
        options.add_session_config_entry("ep.webgpuexecutionprovider.preferredLayout", self._layout)
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder) / "profile")
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=[PROVIDER]
        )
        session.disable_fallback()
        return session

    def fetch(self, y: Any) -> Any:
        return y


def _refuse_dtypes(*operands: Any | None) -> None:
    """Raises Unsupported for what shaders have no type of."""
    names = {array.dtype.name for array in operands if array is not None}
    if other := names - {"float32", "float16"}:
        raise Unsupported(
            f"WebGPU's shaders have f32 and f16 and no type for {min(other)} (specification of "
            "WGSL, floating point types)."
        )


_UNSUPPORTED = {
    "requires f16 but the device does not support it": (
        "WebGPU's shaders have f16 only on a device with the feature shader-f16 (specification of "
        "WebGPU), which this one has not."
    ),
    "Only Conv2d or Conv1d are supported": (
        'The WebGPU provider has ConvTranspose in one or two dimensions (its message, "Only Conv2d '
        'or Conv1d are supported"; https://github.com/microsoft/onnxruntime/issues/28356).'
    ),
}
"""What the provider says while it runs of calls that it does not do, and the reason."""


def _first_run(session: onnxruntime.InferenceSession, feeds: dict[str, Any]) -> Any:
    try:
        return session.run(["y"], feeds)[0]
    except Exception as error:
        for words, reason in _UNSUPPORTED.items():
            if words in str(error):
                raise Unsupported(reason) from error
        raise


def _placement(session: onnxruntime.InferenceSession) -> str:
    """The shaders that ran the node, as the session's profile says. Raises RuntimeError where
    another provider ran it, or none is named.
    """
    events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    providers = {
        event["args"].get("provider")
        for event in events
        if event["cat"] == "Node" and event["args"].get("op_name") == "ConvTranspose"
    }
    if providers != {PROVIDER}:
        raise RuntimeError(f"asked for {PROVIDER}, and ConvTranspose ran on {providers or 'none'}")
    shaders = [event["name"].split("&") for event in events if event["cat"] == "Api"]
    return ", ".join(name[-1] for name in shaders if "ConvTranspose" in name[:-1])
