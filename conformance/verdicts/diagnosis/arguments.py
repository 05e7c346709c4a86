"""Mistakes about the arguments: other windows, other axes, and what `operands` has.

Each yields only what could be told from the right call: a mistake that needs two axes, groups or a
bias is left out where there are none.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from conformance.geometry import Axis, canonical_padding
from conformance.verdicts.diagnosis.mistake import Call, Mistake
from conformance.verdicts.diagnosis.operands import operand_mistakes

Crops = Callable[[int, Axis], tuple[int, int]]


def argument_mistakes(call: Call) -> Iterator[Mistake]:
    """Every mistake about the arguments that this call could show, each once."""
    seen = set()
    for mistake in itertools.chain(
        _window_mistakes(call), _axis_mistakes(call), _mixed_up_mistakes(call)
    ):
        assert mistake.call is not None
        key = (mistake.name, mistake.call.geometry)
        if mistake.call.geometry != call.geometry and key not in seen:
            seen.add(key)
            yield mistake
    yield from operand_mistakes(call)


def _cropped(call: Call, crops: Crops) -> Call:
    """The call with other (crop_low, crop_high) on every axis."""

    def cropped(number: int, axis: Axis) -> Axis:
        low, high = crops(number, axis)
        return replace(axis, crop_low=low, crop_high=high)

    return call.with_axes(cropped)


def _window(call: Call, name: str, text: str, crops: Crops) -> Mistake:
    return Mistake(name=name, text=text, call=_cropped(call, crops))


def _window_mistakes(call: Call) -> Iterator[Mistake]:
    """What the ends lose.

    output_padding is read as what the end loses less than the start, or as what it has beyond the
    products.
    """
    axes = call.geometry.axes

    yield _window(
        call,
        "ends-swapped",
        "what the start and the end lose is exchanged",
        lambda _, a: (a.crop_high, a.crop_low),
    )
    yield from _output_padding_mistakes(call)
    yield _window(call, "padding-ignored", "nothing is cut", lambda _, a: (0, 0))
    yield _window(
        call,
        "padding-ignored",
        "padding is ignored",
        lambda _, a: (0, min(a.crop_high - a.crop_low, 0)),
    )
    if all(axis.crop_low >= 0 for axis in axes):
        text = "padding is added to the input instead of cut from the output"
        for extra in {
            True: [0] * len(axes),
            False: [min(a.crop_high - a.crop_low, 0) for a in axes],
        }.values():
            yield Mistake(name="padding-of-input", text=text, call=_padded_input(call, extra))
    yield _window(
        call,
        "padding-of-dilated-input",
        (
            "padding is added to the dilated input instead of cut from the output (as JAX reads "
            "integers)"
        ),
        lambda _, a: (a.extent - 1 - a.crop_low, a.extent - 1 - a.crop_high),
    )


def _output_padding_mistakes(call: Call) -> Iterator[Mistake]:
    """output_padding ignored, or given back at the start."""
    text = "output_padding is ignored"
    yield _window(
        call,
        "output-padding-ignored",
        text,
        lambda _, a: (a.crop_low, max(a.crop_low, a.crop_high)),
    )
    yield _window(
        call, "output-padding-ignored", text, lambda _, a: (a.crop_low, max(a.crop_high, 0))
    )
    text = "output_padding is given back at the start instead of the end"
    if all(axis.crop_low >= axis.crop_high for axis in call.geometry.axes):
        yield _window(call, "output-padding-at-start", text, lambda _, a: (a.crop_high, a.crop_low))
    yield _window(
        call,
        "output-padding-at-start",
        text,
        lambda _, a: (a.crop_low + min(a.crop_high, 0), max(a.crop_high, 0)),
    )


def _mixed_up_mistakes(call: Call) -> Iterator[Mistake]:
    """Arguments that stand in each other's place, and padding that is more than a kernel reaches.

    Pads in pairs per axis are read as all begins and all ends, or the reverse.
    """
    axes, groups = call.geometry.axes, call.geometry.groups
    dilations = {axis.dilation for axis in axes}
    if len(dilations) == 1 and call.bias is None:
        spread = call.with_axes(lambda _, axis: replace(axis, dilation=groups))
        exchanged = replace(spread, geometry=replace(spread.geometry, groups=dilations.pop()))
        text = "dilation and groups are exchanged"
        yield Mistake(name="dilation-and-groups-exchanged", text=text, call=exchanged)
    if len(axes) > 1:
        pairs = [end for axis in axes for end in (axis.crop_low, axis.crop_high)]
        ends = [axis.crop_low for axis in axes] + [axis.crop_high for axis in axes]
        rank = len(axes)
        yield _window(
            call,
            "paddings-regrouped",
            "pads in pairs per axis are read as all begins and then all ends",
            lambda n, _: (pairs[n], pairs[rank + n]),
        )
        yield _window(
            call,
            "paddings-regrouped",
            "all begins and then all ends are read as pads in pairs per axis",
            lambda n, _: (ends[2 * n], ends[2 * n + 1]),
        )
    reaches = [axis.extent - 1 for axis in axes]
    if any(max(a.crop_low, a.crop_high) > reach for a, reach in zip(axes, reaches, strict=True)):
        text = "padding beyond the reach of the kernel is cut from the input, in whole inputs"
        canonical, extra = canonical_padding(call.geometry.crops)
        yield _cut_input(call, reaches, [(low, high) for low, high in canonical], list(extra), text)
        # as PyTorch says it: one padding for both ends, and output_padding
        equal = [(axis.crop_low, axis.crop_low) for axis in axes]
        extra_of_equal = [axis.crop_low - axis.crop_high for axis in axes]
        yield _cut_input(call, reaches, equal, extra_of_equal, text)
        text = "padding beyond the reach of the kernel is ignored"
        yield _window(
            call,
            "padding-beyond-reach",
            text,
            lambda n, a: (min(a.crop_low, reaches[n]), min(a.crop_high, reaches[n])),
        )


def _cut_input(
    call: Call,
    reaches: list[int],
    paddings: list[tuple[int, int]],
    output_paddings: list[int],
    text: str,
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
    return Mistake(name="padding-beyond-reach", text=text, call=wrong)


def _padded_input(call: Call, high: list[int]) -> Call:
    """Zeros round the input, as many as the ends should lose; then the end loses `high`, which is
    not positive.
    """
    axes = call.geometry.axes
    pads = [
        (axis.crop_low, max(axis.crop_high - end, 0)) for axis, end in zip(axes, high, strict=True)
    ]
    padded = replace(call, x=np.pad(call.x, [(0, 0), (0, 0), *pads]))
    return padded.with_axes(
        lambda number, axis: replace(
            axis, size=axis.size + sum(pads[number]), crop_low=0, crop_high=high[number]
        )
    )


def _axis_mistakes(call: Call) -> Iterator[Mistake]:
    """Arguments of two axes exchanged; dilation or stride ignored, dilation taken for the
    input's.
    """
    for first, second in itertools.combinations(range(call.geometry.rank), 2):
        yield from _exchanged(call, first, second)
    text = "dilation spreads the input instead of the kernel"
    spread = call.with_axes(
        lambda _, axis: replace(axis, dilation=1, stride=axis.stride * axis.dilation)
    )
    yield Mistake(name="dilation-of-input", text=text, call=spread)
    text = "dilation is ignored"
    yield Mistake(
        name="dilation-ignored",
        text=text,
        call=call.with_axes(lambda _, axis: replace(axis, dilation=1)),
    )
    yield Mistake(
        name="stride-ignored",
        text="stride is ignored",
        call=call.with_axes(lambda _, axis: replace(axis, stride=1)),
    )
    for key, most in (("stride", (2, 3, 4)), ("dilation", (2,))):
        for limit in most:
            limited = call.with_axes(
                lambda _, axis, key=key, limit=limit: replace(  # type: ignore[misc]
                    axis, **{key: min(getattr(axis, key), limit)}
                )
            )
            text = f"a {key} above {limit} is taken for {limit}"
            yield Mistake(name=f"{key}-limited", text=text, call=limited)


def _exchanged(call: Call, first: int, second: int) -> Iterator[Mistake]:
    axes = call.geometry.axes
    other = {first: axes[second], second: axes[first]}
    where = f"of axes {first} and {second}"

    def swapped(key: str) -> Call:
        return call.with_axes(
            lambda number, axis: (
                replace(axis, **{key: getattr(other[number], key)}) if number in other else axis
            )
        )

    yield Mistake(
        name="strides-swapped", text=f"the strides {where} are exchanged", call=swapped("stride")
    )
    yield Mistake(
        name="dilations-swapped",
        text=f"the dilations {where} are exchanged",
        call=swapped("dilation"),
    )
    for what, crops in _exchanged_paddings(other):
        yield _window(call, "paddings-swapped", f"{what} {where} is exchanged", crops)
    for crops in _exchanged_output_paddings(other):
        text = f"the output_padding {where} is exchanged"
        yield _window(call, "output-paddings-swapped", text, crops)


def _exchanged_paddings(other: Mapping[int, Axis]) -> list[tuple[str, Crops]]:
    """(what is exchanged, how the ends then lose) with the paddings that `other` has by axis
    number; output_padding is read in both ways.
    """

    def partner(number: int, axis: Axis) -> Axis:
        return other.get(number, axis)

    return [
        ("what is cut", lambda n, a: (partner(n, a).crop_low, partner(n, a).crop_high)),
        (
            "padding without output_padding",
            lambda n, a: (
                partner(n, a).crop_low,
                partner(n, a).crop_low - (a.crop_low - a.crop_high),
            ),
        ),
        (
            "padding without output_padding",
            lambda n, a: (
                partner(n, a).crop_low,
                max(partner(n, a).crop_high, 0) + min(a.crop_high, 0),
            ),
        ),
    ]


def _exchanged_output_paddings(other: Mapping[int, Axis]) -> list[Crops]:
    def partner(number: int, axis: Axis) -> Axis:
        return other.get(number, axis)

    return [
        lambda n, a: (
            a.crop_low,
            a.crop_low - (partner(n, a).crop_low - partner(n, a).crop_high),
        ),
        lambda n, a: (a.crop_low, max(a.crop_high, 0) + min(partner(n, a).crop_high, 0)),
    ]
