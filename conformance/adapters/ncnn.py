"""ncnn: a `Net` of one deconvolution, on the processor or on Vulkan.

A layer without Vulkan code runs on the processor without a word: `support_vulkan` of the loaded
layer says which.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import ncnn
import numpy as np

from conformance.adapters import PreparedCall, Unsupported, refuse_unsaid, wants_strict
from conformance.adapters.ncnnmodel import parameters, weights
from conformance.system import vulkan
from conformance.system.processor import isa

_DRIVERS = (*vulkan.LAVAPIPE, *vulkan.SWIFTSHADER)


class Ncnn(PreparedCall):
    """One extraction from one net."""

    convention = "onnx"

    def __init__(self) -> None:
        vulkan.choose_driver(_DRIVERS)
        self._gpu = ncnn.get_gpu_info(0).device_name() if ncnn.get_gpu_count() else None
        self._computed_by: str | None = None

    def versions(self) -> dict[str, str]:
        return {"ncnn": version("ncnn")}

    def devices(self) -> list[str]:
        return ["cpu"] + (["vulkan"] if self._gpu is not None else [])

    def threads(self) -> int | None:
        threads = os.environ.get("CONFORMANCE_THREADS")
        return None if threads is None else int(threads)  # `prepare` holds every net to it

    def facts(self) -> dict[str, bool | str]:
        if self._gpu is None:
            return {"isa": isa()}
        return {
            "isa": isa(),
            "gpu": self._gpu,
            "software_driver": vulkan.is_software(self._gpu),
        }

    def computed_by(self) -> str | None:
        """Where the layer was placed."""
        return self._computed_by

    def prepare(
        self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any], device: str
    ) -> Callable[[], Any]:
        refuse_unsaid("ncnn", x, kernel, bias, native)
        net = self._net(
            parameters(x, kernel, bias, native), weights(kernel, bias, native["group"]), device
        )
        matrix = ncnn.Mat(np.ascontiguousarray(x), batch_index=0).clone()  # else not aligned

        def run() -> Any:
            extractor = net.create_extractor()
            extractor.input("x", matrix)
            status, y = extractor.extract("y")
            if status != 0:
                raise RuntimeError(f"Extractor.extract returned {status}")
            return y

        return run

    def _net(self, text: str, data: bytes, device: str) -> ncnn.Net:
        """The loaded net. Raises RuntimeError where it is not placed on the device."""
        net, threads = ncnn.Net(), self.threads()
        net.opt.use_vulkan_compute = device == "vulkan"
        if threads is not None:
            net.opt.num_threads = threads
        if wants_strict():
            net.opt.use_fp16_packed = net.opt.use_fp16_storage = False
            net.opt.use_fp16_arithmetic = False
            net.opt.use_bf16_packed = net.opt.use_bf16_storage = False
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            failed = net.load_param_mem(text), net.load_model(file.name)
        if any(failed):
            raise RuntimeError(f"Net.load_param and Net.load_model returned {failed}")
        on_vulkan = net.layers()[1].support_vulkan
        if device == "vulkan" and not on_vulkan:
            raise Unsupported(
                "The layer has no Vulkan code and would run on the processor (ncnn, "
                "Layer::support_vulkan)."
            )
        self._computed_by = f"vulkan: {self._gpu}" if device == "vulkan" else "cpu"
        return net

    def fetch(self, y: Any) -> Any:
        return np.stack([np.array(y.batch(item)) for item in range(y.n)])
