"""Mistakes about arguments that stand in each other's place, and padding that is more than a kernel
reaches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from conformance.geometry import Axis, canonical_padding
from conformance.verdicts.diagnosis.mistake import Call, Mistake

Crops = Callable[[int, Axis], tuple[int, int]]
"""The crops at start and end of an axis, given by its number."""


def _cropped(call: Call, crops: Crops) -> Call:
    """The call with other (crop_low, crop_high) on every axis."""

    def with_crops(number: int, axis: Axis) -> Axis:
        low, high = crops(number, axis)
        return replace(axis, crop_low=low, crop_high=high)

    return call.with_axes(with_crops)


def window_mistake(call: Call, name: str, text: str, crops: Crops) -> Mistake:
    """The call with another window."""
    return Mistake(name=name, text=text, call=_cropped(call, crops))


def mixed_up_mistakes(call: Call) -> Iterator[Mistake]:
    """Every such mistake that this call could show."""
    yield from _dilation_and_groups(call)
    yield from _regrouped(call)
    yield from _beyond_reach(call)


def _dilation_and_groups(call: Call) -> Iterator[Mistake]:
    """Each in the other's place, where all axes have one dilation."""
    dilations = {axis.dilation for axis in call.geometry.axes}
    if len(dilations) > 1 or call.bias is not None:
        return
    groups = call.geometry.groups
    spread = call.with_axes(lambda _, axis: replace(axis, dilation=groups))
    exchanged = replace(spread, geometry=replace(spread.geometry, groups=dilations.pop()))
    text = "dilation and groups are exchanged"
    yield Mistake(name="dilation-and-groups-exchanged", text=text, call=exchanged)


def _regrouped(call: Call) -> Iterator[Mistake]:
    """Pads in pairs per axis read as all begins and all ends, or the reverse."""
    axes = call.geometry.axes
    if len(axes) == 1:
        return
    pairs = [end for axis in axes for end in (axis.crop_low, axis.crop_high)]
    ends = [axis.crop_low for axis in axes] + [axis.crop_high for axis in axes]
    for text, crops in (
        (
            "pads in pairs per axis are read as all begins and then all ends",
            [(pairs[n], pairs[len(axes) + n]) for n in range(len(axes))],
        ),
        (
            "all begins and then all ends are read as pads in pairs per axis",
            [(ends[2 * n], ends[2 * n + 1]) for n in range(len(axes))],
        ),
    ):
        yield window_mistake(
            call,
            "paddings-regrouped",
            text,
            lambda n, _, crops=crops: crops[n],  # type: ignore[misc]
        )


def _beyond_reach(call: Call) -> Iterator[Mistake]:
    """Padding beyond the reach of the kernel cut from the input, or ignored."""
    axes = call.geometry.axes
    reaches = [axis.extent - 1 for axis in axes]
    if all(max(a.crop_low, a.crop_high) <= reach for a, reach in zip(axes, reaches, strict=True)):
        return
    paddings, extra = canonical_padding(call.geometry.crops)
    yield _cut_input(call, reaches, list(paddings), list(extra))
    # as PyTorch says it: one padding for both ends, and output_padding
    equal = [(axis.crop_low, axis.crop_low) for axis in axes]
    yield _cut_input(call, reaches, equal, [axis.crop_low - axis.crop_high for axis in axes])
    yield window_mistake(
        call,
        "padding-beyond-reach",
        "padding beyond the reach of the kernel is ignored",
        lambda n, a: (min(a.crop_low, reaches[n]), min(a.crop_high, reaches[n])),
    )


def _cut_input(
    call: Call,
    reaches: list[int],
    paddings: list[tuple[int, int]],
    output_paddings: list[int],
) -> Mistake:
    """The input without as many positions as each end is padded beyond the reach of the kernel, and
    the ends without that padding.
    """
    cut, axes = [slice(None), slice(None)], []
    for axis, reach, (low, high), extra in zip(
        call.geometry.axes, reaches, paddings, output_paddings, strict=True
    ):
        first, last = max(low - reach, 0), axis.size - max(high - reach, 0)
        cut.append(slice(first, max(last, first)))
        ends = {"crop_low": min(low, reach), "crop_high": min(high, reach) - extra}
        axes.append(replace(axis, size=max(last - first, 0), **ends))
    geometry = replace(call.geometry, axes=tuple(axes))
    wrong = replace(call, x=call.x[tuple(cut)], geometry=geometry)
    text = "padding beyond the reach of the kernel is cut from the input, in whole inputs"
    return Mistake(name="padding-beyond-reach", text=text, call=wrong)
