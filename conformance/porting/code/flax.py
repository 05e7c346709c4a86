"""Flax' programs: an `nnx.ConvTranspose` with its weights set."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.porting.code.spelling import Spoken, keywords, padded, sliced
from conformance.porting.layouts import Layout
from conformance.porting.recipes import Plan

IMPORTS: Sequence[str] = ("import jax.numpy as jnp", "import numpy as np", "from flax import nnx")


def spelled(spoken: Spoken) -> str:
    arguments = spoken.explicit_arguments | ({} if spoken.bias else {"use_bias": False})
    if spoken.linen:
        sizes = f"{spoken.c_out}, {spoken.geometry.kernel}"
        return f"nn.ConvTranspose({sizes}{keywords(arguments, whole=tuple(arguments))})"
    sizes = f"{spoken.c_in}, {spoken.c_out}, {spoken.geometry.kernel}"
    return f"nnx.ConvTranspose({sizes}{keywords(arguments, whole=('padding',))}, rngs=nnx.Rngs(0))"


def body(call: str, plan: Plan, layout: Layout, bias: bool) -> list[str]:
    if call.startswith("nn."):
        return _linen(call, bias)
    lines = [f"layer = {call}", "layer.kernel.set_value(jnp.asarray(convert(weight)))"]
    lines += ["layer.bias.set_value(jnp.asarray(bias))"] if bias else []
    return [
        *lines,
        "x = jnp.asarray(x)",
        *padded(plan.pad, layout.x, "jnp.pad"),
        f"return layer(x){sliced(plan.cut, layout.y)}",
    ]


def _linen(call: str, bias: bool) -> list[str]:
    """Linen's layer, which is only ever the source: it keeps its weights outside."""
    arrays = '"kernel": convert(weight)' + (', "bias": bias' if bias else "")
    return [
        "from flax import linen as nn",
        "",
        f"return {call}.apply({{'params': {{{arrays}}}}}, jnp.asarray(x))".replace("'", '"'),
    ]
