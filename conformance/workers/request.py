"""The request to an engine: one call, its gradients, or either several times; or the shape of its
output.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from conformance.conventions import Native
from conformance.corpus.case import Case
from conformance.corpus.tensors import Array, Tensors
from conformance.outcomes import Gradients, Outcome, Output, Repeated
from conformance.workers.engine import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRequest:
    """A request to an engine: one call, or with a cotangent (N, C_out, *out) its gradients; or the
    same `repeat` times. Its output has `due` elements.

    Between repetitions it is asked for a call of another size, so that memory is used for something
    else.
    """

    tensors: Tensors
    native: Native
    device: str
    cotangent: Array | None = None
    repeat: int = 1
    due: int = 0

    def ask(self, engine: Engine) -> Outcome:
        if self.repeat == 1:
            return self._once(engine)
        outcomes: list[Any] = []
        while len(outcomes) < self.repeat and (
            not outcomes or isinstance(outcomes[-1], Output | Gradients)
        ):
            if outcomes and engine.running:
                engine.call(_larger(self.tensors), self.native, self.device, due=self.due)
            if not engine.running:  # the other size ended it: what it did before stands
                break
            outcomes.append(self._once(engine))
        return Repeated(outcomes=tuple(outcomes))

    def _once(self, engine: Engine) -> Outcome:
        if self.cotangent is None:
            return engine.call(self.tensors, self.native, self.device, due=self.due)
        return engine.gradients(self.tensors, self.cotangent, self.native, self.device)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeRequest:
    """A request for the output's shape: the operands' shapes and dtypes by name, and which sizes of
    the input are not told ("batch", "space").
    """

    shapes: Mapping[str, tuple[int, ...]]
    dtypes: Mapping[str, str]
    native: Native
    device: str
    hidden: tuple[str, ...] = ()

    def ask(self, engine: Engine) -> Outcome:
        operands = [
            {"name": name, "dtype": self.dtypes[name], "shape": self._visible_shape(name)}
            for name in self.shapes
        ]
        return engine.shape(operands, self.native, self.device, self.hidden)

    def _visible_shape(self, name: str) -> list[int | None]:
        """The shape of an operand, None for what is not told."""
        sizes: list[int | None] = [*self.shapes[name]]
        if name == "x" and "batch" in self.hidden:
            sizes[0] = None
        if name == "x" and "space" in self.hidden:
            sizes[2:] = [None] * len(sizes[2:])
        return sizes


def shape_request(
    case: Case, native: Native, device: str, hidden: tuple[str, ...] = ()
) -> ShapeRequest:
    """The request for the shape of a case's output; no array is made for it."""
    operands, dtypes = {"x": case.input, "kernel": case.kernel, "bias": case.bias}, case.dtypes
    return ShapeRequest(
        shapes={name: source.shape for name, source in operands.items() if source is not None},
        dtypes={"x": dtypes.input, "kernel": dtypes.kernel, "bias": dtypes.bias or dtypes.output},
        native=native,
        device=device,
        hidden=hidden,
    )


EngineRequest = CallRequest | ShapeRequest
"""Whatever an engine is asked."""


def _larger(tensors: Tensors) -> Tensors:
    """Another call of the same arguments: one item and one position per axis more."""
    pads = [(0, 1), (0, 0), *[(0, 1)] * (tensors.x.ndim - 2)]
    return tensors._replace(
        x=np.pad(tensors.x, pads, mode="edge" if tensors.x.size else "constant")
    )
