"""The call of the target that looks the same, and what it computes instead: from geometry alone.

It is what one writes who copies numbers to the argument that sounds alike: padding to padding,
strides to strides; a padding above 0 becomes "same" where there are only words, and "same" becomes
(K - 1) // 2 with stride - 1 where there are only numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from conformance import conventions
from conformance.conventions import Native, Unrepresentable, normal_form
from conformance.conventions.spelling import SPELLINGS
from conformance.geometry import Axis, Geometry
from conformance.porting.code import Spoken, spelled
from conformance.porting.layer import Channels, Layer, times


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAlike:
    """The result of the call that looks the same; `differs` if it is not that of the source."""

    call: str
    differs: bool
    same_shape: bool
    output: tuple[int, ...]
    shift: tuple[int, ...]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Copied:
    """Padding as a person reads it: a word, or a pair per axis; and an output_padding per axis, if
    it is written.
    """

    padding: str | list[list[int]]
    extra: list[int] | None = None


def look_alike(layer: Layer, target: str, geometry: Geometry, channels: Channels) -> LookAlike:
    """The look-alike of a layer in the target, and how its window is displaced."""
    native = _lookalike(target, layer, geometry)
    other = conventions.get(target).geometry(native, size=geometry.size, kernel=geometry.kernel)
    general = target == "jax" and geometry.groups > 1
    spoken = Spoken(
        native=native, geometry=other, channels=channels, bias=layer.bias, general=general
    )
    call = spelled(target, spoken)
    shift = tuple(
        axis.crop_low - right.crop_low
        for axis, right in zip(other.axes, geometry.axes, strict=True)
    )
    return LookAlike(
        call=call,
        differs=(other.crops, other.groups) != (geometry.crops, geometry.groups),
        same_shape=other.out == geometry.out,
        output=other.out,
        shift=shift,
        text=_sentence(target, call, other, geometry, shift),
    )


def _lookalike(target: str, layer: Layer, geometry: Geometry) -> Native:
    names = SPELLINGS[target]
    copied: dict[str, Any] = {
        names.stride: list(geometry.stride),
        names.dilation: list(geometry.dilation),
        **_padding(target, _copied(layer), geometry),
    }
    if names.groups is not None:
        copied[names.groups] = geometry.groups
    native = normal_form(target, copied, geometry.rank)
    return _with_its_output(native, geometry) if target == "tensorflow" else native


def _copied(layer: Layer) -> _Copied:
    native, rank = layer.native, layer.rank
    match layer.framework:
        case "torch":
            return _Copied(
                padding=[[p, p] for p in native["padding"]], extra=native["output_padding"]
            )
        case "keras":
            return _Copied(padding=native["padding"], extra=native["output_padding"])
        case "onnx":
            word = native.get("auto_pad", "NOTSET")
            pads = native.get("pads", [0] * 2 * rank)
            pairs = [list(pair) for pair in zip(pads[:rank], pads[rank:], strict=True)]
            return _Copied(
                padding=pairs if word == "NOTSET" else word.partition("_")[0].lower(),
                extra=native["output_padding"],
            )
        case _:
            padding = native["padding"]
            return _Copied(padding=padding.lower() if isinstance(padding, str) else padding)


def _padding(target: str, spoken: _Copied, geometry: Geometry) -> dict[str, Any]:
    """The target's arguments that sound like what is spoken."""
    word = spoken.padding if isinstance(spoken.padding, str) else None
    pairs = [[0, 0]] * geometry.rank if isinstance(spoken.padding, str) else spoken.padding
    same = word == "same" or any(map(any, pairs))
    if target in ("torch", "onnx"):
        extra = spoken.extra or [0] * geometry.rank
        if target == "onnx" and word:
            return {"auto_pad": "SAME_UPPER" if same else "VALID"} | (
                {"output_padding": extra} if spoken.extra else {}
            )
        if word == "same":
            pairs = [[(axis.kernel - 1) // 2] * 2 for axis in geometry.axes]
            extra = spoken.extra or [stride - 1 for stride in geometry.stride]
        if target == "torch":
            return {"padding": [low for low, _ in pairs], "output_padding": extra}
        return {
            "pads": [low for low, _ in pairs] + [high for _, high in pairs],
            "output_padding": extra,
        }
    if target == "keras":
        return {"padding": "same" if same else "valid"}
    numbers = target != "tensorflow" or (geometry.rank == 2 and same and spoken.extra is None)
    return {"padding": pairs if numbers and not word else "SAME" if same else "VALID"}


def _with_its_output(native: Native, geometry: Geometry) -> Native:
    """tf.nn's call asks for the output's size: whoever ports gives it the right one, if the call
    takes it.
    """
    sized = native | {"output_shape": list(geometry.out)}
    convention = conventions.get("tensorflow")
    canonical = convention.native(
        convention.geometry(sized, size=geometry.size, kernel=geometry.kernel)
    )
    taken = not isinstance(canonical, Unrepresentable) and canonical["padding"] == native["padding"]
    return sized if taken else native


def _sentence(
    target: str, call: str, other: Geometry, right: Geometry, shift: tuple[int, ...]
) -> str:
    start = f"The call that looks the same, {call},"
    refused = isinstance(conventions.get(target).native(other), Unrepresentable)
    if other.crops == right.crops:
        if other.groups != right.groups:
            return (
                f"{start} takes the same window, and has no groups where {right.groups} are right."
            )
        return (
            f"{start} takes the same window, and {target} refuses it."
            if refused
            else f"{start} takes the same window: the obvious translation is correct."
        )
    if min(other.out) < 1:
        return (
            f"{start} has no output at all: {times(other.out)} where {times(right.out)} is right."
        )
    ending = f" ({target} refuses it)" if _negative(other) and refused else ""
    moved = _moved(shift)
    if other.out == right.out:
        return (
            f"{start} has the same shape and the wrong numbers: "
            f"{moved}{_cuts(other.axes[0], right.axes[0], target)}{ending}."
        )
    also = f", and it is {moved}" if any(shift) else ", from the same start"
    return (
        f"{start} has another shape, {times(other.out)} where {times(right.out)} is "
        f"right{also}{ending}."
    )


def _negative(geometry: Geometry) -> bool:
    return any(axis.crop_low < 0 for axis in geometry.axes)


def _moved(shift: tuple[int, ...]) -> str:
    """`shifted by one on every axis`; a positive shift means that it starts later in the full
    output.
    """
    if not any(shift):
        return "another end"
    if len(set(shift)) == 1:
        return f"shifted by {_number(shift[0])}" + (" on every axis" if len(shift) > 1 else "")
    return "shifted by " + " and ".join(
        f"{_number(move)} on axis {axis}" for axis, move in enumerate(shift) if move
    )


def _number(move: int) -> str:
    return {1: "one", 2: "two", 3: "three"}.get(abs(move), str(abs(move)))


def _cuts(other: Axis, right: Axis, target: str) -> str:
    if (other.crop_low, other.crop_high) == (right.crop_low, right.crop_high):
        return ""
    return f" (on axis 0 it crops {_crops(other)}, should crop {_crops(right)})"


def _crops(axis: Axis) -> str:
    return f"{axis.crop_low} at the start and {axis.crop_high} at the end"


def kernel_look_alike(layer: Layer, target: str) -> str | None:
    """What a kernel that is copied axis by axis computes, where one framework flips and the other
    does not.
    """
    unflipped = target in ("jax", "flax")
    if layer.layout.flipped == unflipped or math.prod(layer.kernel) == 1:
        return None
    which = target if unflipped else layer.framework
    return (
        f"{which} does not flip kernels: one whose axes are moved but not flipped is correlated "
        "with the dilated input,"
        " which gives the right shape and the wrong numbers."
    )
