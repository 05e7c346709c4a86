"""Flax's shape function, `flax.nnx.eval_shape`, of the layer that the adapter of Flax calls."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
from flax import nnx

from conformance.adapters import Operand, ShapeFunction, Sizes
from conformance.adapters.flax import Flax, hold, layer_of, weights_of
from conformance.adapters.jax_shape import sizes_of, symbols_of


class FlaxEvalShape(ShapeFunction):
    """One evaluation of the shape of the layer, given its weights and called once; what is
    `unknown` is a symbol.
    """

    convention = "flax"

    def __init__(self, *, unknown: tuple[str, ...] = ()) -> None:
        self.unknown = unknown

    def versions(self) -> dict[str, str]:
        return Flax().versions()

    def devices(self) -> list[str]:
        return ["cpu"]

    def shape(
        self, x: Operand, kernel: Any, bias: Any | None, native: dict[str, Any], device: str
    ) -> Sizes | None:
        def call(inputs: Any, *weights: Any) -> Any:
            layer = layer_of(x, kernel, bias, native)
            hold(layer, *weights)
            return layer(inputs)

        batch, c_in, *space = symbols_of(x)
        weights = [weights_of(kernel, native), *([] if bias is None else [np.asarray(bias)])]
        operands = [jax.ShapeDtypeStruct((batch, *space, c_in), x.dtype)]
        operands += [jax.ShapeDtypeStruct(array.shape, array.dtype) for array in weights]
        first, *inside, last = sizes_of(nnx.eval_shape, call, *operands)
        return [first, last, *inside]
