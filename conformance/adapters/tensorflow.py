"""TensorFlow: `tf.nn.conv1d/2d/3d_transpose`, channels last.

`tf.nn` has no bias argument: bias is added with TensorFlow's own `+` in the result's dtype.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import tensorflow as tf

from conformance.conventions import tensorflow as convention

_CALLS = {1: tf.nn.conv1d_transpose, 2: tf.nn.conv2d_transpose, 3: tf.nn.conv3d_transpose}


class TensorFlow:
    """One call of `tf.nn`."""

    convention = "tensorflow"

    def __init__(self) -> None:
        if threads := os.environ.get("CONFORMANCE_THREADS"):
            tf.config.threading.set_intra_op_parallelism_threads(int(threads))

    def versions(self) -> dict[str, str]:
        return {"tensorflow": tf.__version__}

    def devices(self) -> list[str]:
        return ["cpu"] + (["cuda"] if tf.config.list_physical_devices("GPU") else [])

    def call(self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any], device: str) -> Any:
        geometry = convention.geometry(native, size=x.shape[2:], kernel=kernel.shape[2:])
        padding = native["padding"]
        with tf.device("GPU:0" if device == "cuda" else "CPU:0"):
            y = _CALLS[x.ndim - 2](
                tf.constant(np.moveaxis(x, 1, -1)),
                tf.constant(np.moveaxis(kernel, (0, 1), (-1, -2))),  # (*kernel, C_out / groups, C_in)
                output_shape=[x.shape[0], *geometry.out, kernel.shape[1] * native["groups"]],
                strides=native["strides"],
                padding=padding if isinstance(padding, str) else [[0, 0], *padding, [0, 0]],
                dilations=native["dilations"],
            )
            return np.moveaxis((y if bias is None else y + tf.constant(bias)).numpy(), -1, 1)
