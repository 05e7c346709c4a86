"""The arguments of one case, and the window that they give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import prod
from typing import Any

from conformance import conventions
from conformance.conventions import Unrepresentable
from conformance.geometry import Geometry, from_padding

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """The arguments of one case."""

    kernel: Sequence[int]
    stride: Sequence[int]
    dilation: Sequence[int]
    size: Sequence[int]
    padding: Sequence[Pair]
    output_padding: Sequence[int]
    batch: int
    channels: int
    outputs: int
    groups: int
    values: str
    dtype: str = "float32"
    is_far: bool = False

    @property
    def extent(self) -> list[int]:
        return [d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation, strict=True)]

    @property
    def products(self) -> int:
        return (
            self.batch
            * self.channels
            * self.outputs
            // self.groups
            * prod(self.size)
            * prod(self.kernel)
        )

    def atoms(self) -> set[tuple[Any, ...]]:
        """The pairs of numbers that single axes have, which levels leave open."""
        atoms: set[tuple[Any, ...]] = set()
        columns = (
            self.size,
            self.kernel,
            self.stride,
            self.dilation,
            self.padding,
            self.output_padding,
        )
        for n, k, s, d, (low, high), extra in zip(*columns, strict=True):
            numbers = {"n": n, "k": k, "s": s, "d": d, "low": low, "high": high, "q": extra}
            atoms |= set(combinations(numbers.items(), 2)) | {("sdq", s, d, extra)}
        return atoms


def geometry_of(drawn: Arguments) -> Geometry:
    return from_padding(
        size=drawn.size,
        kernel=drawn.kernel,
        stride=drawn.stride,
        padding=drawn.padding,
        output_padding=drawn.output_padding,
        dilation=drawn.dilation,
        groups=drawn.groups,
    )


def spoken(drawn: Arguments) -> bool:
    """Whether torch, whose kernels most compiled variants run, has a word for this window."""
    return not isinstance(conventions.get("torch").native(geometry_of(drawn)), Unrepresentable)


def speakers(drawn: Arguments) -> int:
    """How many conventions have a word for this window."""
    geometry = geometry_of(drawn)
    return sum(
        not isinstance(conventions.get(name).native(geometry), Unrepresentable)
        for name in conventions.NAMES
    )
