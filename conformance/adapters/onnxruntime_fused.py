"""ONNX Runtime: a session of ConvTranspose and what follows it, all constants initializers, so that
its optimizers may fuse and fold.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx

from conformance.adapters.composition import added, normalization
from conformance.adapters.onnxmodel import model_of
from conformance.adapters.onnxruntime import OnnxRuntime

_node = onnx.helper.make_node


class OnnxRuntimeFused(OnnxRuntime):
    """One session of a composition, run once; `follow` is one of composition.FOLLOWS."""

    def __init__(self, *, follow: str) -> None:
        super().__init__(initializers=True)
        self._composed = {
            "add": _with_add,
            "batch-normalization": _with_normalization,
            "relu": _with_relu,
        }[follow]

    def model(
        self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any]
    ) -> onnx.ModelProto:
        nodes, constants = self._composed(kernel, bias, native)
        return model_of(nodes, {"x": x}, {"w": kernel, **constants})


_Part = tuple[list[onnx.NodeProto], dict[str, Any]]
"""Nodes from x and w to y, and their constants besides w."""


def _with_add(kernel: Any, bias: Any | None, native: dict[str, Any]) -> _Part:
    behind = per_channel(added(kernel, bias, native["group"]), kernel.ndim)
    nodes = [_node("ConvTranspose", ["x", "w"], ["u"], **native), _node("Add", ["u", "a"], ["y"])]
    return nodes, {"a": behind}


def _with_normalization(kernel: Any, bias: Any | None, native: dict[str, Any]) -> _Part:
    constants = normalization(kernel, bias, native["group"])
    nodes = [
        _node("ConvTranspose", ["x", "w"], ["u"], **native),
        _node(
            "BatchNormalization", ["u", "scale", "shift", "mean", "variance"], ["v"], epsilon=0.0
        ),
        _node("Mul", ["v", "signs"], ["y"]),
    ]
    return nodes, {
        "scale": constants.scale,
        "shift": constants.shift,
        "mean": constants.mean,
        "variance": constants.variance,
        "signs": per_channel(constants.signs, kernel.ndim),
    }


def _with_relu(kernel: Any, bias: Any | None, native: dict[str, Any]) -> _Part:
    operands = ["w"] if bias is None else ["w", "b"]
    negatives = [f"{name}-negative" for name in operands]
    nodes = [
        *(
            _node("Neg", [name], [negative])
            for name, negative in zip(operands, negatives, strict=True)
        ),
        _node("ConvTranspose", ["x", *operands], ["u"], **native),
        _node("ConvTranspose", ["x", *negatives], ["v"], **native),
        _node("Relu", ["u"], ["above"]),
        _node("Relu", ["v"], ["below"]),
        _node("Sub", ["above", "below"], ["y"]),
    ]
    return nodes, {} if bias is None else {"b": bias}


def per_channel(numbers: Any, rank: int) -> Any:
    """(C,) as (C, 1, ...), which broadcasts along axis 1 of an array of that rank."""
    return np.reshape(numbers, (-1, *[1] * (rank - 2)))
