"""What an engine's operator cannot say of the convention that it speaks: sentences that cite its
documentation.

Pure, so that the adapter and the program of a case give one reason.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from conformance.conventions.arguments import Native


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A call without its numbers: native arguments, the kernel's shape (C_in, C_out / groups,
    *kernel), how many numbers the bias has, and the dtypes of the operands.
    """

    native: Native
    kernel: Sequence[int]
    bias: int | None
    dtypes: Collection[str]

    @property
    def rank(self) -> int:
        """The number of spatial axes."""
        return len(self.kernel) - 2


def _litert(asked: Asked) -> str | None:
    native = asked.native
    if asked.rank == 1:
        return "TRANSPOSE_CONV has two spatial axes and CONV_3D_TRANSPOSE three (tfl_ops.td)."
    if not isinstance(native["padding"], str):
        return "The operator's padding is SAME or VALID, not numbers (schema.fbs, Padding)."
    if native["groups"] != 1:
        return "The operator has no field for groups (schema.fbs, TransposeConvOptions)."
    if asked.rank == 2 and set(native["dilations"]) != {1}:
        return "TRANSPOSE_CONV has no field for dilation (schema.fbs, TransposeConvOptions)."
    if set(asked.dtypes) != {"float32"}:
        return (
            "TRANSPOSE_CONV and CONV_3D_TRANSPOSE compute in float32 or quantised integers "
            "(tfl_ops.td)."
        )
    return None


def _litert_gpu(asked: Asked) -> str | None:
    if asked.rank == 3:
        return (
            "The GPU accelerator has no CONV_3D_TRANSPOSE (model_builder.cc, NewOperationParser)."
        )
    return _litert(asked)


def _ncnn(asked: Asked) -> str | None:
    if set(asked.dtypes) != {"float32"}:
        return "A blob and a model's weights are given in float32 (ncnn, Net::load_model)."
    native, groups = asked.native, asked.native["group"]
    if groups < 1 or asked.kernel[0] % groups:
        return (
            f"Weights lie group by group, and {asked.kernel[0]} channels make no {groups} groups."
        )
    if asked.bias not in (None, asked.kernel[1] * groups):
        return "The bias has num_output numbers, and no count of its own (operators.md)."
    if list(native.get("kernel_shape", asked.kernel[2:])) != list(asked.kernel[2:]):
        return "kernel_w and kernel_h are the kernel's only sizes (operators.md)."
    if "pads" in native and native.get("auto_pad", "NOTSET") != "NOTSET":
        return "pad_left and its likes say either pads or SAME_UPPER or SAME_LOWER (operators.md)."
    return None


def _mlx(asked: Asked) -> str | None:
    native, groups = asked.native, asked.native["groups"]
    if "output_size" in native:
        return "conv_transpose has no argument output_size (docstring of mlx.core)."
    if groups != 1 and asked.rank > 1:
        return '"Only the default groups=1 is currently supported" (docstring of mlx.core).'
    if groups < 1 or asked.kernel[0] % groups:
        return f"The last axis of the weights is C_in / groups, {asked.kernel[0]} / {groups} here."
    if "float64" in asked.dtypes:
        return "Convolutions on the CPU have no float64 (mlx/backend/cpu/conv.cpp)."
    return None


LIMITS: Mapping[str, Callable[[Asked], str | None]] = {
    "litert": _litert,
    "litert_gpu": _litert_gpu,
    "ncnn": _ncnn,
    "mlx": _mlx,
}
"""By the template of an engine's program; what is not named here says all of its convention."""


def unsaid(template: str, asked: Asked) -> str | None:
    """Why the engine with this template cannot be asked for the call; None where it can."""
    limit = LIMITS.get(template)
    return None if limit is None else limit(asked)
