"""The calls for a framework."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

from conformance import conventions
from conformance.conventions import Unrepresentable
from conformance.geometry import Geometry
from sweeping.calls import Call
from sweeping.draws import random_geometry, random_native
from sweeping.spellings import spellings


def equal_geometries(geometry: Geometry) -> Iterator[Geometry]:
    """Windows of the same numbers: a size of 1 does not see its stride, a kernel of 1 not its
    dilation.
    """
    for stride, dilation in itertools.product([None, *range(1, 7)], [None, 1, 2, 3, 4]):
        axes = tuple(
            replace(
                axis,
                stride=stride if stride and axis.size == 1 else axis.stride,
                dilation=dilation if dilation and axis.kernel == 1 else axis.dilation,
            )
            for axis in geometry.axes
        )
        if axes != geometry.axes:
            yield replace(geometry, axes=axes)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnrepresentableWindow:
    """A window that the convention calls Unrepresentable: how many spellings there are in the
    ranges, and how many are tried.
    """

    total: int
    tried: int


def calls(name: str, count: int, seed: int) -> Iterator[Call | UnrepresentableWindow]:
    """The calls for a framework of that convention; an UnrepresentableWindow comes before the calls
    that must be refused.
    """
    rng, convention = random.Random(f"{seed} {name}"), conventions.get(name)
    for _ in range(count):
        native, geometry = random_native(name, rng)
        yield Call(part="native", native=native, geometry=geometry, seed=rng.randrange(2**32))
    for _ in range(count):
        geometry = random_geometry(name, rng)
        canonical = convention.native(geometry)
        if not isinstance(canonical, Unrepresentable):
            yield Call(
                part="canonical", native=canonical, geometry=geometry, seed=rng.randrange(2**32)
            )
            continue
        others, total = spellings(name, geometry, rng)
        yield UnrepresentableWindow(total=total, tried=len(others))
        for native in others:
            yield Call(part="other", native=native, geometry=geometry, seed=rng.randrange(2**32))
        for same in equal_geometries(geometry):
            again = convention.native(same)
            if not isinstance(again, Unrepresentable):
                yield Call(part="equal", native=again, geometry=same, seed=rng.randrange(2**32))
                break
