"""The input gradient of TensorFlow's convolution, which is the transposed convolution that every
network trains with.

The convolution whose input is our output and whose output is our input; its gradient with respect
to its input, for our input as cotangent. It has no bias: bias is added with TensorFlow's own `+`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from conformance.adapters import Unsupported, refuse_misfit
from conformance.adapters.tensorflow import TensorFlow
from conformance.conventions import tensorflow as convention

_CONVOLUTIONS = {1: tf.nn.conv1d, 2: tf.nn.conv2d, 3: tf.nn.conv3d}


class TensorFlowConvDx(TensorFlow):
    """One backward pass of one convolution."""

    gradients = None  # type: ignore[assignment]  # it would be the convolution's second derivative

    def prepare(
        self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any], device: str
    ) -> Callable[[], Any]:
        geometry = convention.geometry(native, size=x.shape[2:], kernel=kernel.shape[2:])
        refuse_misfit(bias, kernel.shape[1] * native["groups"])
        padding, device_name = native["padding"], "GPU:0" if device == "cuda" else "CPU:0"
        with tf.device(device_name):
            above = tf.constant(np.moveaxis(x, 1, -1))
            added = None if bias is None else tf.constant(bias)
            image = tf.zeros(
                [x.shape[0], *geometry.out, kernel.shape[1] * native["groups"]], above.dtype
            )
            with tf.GradientTape(persistent=True) as tape:
                tape.watch(image)
                y = _CONVOLUTIONS[x.ndim - 2](
                    image,
                    tf.constant(
                        np.moveaxis(kernel, (0, 1), (-1, -2))
                    ),  # (*kernel, C_out / groups, C_in)
                    native["strides"] if x.ndim < 5 else [1, *native["strides"], 1],
                    padding if isinstance(padding, str) else [[0, 0], *padding, [0, 0]],
                    dilations=native["dilations"] if x.ndim < 5 else [1, *native["dilations"], 1],
                )
        if tuple(y.shape[1:-1]) != x.shape[2:]:
            raise Unsupported("The convolution of such an output has another size than the input.")

        def run() -> Any:
            with tf.device(device_name):
                image_gradient = tape.gradient(y, image, output_gradients=above)
                return image_gradient if added is None else image_gradient + added

        return run
