"""Chains that begin with `keras.layers.Conv1D/2D/3DTranspose`: `Model.export` writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np

from conformance.adapters.chain import Chain
from conformance.adapters.keras import Keras

_FORMATS = {".onnx": "onnx", ".xml": "openvino", ".tflite": "litert"}
_BACKENDS = {"tensorflow": ("tensorflow",), "torch": ("torch",), "jax": ("jax", "jaxlib")}


class KerasChain(Chain):
    """A model of the one layer, by `Model.export` in the format of the file's ending."""

    convention = "keras"
    framework = ("keras", *_BACKENDS[keras.backend.backend()])
    channels_last = True

    def layer(self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any]) -> Any:
        layer = Keras().layer_of(x, kernel, bias, native)
        layer.build((x.shape[0], *x.shape[2:], x.shape[1]))
        weights = np.moveaxis(kernel, (0, 1), (-1, -2))  # (*kernel, C_out, C_in)
        layer.set_weights([weights] if bias is None else [weights, bias])
        return layer

    def convert(self, layer: Any, x: Any, native: dict[str, Any], path: Path) -> None:
        model_input = keras.Input(x.shape[1:], batch_size=x.shape[0], dtype=x.dtype.name)
        model = keras.Model(model_input, layer(model_input))
        model(model_input)  # `export` refuses a model that was never called
        model.export(str(path), format=_FORMATS[self.ending], verbose=False)
