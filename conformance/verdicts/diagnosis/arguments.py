"""Mistakes about the arguments: other windows, other axes, and what `operands` has.

Each yields only what could be told from the right call: a mistake that needs two axes, groups or a
bias is left out where there are none.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from conformance.geometry import Axis
from conformance.verdicts.diagnosis.mistake import Call, Mistake
from conformance.verdicts.diagnosis.mixed_up import Crops, mixed_up_mistakes, window_mistake
from conformance.verdicts.diagnosis.operands import operand_mistakes


def argument_mistakes(call: Call) -> Iterator[Mistake]:
    """Every mistake about the arguments that this call could show, each once."""
    seen = set()
    for mistake in itertools.chain(
        _window_mistakes(call), _axis_mistakes(call), mixed_up_mistakes(call)
    ):
        assert mistake.call is not None
        key = (mistake.name, mistake.call.geometry)
        if mistake.call.geometry != call.geometry and key not in seen:
            seen.add(key)
            yield mistake
    yield from operand_mistakes(call)


def _window_mistakes(call: Call) -> Iterator[Mistake]:
    """The crops at both ends.

    output_padding is read as how much less is cropped at the end than at the start, or as what it
    has beyond the products.
    """
    axes = call.geometry.axes

    yield window_mistake(
        call,
        "ends-swapped",
        "the crops at start and end are exchanged",
        lambda _, a: (a.crop_high, a.crop_low),
    )
    yield from _output_padding_mistakes(call)
    yield window_mistake(call, "padding-ignored", "nothing is cut", lambda _, a: (0, 0))
    yield window_mistake(
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
    yield window_mistake(
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
    yield window_mistake(
        call,
        "output-padding-ignored",
        text,
        lambda _, a: (a.crop_low, max(a.crop_low, a.crop_high)),
    )
    yield window_mistake(
        call, "output-padding-ignored", text, lambda _, a: (a.crop_low, max(a.crop_high, 0))
    )
    text = "output_padding is given back at the start instead of the end"
    if all(axis.crop_low >= axis.crop_high for axis in call.geometry.axes):
        yield window_mistake(
            call, "output-padding-at-start", text, lambda _, a: (a.crop_high, a.crop_low)
        )
    yield window_mistake(
        call,
        "output-padding-at-start",
        text,
        lambda _, a: (a.crop_low + min(a.crop_high, 0), max(a.crop_high, 0)),
    )


def _padded_input(call: Call, high: list[int]) -> Call:
    """Zeros round the input, as many as should be cropped; then `high`, which is not positive,
    is cropped at the end.
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
        yield window_mistake(call, "paddings-swapped", f"{what} {where} is exchanged", crops)
    for crops in _exchanged_output_paddings(other):
        text = f"the output_padding {where} is exchanged"
        yield window_mistake(call, "output-paddings-swapped", text, crops)


def _exchanged_paddings(other: Mapping[int, Axis]) -> list[tuple[str, Crops]]:
    """(what is exchanged, the crops then) with the paddings that `other` has by axis
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
