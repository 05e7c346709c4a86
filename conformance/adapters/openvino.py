"""OpenVINO: an ONNX model of one node, read, compiled for the CPU and inferred once."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import openvino

from conformance.adapters import PreparedCall, Unsupported, wants_strict
from conformance.adapters.onnxmodel import one_node_model
from conformance.system.processor import onednn_facts


class OpenVino(PreparedCall):
    """One compiled model, inferred once. Kernel and bias are inputs of the model, or `initializers`
    of it, which the compiler may fold before.

    float32 is computed in float32: without that hint the plugin takes bfloat16 where the processor
    has it.
    """

    convention = "onnx"

    def __init__(self, *, initializers: bool = False) -> None:
        self._initializers = initializers
        self._core = openvino.Core()
        self._model: Any = None

    def versions(self) -> dict[str, str]:
        return {"openvino": openvino.__version__.partition("-")[0], "onnx": onnx.__version__}

    def devices(self) -> list[str]:
        return ["cpu"]

    def threads(self) -> int | None:
        threads = os.environ.get("CONFORMANCE_THREADS")
        return None if threads is None else int(threads)  # `prepare` holds every model to it

    def facts(self) -> dict[str, bool | str]:
        return {"onednn": True, **onednn_facts()}

    def computed_by(self) -> str | None:
        """The kernel of the last compiled model's transposed convolution."""
        return None if self._model is None else kernel_of(self._model)

    def prepare(
        self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any], device: str
    ) -> Callable[[], Any]:
        if any(a is not None and a.dtype.name == "float64" for a in (x, kernel, bias)):
            raise Unsupported(
                "OpenVINO's CPU device has no float64 among its inference precisions "
                "(documentation of the CPU device, supported inference data types)."
            )
        model = one_node_model(x, kernel, bias, native, initializers=self._initializers)
        compiled = self._model = self._compiled(model, device)
        request = compiled.create_infer_request()
        operands = {
            name: np.ascontiguousarray(array)
            for name, array in (("x", x), ("w", kernel), ("b", bias))
            if array is not None
        }
        for port in compiled.inputs:
            request.set_tensor(port, tensor_of(operands[port.any_name]))

        def run(_operands: Any = operands) -> Any:  # the tensors lie in the arrays' memory
            request.infer()
            return request.get_output_tensor(0)

        return run

    def _compiled(self, model: onnx.ModelProto, device: str) -> Any:
        """The model compiled for the device. Raises RuntimeError where it has other threads than
        were asked for.
        """
        threads = self.threads()
        settings: dict[str, Any] = {"INFERENCE_PRECISION_HINT": "f32"} if wants_strict() else {}
        if threads is not None:
            settings["INFERENCE_NUM_THREADS"] = threads
        compiled = self._core.compile_model(
            self._core.read_model(model.SerializeToString()), device.upper(), settings
        )
        if threads not in (None, compiled.get_property("INFERENCE_NUM_THREADS")):
            raise RuntimeError(f"asked for {threads} threads, and the model has another number")
        return compiled

    def fetch(self, y: Any) -> Any:
        if y.element_type != openvino.Type.bf16:
            return np.array(y.data)
        return np.array(y.data).view(np.dtype("bfloat16"))  # NumPy's 16 bits, read as what they are


def tensor_of(array: Any) -> Any:
    """A tensor in the memory of a contiguous array, which has to be kept."""
    if array.dtype.name != "bfloat16":
        return openvino.Tensor(array, shared_memory=True)
    bits = array.view(np.int16)  # the package has no bfloat16 from NumPy, and this for such types
    return openvino.Tensor(bits, openvino.Shape(array.shape), openvino.Type.bf16)


def kernel_of(compiled: Any) -> str:
    """What computes the transposed convolution of a compiled model, as its plugin says: "cpu:
    brgconv_avx512_f32".
    """
    kinds = [operation.get_rt_info() for operation in compiled.get_runtime_model().get_ops()]
    names = [
        kind["primitiveType"].astype(str)
        for kind in kinds
        if kind["layerType"].astype(str) == "Deconvolution"
    ]
    return f"cpu: {', '.join(names) or 'no Deconvolution'}"
