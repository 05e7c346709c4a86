"""`flax.nnx.ConvTranspose`: jax.lax.conv_transpose with the layer's own names.

Pairs pad the dilated input as in JAX; a number stands for both ends of an axis. CIRCULAR wraps
around and is not a transposed convolution of this suite; CAUSAL is for 1-D only. Source:
documentation of flax.nnx.ConvTranspose.
"""

from __future__ import annotations

from collections.abc import Sequence

from conformance.conventions import jax
from conformance.conventions.arguments import (
    Argument,
    Native,
    Unrepresentable,
    boolean,
    pairs,
    per_axis,
    word_or,
)
from conformance.geometry import Geometry

ARGUMENTS = {
    "strides": Argument(read=per_axis, default=1),
    "padding": Argument(read=word_or(("SAME", "VALID"), pairs), default="SAME"),
    "kernel_dilation": Argument(read=per_axis, default=1),
    "transpose_kernel": Argument(read=boolean, default=False),
}


def geometry(native: Native, *, size: Sequence[int], kernel: Sequence[int]) -> Geometry:
    """The window of native arguments."""
    return jax.geometry(
        {
            "strides": native["strides"],
            "padding": native["padding"],
            "rhs_dilation": native["kernel_dilation"],
            "feature_group_count": 1,
        },
        size=size,
        kernel=kernel,
    )


def native(geometry: Geometry) -> Native | Unrepresentable:
    """strides, explicit padding and kernel_dilation: there are some for every window without
    groups.
    """
    if geometry.groups != 1:
        return Unrepresentable(
            reason=f"flax.nnx.ConvTranspose has no groups, and this has {geometry.groups}."
        )
    return {
        "strides": list(geometry.stride),
        "padding": jax.input_padding(geometry),
        "kernel_dilation": list(geometry.dilation),
        "transpose_kernel": False,
    }
