"""Chains that begin with `jax.lax.conv_transpose`, by way of TensorFlow."""

from __future__ import annotations

from typing import Any

from jax.experimental import jax2tf

from conformance.adapters.chain_tensorflow import TensorFlowChain
from conformance.adapters.jax import Jax


class JaxChain(TensorFlowChain):
    """`jax2tf.convert` of the call with kernel and bias as constants, and then
    `tf.lite.TFLiteConverter`.
    """

    convention = "jax"
    framework = ("jax", "jaxlib")
    channels_last = False

    def layer(self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any]) -> Any:
        call, (_, *constants) = Jax().call_of(x, kernel, bias, native)
        return jax2tf.convert(lambda x: call(x, *constants))
