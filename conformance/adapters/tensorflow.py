"""TensorFlow: `tf.nn.conv1d/2d/3d_transpose`, channels last.

`tf.nn` has no bias argument: bias is added with TensorFlow's own `+` in the result's dtype.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from conformance.adapters import PreparedCall, refuse_misfit, wants_strict
from conformance.conventions import tensorflow as convention
from conformance.system.processor import onednn_facts, xla_facts

_CALLS = {1: tf.nn.conv1d_transpose, 2: tf.nn.conv2d_transpose, 3: tf.nn.conv3d_transpose}


def take_threads() -> None:
    """As many threads for one operation as the suite says; before TensorFlow has computed
    anything.
    """
    if threads := os.environ.get("CONFORMANCE_THREADS"):
        tf.config.threading.set_intra_op_parallelism_threads(int(threads))


def take_precision() -> None:
    """No TF32 where the suite wants float32."""
    if wants_strict():
        tf.config.experimental.enable_tensor_float_32_execution(False)


def facts() -> dict[str, bool | str]:
    """Whether it takes oneDNN's kernels, and for which instruction set these are; the device, if
    there is one.
    """
    gpus = tf.config.list_physical_devices("GPU")
    gpu = (
        {"gpu": str(tf.config.experimental.get_device_details(gpus[0]).get("device_name", "?"))}
        if gpus
        else {}
    )
    return {"onednn": _has_onednn(), **onednn_facts(), **gpu}


def _has_onednn() -> bool:
    """As TensorFlow's own tests ask it: no public name tells."""
    try:
        from tensorflow.python.util import _pywrap_util_port
    except ImportError:
        return os.environ.get("TF_ENABLE_ONEDNN_OPTS") == "1"
    return bool(_pywrap_util_port.IsMklEnabled())


take_threads()
take_precision()


class TensorFlow(PreparedCall):
    """One call of `tf.nn`; `compiled`, one of a function that XLA has compiled."""

    convention = "tensorflow"

    def __init__(self, *, compiled: bool = False) -> None:
        self._compiled = compiled

    def versions(self) -> dict[str, str]:
        return {"tensorflow": tf.__version__}

    def devices(self) -> list[str]:
        return ["cpu"] + (["cuda"] if tf.config.list_physical_devices("GPU") else [])

    def threads(self) -> int:
        return int(tf.config.threading.get_intra_op_parallelism_threads())

    def facts(self) -> dict[str, bool | str]:
        return {**facts(), **xla_facts()} if self._compiled else facts()

    def prepare(
        self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any], device: str
    ) -> Callable[[], Any]:
        call, operands, device_name = self._call_of(x, kernel, bias, native, device)

        def run() -> Any:
            with tf.device(device_name):
                return call(*operands)

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
        call, operands, device_name = self._call_of(x, kernel, bias, native, device)
        with tf.device(device_name):
            above = tf.constant(np.moveaxis(cotangent, 1, -1))
            with tf.GradientTape() as tape:
                tape.watch(operands)
                y = call(*operands)
            dx, dkernel, *dbias = tape.gradient(y, operands, output_gradients=above)
        moved = np.moveaxis(dkernel.numpy(), (-1, -2), (0, 1))
        return np.moveaxis(dx.numpy(), -1, 1), moved, dbias[0].numpy() if dbias else None

    def _call_of(
        self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any], device: str
    ) -> tuple[Callable[..., Any], list[Any], str]:
        """The call as a function of input, kernel and bias (if there is one), these, and where it
        runs.
        """
        refuse_misfit(bias, kernel.shape[1] * native["groups"])
        call, device_name = call_of(x, kernel, native), "GPU:0" if device == "cuda" else "CPU:0"
        with tf.device(device_name):
            inputs = tf.constant(np.moveaxis(x, 1, -1))
            weights = tf.constant(
                np.moveaxis(kernel, (0, 1), (-1, -2))
            )  # (*kernel, C_out / groups, C_in)
            added = [] if bias is None else [tf.constant(bias)]

        return (
            tf.function(call, jit_compile=True) if self._compiled else call,
            [inputs, weights, *added],
            device_name,
        )

    def fetch(self, y: Any) -> Any:
        return np.moveaxis(y.numpy(), -1, 1)


def call_of(x: Any, kernel: Any, native: dict[str, Any]) -> Callable[..., Any]:
    """The call as a function of input, kernel and bias (if there is one) in its own layouts; of
    these operands only the shapes are read.
    """
    geometry = convention.geometry(native, size=x.shape[2:], kernel=kernel.shape[2:])
    channels = kernel.shape[1] * native["groups"]
    return call_for([x.shape[0], *geometry.out, channels], native)


def call_for(output_shape: Any, native: dict[str, Any]) -> Callable[..., Any]:
    """The same with that output_shape, (N, *out, C_out), numbers or a tensor."""
    padding = native["padding"]

    def call(inputs: Any, weights: Any, *added: Any) -> Any:
        y = _CALLS[len(native["strides"])](
            inputs,
            weights,
            output_shape=output_shape,
            strides=native["strides"],
            padding=padding if isinstance(padding, str) else [[0, 0], *padding, [0, 0]],
            dilations=native["dilations"],
        )
        return y + added[0] if added else y

    return call
