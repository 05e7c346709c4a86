"""The smallest call that still fails in the same way: greedy, one argument at a time, for so many
calls at most.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from typing import Any

from conformance import conventions
from conformance.conventions import Unrepresentable
from conformance.geometry import Axis, Geometry
from conformance.sweep.call import SweepCall
from conformance.sweep.draw import obstacle

MOST_WINDOWS = 3  # tried for an axis that was changed
_COUNTS = ("groups", "in_per_group", "out_per_group")
_OF_AXIS = ("size", "kernel", "stride", "dilation")


def shrunk(
    call: SweepCall,
    convention: str,
    fails: Callable[[SweepCall], bool | None],
    quantity: str = "output",
) -> SweepCall:
    """The last call of a chain of smaller ones that all fail; `fails` answers None when no more may
    be asked. What is to be refused stays so, and what is not, too.
    """
    seen = {call}
    while True:
        for candidate in smaller(call, convention):
            if candidate in seen or candidate.cost >= call.cost:
                continue
            seen.add(candidate)
            other = candidate.must_fail != call.must_fail
            if other or obstacle(candidate, convention, quantity) is not None:
                continue
            answer = fails(candidate)
            if answer is None:
                return call
            if answer:
                call = candidate
                break
        else:
            return call


def smaller(call: SweepCall, convention: str) -> Iterator[SweepCall]:
    """Calls with one thing less, the largest steps first."""
    if call.batch != 1:
        yield replace(call, batch=1)
    if call.bias:
        yield replace(call, bias=False)
    yield from _with_less_put(call)
    for name in _COUNTS:
        for count in _less(_count(call, name)):
            yield _counted(call, name, count)
    for number, axis in enumerate(call.geometry.axes):
        for name in _OF_AXIS:
            for value in _less(getattr(axis, name)):
                changed: Any = {name: value}
                yield from _windows(call, number, replace(axis, **changed), convention)
        yield from _windows(call, number, replace(axis, crop_low=0, crop_high=0), convention)
        low, high = axis.crop_low, axis.crop_high
        for step in ((_nearer(low), _nearer(high)), (_nearer(low), high), (low, _nearer(high))):
            yield from _windows(
                call, number, replace(axis, crop_low=step[0], crop_high=step[1]), convention
            )
    if call.batch > 2:
        yield replace(call, batch=call.batch - 1)
    if call.small:
        yield replace(call, small=False)
    if call.seed != 1:
        yield replace(call, seed=1)


def _with_less_put(call: SweepCall) -> Iterator[SweepCall]:
    """The call with finite numbers, with the first number that is not, and with NaN."""
    if call.put is not None:
        yield replace(call, put=None)
        yield replace(call, put=replace(call.put, position=0))
        yield replace(call, put=replace(call.put, value="nan"))


def _less(value: int) -> list[int]:
    """1, half of it, one less: what of that is smaller."""
    return sorted({number for number in (1, value // 2, value - 1) if 1 <= number < value})


def _nearer(crop: int) -> int:
    """One step towards cutting nothing."""
    return crop - (crop > 0) + (crop < 0)


def _count(call: SweepCall, name: str) -> int:
    return call.geometry.groups if name == "groups" else int(getattr(call, name))


def _counted(call: SweepCall, name: str, count: int) -> SweepCall:
    if name == "groups":
        return replace(call, geometry=replace(call.geometry, groups=count))
    changed: Any = {name: count}
    return replace(call, **changed)


def _windows(call: SweepCall, number: int, axis: Axis, convention: str) -> Iterator[SweepCall]:
    """The call with this axis, and with the windows nearest to the axis' own that the convention
    has arguments for.
    """
    low, high = axis.crop_low, axis.crop_high
    lows, highs = (range(min(0, crop) - 1, max(0, crop) + 2) for crop in (low, high))
    pairs = sorted(
        product(lows, highs), key=lambda pair: (abs(pair[0] - low) + abs(pair[1] - high), pair)
    )
    left = MOST_WINDOWS
    for pair in pairs:
        changed = replace(axis, crop_low=pair[0], crop_high=pair[1])
        if changed.out < 1 and not call.must_fail:
            continue
        axes = (*call.geometry.axes[:number], changed, *call.geometry.axes[number + 1 :])
        geometry = Geometry(axes=axes, groups=call.geometry.groups)
        if isinstance(conventions.get(convention).native(geometry), Unrepresentable):
            continue
        yield replace(call, geometry=geometry)
        left -= 1
        if not left:
            return
