"""Keras: `keras.layers.Conv1D/2D/3DTranspose`, on the backend that KERAS_BACKEND names."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import keras
import numpy as np

from conformance.adapters import PreparedCall

if keras.backend.backend() == "jax":
    from conformance.adapters import jaxcache

    jaxcache.keep_compiled()

_LAYERS = {1: keras.layers.Conv1DTranspose, 2: keras.layers.Conv2DTranspose, 3: keras.layers.Conv3DTranspose}
_BACKEND_DISTRIBUTIONS = {"tensorflow": ["tensorflow"], "jax": ["jax", "jaxlib"], "torch": ["torch"]}


class Keras(PreparedCall):
    """One channels-last layer, given its weights, called once. Initializers are zero: random ones compile per shape."""

    convention = "keras"

    def versions(self) -> dict[str, str]:
        return {"keras": keras.__version__} | {name: version(name) for name in _BACKEND_DISTRIBUTIONS[keras.backend.backend()]}

    def devices(self) -> list[str]:
        return ["cpu"] + (["cuda"] if _has_cuda(keras.backend.backend()) else [])

    def prepare(self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any], device: str) -> Callable[[], Any]:
        rank, place = x.ndim - 2, "gpu:0" if device == "cuda" else f"{device}:0"
        with keras.device(place):
            layer = _LAYERS[rank](
                kernel.shape[1],
                kernel.shape[2:],
                **native,
                data_format="channels_last",
                use_bias=bias is not None,
                kernel_initializer="zeros",
                dtype=x.dtype.name,
            )
            given = keras.ops.convert_to_tensor(np.moveaxis(x, 1, -1))
            layer.build(given.shape)
            weights = np.moveaxis(kernel, (0, 1), (-1, -2))  # (*kernel, C_out, C_in)
            layer.set_weights([weights] if bias is None else [weights, bias])

        def run() -> Any:
            with keras.device(place):
                y = layer(given)
                if hasattr(y, "block_until_ready"):  # JAX answers before it has computed
                    y.block_until_ready()
                return y

        return run

    def fetch(self, y: Any) -> Any:
        return np.moveaxis(np.asarray(keras.ops.convert_to_numpy(y)), -1, 1)

    def compilations(self) -> dict[str, int] | None:
        return jaxcache.compilations() if keras.backend.backend() == "jax" else None


def _has_cuda(backend: str) -> bool:
    """Asked of the backend itself: `keras.distribution.list_devices` raises on JAX without one and on torch always."""
    match backend:
        case "torch":
            import torch

            return torch.cuda.is_available()
        case "jax":
            import jax

            return bool(jax.default_backend() == "gpu")
        case _:
            return bool(keras.distribution.list_devices("gpu"))
