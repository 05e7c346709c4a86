"""Arguments of two layers as windows: what differs, under the diagnosis' name for it."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.comparison.calls import undilated_singletons
from conformance.comparison.results import Finding
from conformance.geometry import Geometry
from conformance.verdicts.diagnosis.arguments import argument_mistakes
from conformance.verdicts.diagnosis.mistake import Call
from conformance.verdicts.diagnosis.windows import window_text


def window_findings(call: Call, other: Geometry) -> list[Finding]:
    """What the target's window is instead of that of the source's `call`; empty if it is the same.

    Names are those of docs/diagnosis.md where one mistake about the arguments makes this window.
    """
    right, other = undilated_singletons(call.geometry), undilated_singletons(other)
    if right == other:
        return []
    named = {
        mistake.name: mistake.text
        for mistake in argument_mistakes(call)
        if mistake.call is not None and undilated_singletons(mistake.call.geometry) == other
    }
    plain = ", ".join(differences(right, other))
    if named:
        name, text = next(iter(named.items()))
        others = "".join(f"; or, which is the same here: {text}" for text in [*named.values()][1:])
        return [Finding(name=name, text=f"{text} ({plain}){others}")]
    return [Finding(name=_name(right, other), text=_text(call, right, other, plain))]


def differences(right: Geometry, other: Geometry) -> Iterator[str]:
    """Every argument that differs, axis by axis, the target's first."""
    if right.groups != other.groups:
        yield f"groups {other.groups}, should be {right.groups}"
    for number, (due, axis) in enumerate(zip(right.axes, other.axes, strict=True)):
        for key in ("size", "kernel", "stride", "dilation"):
            have, want = getattr(axis, key), getattr(due, key)
            if have != want:
                yield f"{key} {have} on axis {number}, should be {want}"
        if (axis.crop_low, axis.crop_high) != (due.crop_low, due.crop_high):
            yield (
                f"axis {number} is cropped by {axis.crop_low} at the start and {axis.crop_high} at "
                f"the end, should be by {due.crop_low} and {due.crop_high}"
            )


def _is_shift(right: Geometry, other: Geometry) -> bool:
    return (right.stride, right.dilation, right.kernel, right.groups) == (
        other.stride,
        other.dilation,
        other.kernel,
        other.groups,
    )


def _name(right: Geometry, other: Geometry) -> str:
    if _is_shift(right, other):
        return "shifted-window" if right.out == other.out else "other-window"
    for key in ("groups", "stride", "dilation", "kernel"):
        if getattr(right, key) != getattr(other, key):
            return f"other-{key}"
    return "other-window"


def _text(call: Call, right: Geometry, other: Geometry, plain: str) -> str:
    if not _is_shift(right, other):
        return f"other arguments: {plain}"
    lows = tuple(axis.crop_low for axis in other.axes)
    return f"{window_text(call, lows, other.out)} ({plain})"
