"""Corners of a call that chance alone seldom draws, and where engines were wrong before."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from conformance import conventions
from conformance.geometry import Axis, Geometry
from conformance.sweep.call import Put, SweepCall


class Corner:
    """Changes a call while it is drawn; this one changes nothing."""

    conventions: tuple[str, ...] = conventions.NAMES
    """Those that can spell it."""

    def of_axes(self, axes: list[Axis], random: Random, convention: str) -> list[Axis]:
        """The axes before they have a window."""
        return axes

    def of_window(self, geometry: Geometry, random: Random) -> Geometry:
        """The axes with their window; where the convention cannot spell it, it is drawn again."""
        return geometry

    def of_call(self, call: SweepCall, random: Random) -> SweepCall:
        """The whole call."""
        return call


class _OnOneAxis(Corner):
    """Changes one of the axes."""

    def of_axes(self, axes: list[Axis], random: Random, convention: str) -> list[Axis]:
        number = random.randrange(len(axes))
        changed = self._changed(axes[number], random)
        if convention == "keras" and changed.dilation > 1:  # which does not take both
            axes = [replace(axis, stride=1) for axis in axes]
            changed = replace(changed, stride=1)
        elif convention == "keras" and changed.stride > 1:
            axes = [replace(axis, dilation=1) for axis in axes]
        return [*axes[:number], changed, *axes[number + 1 :]]

    def _changed(self, axis: Axis, random: Random) -> Axis:
        raise NotImplementedError


class _OneElement(_OnOneAxis):
    """A size of 1 on one axis, and several samples."""

    def _changed(self, axis: Axis, random: Random) -> Axis:
        return replace(axis, size=1)

    def of_call(self, call: SweepCall, random: Random) -> SweepCall:
        return replace(call, batch=random.choice((2, 3, 4)))


class _OneTap(_OnOneAxis):
    """A kernel of 1, dilated."""

    def _changed(self, axis: Axis, random: Random) -> Axis:
        return replace(axis, kernel=1, dilation=random.choice((2, 3)))


class _Apart(_OnOneAxis):
    """A stride above the kernel."""

    def _changed(self, axis: Axis, random: Random) -> Axis:
        kernel = random.choice((1, 2, 3))
        return replace(axis, kernel=kernel, stride=kernel + random.choice((1, 2)), dilation=1)


class _Long(_OnOneAxis):
    """An axis longer than a vector register or a tile, and few channels."""

    def _changed(self, axis: Axis, random: Random) -> Axis:
        return replace(axis, size=random.randint(15, 70))

    def of_call(self, call: SweepCall, random: Random) -> SweepCall:
        return _narrow(call, random)


class _LongKernel(_OnOneAxis):
    """A kernel longer than those that have code of their own, and few channels."""

    def _changed(self, axis: Axis, random: Random) -> Axis:
        return replace(axis, kernel=random.randint(8, 17))

    def of_call(self, call: SweepCall, random: Random) -> SweepCall:
        return _narrow(call, random)


class _LongStride(_OnOneAxis):
    """A stride beyond those of networks."""

    def _changed(self, axis: Axis, random: Random) -> Axis:
        return replace(axis, stride=random.randint(5, 8))


class _ManyChannels(Corner):
    """Channels on both sides that fill registers, or leave a tail, in one group or in several."""

    def of_call(self, call: SweepCall, random: Random) -> SweepCall:
        groups = call.geometry.groups
        return replace(
            call,
            batch=random.choice((1, 2)),
            in_per_group=max(1, random.choice(_TILES) // groups),
            out_per_group=max(1, random.choice(_TILES) // groups),
        )


_TILES = (8, 15, 16, 17, 24, 32, 33, 64)


class _OneChannel(Corner):
    """A single channel on one side, or on both."""

    def of_call(self, call: SweepCall, random: Random) -> SweepCall:
        inside, outside = random.choice(((1, 1), (1, None), (None, 1)))
        return replace(
            call,
            geometry=replace(call.geometry, groups=1),
            in_per_group=inside or call.in_per_group,
            out_per_group=outside or call.out_per_group,
        )


class _BeyondReach(Corner):
    """More is cut from one end than the dilated kernel is long."""

    conventions = ("torch", "onnx", "jax", "flax", "tensorflow")

    def of_window(self, geometry: Geometry, random: Random) -> Geometry:
        number = random.randrange(geometry.rank)
        axis = geometry.axes[number]
        cut = axis.extent + random.choice((0, 1, 2))
        low, high = random.choice(
            ((cut, axis.crop_high), (axis.crop_low, cut), (cut, cut), (cut, cut))
        )
        return _windowed(geometry, number, low, high)


class _Moved(Corner):
    """Zeros before the output, and a cut behind it."""

    conventions = ("jax", "flax")

    def of_window(self, geometry: Geometry, random: Random) -> Geometry:
        number = random.randrange(geometry.rank)
        return _windowed(
            geometry, number, -random.choice((1, 2, 3)), random.randint(1, 3), anew=True
        )


class _NotFinite(Corner):
    """One number that is not finite; its gradients are not asked for."""

    def of_call(self, call: SweepCall, random: Random) -> SweepCall:
        put = Put(
            role=random.choice(("input", "kernel")),
            position=random.randrange(1000),
            value=random.choice(("nan", "nan", "inf", "-inf")),
        )
        return replace(call, put=put, gradients=False)


CORNERS: tuple[Corner, ...] = (
    _OneElement(),
    _OneTap(),
    _Apart(),
    _Long(),
    _LongKernel(),
    _LongStride(),
    _ManyChannels(),
    _OneChannel(),
    _BeyondReach(),
    _Moved(),
    _NotFinite(),
)


def _narrow(call: SweepCall, random: Random) -> SweepCall:
    """The call with one or two channels per group on either side."""
    return replace(
        call, in_per_group=random.choice((1, 1, 2)), out_per_group=random.choice((1, 1, 2))
    )


def _windowed(
    geometry: Geometry, number: int, low: int, high: int, *, anew: bool = False
) -> Geometry:
    """The geometry with another window on one axis; `anew` leaves the others uncut."""
    others = [replace(axis, crop_low=0, crop_high=0) if anew else axis for axis in geometry.axes]
    changed = replace(geometry.axes[number], crop_low=low, crop_high=high)
    return replace(geometry, axes=(*others[:number], changed, *others[number + 1 :]))
