"""What people ask of a framework's transposed convolution before they call it: the layouts of its
input and of its kernel, whether it flips it, what its padding crops, how it takes a size, and
groups.

docs/conventions.md has the formulas.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The answers of one convention; `call` is the framework's own name for it."""

    call: str
    input: str
    layout: str
    flip: str
    padding: str
    size: str
    groups: str


QUESTIONS: Mapping[str, str] = {
    "call": "Call",
    "input": "Layout of the input",
    "layout": "Layout of the kernel",
    "flip": "Does it flip the kernel?",
    "padding": "Padding",
    "size": "Size of the output",
    "groups": "Groups",
}
"""Field of Answers -> the question, in the order of telling."""

_UNFLIPPED = (
    "No: each input element adds the kernel, times itself, to the output. This is the orientation "
    "that PyTorch, Keras, TensorFlow and ONNX share"
)
_CORRELATED = (
    "Not by default: with transpose_kernel=False the kernel slides unflipped "
    "over the dilated input, so the result is that of PyTorch with the kernel mirrored on every "
    "spatial axis. Flip a kernel that comes from PyTorch, Keras, TensorFlow or ONNX; "
    "transpose_kernel=True flips it and swaps its channel axes"
)
_SAME = (
    "multiplies the size by the stride and crops the odd element at the end, where PyTorch with "
    "output_padding crops it at the start"
)

ANSWERS: Mapping[str, Answers] = {
    "torch": Answers(
        call="torch.nn.ConvTranspose1d, ConvTranspose2d, ConvTranspose3d",
        input="(N, C_in, *size), whatever the memory format; without a batch (C_in, *size)",
        layout="(C_in, C_out / groups, *kernel)",
        flip=_UNFLIPPED,
        padding="padding crops both ends alike; output_padding crops less at the end",
        size="output_padding, or output_size of the call",
        groups="groups",
    ),
    "keras": Answers(
        call="keras.layers.Conv1DTranspose, Conv2DTranspose, Conv3DTranspose",
        input="(N, *size, C_in); (N, C_in, *size) with data_format channels_first",
        layout="(*kernel, C_out, C_in)",
        flip=_UNFLIPPED,
        padding=f"valid crops nothing; same {_SAME}",
        size="output_padding; None and 0 differ",
        groups="none: the layers have no such argument",
    ),
    "tensorflow": Answers(
        call="tf.nn.conv1d_transpose, conv2d_transpose, conv3d_transpose",
        input="(N, *size, C_in); (N, C_in, *size) with data_format NCW, NCHW or NCDHW",
        layout="(*kernel, C_out, C_in)",
        flip=_UNFLIPPED,
        padding=f"VALID crops nothing; SAME {_SAME}; pairs, in 2-D alone, crop both ends",
        size="output_shape, within the sizes that its padding allows",
        groups="no argument: the channels of the filter say it",
    ),
    "jax": Answers(
        call="jax.lax.conv_transpose; jax.lax.conv_general_dilated has groups",
        input=(
            "as its dimension numbers say; by default (N, *size, C_in), in conv_general_dilated "
            "(N, C_in, *size)"
        ),
        layout="as its dimension numbers say; by default (*kernel, C_in, C_out)",
        flip=_CORRELATED,
        padding=(
            "a pair pads the dilated input, so that more of it makes the output larger; "
            "VALID crops nothing; SAME multiplies the size by the stride"
        ),
        size="the pairs of padding",
        groups="none in conv_transpose; feature_group_count of conv_general_dilated",
    ),
    "flax": Answers(
        call="flax.nnx.ConvTranspose",
        input="(N, *size, C_in)",
        layout="(*kernel, C_in, C_out)",
        flip=_CORRELATED,
        padding=(
            "a number or a pair pads the dilated input, so that more of it makes the output larger;"
            " VALID crops nothing; SAME multiplies the size by the stride"
        ),
        size="the pairs of padding",
        groups="none",
    ),
    "onnx": Answers(
        call="ConvTranspose",
        input="(N, C_in, *size)",
        layout="(C_in, C_out / group, *kernel)",
        flip=_UNFLIPPED,
        padding=(
            "pads crop each end by itself; SAME_UPPER crops the odd element at the end, SAME_LOWER "
            "at the start"
        ),
        size="output_padding or output_shape",
        groups="group",
    ),
}
"""By convention; sources are those of docs/conventions.md."""
