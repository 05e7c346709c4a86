"""Keras' shape functions: a layer's `compute_output_shape`, and a layer called on a
`KerasTensor`.
"""

from __future__ import annotations

from typing import Any

import keras

from conformance.adapters import Operand, ShapeFunction, Sizes, Unsupported
from conformance.adapters.keras import Keras


class KerasShape(ShapeFunction):
    """One call of `compute_output_shape`; `symbolic`, of the layer itself, which is built by it."""

    convention = "keras"

    def __init__(self, *, symbolic: bool = False, unknown: tuple[str, ...] = ()) -> None:
        self._keras, self._symbolic, self.unknown = Keras(), symbolic, unknown

    def versions(self) -> dict[str, str]:
        return self._keras.versions()

    def devices(self) -> list[str]:
        return ["cpu"]

    def shape(
        self, x: Operand, kernel: Any, bias: Any | None, native: dict[str, Any], device: str
    ) -> Sizes | None:
        batch, c_in, *space = x.shape
        if kernel.shape[0] != c_in:
            raise Unsupported("The layer makes its kernel by the input's channels.")
        if bias is not None and bias.shape != (kernel.shape[1],):
            raise Unsupported("The layer makes its bias by its filters.")
        layer = self._keras.layer_of(x, kernel, bias, native)
        shape = (batch, *space, c_in)
        if self._symbolic:
            said = layer(keras.KerasTensor(shape, dtype=x.dtype.name)).shape
        else:
            said = layer.compute_output_shape(shape)
        first, *inside, last = said
        return [first, last, *inside]
