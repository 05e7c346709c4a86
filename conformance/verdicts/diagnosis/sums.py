"""Mistakes in the sums: overlapping products overwritten or averaged, and zeros multiplied by what
is not finite.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conformance.geometry import Axis
from conformance.oracle.reference import Float64, transpose_into_window
from conformance.verdicts.diagnosis.mistake import Call, Mistake
from conformance.wording import counted


def sum_mistakes(call: Call) -> Iterator[Mistake]:
    """Every mistake in the sums that this call could show."""
    axes = call.geometry.axes
    inside = call.x.shape[1] // call.geometry.groups
    overlapping = any(axis.kernel > 1 and axis.stride < axis.extent for axis in axes)
    if overlapping:
        for last_input, which in ((True, "last input"), (False, "first input")):
            text = f"where products overlap, one stays: that of the {which}"
            yield Mistake(
                name="overlaps-overwritten",
                text=text,
                call=call,
                rule=partial(_overwritten, last_input=last_input),
            )
        text = "where products overlap, they are averaged instead of added"
        yield Mistake(name="overlaps-averaged", text=text, call=call, rule=_averaged)
    if inside > 1:
        for last_input in (True, False) if overlapping else (True,):
            text = (
                "every product overwrites what was there: the last input channel of each group "
                "stays"
            )
            rule = partial(_overwritten, last_input=last_input)
            yield Mistake(
                name="overlaps-overwritten", text=text, call=_last_channels(call), rule=rule
            )
    if not (np.isfinite(call.x).all() and np.isfinite(call.w).all()):
        text = "inserted zeros are multiplied by the kernel, and zero times infinity is NaN"
        yield Mistake(name="zero-times-infinity", text=text, call=call, rule=_with_zeros)


def not_a_number_beyond(got: Float64, call: Call, right: NDArray[np.bool_]) -> Mistake | None:
    """NaN where the definition puts nothing that is not finite, and all else right: some zero met
    it, wherever it came from.

    `right` says which elements of `got` are right.
    """
    if np.isfinite(call.x).all() and np.isfinite(call.w).all():
        return None
    beyond = np.isnan(got) & ~right
    if not beyond.any() or not (beyond | right).all():
        return None
    text = (
        "zeros are multiplied by what is not finite: "
        f"{counted(int(beyond.sum()), 'element is', 'elements are')} NaN where no such product "
        "belongs"
    )
    return Mistake(name="zero-times-infinity", text=text, y=got)


def _biased(y: Float64, call: Call) -> Float64:
    return y if call.bias is None else y + call.bias.reshape(-1, *[1] * call.geometry.rank)


def _averaged(call: Call) -> Float64:
    counts = np.ones((1, 1))
    for axis in call.geometry.axes:
        counts = counts[..., np.newaxis] * np.maximum(np.array(axis.overlap(), np.float64), 1.0)
    return _biased(transpose_into_window(call.x, call.w, None, call.geometry) / counts, call)


def _last_channels(call: Call) -> Call:
    """Each group with its last input channel alone."""
    inside = call.x.shape[1] // call.geometry.groups
    return replace(call, x=call.x[:, inside - 1 :: inside], w=call.w[inside - 1 :: inside])


def _overwritten(call: Call, *, last_input: bool) -> Float64:
    """Where products overlap one stays: of the last input position (a loop over inputs), or the
    first (a loop over taps).
    """
    geometry = call.geometry
    groups, (batch, c_in), per_group = geometry.groups, call.x.shape[:2], call.w.shape[1]
    x = call.x.reshape(batch, groups, c_in // groups, *geometry.size)
    w = call.w.reshape(groups, c_in // groups, per_group, *geometry.kernel)
    y = np.zeros((batch, groups, per_group, *geometry.out))
    every: tuple[Any, ...] = (slice(None),) * 3
    chosen = [list(_chosen(axis, last_input=last_input)) for axis in geometry.axes]
    with np.errstate(invalid="ignore", over="ignore"):
        for parts in itertools.product(*chosen):
            tap = w[(*every, *(tap for tap, _, _ in parts))]
            source = x[(*every, *np.ix_(*(positions for _, positions, _ in parts)))]
            flat = source.reshape(batch, groups, c_in // groups, math.prod(source.shape[3:]))
            stamp = np.matmul(tap.swapaxes(1, 2), flat).reshape(
                batch, groups, per_group, *source.shape[3:]
            )
            y[(*every, *np.ix_(*(targets for _, _, targets in parts)))] = stamp
    return _biased(y.reshape(call.shape), call)


def _chosen(axis: Axis, *, last_input: bool) -> Iterator[tuple[int, list[int], list[int]]]:
    """(tap, input positions, output positions) of one axis, each output position with the one
    product that stays there.
    """
    owner: dict[int, tuple[int, int]] = {}
    taps = list(axis.taps())
    for tap, positions, targets in reversed(taps) if last_input else taps:
        owner.update(
            {target: (tap, position) for position, target in zip(positions, targets, strict=True)}
        )
    for tap in range(axis.kernel):
        mine = sorted(target for target, (own, _) in owner.items() if own == tap)
        if mine:
            yield tap, [owner[target][1] for target in mine], mine


def _with_zeros(call: Call) -> Float64:
    """The right output, but NaN where an inserted zero meets what is not finite.

    The input is spread by the stride with zeros between and around, the kernel by the dilation with
    zeros between.
    """
    geometry = call.geometry
    y = transpose_into_window(call.x, call.w, call.bias, geometry)
    strange_x, strange_w = (~np.isfinite(part) * 1.0 for part in (call.x, call.w))
    strides, dilations = list(geometry.stride), list(geometry.dilation)
    margins, none = [axis.extent - 1 for axis in geometry.axes], [0] * geometry.rank
    zeros_x = _spread(np.zeros_like(call.x), strides, margins, fill=1.0)
    zeros_w = _spread(np.zeros_like(call.w), dilations, none, fill=1.0)
    wide_x, wide_w = (
        _spread(strange_x, strides, margins, fill=0.0),
        _spread(strange_w, dilations, none, fill=0.0),
    )
    dense = replace(
        geometry,
        axes=tuple(
            Axis(
                size=zeros_x.shape[number + 2],
                kernel=axis.extent,
                crop_low=axis.extent - 1 + axis.crop_low,
                crop_high=axis.extent - 1 + axis.crop_high,
            )
            for number, axis in enumerate(geometry.axes)
        ),
    )
    met = transpose_into_window(zeros_x, wide_w, None, dense) + transpose_into_window(
        wide_x, zeros_w, None, dense
    )
    return np.where(met > 0, np.nan, y)


def _spread(values: Float64, steps: list[int], margins: list[int], *, fill: float) -> Float64:
    """The values `steps` apart with `fill` between them and in margins around them: (A, B,
    *spatial).
    """
    shape = [
        (n - 1) * step + 1 + 2 * margin
        for n, step, margin in zip(values.shape[2:], steps, margins, strict=True)
    ]
    wide = np.full((*values.shape[:2], *shape), fill)
    at = (
        slice(margin, length - margin, step)
        for step, margin, length in zip(steps, margins, shape, strict=True)
    )
    wide[(slice(None), slice(None), *at)] = values
    return wide
