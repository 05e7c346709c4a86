"""The truth of a call that is too large for all of it: of chosen elements, each a short exact sum,
and of a projection in which every element has a part.

The projection is R. Freivalds's check of a product (IFIP Congress 1977) for a transposed
convolution: with weights r over the samples and s over the output channels,

    sum_no r_n s_o y[n, o] = conv_transpose(sum_n r_n x[n], sum_o s_o w[:, o])

has one sample and one channel, so it costs as much less as there are of both, and an element that
is wrong anywhere changes it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from conformance.corpus.case import Shape
from conformance.corpus.tensors import Array
from conformance.geometry import Axis, Geometry
from conformance.oracle.bound import LAMBDA, rounding_bound
from conformance.oracle.reference import Float64, transpose_into_window

TILES = (16, 32, 64, 128)
"""Sizes in which kernels cut their work: what goes wrong at their edges is looked for there."""
AT_AN_EDGE = 24
"""Elements at every coordinate that is looked at."""
AT_RANDOM = 30_000
ENDS = 64
"""Elements at both ends of the output's memory."""
MOST_OF_A_BORDER = 12
UNLIKELY = 0.01

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is wrong in a call of which a part was looked at; None where nothing is. `looked` says
    at how much, and what could escape.
    """

    text: str | None
    looked: str
    over_bound: float


def find(
    x: Array, kernel: Array, bias: Array | None, geometry: Geometry, y: Array, seed: int
) -> Finding:
    """What is wrong in y (N, C_out, *out), the result of x (N, C_in, *size) and kernel (C_in, C_out
    / groups, *kernel), all float32 or float64.
    """
    random = np.random.Generator(np.random.SFC64(seed))
    chosen = elements(y.shape, geometry, random)
    want, magnitude, terms = sums(x, kernel, bias, geometry, chosen)
    got = y[tuple(chosen.T)].astype(np.float64)
    dtype = y.dtype.name
    before = want if bias is None else want - bias.astype(np.float64)[chosen[:, 1]]
    rounded = (want,) if bias is None else (want, before)
    allowed = rounding_bound(dtype, terms, magnitude, rounded)
    with np.errstate(invalid="ignore"):
        wrong = ~(np.abs(got - want) <= allowed)
        ratios = np.abs(got - want) / allowed
    looked = (
        f"{len(chosen):,} elements exactly, {AT_RANDOM:,} of them at random: what is wrong in one "
        f"of {one_of():,} elements escapes these with a chance of {UNLIKELY:.0%}; and every "
        "element in a random projection"
    )
    if wrong.any():
        at = tuple(int(i) for i in chosen[wrong][0])
        text: str | None = (
            f"out{list(at)}={got[wrong][0]:.9g}, should be {want[wrong][0]:.9g}; "
            f"{int(wrong.sum()):,} of {len(chosen):,} elements that were looked at differ"
            f"{_where(chosen[wrong], y.shape)}"
        )
    else:
        text = _projected(x, kernel, bias, geometry, y, random)
    return Finding(text=text, looked=looked, over_bound=float(np.nanmax(ratios, initial=0.0)))


def one_of() -> int:
    """One wrong element of how many escapes the random ones with a small chance."""
    return int(AT_RANDOM / -math.log(UNLIKELY))


def elements(shape: Shape, geometry: Geometry, random: np.random.Generator) -> Indices:
    """Indices (count, axes) into an output: corners, borders, phases, edges of tiles, ends of the
    memory, and at random.
    """
    anywhere = np.stack([random.integers(n, size=AT_RANDOM) for n in shape], axis=1)
    parts = [anywhere, _corners(shape, random)]
    for axis, size in enumerate(shape):
        spatial = geometry.axes[axis - 2] if axis > 1 else None
        for coordinate in sorted(_coordinates(size, spatial, random)):
            part = np.stack([random.integers(n, size=AT_AN_EDGE) for n in shape], axis=1)
            part[:, axis] = coordinate
            parts.append(part)
    total = math.prod(shape)
    flat = {*range(min(ENDS, total)), *range(max(0, total - ENDS), total)}
    for tile in (1024, 4096):
        for number in random.integers(1, max(total // tile, 2), size=AT_AN_EDGE):
            flat |= {n for n in (int(number) * tile - 1, int(number) * tile) if n < total}
    parts.append(np.stack(np.unravel_index(sorted(flat), shape), axis=1))
    return np.concatenate(parts).astype(np.int64)


def _corners(shape: Shape, random: np.random.Generator) -> Indices:
    corners = np.array([*itertools.product(*((0, n - 1) for n in shape[2:]))])
    each = np.repeat(corners, AT_AN_EDGE, axis=0)
    start = np.stack([random.integers(n, size=len(each)) for n in shape[:2]], axis=1)
    return np.concatenate([start, each], axis=1)


def _coordinates(size: int, axis: Axis | None, random: np.random.Generator) -> set[int]:
    """Where on an axis something could go wrong: its borders with every phase, edges of tiles."""
    border = 2 if axis is None else min(axis.extent + axis.stride, MOST_OF_A_BORDER)
    coordinates = {*range(min(border, size)), *range(max(0, size - border), size)}
    for tile in TILES:
        count = size // tile
        if not count:
            continue
        for number in {1, count, *(int(n) for n in random.integers(1, count + 1, size=2))}:
            coordinates |= {n for n in (number * tile - 1, number * tile) if 0 <= n < size}
    return coordinates


def sums(
    x: Array, kernel: Array, bias: Array | None, geometry: Geometry, chosen: Indices
) -> tuple[Float64, Float64, Float64]:
    """(y, B, terms) of chosen elements: each the sum over its taps, and that of magnitudes."""
    inside = kernel.shape[0] // geometry.groups
    outside = kernel.shape[1]
    samples, channels = chosen[:, 0], chosen[:, 1]
    group = channels // outside
    y = np.zeros(len(chosen))
    magnitude, terms = np.zeros(len(chosen)), np.zeros(len(chosen))
    reading = group[:, None] * inside + np.arange(inside)
    weights = kernel.astype(np.float64)
    for tap, positions, reached in _taps(geometry, chosen[:, 2:]):
        if not reached.any():
            continue
        at = tuple(each[reached][:, None] for each in positions)
        numbers = x[(samples[reached][:, None], reading[reached], *at)].astype(np.float64)
        factors = weights[(reading[reached], (channels % outside)[reached][:, None], *tap)]
        products = numbers * factors
        y[reached] += products.sum(axis=1)
        magnitude[reached] += np.abs(products).sum(axis=1)
        terms[reached] += inside
    if bias is not None:
        added = bias.astype(np.float64)[channels]
        y, magnitude, terms = y + added, magnitude + abs(added), terms + 1
    return y, magnitude, terms


def _taps(
    geometry: Geometry, outputs: Indices
) -> Iterator[tuple[tuple[int, ...], list[Indices], NDArray[np.bool_]]]:
    """(tap, input positions per axis, which outputs it reaches), for every tap."""
    sources = [_sources(axis) for axis in geometry.axes]
    for tap in itertools.product(*(range(axis.kernel) for axis in geometry.axes)):
        positions = [
            source[number, output]
            for number, source, output in zip(tap, sources, outputs.T, strict=True)
        ]
        yield tap, positions, np.all([position >= 0 for position in positions], axis=0)


def _sources(axis: Axis) -> Indices:
    """The input position that each tap (rows) moves to each output position, -1 where none."""
    sources = np.full((axis.kernel, axis.out), -1, np.int64)
    for tap, positions, outputs in axis.taps():
        sources[tap, outputs.start : outputs.stop : outputs.step] = positions
    return sources


def _where(wrong: Indices, shape: Shape) -> str:
    """In which part of every axis all of them lie, where that is a part."""
    parts = []
    names = ["samples", "output channels", *(f"axis {n}" for n in range(len(shape) - 2))]
    for name, column, size in zip(names, wrong.T, shape, strict=True):
        low, high = int(column.min()), int(column.max())
        if high - low < size // 2:
            parts.append(f"{name} {low}" if low == high else f"{name} {low} to {high}")
    return f", all in {', '.join(parts)}" if parts else ""


def _projected(
    x: Array,
    kernel: Array,
    bias: Array | None,
    geometry: Geometry,
    y: Array,
    random: np.random.Generator,
) -> str | None:
    """What is wrong in the projection; None where it is within its bound.

    The bound of an element is mostly that of the others too, and errors have signs of their own: a
    weighted sum of n of them is allowed lambda times their sum over the root of n.
    """
    of_samples = _weights(y.shape[0], random)
    of_channels = _weights(y.shape[1], random)
    got = _combined(y, of_samples, of_channels)
    groups = geometry.groups
    by_group = of_channels.reshape(groups, -1)
    w = kernel.astype(np.float64).reshape(groups, -1, *kernel.shape[1:])
    one = np.einsum("gco...,go->gc...", w, by_group).reshape(-1, 1, *kernel.shape[2:])
    whole = np.abs(w).sum(axis=2).reshape(-1, 1, *kernel.shape[2:])
    together = Geometry(axes=geometry.axes)
    combined, all_of_it = _samples(x, of_samples)
    want = transpose_into_window(combined, one, None, together)[0, 0]
    magnitude = transpose_into_window(all_of_it, whole, None, together)[0, 0]
    if bias is not None:
        want = want + of_samples.sum() * (of_channels * bias.astype(np.float64)).sum()
        magnitude = magnitude + y.shape[0] * float(abs(bias.astype(np.float64)).sum())
    terms = np.full(want.shape, float(kernel.shape[0] // groups * math.prod(kernel.shape[2:]) + 1))
    largest = rounding_bound(y.dtype.name, terms, magnitude, (magnitude,))
    allowed = LAMBDA * largest / math.sqrt(y.shape[0] * y.shape[1])
    with np.errstate(invalid="ignore"):
        wrong = ~(np.abs(got - want) <= allowed)
    if not wrong.any():
        return None
    at = [int(i) for i in np.argwhere(wrong)[0]]
    return (
        f"no element that was looked at alone, but a projection of all samples and channels at "
        f"{int(wrong.sum()):,} of {wrong.size:,} positions, the first at {at}"
    )


def _weights(count: int, random: np.random.Generator) -> Float64:
    """Of magnitudes that differ, so that two elements exchanged do not cancel."""
    return np.asarray(random.uniform(0.5, 1.5, count) * random.choice([-1.0, 1.0], count))


def _combined(y: Array, of_samples: Float64, of_channels: Float64) -> Float64:
    total = np.zeros(y.shape[2:])
    for sample, r in zip(y, of_samples, strict=True):
        for channel, s in zip(sample, of_channels, strict=True):
            total += channel * np.float64(r * s)
    return total


def _samples(x: Array, factors: Sequence[float] | Float64) -> tuple[Float64, Float64]:
    """The weighted sum of all samples, and the sum of their magnitudes, each (1, C_in, *size)."""
    combined, whole = np.zeros(x.shape[1:]), np.zeros(x.shape[1:])
    for sample, factor in zip(x, factors, strict=True):
        for channel, of_one, of_all in zip(sample, combined, whole, strict=True):
            of_one += channel * np.float64(factor)
            of_all += np.abs(channel)
    return combined[None], whole[None]
