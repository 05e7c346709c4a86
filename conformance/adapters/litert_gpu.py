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

_SELECTED = re.compile(r"Selected adapter: ([^,\n]+),.*\bbackend=(\w+),.*\badapterType=([^\n]+)")


class LiteRtGpu(PreparedCall):
    """One run of one compiled model; all models share the environment that took the adapter."""

    convention = "tensorflow"

    def __init__(self) -> None:
        self._environment = Environment.create()
        ones, native = np.ones((1, 1, 1, 1), np.float32), {"strides": [1, 1], "padding": "VALID"}
        model, _ = one_operator_model(
            ones, ones, None, {**native, "dilations": [1, 1], "groups": 1}
        )
        with _standard_error() as log:
            try:
                self._compiled(model)
            except RuntimeError:
                log.seek(0)
                if "No adapters found" in log.read():
                    raise Missing(
                        "WebGPU finds no adapter: there is no GPU, and no driver"
                    ) from None
                raise
            log.seek(0)
            selected = _SELECTED.search(log.read())
        if selected is None:
            raise RuntimeError("LiteRT does not log which adapter of WebGPU it has taken")
        self._gpu, self._backend, self._kind = selected.groups()

    def versions(self) -> dict[str, str]:
        return {"ai-edge-litert": version("ai-edge-litert")}

    def devices(self) -> list[str]:
        return ["webgpu"]

    def facts(self) -> dict[str, bool | str]:
        return {"gpu": self._gpu, "software_driver": "Software" in self._kind}

    def computed_by(self) -> str | None:
        """The adapter of the shared environment: `prepare` lets no other compute."""
        return f"webgpu: {self._gpu}"

    def prepare(
        self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any], device: str
    ) -> Callable[[], Any]:
        model, shape = one_operator_model(x, kernel, bias, native)
        compiled = self._compiled(model)
        given, results = compiled.create_input_buffers(0), compiled.create_output_buffers(0)
        given[0].write(np.ascontiguousarray(np.moveaxis(x, 1, -1)))

        def run() -> Any:
            compiled.run_by_index(0, given, results)
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
            log.seek(0)
            sys.stderr.write(log.read())
