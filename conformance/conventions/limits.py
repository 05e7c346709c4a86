"""What an engine's operator cannot say of the convention that it speaks: sentences that cite its
documentation.

Pure, so that the adapter and the program of a case give one reason.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from conformance.conventions.arguments import Native


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A call without its numbers: native arguments, the number of items and of spatial axes, and
    the dtypes of its operands.
    """

    native: Native
    batch: int
    rank: int
    dtypes: Collection[str]


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


LIMITS: Mapping[str, Callable[[Asked], str | None]] = {
    "litert": _litert,
    "litert_gpu": _litert_gpu,
}
"""By the template of an engine's program; what is not named here says all of its convention."""


def unsaid(template: str, asked: Asked) -> str | None:
    """Why the engine with this template cannot be asked for the call; None where it can."""
    limit = LIMITS.get(template)
    return None if limit is None else limit(asked)
