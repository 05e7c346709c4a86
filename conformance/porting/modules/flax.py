"""A layer as an `nnx.Module`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conformance.porting.code import flax, jax
from conformance.porting.code.spelling import added, padded, sliced
from conformance.porting.modules.part import Part

IMPORTS: Sequence[str] = (
    "import jax",
    "import jax.numpy as jnp",
    "import numpy as np",
    "from flax import nnx",
)


def definition(part: Part) -> Iterator[str]:
    """The class of a layer: Flax' own inside, or JAX' function where there are groups."""
    yield f"class {part.class_name}(nnx.Module):"
    yield f"    {part.summary}"
    yield from ("", "    def __init__(self, rngs):")
    yield from _of_function(part) if part.plan.target == "jax" else _of_layer(part)
    yield "        return self"


def _of_layer(part: Part) -> Iterator[str]:
    call = flax.spelled(part.spoken).replace("rngs=nnx.Rngs(0)", "rngs=rngs")
    yield from (f"        self.conv = {call}", "", "    def __call__(self, x):")
    layout = part.kernel_layout
    yield from (f"        {line}" for line in padded(part.plan.pad, layout.x, "jnp.pad"))
    yield f"        return self.conv(x){sliced(part.plan.cut, layout.y)}"
    yield from ("", f"    def load(self, {part.parameters}):")
    yield f"        self.conv.kernel.set_value(jnp.asarray({part.kernel_expression}))"
    if part.bias:
        yield "        self.conv.bias.set_value(jnp.asarray(array(held, bias)))"


def _of_function(part: Part) -> Iterator[str]:
    start = f"nnx.initializers.lecun_normal()(rngs.params(), {part.own_kernel_shape})"
    yield f"        self.kernel = nnx.Param({start})"
    if part.bias:
        yield f"        self.bias = nnx.Param(jnp.zeros({part.channels.c_out}))"
    yield from ("", "    def __call__(self, x):", "        w = self.kernel[...]")
    bias = "self.bias[...]" if part.bias else None
    call, layout = jax.spelled(part.spoken), part.kernel_layout
    yield from (
        f"        {line}" for line in added(call, part.plan, layout, pad="jnp.pad", bias=bias)
    )
    yield from ("", f"    def load(self, {part.parameters}):")
    yield f"        self.kernel.set_value(jnp.asarray({part.kernel_expression}))"
    if part.bias:
        yield "        self.bias.set_value(jnp.asarray(array(held, bias)))"


def container(parts: Sequence[Part]) -> Iterator[str]:
    """The class that has every layer by its name."""
    yield from ("class Layers(nnx.Module):", "    def __init__(self, rngs=nnx.Rngs(0)):")
    yield from (f"        self.{part.name} = {part.class_name}(rngs)" for part in parts)


def made(part: Part) -> str:
    """The expression of a layer that is new."""
    return f"{part.class_name}(nnx.Rngs(0))"
