"""How the layers of TensorFlow 1 are read: `tf.layers.conv2d_transpose`, its class, and slim's.

Both call the layer that is Keras' today, with its window and its kernel: `tf.layers` by inheriting
from it (tensorflow/python/keras/legacy_tf_layers/convolutional.py), slim by calling `tf.layers`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from conformance.porting.calls import keras
from conformance.porting.calls.grammar import Call, Signature, shown
from conformance.porting.layer import Layer

_TAIL = (
    "data_format activation use_bias kernel_initializer bias_initializer kernel_regularizer"
    " bias_regularizer activity_regularizer kernel_constraint bias_constraint trainable name"
)
_SLIM = Signature(
    positional="inputs filters kernel_size strides padding data_format activation normalizer_fn"
    " normalizer_params weights_initializer weights_regularizer biases_initializer"
    " biases_regularizer reuse variables_collections outputs_collections trainable scope",
    renamed={"num_outputs": "filters", "stride": "strides", "activation_fn": "activation"},
)
_LAYERS = Signature(
    positional=f"inputs filters kernel_size strides padding {_TAIL} reuse",
)

SIGNATURES: Mapping[str, Signature] = {
    **{
        f"conv{n}d_transpose": replace(
            _LAYERS, variant=lambda node, prefix: _SLIM if _is_slim(prefix) else _LAYERS
        )
        for n in (2, 3)
    },
    **{
        f"Conv{n}DTranspose": Signature(
            positional=f"filters kernel_size strides padding {_TAIL}", after="inputs"
        )
        for n in (2, 3)
    },
}
EXAMPLE = 'tf.layers.conv2d_transpose(x, 32, 3, strides=2, padding="same")'


def is_call(text: str) -> bool:
    """Whether a text has a call of one of these layers."""
    return bool(
        re.search(r"\b(layers|slim)\s*\.\s*conv[23]d_transpose\b", text)
        or re.search(r"\b(tf|tf1|v1)\s*\.\s*layers\s*\.\s*Conv[23]DTranspose\b", text)
    )


def _is_slim(prefix: tuple[str, ...]) -> bool:
    return "slim" in prefix or "contrib" in prefix


def layer(call: Call) -> Layer:
    """The layer, which is Keras'; slim's has other defaults: padding SAME, and a ReLU."""
    rank = re.sub(r"\D", "", call.function)[0]
    notes = ["The layer is Keras' by another name, and proved as that."]
    arguments = dict(call.arguments)
    if _is_slim(call.prefix):
        arguments.setdefault("padding", keras.literal("same"))
        arguments.setdefault("strides", keras.literal(1))
        normalises = not call.absent("normalizer_fn")
        no_bias = "biases_initializer" in arguments and call.absent("biases_initializer")
        arguments["use_bias"] = keras.literal(not (normalises or no_bias))
        if "activation" not in arguments:
            notes.append("slim applies tf.nn.relu unless told: it is not part of what is ported.")
        if normalises:
            notes.append(f"{shown(arguments['normalizer_fn'])} follows, and there is no bias.")
    arguments["data_format"] = keras.literal(_data_format(call))
    inputs = {"inputs": arguments.pop("inputs")} if "inputs" in arguments else {}
    spoken = replace(
        call,
        function=f"Conv{rank}DTranspose",
        arguments=arguments,
        after={**call.after, **inputs},
        notes=(*call.notes, *notes),
    )
    return keras.layer(spoken)


def _data_format(call: Call) -> str | None:
    """Keras' word for the order of axes, which slim spells NHWC."""
    form = call.value("data_format")
    if isinstance(form, str) and form.startswith("NC"):
        return "channels_first"
    return "channels_last" if isinstance(form, str) and form.startswith("N") else form
