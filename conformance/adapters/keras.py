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

    _facts = jaxcache.facts
    jaxcache.keep_compiled()
    jaxcache.take_precision()
elif keras.backend.backend() == "tensorflow":
    from conformance.adapters.tensorflow import facts as _facts
    from conformance.adapters.tensorflow import take_precision, take_threads

    take_threads()
    take_precision()
else:
    from conformance.adapters.torch import facts as _facts
    from conformance.adapters.torch import take_precision

    take_precision()

_LAYERS = {
    1: keras.layers.Conv1DTranspose,
    2: keras.layers.Conv2DTranspose,
    3: keras.layers.Conv3DTranspose,
}
_BACKEND_DISTRIBUTIONS = {
    "tensorflow": ["tensorflow"],
    "jax": ["jax", "jaxlib"],
    "torch": ["torch"],
}


class Keras(PreparedCall):
    """One layer, given its weights, called once. Initializers are zero: random ones compile per
    shape.
    """

    convention = "keras"

    def __init__(self, *, data_format: str = "channels_last") -> None:
        self._data_format = data_format

    def versions(self) -> dict[str, str]:
        return {"keras": keras.__version__} | {
            name: version(name) for name in _BACKEND_DISTRIBUTIONS[keras.backend.backend()]
        }

    def devices(self) -> list[str]:
        return ["cpu"] + (["cuda"] if _has_cuda(keras.backend.backend()) else [])

    def threads(self) -> int | None:
        match keras.backend.backend():
            case "torch":
                import torch

                return torch.get_num_threads()
            case "jax":
                return jaxcache.threads()
        import tensorflow as tf

        return int(tf.config.threading.get_intra_op_parallelism_threads())

    def facts(self) -> dict[str, bool | str]:
        return _facts()

    def release(self) -> None:
        if keras.backend.backend() == "torch":
            from conformance.adapters.torch import release

            release()

    def prepare(
        self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any], device: str
    ) -> Callable[[], Any]:
        layer, inputs, device_name = self._layer(x, kernel, bias, native, device)

        def run() -> Any:
            with keras.device(device_name):
                y = layer(inputs)
                if hasattr(y, "block_until_ready"):  # JAX answers before it has computed
                    y.block_until_ready()
                return y

        return run

    def gradients(
        self,
        x: Any,
        kernel: Any,
        bias: Any | None,
        native: dict[str, Any],
        cotangent: Any,
        device: str,
    ) -> tuple[Any, Any, Any | None]:
        layer, inputs, device_name = self._layer(x, kernel, bias, native, device)
        with keras.device(device_name):
            above = keras.ops.convert_to_tensor(self._moved(cotangent))
            gradients = _DIFFERENTIATE[keras.backend.backend()](layer, inputs, above)
        dx, dkernel, *dbias = (
            np.asarray(keras.ops.convert_to_numpy(gradient)) for gradient in gradients
        )
        return (
            self._moved_back(dx),
            np.moveaxis(dkernel, (-1, -2), (0, 1)),
            dbias[0] if dbias else None,
        )

    def _layer(
        self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any], device: str
    ) -> tuple[Any, Any, str]:
        """The layer with its weights in place, the input as it wants it, and where it runs."""
        device_name = "gpu:0" if device == "cuda" else f"{device}:0"
        with keras.device(device_name):
            layer = self.layer_of(x, kernel, bias, native)
            inputs = keras.ops.convert_to_tensor(self._moved(x))
            layer.build(inputs.shape)
            weights = np.moveaxis(kernel, (0, 1), (-1, -2))  # (*kernel, C_out, C_in)
            layer.set_weights([weights] if bias is None else [weights, bias])
        return layer, inputs, device_name

    def layer_of(self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any]) -> Any:
        """The layer, before it knows its input."""
        return _LAYERS[x.ndim - 2](
            kernel.shape[1],
            kernel.shape[2:],
            **native,
            data_format=self._data_format,
            use_bias=bias is not None,
            kernel_initializer="zeros",
            dtype=kernel.dtype.name,
        )

    def fetch(self, y: Any) -> Any:
        return self._moved_back(np.asarray(keras.ops.convert_to_numpy(y)))

    def _moved(self, array: Any) -> Any:
        return array if self._data_format == "channels_first" else np.moveaxis(array, 1, -1)

    def _moved_back(self, array: Any) -> Any:
        return array if self._data_format == "channels_first" else np.moveaxis(array, -1, 1)

    def compilations(self) -> dict[str, int] | None:
        return jaxcache.compilations() if keras.backend.backend() == "jax" else None


def _of_tensorflow(layer: Any, inputs: Any, above: Any) -> Any:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(inputs)
        y = layer(inputs)
    return tape.gradient(
        y, [inputs, *(weight.value for weight in layer.trainable_weights)], output_gradients=above
    )


def _of_torch(layer: Any, inputs: Any, above: Any) -> Any:
    import torch

    inputs.requires_grad_(True)
    return [
        g.detach()
        for g in torch.autograd.grad(
            layer(inputs), [inputs, *(w.value for w in layer.trainable_weights)], above
        )
    ]


def _of_jax(layer: Any, inputs: Any, above: Any) -> Any:
    import jax

    weights = [weight.value for weight in layer.trainable_weights]
    _, pull = jax.vjp(
        lambda inputs, *weights: layer.stateless_call(list(weights), [], inputs)[0],
        inputs,
        *weights,
    )
    return pull(above)


_DIFFERENTIATE = {"tensorflow": _of_tensorflow, "torch": _of_torch, "jax": _of_jax}


def _has_cuda(backend: str) -> bool:
    """Asked of the backend itself: `keras.distribution.list_devices` raises on JAX without one and
    on torch always.
    """
    match backend:
        case "torch":
            import torch

            return torch.cuda.is_available()
        case "jax":
            import jax

            return bool(jax.default_backend() == "gpu")
        case _:
            return bool(keras.distribution.list_devices("gpu"))
