"""JAX's shape function, `jax.eval_shape`, of the same calls as the adapters of JAX."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.core
import jax.export

from conformance.adapters import Operand, ShapeFunction, Sizes, Unsupported
from conformance.adapters.jax import Jax, JaxGeneral


class JaxEvalShape(ShapeFunction):
    """One evaluation of the shape of `jax.lax.conv_transpose`, or, `general`, of
    `jax.lax.conv_general_dilated`; what is `unknown` is a symbol.
    """

    convention = "jax"

    def __init__(self, *, general: bool = False, unknown: tuple[str, ...] = ()) -> None:
        self._jax, self.unknown = JaxGeneral() if general else Jax(), unknown

    def versions(self) -> dict[str, str]:
        return self._jax.versions()

    def devices(self) -> list[str]:
        return ["cpu"]

    def shape(
        self, x: Operand, kernel: Any, bias: Any | None, native: dict[str, Any], device: str
    ) -> Sizes | None:
        call, (_, *others) = self._jax.call_of(x.example(), kernel, bias, native)
        return sizes_of(jax.eval_shape, call, jax.ShapeDtypeStruct(symbols_of(x), x.dtype), *others)


def symbols_of(x: Operand) -> Sequence[Any]:
    """The sizes of the input, a symbol for each that is not told."""
    if None not in x.shape:
        return x.shape
    names = ("n", "c", "d", "h", "w")
    words = [names[axis] if size is None else str(size) for axis, size in enumerate(x.shape)]
    symbols: Sequence[Any] = jax.export.symbolic_shape(", ".join(words))
    return symbols


def sizes_of(eval_shape: Callable[..., Any], call: Callable[..., Any], *operands: Any) -> Sizes:
    """The sizes that this evaluation says of the call: None for those with a symbol in them.

    Raises Unsupported where the symbols leave open whether there is an output.
    """
    try:
        sizes = eval_shape(call, *operands)
    except jax.core.InconclusiveDimensionOperation as error:
        raise Unsupported(
            "It says no shape where a size is above 0 for some symbols alone (documentation of "
            "jax.export, shape polymorphism: inconclusive comparisons)."
        ) from error
    return [size if isinstance(size, int) else None for size in sizes.shape]
