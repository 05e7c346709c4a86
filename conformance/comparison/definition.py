"""A call of a layer held against the definition, on what came in when its model ran."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from conformance.comparison.calls import LayerCall
from conformance.corpus.case import DTYPES
from conformance.corpus.tensors import Array
from conformance.geometry import Geometry, call_problems
from conformance.oracle import Truth, truth_of
from conformance.verdicts.compare import Comparison, compare

CLIPPED: Mapping[str, tuple[float, float]] = {"relu": (0.0, np.inf), "relu6": (0.0, 6.0)}
"""Activations of layers that only cut values off, by their names in lower case: (least, most)."""
_FUNCTIONS: Mapping[str, Callable[[Any], Any]] = {
    "relu": lambda y: np.maximum(y, 0),
    "relu6": lambda y: np.clip(y, 0, 6),
    "tanh": np.tanh,
    "sigmoid": lambda y: 1 / (1 + np.exp(-y)),
}
_SIZED = ("output_size", "output_shape")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The output of a call beside the truth for its own input."""

    y: Array
    truth: Truth
    comparison: Comparison


def checked(call: LayerCall) -> Checked | None:
    """A call's output held against the definition; None where it was not run, or where its
    activation hides the sums. Raises ValueError for arguments without a window.
    """
    x, y = call.x, call.y
    kind = (call.layer.activation or "").lower()
    if x is None or y is None or (kind and kind not in CLIPPED):
        return None
    truth = truth_at(call, x, y.dtype.name)
    if truth is None:
        return None
    if kind:
        y = _unclipped(y, truth, *CLIPPED[kind])
    return Checked(y=y, truth=truth, comparison=compare(y, truth))


def truth_at(call: LayerCall, x: Array, dtype: str) -> Truth | None:
    """The truth of a layer on x (N, C_in, *spatial); None where that has no output."""
    geometry = call.geometry(x.shape)
    bias = call.bias
    problems = call_problems(
        geometry, x=x.shape, kernel=call.kernel_shape, bias=None if bias is None else bias.shape
    )
    if problems or dtype not in DTYPES:
        return None
    return truth_of(x, call.kernel, bias, geometry, dtype)


def _unclipped(y: Array, truth: Truth, least: float, most: float) -> Array:
    """The output with the true value where it is cut off and should be."""
    if y.shape != truth.y.shape:
        return y
    cut = ((y == least) & (truth.y < least)) | ((y == most) & (truth.y > most))
    return np.where(cut, truth.y, y).astype(y.dtype)


def geometry_at(call: LayerCall, shape: tuple[int, ...]) -> Geometry:
    """The window for an input (N, C_in, *spatial) that may be another than the call's own: one that
    is told by the size of the output keeps the crop there.
    """
    own = call.input_shape()
    if own is None or own[2:] == shape[2:] or not any(call.layer.native.get(k) for k in _SIZED):
        return call.geometry(shape)
    geometry = call.geometry(own)
    axes = tuple(
        replace(axis, size=size) for axis, size in zip(geometry.axes, shape[2:], strict=True)
    )
    return replace(geometry, axes=axes)


def with_activation(y: Array, call: LayerCall, other: LayerCall) -> Array:
    """The output y of a call with the activation that the other's layer has and its own has not."""
    kind = (other.layer.activation or "").lower()
    if call.layer.activation is not None or kind not in _FUNCTIONS:
        return y
    return np.asarray(_FUNCTIONS[kind](y.astype(np.float64))).astype(y.dtype)
