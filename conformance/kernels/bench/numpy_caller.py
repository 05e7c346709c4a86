"""Calls of candidates that take and return NumPy arrays, as `conformance.check` makes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from conformance.corpus.tensors import Array, numeric_array
from conformance.kernels import arrays
from conformance.kernels.arrays import Described


class NumpyCaller:
    """Of one function."""

    def __init__(self, candidate: Callable[..., Any]) -> None:
        self._candidate = candidate
        self._inputs: list[Array] = []
        self._arguments: dict[str, Any] = {}
        self._result: Any = None
        self._due: list[int] = []

    def facts(self) -> dict[str, Any]:
        return {}

    def make(self, **_: Any) -> dict[str, Any]:
        return {}

    def run(self, inputs: list[Array], arguments: dict[str, Any], due: list[int]) -> Any:
        """One call, with padding as (low, high) pairs."""
        x, w, b = (*inputs, None)[:3]
        spelt = dict(arguments)
        spelt["padding"] = tuple((p, p) for p in arguments["padding"])
        for name in ("stride", "output_padding", "dilation"):
            spelt[name] = tuple(arguments[name])
        return self._candidate(x, w, b, **spelt)

    def call(
        self,
        inputs: list[Described],
        arguments: dict[str, Any],
        due: list[int],
        cotangent: Described | None,
    ) -> dict[str, Any]:
        if cotangent is not None:
            raise NotImplementedError("its gradients are not asked for in this form")
        self._inputs, self._arguments = [arrays.opened(each) for each in inputs], arguments
        self._due = due
        return self.recall()

    def recall(self) -> dict[str, Any]:
        """The last call again: the same arrays, in which there may be other numbers."""
        with np.errstate(all="ignore"):
            self._result = self.run(self._inputs, self._arguments, self._due)
        is_plain = type(self._result) is np.ndarray
        return {"plain": is_plain, "type": type(self._result).__name__, "device": "cpu"}

    def write(self, folder: Path, name: str, *, late: bool = False) -> dict[str, Any]:
        return {"y": arrays.write(folder, name, numeric_array(self._result))}

    def repeat(self, times: int) -> None:
        for _ in range(times):
            self.run(self._inputs, self._arguments, self._due)

    def operators(self) -> list[str]:
        """The last call once more; what it calls of torch is listened to elsewhere."""
        self.repeat(1)
        return []
