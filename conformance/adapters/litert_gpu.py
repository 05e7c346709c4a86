"""LiteRT's GPU accelerator: a `CompiledModel` of one operator on WebGPU.

Which adapter of WebGPU computes, its log alone says; whether the whole model runs there,
`is_fully_accelerated`. It computes in float16 where the adapter has it, unless it is told not to.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import IO, Any

import numpy as np
from ai_edge_litert.compiled_model import CompiledModel
from ai_edge_litert.environment import Environment
from ai_edge_litert.hardware_accelerator import HardwareAccelerator
from ai_edge_litert.options import GpuOptions, Options

from conformance.adapters import Missing, PreparedCall, wants_strict
from conformance.adapters.litertmodel import one_operator_model
from conformance.system import vulkan

_SELECTED = re.compile(r"Selected adapter: ([^,\n]+),")
_TINY = {"strides": [1, 1], "padding": "VALID", "dilations": [1, 1], "groups": 1}


class LiteRtGpu(PreparedCall):
    """One run of one compiled model; all models share the environment that took the adapter."""

    convention = "tensorflow"

    def __init__(self) -> None:
        vulkan.choose_driver()
        self._environment = Environment.create()
        self._gpu = self._selected_adapter()

    def _selected_adapter(self) -> str:
        """The adapter of WebGPU that the environment takes for its first model."""
        one = np.ones((1, 1, 1, 1), np.float32)
        model, _ = one_operator_model(one, one, None, _TINY, template="litert_gpu")
        with _standard_error() as log:
            try:
                self._compiled(model)
            except RuntimeError:
                if "No adapters found" in _text(log):
                    raise Missing(
                        f"WebGPU finds no adapter: there is no GPU and no driver that Dawn takes "
                        f"({vulkan.HOW_TO_GET_ONE})"
                    ) from None
                raise
            selected = _SELECTED.search(_text(log))
        if selected is None:
            raise RuntimeError("LiteRT does not log which adapter of WebGPU it has taken")
        return selected[1]

    def versions(self) -> dict[str, str]:
        return {"ai-edge-litert": version("ai-edge-litert")}

    def devices(self) -> list[str]:
        return ["webgpu"]

    def facts(self) -> dict[str, bool | str]:
        return {"gpu": self._gpu, "software_driver": vulkan.is_software(self._gpu)}

    def computed_by(self) -> str | None:
        """The adapter of the shared environment: `prepare` lets no other compute."""
        return f"webgpu: {self._gpu}"

    def prepare(
        self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any], device: str
    ) -> Callable[[], Any]:
        model, shape = one_operator_model(x, kernel, bias, native, template="litert_gpu")
        compiled = self._compiled(model)
        inputs, results = compiled.create_input_buffers(0), compiled.create_output_buffers(0)
        inputs[0].write(np.ascontiguousarray(np.moveaxis(x, 1, -1)))

        def run() -> Any:
            compiled.run_by_index(0, inputs, results)
            # reading awaits it, and nothing else does
            return results[0].read(int(np.prod(shape)), np.float32).reshape(shape)

        return run

    def _compiled(self, model: bytes) -> CompiledModel:
        options = Options(
            hardware_accelerators=HardwareAccelerator.GPU,
            gpu_options=GpuOptions(enforce_f32=wants_strict()),
        )
        compiled = CompiledModel.from_buffer(model, options=options, environment=self._environment)
        if not compiled.is_fully_accelerated():
            raise RuntimeError("the GPU accelerator has left the operator to the CPU")
        return compiled

    def fetch(self, y: Any) -> Any:
        return np.moveaxis(y, -1, 1)


@contextmanager
def _standard_error() -> Iterator[IO[str]]:
    """What is written to standard error goes to this file; in the end it is passed on."""
    sys.stderr.flush()
    usual = os.dup(2)
    with tempfile.TemporaryFile("w+", errors="replace") as log:
        os.dup2(log.fileno(), 2)
        try:
            yield log
        finally:
            os.dup2(usual, 2)
            os.close(usual)
            sys.stderr.write(_text(log))


def _text(log: IO[str]) -> str:
    log.seek(0)
    return log.read()
