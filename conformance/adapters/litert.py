"""LiteRT, which was TensorFlow Lite: an `Interpreter` of a model of one operator."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from conformance.adapters import PreparedCall
from conformance.adapters.litertmodel import one_operator_model
from conformance.system.processor import isa


class LiteRt(PreparedCall):
    """One invocation of one interpreter.

    `kernels` is a name of `OpResolverType`: AUTO hands to XNNPACK what it takes and leaves the rest
    to the optimized kernels, BUILTIN_WITHOUT_DEFAULT_DELEGATES are these alone, BUILTIN_REF the
    reference kernels.
    """

    convention = "tensorflow"

    def __init__(self, *, kernels: str = "AUTO") -> None:
        self._kernels = OpResolverType[kernels]
        self._computed_by: str | None = None

    def versions(self) -> dict[str, str]:
        return {"ai-edge-litert": version("ai-edge-litert")}

    def devices(self) -> list[str]:
        return ["cpu"]

    def threads(self) -> int | None:
        threads = os.environ.get("CONFORMANCE_THREADS")
        return None if threads is None else int(threads)  # `prepare` gives it every interpreter

    def facts(self) -> dict[str, bool | str]:
        return {"isa": isa()}  # XNNPACK asks cpuinfo, and nothing holds it to less

    def computed_by(self) -> str | None:
        """Whether XNNPACK took the operator, as the interpreter's plan says."""
        return self._computed_by

    def prepare(
        self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any], device: str
    ) -> Callable[[], Any]:
        model, _ = one_operator_model(x, kernel, bias, native)
        interpreter = Interpreter(
            model_content=model,
            num_threads=self.threads(),
            experimental_op_resolver_type=self._kernels,
        )
        interpreter.allocate_tensors()
        plan = [node["op_name"] for node in interpreter._get_ops_details()]
        self._computed_by = "XNNPACK" if "DELEGATE" in plan else self._own_kernels()
        inputs, result = interpreter.get_input_details(), interpreter.get_output_details()
        interpreter.set_tensor(inputs[0]["index"], np.ascontiguousarray(np.moveaxis(x, 1, -1)))

        def run() -> Any:
            interpreter.invoke()
            return interpreter, result[0]["index"]

        return run

    def _own_kernels(self) -> str:
        is_reference = self._kernels is OpResolverType.BUILTIN_REF
        return "reference kernels" if is_reference else "optimized kernels"

    def fetch(self, y: Any) -> Any:
        interpreter, index = y
        return np.moveaxis(interpreter.get_tensor(index), -1, 1)
