"""The files of native cases, and their text."""

from __future__ import annotations

from native.entries import case_of
from native.jax_calls import flax_calls, jax_calls
from native.keras_calls import keras_calls
from native.onnx_calls import onnx_auto_pad_calls, onnx_calls
from native.tensorflow_calls import tensorflow_calls
from native.text import entry
from native.torch_calls import torch_calls

HEADER = """\
# {title}
# Written by `python tools/corpus/native_cases.py`: change the tables there, not this file.
format: 1
cases:
"""

# file name without its ending: (the framework, the call and what the file holds of it, its calls)
FILES = {
    "torch": (
        "torch",
        "torch.nn.ConvTranspose1d/2d/3d: padding, output_padding, dilation, groups, output_size.",
        torch_calls,
    ),
    "keras": (
        "keras",
        "keras.layers.Conv1D/2D/3DTranspose: same and valid, with and without output_padding.",
        keras_calls,
    ),
    "tensorflow": (
        "tensorflow",
        "tf.nn.conv1d/2d/3d_transpose: SAME, VALID, explicit, output_shape.",
        tensorflow_calls,
    ),
    "jax": (
        "jax",
        "jax.lax.conv_transpose: SAME, VALID, pairs, transpose_kernel, use_consistent_padding.",
        jax_calls,
    ),
    "flax": (
        "flax",
        "flax.nnx.ConvTranspose: SAME, VALID, pairs, integers, transpose_kernel.",
        flax_calls,
    ),
    "onnx": ("onnx", "ONNX ConvTranspose: pads, output_padding, group, output_shape.", onnx_calls),
    "onnx_auto_pad": (
        "onnx",
        "ONNX ConvTranspose: auto_pad alone, with output_shape, with output_padding.",
        onnx_auto_pad_calls,
    ),
}


def text(stem: str) -> str:
    """The whole file of that name."""
    framework, title, calls = FILES[stem]
    entries, seen = [], set[str]()
    for number, call in enumerate(calls()):
        case = case_of(framework, call, number, stem)
        if case.name in seen:
            raise ValueError(f"{case.name} is there twice")
        seen.add(case.name)
        entries.append(entry(case, call.arguments))
    return HEADER.format(title=title) + "\n".join(entries)
