"""Slices of a result or an operand along one of its axes, and how a set of them is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from conformance.geometry import Geometry

MOST_LISTED = 8
"""Numbers that a list in a text has at most."""

GRIDS = (1, 8, 64, 10, 100)
"""What a factor is a multiple of, one over each: as near as rounding allows, it is taken for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slicing:
    """One way to cut a result (N, C_out, *out) into slices: `of` is which slice a position of
    `axis` is in, (length of the axis,).

    `key` is the plural that names are made of, `noun` the singular for texts, and `where` what
    stands behind it.
    """

    key: str
    noun: str
    axis: int
    of: NDArray[np.int_]
    where: str = ""

    @property
    def count(self) -> int:
        return int(self.of.max(initial=-1)) + 1

    def spread(self, values: NDArray[np.float64], rank: int) -> NDArray[np.float64]:
        """A value per slice in the shape that goes with a result of so many axes."""
        shape = [1] * rank
        shape[self.axis] = len(self.of)
        return values[self.of].reshape(shape)


def result_slicings(geometry: Geometry, shape: Sequence[int]) -> Iterator[Slicing]:
    """Every slicing of a result of this shape that has more than one slice, the coarsest first of
    each axis.
    """
    every = [*_of_samples_and_channels(geometry.groups, shape), *_of_axes(geometry, shape)]
    seen = set()
    for slicing in every:
        cut = (slicing.axis, slicing.of.tobytes())
        if slicing.count > 1 and cut not in seen:
            seen.add(cut)
            yield slicing


def _of_samples_and_channels(groups: int, shape: Sequence[int]) -> Iterator[Slicing]:
    batch, channels = shape[:2]
    per_group, numbers = max(channels // groups, 1), np.arange(channels)
    yield Slicing(key="samples", noun="sample", axis=0, of=np.arange(batch))
    yield Slicing(key="output-channels", noun="output channel", axis=1, of=numbers)
    yield Slicing(key="groups", noun="group", axis=1, of=numbers // per_group)
    yield Slicing(
        key="output-channels",
        noun="output channel",
        axis=1,
        of=numbers % per_group,
        where=" of each group",
    )


def _of_axes(geometry: Geometry, shape: Sequence[int]) -> Iterator[Slicing]:
    for number, axis in enumerate(geometry.axes):
        where = f" on axis {number}" if geometry.rank > 1 else ""
        positions = np.arange(shape[number + 2])
        yield Slicing(
            key="phases",
            noun="phase",
            axis=number + 2,
            of=(positions + axis.crop_low) % axis.stride,
            where=f"{where} (output position modulo stride)",
        )
        yield Slicing(
            key="output-positions",
            noun="output position",
            axis=number + 2,
            of=positions,
            where=where,
        )


def chosen(which: NDArray[np.bool_], noun: str) -> str:
    """The slices that are chosen, in words: "sample 3", "output channels 256 to 258", "output
    positions from 33 on".
    """
    numbers, count = np.flatnonzero(which), len(which)
    first, last = int(numbers[0]), int(numbers[-1])
    if len(numbers) == 1:
        name = "the last " if first == count - 1 > 0 else ""
        return f"{name}{noun} ({first})" if name else f"{noun} {first}"
    if len(numbers) == last - first + 1:
        if last == count - 1:
            return f"{noun}s from {first} on" if first else f"all {noun}s"
        return f"{noun}s up to {last}" if first == 0 else f"{noun}s {first} to {last}"
    if len(numbers) == count - 1:
        return f"all {noun}s but {int(np.flatnonzero(~which)[0])}"
    steps = np.diff(numbers)
    if len(numbers) > 2 and (steps == steps[0]).all():
        ordinal = {2: "second", 3: "third"}.get(int(steps[0]), f"{steps[0]}th")
        return f"every {ordinal} {noun} from {first} on"
    return f"{noun}s {listed(numbers)}"


def listed(numbers: Sequence[float] | NDArray[np.generic]) -> str:
    """The numbers with commas between, a few of many."""
    texts = [f"{float(number):.6g}" for number in numbers[:MOST_LISTED]]
    return ", ".join(texts) + (", ..." if len(numbers) > MOST_LISTED else "")


def factors_text(factors: NDArray[np.float64], noun: str, where: str) -> tuple[str, str]:
    """("left-out" or "scaled", the sentence) of factors by slice, which are not all alike."""
    others = factors != 1.0
    values = np.unique(factors[others])
    if len(values) == 1 and (others.sum() * 2 <= len(factors) or values[0] == 0):
        subject = chosen(others, noun) + where
        is_one = others.sum() == 1
        verb = "is" if is_one else "are"
        if values[0] == 0:
            return "left-out", f"{subject} {verb} left out"
        return "scaled", f"{subject} {verb} multiplied by {values[0]:.6g}"
    text = f"every {noun}{where} is multiplied by a factor of its own: {listed(factors)}"
    return "scaled", text


def snapped(factors: NDArray[np.float64], tolerance: float) -> NDArray[np.float64]:
    """The factors, but a simple fraction or a short decimal number where that is within the
    tolerance, relative to numbers above 1.
    """
    nearest = factors
    for grid in GRIDS:
        near = np.round(factors * grid) / grid
        is_near = np.abs(factors - near) <= min(tolerance, 0.1 / grid) * np.maximum(
            1.0, np.abs(near)
        )
        nearest = np.where((nearest == factors) & is_near, near, nearest)
    return nearest
