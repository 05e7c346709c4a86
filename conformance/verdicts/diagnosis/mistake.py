"""A call in float64, and a mistake in it: the two things that the diagnosis is made of.

A mistake about the arguments makes another `Call` of a call, so that two of them can be made one
after the other; a mistake about the result makes another array of a call and its output.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from conformance.geometry import Axis, Geometry, problems
from conformance.oracle.reference import Float64, transpose_into_window


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call in float64: x (N, C_in, *spatial), w (C_in, C_out / groups, *kernel), bias (C_out,) or
    None, and its window.
    """

    x: Float64
    w: Float64
    bias: Float64 | None
    geometry: Geometry

    def output(self) -> Float64 | None:
        """(N, C_out, *out); None where the call makes no sense."""
        return (
            transpose_into_window(self.x, self.w, self.bias, self.geometry)
            if self.makes_sense
            else None
        )

    @property
    def makes_sense(self) -> bool:
        g = self.geometry
        fits = (
            self.x.shape[1] == self.w.shape[0] and g.groups > 0 and self.x.shape[1] % g.groups == 0
        )
        return fits and not problems(g)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the output: (N, C_out, *out)."""
        return (self.x.shape[0], self.w.shape[1] * self.geometry.groups, *self.geometry.out)

    def with_axes(self, change: Callable[[int, Axis], Axis]) -> Call:
        """The same call with every spatial axis changed."""
        axes = tuple(change(number, axis) for number, axis in enumerate(self.geometry.axes))
        return replace(self, geometry=replace(self.geometry, axes=axes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """A mistake by name, in words, and what it makes of a call: another call, other sums of one by
    a rule, or another output.
    """

    name: str
    text: str
    call: Call | None = None
    rule: Callable[[Call], Float64] | None = None
    y: Float64 | None = None

    def output(self) -> Float64 | None:
        """(N, C_out, *out); None where the call makes no sense, or where the mistake was read off a
        result.
        """
        if self.call is None or self.rule is None:
            return self.y if self.call is None else self.call.output()
        return self.rule(self.call) if self.call.makes_sense else None

    @property
    def shape(self) -> tuple[int, ...] | None:
        """Of the output, without computing it; None where there is none."""
        if self.call is None:
            return None if self.y is None else self.y.shape
        return self.call.shape if self.call.makes_sense else None


def part(call: Call, starts: Sequence[int], lengths: Sequence[int]) -> Call:
    """The call whose output is so long a piece of this one's, from `starts` on: with only the
    inputs that reach it.
    """
    cut, axes = [slice(None), slice(None)], []
    for axis, start, length in zip(call.geometry.axes, starts, lengths, strict=True):
        begin = start + axis.crop_low
        first = min(max((begin - axis.extent + 1) // axis.stride, 0), max(axis.size - 1, 0))
        last = max(min((begin + length - 1) // axis.stride + 1, axis.size), first + 1)
        cut.append(slice(first, last))
        piece = replace(
            axis,
            size=min(last, axis.size) - first,
            crop_low=begin - first * axis.stride,
            crop_high=0,
        )
        axes.append(replace(piece, crop_high=piece.full - piece.crop_low - length))
    return replace(call, x=call.x[tuple(cut)], geometry=replace(call.geometry, axes=tuple(axes)))
