"""Native arguments <-> geometry, one module per framework; no framework is imported.

Each module has a table `ARGUMENTS` and two functions:

    geometry(native, *, size, kernel) -> Geometry
    native(geometry) -> Native | Unrepresentable

`geometry(native(g)) == g` wherever g is representable. Neither judges: what makes no sense is
translated like anything else, so that a framework can be seen to refuse it. Only arguments that
contradict the kernel stand for no window at all, and raise ArgumentError. This is the only place,
with `geometry`, that does padding arithmetic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Protocol, cast

from conformance.conventions.arguments import Argument, Native, Unrepresentable, normalise
from conformance.geometry import Geometry

NAMES = ("torch", "keras", "tensorflow", "jax", "flax", "onnx")


class Convention(Protocol):
    """The interface of a module of this package."""

    ARGUMENTS: Mapping[str, Argument]

    def geometry(
        self, native: Native, *, size: Sequence[int], kernel: Sequence[int]
    ) -> Geometry: ...

    def native(self, geometry: Geometry) -> Native | Unrepresentable: ...


def get(name: str) -> Convention:
    """The convention of that name; KeyError if there is none."""
    if name not in NAMES:
        raise KeyError(name)
    return cast(Convention, import_module(f"conformance.conventions.{name}"))


def normal_form(name: str, native: Mapping[str, Any], rank: int) -> Native:
    """Native arguments checked, one per spatial axis, defaults filled in; raises ArgumentError."""
    return normalise(get(name).ARGUMENTS, native, rank)
