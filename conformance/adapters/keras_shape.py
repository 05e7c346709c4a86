"""Keras' shape functions: a layer's `compute_output_shape`, a layer called on a `KerasTensor`, and
one that is called inside another layer, where the backend traces it.
"""

from __future__ import annotations

from typing import Any, Literal

import keras

from conformance.adapters import Operand, ShapeFunction, Sizes, Unsupported
from conformance.adapters.keras import Keras


class _Outer(keras.layers.Layer):
    """A layer without `compute_output_shape`: Keras has the backend trace what it calls."""

    def __init__(self, layer: Any) -> None:
        super().__init__(dtype=layer.dtype)
        self.layer = layer

    def call(self, inputs: Any) -> Any:
        return self.layer(inputs)


class KerasShape(ShapeFunction):
    """One call of `compute_output_shape`; "symbolic", of the layer itself on a `KerasTensor`, which
    builds it; "traced", of a layer that calls it.
    """

    convention = "keras"

    def __init__(
        self,
        *,
        mode: Literal["computed", "symbolic", "traced"] = "computed",
        unknown: tuple[str, ...] = (),
    ) -> None:
        self._keras, self._mode, self.unknown = Keras(), mode, unknown

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
        if self._mode == "computed":
            sizes = layer.compute_output_shape(shape)
        else:
            if self._mode == "traced":
                layer.build(shape)
                layer = _Outer(layer)
            sizes = layer(keras.KerasTensor(shape, dtype=x.dtype.name)).shape
        first, *inside, last = sizes
        return [first, last, *inside]
