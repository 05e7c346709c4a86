"""Chains: a call of one framework, converted, and run by another.

A chain is one conversion and one call. It speaks the convention of the framework that it begins
with, and what it raises says at which stage: converting, loading, running.
"""

from __future__ import annotations

import tempfile
from abc import abstractmethod
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from conformance.adapters.adapter import PreparedCall, stage
from conformance.adapters.runtimes import RUNTIMES, threads, versions
from conformance.system.processor import isa

CONVERTERS = {
    "torch.onnx": ("onnxscript", "onnx"),
    "litert_torch": ("litert-torch", "litert-converter"),
    "openvino": ("openvino",),
    "tf2onnx": ("tf2onnx", "onnx"),
    "tf.lite": ("tensorflow",),
    "jax2tf": ("tensorflow",),
}
"""The distributions that decide what a converter writes."""


class Chain(PreparedCall):
    """One conversion by the `converter`, to a file with that `ending`, and one call of the
    `runtime` that reads it.
    """

    convention: str
    framework: tuple[str, ...]
    """The distributions that it begins with."""
    channels_last = False
    """Whether input and output of the model are (N, *spatial, C)."""

    def __init__(self, *, converter: str, ending: str, runtime: str) -> None:
        self.converter, self.ending, self.runtime = converter, ending, runtime

    def versions(self) -> dict[str, str]:
        names = (*self.framework, *CONVERTERS[self.converter])
        return {name: version(name) for name in names} | versions(self.runtime)

    def devices(self) -> list[str]:
        return ["cpu"]

    def threads(self) -> int | None:
        return threads()

    def facts(self) -> dict[str, bool | str]:
        return {"isa": isa()}

    @abstractmethod
    def layer(self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any]) -> Any:
        """The framework's own call or layer, with its weights in place, as its adapter makes it."""

    @abstractmethod
    def convert(self, layer: Any, x: Any, native: dict[str, Any], path: Path) -> None:
        """Write the model of the layer for inputs like x, which has the model's own axes."""

    def prepare(
        self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any], device: str
    ) -> Callable[[], Any]:
        layer = self.layer(x, kernel, bias, native)
        model_input = np.ascontiguousarray(np.moveaxis(x, 1, -1) if self.channels_last else x)
        with tempfile.TemporaryDirectory(prefix="conformance-chain-") as folder:
            path = Path(folder) / f"model{self.ending}"
            with stage("converting"):
                self.convert(layer, model_input, native, path)
            with stage("loading"):
                model = RUNTIMES[self.runtime].load(str(path), model_input.shape)

        def run() -> Any:
            with stage("running"):
                return model(model_input)

        return run

    def fetch(self, y: Any) -> Any:
        return np.moveaxis(y, -1, 1) if self.channels_last else y
