"""What follows a call in a composition whose result is the call's own: constants of one node that
undo another.

A compiler fuses or folds what follows a transposed convolution. Each composition here is the
identity in exact arithmetic, and in that of a machine: it changes signs, multiplies by 1 as a
quotient of powers of two, and adds the bias behind instead of in the call. So the truth of the
composition is the truth of the case, and nothing but a wrong fusion can make a difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from conformance.adapters.adapter import Unsupported, refuse_misfit, refuse_promotion

FOLLOWS = ("add", "batch-normalization", "relu")
"""What may follow: + bias; batch normalization, then * signs; Relu of it minus Relu of its
negative."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalization:
    """The constants (C_out,) of a batch normalization with epsilon 0 and of the product behind it.

    signs * ((y - mean) / sqrt(variance) * scale + shift) is y + bias: scale is -2 or 2, variance
    4, and the bias stands in mean for every other channel, in shift for those between.
    """

    scale: Any
    shift: Any
    mean: Any
    variance: Any
    signs: Any


def added(kernel: Any, bias: Any | None, groups: int) -> Any:
    """The numbers (C_out,) to add behind the call: the bias, or zeros.

    kernel is (C_in, C_out / groups, *kernel). Raises Unsupported for a bias of another length,
    which `+` would broadcast, for one of another dtype, which it would promote, and for groups that
    the input channels do not make.
    """
    if groups < 1 or kernel.shape[0] % groups:
        raise Unsupported(
            f"{kernel.shape[0]} input channels make no {groups} groups, so nobody knows for how "
            "many output channels the constants behind the call should be."
        )
    channels = kernel.shape[1] * groups
    refuse_misfit(bias, channels)
    refuse_promotion(bias, kernel.dtype)
    return np.zeros(channels, kernel.dtype) if bias is None else bias


def normalization(kernel: Any, bias: Any | None, groups: int) -> Normalization:
    """The constants for kernel (C_in, C_out / groups, *kernel) and its bias (C_out,) or None."""
    bias = added(kernel, bias, groups)
    dtype, signs = kernel.dtype, _signs(len(bias)).astype(kernel.dtype)
    is_even, zero = np.arange(len(bias)) % 2 == 0, np.zeros((), dtype)
    return Normalization(
        scale=(2 * signs).astype(dtype),
        shift=np.where(is_even, zero, signs * bias).astype(dtype),
        mean=np.where(is_even, -bias, zero).astype(dtype),
        variance=np.full(len(bias), 4, dtype),
        signs=signs,
    )


def _signs(channels: int) -> Any:
    """1 or -1 per channel by the Thue-Morse sequence, which no shift and no period repeats."""
    return np.array([1 - 2 * (channel.bit_count() % 2) for channel in range(channels)])
