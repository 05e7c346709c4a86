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
    said = spoken.said | ({"dimension_numbers": list(spoken.numbers)} if spoken.numbers else {})
    if set(said["rhs_dilation"]) == {1}:
        del said["rhs_dilation"]
    return f"jax.lax.conv_transpose(x, w{keywords(said, whole=tuple(said))})"


def _general(spoken: Spoken) -> str:
    """Nothing but the groups is left out where it is a default: the call is seldom written."""
    rest, rank = spoken.said, spoken.geometry.rank
    for key in ("transpose_kernel", "use_consistent_padding", "strides"):
        rest.pop(key, None)
    said = {"padding": rest.pop("padding"), "lhs_dilation": spoken.native["strides"], **rest}
    said["dimension_numbers"] = list(
        spoken.numbers or (f"N{SPATIAL[rank]}C", f"{SPATIAL[rank]}IO", f"N{SPATIAL[rank]}C")
    )
    return f"jax.lax.conv_general_dilated(x, w, {(1,) * rank}{keywords(said, whole=tuple(said))})"


def body(call: str, plan: Plan, layout: Layout, bias: bool) -> list[str]:
    last = layout.y[-1] == "C"
    reached = "bias" if last else f"jnp.asarray(bias).reshape(-1{', 1' * len(plan.pad)})"
    made = "x, w = jnp.asarray(x), jnp.asarray(convert(weight))"
    return [made, *added(call, plan, layout, pad="jnp.pad", bias=reached if bias else None)]
