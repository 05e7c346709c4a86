"""Mistakes about the result: the right numbers in other places, or other numbers where the window
passes the products.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from conformance.oracle.reference import Float64
from conformance.verdicts.diagnosis.mistake import Call, Mistake
from conformance.verdicts.diagnosis.sums import sum_mistakes

FARTHEST_MOVE = 2  # positions by which a finished result is moved
PROBES = 64  # elements that are looked at before a move is made
LEAST_LIKENESS = 0.9  # the part of those kept that must agree
MOST_ITEMS = 8  # of a batch, each of which is tried as the one that stands for all


def result_mistakes(call: Call, y: Float64) -> Iterator[Mistake]:
    """Every mistake about sums and results that this call could show; y (N, C_out, *out) is its
    output.
    """
    yield from arrangements(call, y)
    yield from sum_mistakes(call)


def arrangements(call: Call, y: Float64) -> Iterator[Mistake]:
    """The mistakes that are made of a finished result, whatever it was made by."""
    yield from _misplaced(call, y)
    yield from _channels(call, y)
    yield from _border(call, y)
    yield from _bias_along_axes(call, y)


def _likely_moves(y: Float64, got: Float64, reach: int) -> list[tuple[int, ...]]:
    """The moves, of at most `reach` positions an axis, after which y agrees with `got` at most of
    some random positions.
    """
    out = y.shape[2:]
    moves = np.array(
        list(itertools.product(*(range(-min(reach, n - 1), min(reach, n - 1) + 1) for n in out)))
    )
    random = np.random.RandomState(0)
    at = [random.randint(0, size, PROBES) for size in y.shape]
    origins = np.stack(at[2:])[np.newaxis] - moves[:, :, np.newaxis]  # (moves, axes, probes)
    inside = ((origins >= 0) & (origins < np.array(out)[:, np.newaxis])).all(axis=1)
    there = np.moveaxis(np.where(inside[:, np.newaxis], origins, 0), 1, 0)
    expected = got[tuple(at)]
    with np.errstate(invalid="ignore"):
        moved = y[(at[0], at[1], *there)]
        near = (
            (np.abs(moved - expected) <= 1e-2 * np.abs(expected))
            | (moved == expected)
            | (np.isnan(moved) & np.isnan(expected))
        )
    likely = (
        moves.any(axis=1)
        & inside.any(axis=1)
        & ((near & inside).sum(axis=1) >= LEAST_LIKENESS * inside.sum(axis=1))
    )
    return [tuple(int(by) for by in move) for move in moves[likely]]


def moved_results(y: Float64, got: Float64, reach: int = FARTHEST_MOVE) -> Iterator[Mistake]:
    """The finished result y moved by a few positions: rolled, or with zeros where nothing
    is left.

    Only moves that agree with `got`, of the same shape, in most of what they keep are made.
    """
    out, rank = y.shape[2:], y.ndim - 2
    for move in _likely_moves(y, got, reach):
        by = move if rank > 1 else move[0]
        yield Mistake(
            name="shifted-window",
            text=f"the finished result is rolled by {by}",
            y=np.roll(y, move, tuple(range(2, y.ndim))),
        )
        rest: tuple[Any, ...] = tuple(
            slice(max(by, 0), n + min(by, 0)) for by, n in zip(move, out, strict=True)
        )
        origin: tuple[Any, ...] = tuple(
            slice(max(-by, 0), n - max(by, 0)) for by, n in zip(move, out, strict=True)
        )
        emptied = np.zeros_like(y)
        emptied[(..., *rest)] = y[(..., *origin)]
        yield Mistake(
            name="shifted-window",
            text=f"the finished result is shifted by {by}, with zeros where products belong",
            y=emptied,
        )


def scaled_results(call: Call, y: Float64, got: Float64) -> Iterator[Mistake]:
    """The result y, or its sums before the bias, times the number that most elements of `got`, of
    the same shape, are of it.
    """
    biases = [np.zeros(1)] if call.bias is None else [np.zeros(1), call.bias]
    for bias in (bias.reshape(-1, *[1] * call.geometry.rank) for bias in biases):
        sums = y - bias
        ratios = ((got - bias) / sums)[sums != 0]
        factor = float(np.median(ratios)) if ratios.size else np.nan
        if np.isfinite(factor) and factor != 0:
            what = "every sum, before the bias," if bias.any() else "every element"
            yield Mistake(
                name="scaled",
                text=f"{what} is {factor:.6g} times what it should be",
                y=factor * sums + bias,
            )


def _misplaced(call: Call, y: Float64) -> Iterator[Mistake]:
    batch, channels = y.shape[:2]
    for item in range(min(batch, MOST_ITEMS) if batch > 1 else 0):
        which = "first" if item == 0 else f"{item}th (from 0)"
        text = f"the {which} item of the batch stands for all"
        yield Mistake(
            name="batch-repeated", text=text, y=np.repeat(y[item : item + 1], batch, axis=0)
        )
    if channels > 1:
        read = np.moveaxis(y, 1, -1).reshape(y.shape)
        yield Mistake(
            name="output-layout",
            text="the result is laid out channels last and read as channels first",
            y=read,
        )
        other = np.moveaxis(y.reshape(batch, *y.shape[2:], channels), -1, 1)
        yield Mistake(
            name="output-layout",
            text="the result is laid out channels first and read as channels last",
            y=other,
        )


def _channels(call: Call, y: Float64) -> Iterator[Mistake]:
    """The multiplier of a group and the group in the other order, with the bias or before it."""
    groups, channels = call.geometry.groups, y.shape[1]
    if groups == 1 or channels == groups:
        return
    offset = 0.0 if call.bias is None else call.bias.reshape(-1, *[1] * call.geometry.rank)
    text = (
        "the output channels of the groups are interleaved (the depthwise multiplier in the "
        "other order)"
    )
    for shape in ((groups, -1), (-1, groups)):
        order = np.arange(channels).reshape(shape).T.ravel()
        yield Mistake(name="output-channels-interleaved", text=text, y=y[:, order])
        if call.bias is not None:
            with np.errstate(invalid="ignore"):
                yield Mistake(
                    name="output-channels-interleaved", text=text, y=(y - offset)[:, order] + offset
                )


def _border(call: Call, y: Float64) -> Iterator[Mistake]:
    """What the ends get: no bias where the window passes the products, or nothing but it where
    products belong.
    """
    axes, out = call.geometry.axes, y.shape[2:]
    beyond = [max(-axis.crop_high, 0) for axis in axes]
    before = [max(-axis.crop_low, 0) for axis in axes]
    if call.bias is not None and any(beyond + before):
        inside = tuple(
            slice(low, size - high) for low, high, size in zip(before, beyond, out, strict=True)
        )
        partial = np.zeros_like(y)
        partial[(slice(None), slice(None), *inside)] = y[(slice(None), slice(None), *inside)]
        yield Mistake(
            name="no-bias-on-border", text="the bias is missing on the appended elements", y=partial
        )
    appended = [max(min(axis.crop_low - axis.crop_high, axis.out), 0) for axis in axes]
    if not any(appended) or any(axis.crop_low < 0 for axis in axes):
        return
    text = "output_padding is appended as zeros where products belong"
    yield Mistake(
        name="output-padding-zeros", text=text, y=_ends_replaced(y, appended, np.zeros(y.shape[1]))
    )
    if call.bias is not None:
        text = "output_padding is appended as the bias alone where products belong"
        yield Mistake(
            name="output-padding-bias-alone", text=text, y=_ends_replaced(y, appended, call.bias)
        )


def _bias_along_axes(call: Call, y: Float64) -> Iterator[Mistake]:
    """The bias along an axis that is as long as it, other than the channels'; or laid out channels
    last in the result's memory.
    """
    if call.bias is None or len(call.bias) < 2 or y.shape[1] != len(call.bias):
        return
    with np.errstate(invalid="ignore"):
        sums = y - call.bias.reshape(-1, *[1] * call.geometry.rank)
    names = ["the batch", "channels", *(f"axis {number}" for number in range(call.geometry.rank))]
    for axis, (length, name) in enumerate(zip(y.shape, names, strict=True)):
        if axis != 1 and length == len(call.bias):
            text = f"the bias lies along {name} instead of the channels"
            shape = [1] * y.ndim
            shape[axis] = length
            wrong = sums + call.bias.reshape(shape)
            yield Mistake(name="bias-along-another-axis", text=text, y=wrong)
    if math.prod(y.shape[2:]) > 1:
        text = "the bias is added as if the result's memory were channels last"
        wrong = sums + np.resize(call.bias, y.size).reshape(y.shape)
        yield Mistake(name="bias-along-another-axis", text=text, y=wrong)


def _ends_replaced(y: Float64, counts: list[int], values: Float64) -> Float64:
    """y with the last so many positions of every spatial axis replaced by one number per
    channel.
    """
    replaced = y.copy()
    filling = np.broadcast_to(values.reshape(-1, *[1] * len(counts)), y.shape)
    for axis, count in enumerate(counts):
        if count:
            ends = (slice(None),) * (axis + 2) + (slice(-count, None),)
            replaced[ends] = filling[ends]
    return replaced
