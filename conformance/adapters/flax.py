"""Flax: `flax.nnx.ConvTranspose`, channels last; its layer may pad the batch axes but makes one `lax` call."""

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

    def prepare(self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any], device: str) -> Callable[[], Any]:
        with jax.default_device(jax.devices(device)[0]):
            layer = nnx.ConvTranspose(
                kernel.shape[0],
                kernel.shape[1],
                kernel.shape[2:],
                **tuples(native),
                use_bias=bias is not None,
                param_dtype=x.dtype,
                kernel_init=nnx.initializers.zeros_init(),
                rngs=nnx.Rngs(0),
            )
            weights = np.moveaxis(laid_out(kernel, native["transpose_kernel"]), (0, 1), (-2, -1))  # (*kernel, I, O)
            layer.kernel.set_value(jax.numpy.asarray(weights))
            if bias is not None:
                layer.bias.set_value(jax.numpy.asarray(bias))
        return on_device(device, layer, (np.moveaxis(x, 1, -1),), None)

    def fetch(self, y: Any) -> Any:
        return np.moveaxis(np.asarray(y), -1, 1)
