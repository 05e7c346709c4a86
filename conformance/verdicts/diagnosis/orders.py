"""Results that are right but in another order: axes exchanged, mirrored, or slices permuted."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from conformance.oracle.reference import Float64
from conformance.verdicts.diagnosis.factors import Reading
from conformance.verdicts.diagnosis.fit import matching_elements
from conformance.verdicts.diagnosis.mistake import Call, Mistake
from conformance.verdicts.diagnosis.slices import listed

MOST_SLICES = 256
"""Samples, channels or positions that are looked for in another order."""

MOST_PHASES = 16

FEWEST_DISTINCT = 2


def axes_of(rank: int) -> list[str]:
    """The names of a result's axes."""
    return ["batch", "channels", *(f"axis {number}" for number in range(rank))]


def exchanged_axes(y: Float64, shape: Sequence[int]) -> Iterator[Mistake]:
    """The result y (N, C_out, *out) with its axes in another order, of this shape; or read so in
    its memory, or mirrored on some spatial axes.
    """
    names = axes_of(y.ndim - 2)
    for order in itertools.permutations(range(y.ndim)):
        if order == tuple(range(y.ndim)):
            continue
        turned = y.transpose(order)
        moved = [number for number, source in enumerate(order) if number != source]
        what = " and ".join(names[number] for number in moved)
        verb = "are exchanged" if len(moved) == 2 else f"are in the order {listed(order)}"
        if turned.shape == tuple(shape):
            yield Mistake(
                name="output-axes-exchanged", text=f"{what} of the result {verb}", y=turned
            )
        elif tuple(shape) == y.shape and _tells(y, moved):
            text = f"the result's memory is that of one whose {what} {verb}"
            yield Mistake(name="output-layout", text=text, y=turned.reshape(y.shape))
    if y.shape != tuple(shape):
        return
    spatial = range(2, y.ndim)
    for count in range(1, len(spatial) + 1):
        for axes in itertools.combinations(spatial, count):
            what = " and ".join(names[axis] for axis in axes)
            text = f"the result is mirrored on {what}" if y.ndim > 3 else "the result is mirrored"
            yield Mistake(name="output-mirrored", text=text, y=np.flip(y, axes))


def _tells(y: Float64, moved: Sequence[int]) -> bool:
    return len([axis for axis in moved if y.shape[axis] > 1]) > 1


def permuted_slices(reading: Reading, dtype: str, limit: float) -> Iterator[Mistake]:
    """Samples, output channels or positions of the right result that are found elsewhere in this
    one; channels with the bias or before it.
    """
    call, y, got, bias = reading.call, reading.y, reading.got, reading.bias
    names = [
        ("samples-permuted", "the samples of the result"),
        ("output-channels-permuted", "the output channels"),
        *(
            ("output-positions-permuted", f"the output positions on axis {number}")
            for number in range(call.geometry.rank)
        ),
    ]
    for axis, (name, what) in enumerate(names):
        offsets = (np.zeros(1), bias) if axis == 1 and bias.any() else (np.zeros(1),)
        for offset in offsets:
            order = order_of(y - offset, got - offset, axis, dtype, limit)
            if order is None:
                continue
            text = f"{what} are {order_text(order)}"
            if offset is bias:
                text += ", before the bias"
            yield Mistake(name=name, text=text, y=np.take(y - offset, order, axis) + offset)


def permuted_phases(call: Call, got: Float64) -> Iterator[Mistake]:
    """The phases of a stride in another order: every so-manieth output position has what belongs a
    few before or after it.
    """
    for number, axis in enumerate(call.geometry.axes):
        stride, count = axis.stride, got.shape[number + 2]
        if not 1 < stride <= MOST_PHASES or count < stride:
            continue
        wide = call.with_axes(
            lambda n, a, number=number, margin=stride - 1: (  # type: ignore[misc]
                replace(a, crop_low=a.crop_low - margin, crop_high=a.crop_high - margin)
                if n == number
                else a
            )
        ).output()
        assert wide is not None
        rows, of_got = np.moveaxis(wide, number + 2, 0), np.moveaxis(got, number + 2, 0)
        reordered, moves = np.empty_like(of_got), []
        for phase in range(stride):
            of_phase = of_got[phase::stride]
            for move in sorted(range(-phase, stride - phase), key=abs):
                source = rows[phase + move + stride - 1 :: stride][: len(of_phase)]
                if np.allclose(of_phase, source, rtol=1e-2, atol=0.0, equal_nan=True):
                    reordered[phase::stride] = source
                    moves.append((axis.crop_low + phase, move))
                    break
        if len(moves) == stride and any(move for _, move in moves):
            order = [(at % stride, (at + move) % stride) for at, move in moves]
            where = f" on axis {number}" if call.geometry.rank > 1 else ""
            text = f"the phases of the stride{where} are in another order: "
            text += listed([other for _, other in sorted(order)])
            yield Mistake(
                name="phases-permuted", text=text, y=np.moveaxis(reordered, 0, number + 2)
            )


def order_text(order: list[int]) -> str:
    """The order of slices in words, behind "are"."""
    count = len(order)
    if order == list(range(count))[::-1]:
        return "reversed"
    if len(set(order)) == 1:
        return f"all that of {order[0]}"
    shift = (order[0] - 0) % count
    if order == [(number + shift) % count for number in range(count)]:
        return f"moved round by {count - shift}"
    is_permutation = sorted(set(order)) == list(range(count))
    return f"in {'another order' if is_permutation else 'part those of others'}: {listed(order)}"


def order_of(y: Float64, got: Float64, axis: int, dtype: str, limit: float) -> list[int] | None:
    """Which slice of y on the axis each one of `got` is; None where one is none of them, or every
    one its own.
    """
    count = y.shape[axis]
    if not 1 < count <= MOST_SLICES:
        return None
    rows, wanted = (np.moveaxis(part, axis, 0).reshape(count, -1) for part in (y, got))
    if len({row.tobytes() for row in rows}) < FEWEST_DISTINCT:
        return None
    order = []
    for number in range(count):
        first = np.flatnonzero(
            matching_elements(wanted[number, :1], rows[:, :1], dtype, limit).ravel()
        )
        alike = [
            int(other)
            for other in sorted(first, key=lambda other: abs(other - number))
            if matching_elements(wanted[number], rows[other], dtype, limit).all()
        ]
        if not alike:
            return None
        order.append(number if number in alike else alike[0])
    return None if order == list(range(count)) else order
