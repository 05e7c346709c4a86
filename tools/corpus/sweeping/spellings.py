"""Calls that are predicted to take one window."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Sequence

from conformance import conventions
from conformance.conventions import Native, normal_form
from conformance.geometry import Axis, Geometry
from sweeping.ways import WAYS
from sweeping.words import DILATION, GROUPS, STRIDE

MOST_SPELLINGS = 48
"""The most other spellings of one window in one way to say padding that are tried; of more, those
nearest to legal."""


def spellings(name: str, geometry: Geometry, rng: random.Random) -> tuple[list[Native], int]:
    """Calls in normal form that are predicted to take this window, legal or not, and how many there
    were to choose from.

    Axis by axis, so that nothing is missed in the ranges of `WAYS`; what the axes have in common
    (the word for the padding) is chosen once for all.
    """
    common: Native = {
        STRIDE.get(name, "strides"): list(geometry.stride),
        DILATION.get(name, "dilations"): list(geometry.dilation),
        **({GROUPS[name]: geometry.groups} if name in GROUPS else {}),
    }
    convention, candidates, total = conventions.get(name), [], 0
    for shared, options in WAYS[name]():
        per_axis = [
            [way for way in options(axis) if _takes(name, {**shared, **_joined([way])}, axis)]
            for axis in geometry.axes
        ]
        total += math.prod(map(len, per_axis))
        candidates += [
            normal_form(name, {**common, **shared, **_joined(ways)}, geometry.rank)
            for ways in _nearest(per_axis, geometry.axes, rng)
        ]
    exact = [
        n
        for n in candidates
        if convention.geometry(n, size=geometry.size, kernel=geometry.kernel) == geometry
    ]
    if len(exact) < len(candidates):  # groups are the one thing that axes do not have
        assert name not in GROUPS
        total = 0
    return exact, total


def _nearest(
    per_axis: list[list[Native]], axes: Sequence[Axis], rng: random.Random
) -> list[tuple[Native, ...]]:
    """All combinations of the axes' ways, or of too many those with the fewest strange numbers, and
    some others.
    """

    def strangeness(ways: tuple[Native, ...]) -> tuple[int, float]:
        strange = 0
        for way, axis in zip(ways, axes, strict=True):
            numbers = [
                n for value in way.values() for n in (value if isinstance(value, list) else [value])
            ]
            strange += sum(n < 0 for n in numbers) + (
                way.get("output_padding", 0) >= max(axis.stride, axis.dilation)
            )
        return strange, rng.random()

    ordered = sorted(itertools.product(*per_axis), key=strangeness)
    if len(ordered) <= MOST_SPELLINGS:
        return ordered
    first = MOST_SPELLINGS * 3 // 4
    return ordered[:first] + rng.sample(ordered[first:], MOST_SPELLINGS - first)


def _takes(name: str, arguments: Native, axis: Axis) -> bool:
    """Whether the arguments of one axis are predicted to take its window."""
    plain = {
        STRIDE.get(name, "strides"): axis.stride,
        DILATION.get(name, "dilations"): axis.dilation,
    }
    native = normal_form(name, {**plain, **arguments}, 1)
    return conventions.get(name).geometry(native, size=[axis.size], kernel=[axis.kernel]).axes == (
        axis,
    )


def _joined(ways: Sequence[Native]) -> Native:
    """Arguments of single axes as the arguments of all: lists, and ONNX's pads with all begins
    first.
    """
    joined: Native = {key: [way[key] for way in ways] for key in ways[0] if key != "pads"}
    if "pads" in ways[0]:
        joined["pads"] = [way["pads"][0] for way in ways] + [way["pads"][1] for way in ways]
    return joined
