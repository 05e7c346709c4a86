"""ONNX Runtime: an `InferenceSession` of a one-node ConvTranspose model."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import onnx
import onnxruntime

from conformance.adapters import PreparedCall, wants_strict
from conformance.adapters.onnxmodel import one_node_model
from conformance.system.processor import isa

_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


class OnnxRuntime(PreparedCall):
    """One session, run once.

    Operands and result are bound to the device's own memory. Kernel and bias are inputs of the
    model, or `initializers` of it, which the session may pack and fold before. The model is of that
    opset, or of the first with today's attributes that names the dtype.
    """

    convention = "onnx"

    def __init__(
        self, *, optimized: bool = True, initializers: bool = False, opset: int | None = None
    ) -> None:
        self._optimized, self._initializers, self._opset = optimized, initializers, opset

    def versions(self) -> dict[str, str]:
        return {"onnxruntime": onnxruntime.__version__, "onnx": onnx.__version__}

    def devices(self) -> list[str]:
        available = onnxruntime.get_available_providers()
        return [device for device, provider in _PROVIDERS.items() if provider in available]

    def threads(self) -> int | None:
        threads = os.environ.get("CONFORMANCE_THREADS")
        return None if threads is None else int(threads)  # `prepare` holds every session to it

    def facts(self) -> dict[str, str]:
        return {
            "provider": _PROVIDERS[self.devices()[0]],
            "isa": isa(),
        }  # its kernels ask CPUID, and nothing holds them to less

    def prepare(
        self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any], device: str
    ) -> Callable[[], Any]:
        session = self.session(self.model(x, kernel, bias, native).SerializeToString(), device)
        operands = {"x": x, "w": kernel, "b": bias}
        binding = session.io_binding()
        for name in (wanted.name for wanted in session.get_inputs()):
            binding.bind_ortvalue_input(
                name, onnxruntime.OrtValue.ortvalue_from_numpy(operands[name], device)
            )
        binding.bind_output("y", device)

        def run() -> onnxruntime.OrtValue:
            session.run_with_iobinding(binding)
            binding.synchronize_outputs()
            return binding.get_outputs()[0]

        return run

    def model(
        self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any]
    ) -> onnx.ModelProto:
        """The model of a call."""
        return one_node_model(
            x, kernel, bias, native, opset=self._opset, initializers=self._initializers
        )

    def session(self, model: bytes, device: str) -> onnxruntime.InferenceSession:
        """A session of a serialised model on this device, and nowhere else. Raises RuntimeError
        where it has other threads or another provider than was asked for.
        """
        options = onnxruntime.SessionOptions()
        threads = self.threads()
        if threads is not None:
            options.intra_op_num_threads = threads
        if not self._optimized:
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        provider = (
            _PROVIDERS[device],
            {"use_tf32": "0"} if device == "cuda" and wants_strict() else {},
        )
        session = onnxruntime.InferenceSession(model, options, providers=[provider])
        session.disable_fallback()
        if threads not in (None, session.get_session_options().intra_op_num_threads):
            raise RuntimeError(f"asked for {threads} threads, and the session has another number")
        runs_on = session.get_providers()
        if runs_on[0] != _PROVIDERS[device]:  # it falls back to the CPU with a warning only
            raise RuntimeError(f"asked for {_PROVIDERS[device]}, and the session runs on {runs_on}")
        return session

    def fetch(self, y: onnxruntime.OrtValue) -> Any:
        return y.numpy()
