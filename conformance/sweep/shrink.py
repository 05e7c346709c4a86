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
from conformance.sweep.call import Drawn
from conformance.sweep.draw import obstacle

MOST_WINDOWS = 3  # tried for an axis that was changed
_COUNTS = ("groups", "in_per_group", "out_per_group")
_OF_AXIS = ("size", "kernel", "stride", "dilation")


def shrunk(
    drawn: Drawn,
    convention: str,
    fails: Callable[[Drawn], bool | None],
    quantity: str = "output",
) -> Drawn:
    """The last call of a chain of smaller ones that all fail; `fails` answers None when no more may
    be asked. What is to be refused stays so, and what is not, too.
    """
    seen = {drawn}
    while True:
        for candidate in smaller(drawn, convention):
            if candidate in seen or candidate.cost >= drawn.cost:
                continue
            seen.add(candidate)
            other = candidate.must_fail != drawn.must_fail
            if other or obstacle(candidate, convention, quantity) is not None:
                continue
            answer = fails(candidate)
            if answer is None:
                return drawn
            if answer:
                drawn = candidate
                break
        else:
            return drawn


def smaller(drawn: Drawn, convention: str) -> Iterator[Drawn]:
    """Calls with one thing less, the largest steps first."""
    if drawn.batch != 1:
        yield replace(drawn, batch=1)
    if drawn.bias:
        yield replace(drawn, bias=False)
    yield from _with_less_put(drawn)
    for name in _COUNTS:
        for count in _less(_count(drawn, name)):
            yield _counted(drawn, name, count)
    for number, axis in enumerate(drawn.geometry.axes):
        for name in _OF_AXIS:
            for value in _less(getattr(axis, name)):
                changed: Any = {name: value}
                yield from _windows(drawn, number, replace(axis, **changed), convention)
        yield from _windows(drawn, number, replace(axis, crop_low=0, crop_high=0), convention)
        low, high = axis.crop_low, axis.crop_high
        for step in ((_nearer(low), _nearer(high)), (_nearer(low), high), (low, _nearer(high))):
            yield from _windows(
                drawn, number, replace(axis, crop_low=step[0], crop_high=step[1]), convention
            )
    if drawn.batch > 2:
        yield replace(drawn, batch=drawn.batch - 1)
    if drawn.small:
        yield replace(drawn, small=False)
    if drawn.seed != 1:
        yield replace(drawn, seed=1)


def _with_less_put(drawn: Drawn) -> Iterator[Drawn]:
    """The call with finite numbers, with the first number that is not, and with NaN."""
    if drawn.put is not None:
        yield replace(drawn, put=None)
        yield replace(drawn, put=replace(drawn.put, position=0))
        yield replace(drawn, put=replace(drawn.put, value="nan"))


def _less(value: int) -> list[int]:
    """1, half of it, one less: what of that is smaller."""
    return sorted({number for number in (1, value // 2, value - 1) if 1 <= number < value})


def _nearer(crop: int) -> int:
    """One step towards cutting nothing."""
    return crop - (crop > 0) + (crop < 0)


def _count(drawn: Drawn, name: str) -> int:
    return drawn.geometry.groups if name == "groups" else int(getattr(drawn, name))


def _counted(drawn: Drawn, name: str, count: int) -> Drawn:
    if name == "groups":
        return replace(drawn, geometry=replace(drawn.geometry, groups=count))
    changed: Any = {name: count}
    return replace(drawn, **changed)


def _windows(drawn: Drawn, number: int, axis: Axis, convention: str) -> Iterator[Drawn]:
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
        if changed.out < 1 and not drawn.must_fail:
            continue
        axes = (*drawn.geometry.axes[:number], changed, *drawn.geometry.axes[number + 1 :])
        geometry = Geometry(axes=axes, groups=drawn.geometry.groups)
        if isinstance(conventions.get(convention).native(geometry), Unrepresentable):
            continue
        yield replace(drawn, geometry=geometry)
        left -= 1
        if not left:
            return
