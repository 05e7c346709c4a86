"""JAX's programs: `lax.conv_transpose`, or `lax.conv_general_dilated` where there are groups; and
the bias added.
"""

from __future__ import annotations

from collections.abc import Sequence

from conformance.porting.code.spelling import Spoken, added, keywords
from conformance.porting.layouts import SPATIAL, Layout
from conformance.porting.recipes import Plan

IMPORTS: Sequence[str] = ("import jax", "import jax.numpy as jnp", "import numpy as np")


def spelled(spoken: Spoken) -> str:
    return _general(spoken) if spoken.general else _transpose(spoken)


def _transpose(spoken: Spoken) -> str:
    arguments = spoken.explicit_arguments | (
        {"dimension_numbers": list(spoken.numbers)} if spoken.numbers else {}
    )
    if set(arguments["rhs_dilation"]) == {1}:
        del arguments["rhs_dilation"]
    return f"jax.lax.conv_transpose(x, w{keywords(arguments, whole=tuple(arguments))})"


def _general(spoken: Spoken) -> str:
    """Nothing but the groups is left out where it is a default: the call is seldom written."""
    others, rank = spoken.explicit_arguments, spoken.geometry.rank
    for key in ("transpose_kernel", "use_consistent_padding", "strides"):
        others.pop(key, None)
    arguments = {
        "padding": others.pop("padding"),
        "lhs_dilation": spoken.native["strides"],
        **others,
    }
    arguments["dimension_numbers"] = list(
        spoken.numbers or (f"N{SPATIAL[rank]}C", f"{SPATIAL[rank]}IO", f"N{SPATIAL[rank]}C")
    )
    spelled_keywords = keywords(arguments, whole=tuple(arguments))
    return f"jax.lax.conv_general_dilated(x, w, {(1,) * rank}{spelled_keywords})"


def body(call: str, plan: Plan, layout: Layout, bias: bool) -> list[str]:
    last = layout.y[-1] == "C"
    reached = "bias" if last else f"jnp.asarray(bias).reshape(-1{', 1' * len(plan.pad)})"
    conversion = "x, w = jnp.asarray(x), jnp.asarray(convert(weight))"
    return [conversion, *added(call, plan, layout, pad="jnp.pad", bias=reached if bias else None)]
