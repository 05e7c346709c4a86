"""An engine that `-a` knows, asked as a candidate is: by its own protocol, in its own process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from conformance.corpus.tensors import Array, Tensors
from conformance.geometry import from_padding
from conformance.kernels import arrays
from conformance.kernels.arrays import Described
from conformance.kernels.process import NotAnsweredError
from conformance.outcomes import (
    Crashed,
    Gradients,
    Outcome,
    Output,
    Raised,
    TimedOut,
    Unavailable,
    Unsupported,
)
from conformance.sweep.call import SweepCall
from conformance.workers.answers import Greeting
from conformance.workers.engine import Engine
from conformance.workers.spec import Spec


class EngineBench:
    """One engine; arrays go to files, as those of a candidate do."""

    def __init__(self, spec: Spec, folder: Path, *, timeout: float, device: str) -> None:
        self._engine = Engine(spec, timeout=timeout)
        self._label, self._folder, self._device = spec.label, folder, device
        self._inputs: list[Described] = []
        self._call: dict[str, Any] = {}
        self._convention = ""
        self._count = 0
        self._y = np.zeros(0)

    def ask(self, do: str, **what: Any) -> dict[str, Any]:
        """The answer, in the words of a candidate. Raises NotAnsweredError."""
        if not self._engine.running:
            greeting = self._engine.start()
            if not isinstance(greeting, Greeting):
                raise self._failed(greeting)
            self._convention = greeting.convention
        match do:
            case "describe":
                return {"form": "engine", "name": self._label, "parameters": {}}
            case "call":
                self._inputs, self._call = what["inputs"], what
                return self._called()
            case "recall":
                return self._called()
            case "again":
                return self._written()
            case "repeat":
                for _ in range(what["times"]):
                    self._called()
                return {}
        return {"operators": []}

    def end(self) -> None:
        """End its process."""
        self._engine.kill()

    def _called(self) -> dict[str, Any]:
        x, kernel, *bias = [arrays.opened(each) for each in self._inputs]
        tensors = Tensors(x=x, kernel=kernel, bias=bias[0] if bias else None)
        native = self._native(tensors)
        cotangent = self._call.get("cotangent")
        if cotangent is not None:
            return self._differentiated(tensors, native, arrays.opened(cotangent))
        due = int(np.prod(self._call["due"]))
        outcome = self._engine.call(tensors, native, self._device, due=due)
        if not isinstance(outcome, Output):
            raise self._failed(outcome)
        self._y = outcome.y
        return {"plain": True, "type": "array", "device": self._device, **self._written()}

    def _differentiated(self, tensors: Tensors, native: Any, cotangent: Array) -> dict[str, Any]:
        outcome = self._engine.gradients(tensors, cotangent, native, self._device)
        if not isinstance(outcome, Gradients):
            raise self._failed(outcome)
        operands = [outcome.input, outcome.kernel, outcome.bias]
        gradients = [
            None if each is None else arrays.write(self._folder, f"g{number}", each)
            for number, each in enumerate(operands)
        ]
        self._y = np.zeros(1)
        return {"plain": True, "type": "array", "gradients": gradients, **self._written()}

    def _native(self, tensors: Tensors) -> Any:
        """The call's arguments in the engine's convention. Raises NotAnsweredError."""
        arguments, x, w = self._call["arguments"], tensors.x.shape, tensors.kernel.shape
        geometry = from_padding(
            size=x[2:],
            kernel=w[2:],
            stride=arguments["stride"],
            padding=[(p, p) for p in arguments["padding"]],
            output_padding=arguments["output_padding"],
            dilation=arguments["dilation"],
            groups=arguments["groups"],
        )
        call = SweepCall(
            geometry=geometry,
            batch=x[0],
            in_per_group=x[1] // geometry.groups,
            out_per_group=w[1],
            bias=tensors.bias is not None,
        )
        native = call.case.arguments(self._convention)
        if isinstance(native, dict):
            return native
        assert native is not None, "a call of geometry alone has arguments or a reason"
        raise self._failed(Unsupported(reason=native.reason))

    def _written(self) -> dict[str, Any]:
        self._count += 1
        return {"y": arrays.write(self._folder, f"y{self._count}", self._y)}

    def _failed(self, outcome: Outcome) -> NotAnsweredError:
        match outcome:
            case Unsupported() | Unavailable():
                failure: Raised | Crashed | TimedOut = Raised(
                    type="Unsupported", message=outcome.reason
                )
            case Raised() | Crashed() | TimedOut():
                failure = outcome
            case _:
                failure = Crashed(message="answered another question")
        return NotAnsweredError("candidate", failure)
