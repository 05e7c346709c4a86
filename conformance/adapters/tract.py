"""tract: an ONNX model of one node, loaded, made runnable and run on the CPU."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import tract

from conformance.adapters import PreparedCall, Unsupported
from conformance.adapters.onnxmodel import one_node_model
from conformance.system.processor import isa


class Tract(PreparedCall):
    """One runnable model, run once. Kernel and bias are inputs of the model, or `initializers` of
    it, which tract may pack before.
    """

    convention = "onnx"

    def __init__(self, *, initializers: bool = False) -> None:
        self._initializers = initializers

    def versions(self) -> dict[str, str]:
        return {"tract": tract.version(), "onnx": onnx.__version__}

    def devices(self) -> list[str]:
        return ["cpu"]

    def threads(self) -> int:
        return 1  # the Python package has no executor of several, and no setting of one

    def facts(self) -> dict[str, str]:
        return {"isa": isa()}

    def prepare(
        self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any], device: str
    ) -> Callable[[], Any]:
        refuse_dtypes(x, kernel, bias)
        model = one_node_model(x, kernel, bias, native, initializers=self._initializers)
        runnable = _runnable(model)
        operands = [tract.Tensor.from_numpy(x)]
        if not self._initializers:
            constants = (kernel,) if bias is None else (kernel, bias)
            operands += [tract.Tensor.from_numpy(array) for array in constants]
        return lambda: runnable.run(operands)[0]

    def fetch(self, y: Any) -> Any:
        return y.to_numpy()


def refuse_dtypes(*operands: Any | None) -> None:
    """Raises Unsupported for what tract has no type of."""
    if any(array is not None and array.dtype.name == "bfloat16" for array in operands):
        raise Unsupported("tract has no type bfloat16 (documentation of tract.DatumType).")


def _runnable(model: onnx.ModelProto) -> Any:
    """The model, read from a file: the package reads nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        path.write_bytes(model.SerializeToString())
        return tract.onnx().load(path).into_model().into_runnable()
