"""The completion of a call: sizes that it leaves open, chosen or taken from the input, and the
geometry that it then has.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from conformance import conventions
from conformance.conventions import Unrepresentable
from conformance.errors import PortError
from conformance.geometry import Geometry, call_problems
from conformance.porting.layer import Channels, Layer, times
from conformance.wording import counted, quoted

LARGEST = 2**16  # in a call: windows are searched, not solved for
LARGEST_SIZE = 2**31 - 1
USUAL_SIZE = 8
LARGEST_USUAL_SIZE = 4096
MOST_SIZES = 64  # input sizes that are tried to see for which a recipe holds
REFUSING = (
    "torch",
    "keras",
    "tensorflow",
)  # those whose convention has every call that the framework takes


def completed(
    layer: Layer, input_shape: Sequence[int] | None
) -> tuple[Channels, tuple[int, ...], list[str]]:
    """Batch, channels and size from the call, the input, or a choice; and what was chosen. Raises
    PortError.
    """
    for key, value in {"kernel": layer.kernel, **layer.native}.items():
        if key not in ("output_shape", "output_size") and _largest(value) > LARGEST:
            raise PortError(f"{key} is {quoted(value)}, should have no number above {LARGEST}")
    if input_shape is not None:
        _fits(layer, input_shape)
    notes: list[str] = []
    c_in = input_shape[1] if input_shape else layer.c_in
    if c_in is None:
        c_in = 2 * layer.groups
        notes.append(_chosen("input", layer.words[0], c_in))
    c_out = layer.c_out
    if c_out is None:
        c_out = 3 * layer.groups
        notes.append(_chosen("output", layer.words[1], c_out))
    batch = input_shape[0] if input_shape else layer.batch or 1
    size = tuple(input_shape[2:]) if input_shape else layer.size
    if size is None:
        size = _usual_size(layer)
        chosen = ",".join(map(str, (batch, c_in, *size)))
        why = "No input is given"
        if layer.input_words:
            why = f"The input {layer.input_words} says nothing of its size, which follows from data"
        notes.append(f"{why}: {chosen} is chosen.")
    if max(batch, c_in, c_out, *size) > LARGEST_SIZE:
        shape = quoted([batch, c_in, *size])
        raise PortError(
            f"input is {shape} and the output has {quoted(c_out)} channels, should have no number "
            f"above {LARGEST_SIZE}"
        )
    return Channels(batch=batch, c_in=c_in, c_out=c_out), size, notes


def _chosen(end: str, words: str | None, number: int) -> str:
    """The note on channels that the call leaves open, or names."""
    if words is not None:
        return f"The {end} has {words} channels, which the call does not say: {number} in the code."
    return f"The call does not say how many channels the {end} has: {number} is chosen."


def _largest(value: Any) -> int:
    """The largest absolute number in an argument, 0 if it is a word."""
    if isinstance(value, (list, tuple)):
        return max(map(_largest, value), default=0)
    return abs(value) if isinstance(value, int) else 0


def _fits(layer: Layer, input_shape: Sequence[int]) -> None:
    if len(input_shape) != layer.rank + 2 or min(input_shape) < 1:
        what = quoted(list(input_shape))
        raise PortError(
            f"input is {what}, should be {layer.rank + 2} numbers of at least 1: N,C and "
            f"{layer.rank} for the space"
        )
    if layer.c_in not in (None, input_shape[1]):
        raise PortError(
            f"input has {quoted(input_shape[1])} channels, should have the {layer.c_in} of the call"
        )


def _usual_size(layer: Layer) -> tuple[int, ...]:
    return tuple(_usual_size_of(layer, axis) for axis in range(layer.rank))


def _usual_size_of(layer: Layer, axis: int) -> int:
    """8, or the first size for which the source itself has the call: it may ask for one output size
    alone.
    """
    if layer.framework == "keras":
        # its window has nothing to do with the size, and always an output of this one
        return USUAL_SIZE
    convention = conventions.get(layer.framework)
    sizes: tuple[int, ...] = (USUAL_SIZE, *range(1, LARGEST_USUAL_SIZE))
    for size in sizes:
        one = _window(layer, (size,) * layer.rank).axes[axis]
        alike = Geometry(axes=(one,) * layer.rank)
        if min(one.stride, one.dilation) < 1:
            return size  # it makes no sense for any
        if one.out >= 1 and not isinstance(convention.native(alike), Unrepresentable):
            return size
    return USUAL_SIZE


def _window(layer: Layer, size: Sequence[int]) -> Geometry:
    """The geometry of the call as it is written; it may make no sense."""
    return conventions.get(layer.framework).geometry(layer.native, size=size, kernel=layer.kernel)


def geometry_of(layer: Layer, size: Sequence[int], channels: Channels) -> Geometry:
    """The geometry of the call, which makes sense; else PortError."""
    least = min(
        min(value) for key, value in layer.native.items() if "stride" in key or "dilation" in key
    )
    if least < 1 or layer.groups < 1:
        raise PortError("strides, dilations and groups should be at least 1")
    geometry = Geometry(axes=_window(layer, size).axes, groups=layer.groups)
    if channels.c_out % geometry.groups:
        raise PortError(
            f"{counted(geometry.groups, 'group')} of {counted(channels.c_out, 'output channel')}, "
            "should divide them"
        )
    kernel = (channels.c_in, channels.c_out // geometry.groups, *geometry.kernel)
    problems = call_problems(
        geometry, x=(channels.batch, channels.c_in, *size), kernel=kernel, bias=None
    )
    if problems:
        raise PortError("; ".join(f"{problem.key}: {problem.text}" for problem in problems))
    refused = conventions.get(layer.framework).native(geometry)
    if layer.framework in REFUSING and isinstance(refused, Unrepresentable):
        raise PortError(f"{layer.framework} refuses this call itself. {refused.reason}")
    return geometry


def holds(layer: Layer, geometry: Geometry) -> str:
    """For which input sizes the answer is right: those at which the source takes the same
    window.
    """
    limited = []
    for axis in range(layer.rank):
        sizes = [
            size for size in range(1, MOST_SIZES + 1) if _same_window(layer, geometry, axis, size)
        ]
        if len(sizes) < MOST_SIZES:
            limited.append(f"{', '.join(map(str, sizes or [geometry.size[axis]]))} on axis {axis}")
    if not limited:
        return "It holds for every input size."
    where = " and ".join(limited)
    return (
        f"It holds for input sizes of {where} alone: the call asks for an output of one size, "
        f"{times(geometry.out)}."
    )


def _same_window(layer: Layer, geometry: Geometry, axis: int, size: int) -> bool:
    sizes = [*geometry.size]
    sizes[axis] = size
    return _window(layer, sizes).crops[axis] == geometry.crops[axis]
