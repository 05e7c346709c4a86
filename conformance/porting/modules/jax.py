"""A layer as a function of its parameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conformance.porting.code.jax import spelled
from conformance.porting.code.spelling import added
from conformance.porting.modules.part import Part

IMPORTS: Sequence[str] = ("import jax", "import jax.numpy as jnp", "import numpy as np")


def definition(part: Part) -> Iterator[str]:
    """The function of a layer, and the class that loads its parameters."""
    yield f"def {part.name}(params, x):"
    yield f"    {part.summary}"
    yield '    w = params["kernel"]'
    bias = 'params["bias"]' if part.bias else None
    for line in added(
        spelled(part.spoken), part.plan, part.kernel_layout, pad="jnp.pad", bias=bias
    ):
        yield f"    {line}"
    yield from ("", "", f"def load_{part.name}({part.parameters}):")
    bias_item = ', "bias": jnp.asarray(array(held, bias))' if part.bias else ""
    yield f'    return {{"kernel": jnp.asarray({part.kernel_expression}){bias_item}}}'
