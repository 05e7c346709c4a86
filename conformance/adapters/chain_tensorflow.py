"""Chains that begin with `tf.nn.conv1d/2d/3d_transpose`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from conformance.adapters.adapter import Unsupported, refuse_misfit
from conformance.adapters.chain import Chain
from conformance.adapters.tensorflow import call_of

_NO_OPERATOR = re.compile(
    r"'([\w.]+)' op is (?:neither a custom op nor a flex op|not part of the vhlo support yet)"
)


class TensorFlowChain(Chain):
    """A `tf.function` of the input alone, by `tf.lite.TFLiteConverter` or
    `tf2onnx.convert.from_function`.
    """

    convention = "tensorflow"
    framework: tuple[str, ...] = ("tensorflow",)
    channels_last = True

    def layer(self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any]) -> Any:
        refuse_misfit(bias, kernel.shape[1] * native["groups"])
        call = call_of(x, kernel, native)
        # arrays, which become constants of the graph; tensors would become inputs of it
        weights = np.moveaxis(kernel, (0, 1), (-1, -2))  # (*kernel, C_out / groups, C_in)
        added = [] if bias is None else [bias]
        return lambda x: call(x, weights, *added)

    def convert(self, layer: Any, x: Any, native: dict[str, Any], path: Path) -> None:
        function = tf.function(
            layer, input_signature=[tf.TensorSpec(x.shape, x.dtype.name, name="x")], autograph=False
        )
        if self.converter == "tf2onnx":
            import tf2onnx

            signature = function.input_signature
            tf2onnx.convert.from_function(function, signature, opset=18, output_path=str(path))
        else:
            converter = tf.lite.TFLiteConverter.from_concrete_functions(
                [function.get_concrete_function()], function
            )
            path.write_bytes(_converted(converter))


def _converted(converter: Any) -> Any:
    """The model. Raises Unsupported where the converter says that LiteRT has no operator for it:
    "not every model is convertible" (ai.google.dev/edge/litert/models/ops_compatibility).
    """
    try:
        return converter.convert()
    except Exception as error:  # its class is in no public module
        operator = _NO_OPERATOR.search(str(error))
        if operator is None:
            raise
        raise Unsupported(
            f"The converter has no operator of LiteRT for {operator[1]}: its operators are fewer "
            "than TensorFlow's (ai.google.dev/edge/litert/models/ops_compatibility)."
        ) from None
