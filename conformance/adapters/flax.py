"""Flax: `flax.nnx.ConvTranspose`, channels last; its layer may pad the batch axes but makes one
`lax` call.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import jax
import numpy as np
from flax import nnx

from conformance.adapters.jax import Jax, laid_out, on_device, tuples


class Flax(Jax):
    """One layer, given its weights, called once."""

    convention = "flax"

    def versions(self) -> dict[str, str]:
        return {"flax": version("flax"), **super().versions()}

    def prepare(
        self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any], device: str
    ) -> Callable[[], Any]:
        return on_device(
            device, self._layer(x, kernel, bias, native, device), (np.moveaxis(x, 1, -1),)
        )

    def gradients(
        self,
        x: Any,
        kernel: Any,
        bias: Any | None,
        native: dict[str, Any],
        cotangent: Any,
        device: str,
    ) -> tuple[Any, Any, Any | None]:
        layer = self._layer(x, kernel, bias, native, device)
        definition, state = nnx.split(layer)
        with jax.default_device(jax.devices(device)[0]):
            inputs, above = (
                jax.numpy.asarray(np.moveaxis(array, 1, -1)) for array in (x, cotangent)
            )
            _, pull = jax.vjp(
                lambda parameters, inputs: nnx.merge(definition, parameters)(inputs), state, inputs
            )
            gradients, dx = pull(above)
        dkernel = np.moveaxis(np.asarray(_array_of(gradients["kernel"])), (-2, -1), (0, 1))
        dbias = None if bias is None else np.asarray(_array_of(gradients["bias"]))
        return self.fetch(dx), laid_out(dkernel, native["transpose_kernel"]), dbias

    def _layer(
        self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any], device: str
    ) -> nnx.ConvTranspose:
        with jax.default_device(jax.devices(device)[0]):
            layer = layer_of(x, kernel, bias, native)
            weights = jax.numpy.asarray(weights_of(kernel, native))
            hold(layer, weights, *([] if bias is None else [jax.numpy.asarray(bias)]))
        return layer

    def fetch(self, y: Any) -> Any:
        return np.moveaxis(np.asarray(y), -1, 1)


def layer_of(x: Any, kernel: Any, bias: Any | None, native: dict[str, Any]) -> nnx.ConvTranspose:
    """The layer with weights of its own; of the operands only shapes and the kernel's dtype are
    read.
    """
    return nnx.ConvTranspose(
        kernel.shape[0],
        kernel.shape[1],
        kernel.shape[2:],
        **tuples(native),
        use_bias=bias is not None,
        param_dtype=kernel.dtype,
        kernel_init=nnx.initializers.zeros_init(),
        rngs=nnx.Rngs(0),
    )


def weights_of(kernel: Any, native: dict[str, Any]) -> Any:
    """The kernel as the layer wants it, (*kernel, I, O)."""
    return np.moveaxis(laid_out(kernel, native["transpose_kernel"]), (0, 1), (-2, -1))


def hold(layer: nnx.ConvTranspose, weights: Any, *added: Any) -> None:
    """Give the layer its kernel, and its bias if there is one."""
    _hold(layer.kernel, weights)
    if added:
        _hold(layer.bias, added[0])


def _array_of(variable: Any) -> Any:
    """The array of a variable; older releases have no method for it."""
    return variable.get_value() if hasattr(type(variable), "get_value") else variable.value


def _hold(variable: Any, array: Any) -> None:
    if hasattr(type(variable), "set_value"):
        variable.set_value(array)
    else:
        variable.value = array
