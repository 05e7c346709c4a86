"""Where a result is wrong, if it is wrong in some slices alone: "samples from 4 on", "output
positions from 2049 on on axis 0".
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from conformance.geometry import Axis, Geometry
from conformance.verdicts.diagnosis.slices import Slicing, chosen, result_slicings

LEAST_FILLED = 0.5
"""The part of a region's elements that must be wrong for it to be told."""

LEAST_ROUNDED = 0.15
"""Likewise where positions are rounded: to an even number, a half of them stays where it was."""

WHOLE_NUMBERS = {"bfloat16": 2**8, "float16": 2**11, "float32": 2**24}
"""The largest number up to which a format holds every whole one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """Elements (N, C_out, *out) of a result, in words, and which part of them is wrong."""

    mask: NDArray[np.bool_]
    text: str
    filled: float


def region_of(wrong: NDArray[np.bool_], geometry: Geometry) -> Region | None:
    """The smallest region of slices that has every wrong element (N, C_out, *out); None where that
    is everything.
    """
    if not wrong.any() or wrong.all():
        return None
    single = [region for _, region in _regions(wrong, geometry)]
    if not single:
        return None
    best = max(single, key=lambda region: region.filled)
    for one, other in itertools.combinations(single[:12], 2):
        both = one.mask & other.mask
        filled = float(wrong.sum() / both.sum())
        if filled > 1.5 * best.filled:
            best = Region(mask=both, text=f"{one.text} and {other.text}", filled=filled)
    return best


def _regions(wrong: NDArray[np.bool_], geometry: Geometry) -> Iterator[tuple[Slicing, Region]]:
    """The region of every slicing that has slices without a wrong element, the fullest first."""
    regions = []
    for slicing in result_slicings(geometry, wrong.shape):
        others = tuple(axis for axis in range(wrong.ndim) if axis != slicing.axis)
        touched = np.zeros(slicing.count, bool)
        touched[slicing.of[wrong.any(axis=others)]] = True
        if touched.all():
            continue
        mask = np.broadcast_to(slicing.spread(touched * 1.0, wrong.ndim) > 0, wrong.shape)
        text = chosen(touched, slicing.noun) + slicing.where
        regions.append(
            (slicing, Region(mask=mask, text=text, filled=float(wrong.sum() / mask.sum())))
        )
    yield from sorted(regions, key=lambda entry: -entry[1].filled)


def rounded_positions(wrong: NDArray[np.bool_], geometry: Geometry) -> str | None:
    """The sentence that positions are computed in a format of few bits, if the result is right as
    far as it holds whole numbers and wrong in many places beyond.
    """
    for number, axis in enumerate(geometry.axes):
        others = tuple(other for other in range(wrong.ndim) if other != number + 2)
        at = np.flatnonzero(wrong.any(axis=others))
        if not at.size:
            return None
        first = int(at[0])
        if wrong.take(range(first, wrong.shape[number + 2]), number + 2).mean() < LEAST_ROUNDED:
            continue
        for format, limit in WHOLE_NUMBERS.items():
            if _is_near(first, axis, limit):
                where = f" of axis {number}" if geometry.rank > 1 else ""
                return (
                    f"the result is right up to position {first - 1}{where}: positions are "
                    f"computed in {format}, which holds whole numbers up to {limit}"
                )
    return None


def _is_near(position: int, axis: Axis, limit: int) -> bool:
    """Whether an output position is where some count of positions passes the limit: its own, that
    in the full output, or that of an input.
    """
    inputs = (position + axis.crop_low) / axis.stride
    reach = axis.extent + axis.stride
    return any(
        abs(count - limit) <= allowed
        for count, allowed in (
            (position, reach),
            (position + axis.crop_low, reach),
            (inputs, reach / axis.stride + 1),
        )
    )
