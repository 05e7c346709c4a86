"""The interface of shape functions: engines that say what the output's shape is before anything is
computed, and compute nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from conformance.adapters.adapter import Unsupported

Sizes = Sequence[int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operand:
    """The shape and dtype of an operand without its numbers; a size that is not told is None."""

    shape: tuple[int | None, ...]
    dtype: np.dtype[Any]

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def example(self) -> Example:
        """The operand with 1 for every size that is not told, for what depends on no such size."""
        sizes = tuple(1 if size is None else size for size in self.shape)
        return Example(shape=sizes, dtype=self.dtype)

    def zeros(self) -> Any:
        """An array of zeros that takes no memory and cannot be written to; what is not told is
        0.
        """
        sizes = [0 if size is None else size for size in self.shape]
        return np.broadcast_to(np.zeros((), self.dtype), sizes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example(Operand):
    """An operand all of whose sizes are numbers."""

    shape: tuple[int, ...]


class ShapeFunction:
    """An adapter that is asked for the output's shape alone.

    `unknown` says what of the input's shape it is not told: "batch", "space" or both.
    """

    quantities = ("shape",)
    unknown: tuple[str, ...] = ()

    def shape(
        self, x: Operand, kernel: Any, bias: Any | None, native: dict[str, Any], device: str
    ) -> Sizes | None:
        """The sizes that the framework says the output has, (N, C_out, *out), each a number or None
        where it does not say; None where it says nothing at all.

        kernel and bias are arrays of zeros that take no memory.
        """
        raise NotImplementedError

    def call(
        self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any], device: str
    ) -> Any:
        raise Unsupported("A shape function says the output's shape and computes no output.")
