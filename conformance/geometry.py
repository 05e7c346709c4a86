"""The arithmetic of a transposed convolution's window: one axis, and all of them.

Everything here is integers; there is no array, no framework and no file. Per spatial axis

    full = (size - 1) * stride + dilation * (kernel - 1) + 1
    out  = full - crop_low - crop_high

`full` is the length at which every product x[i] * w[k] has its place, i * stride + k * dilation.
The output is the window [crop_low, full - crop_high) of it; a negative crop appends zeros there.
(V. Dumoulin and F. Visin, arXiv:1603.07285, relationships 8 to 14, are this with symmetric crops.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One spatial axis. Nothing is checked on construction; `problems` says what makes no sense."""

    size: int
    kernel: int
    stride: int = 1
    dilation: int = 1
    crop_low: int = 0
    crop_high: int = 0

    @property
    def extent(self) -> int:
        """Positions between the first and the last tap, both counted: the dilated kernel."""
        return self.dilation * (self.kernel - 1) + 1

    @property
    def full(self) -> int:
        """Length of the output before anything is cut or appended."""
        return (self.size - 1) * self.stride + self.extent

    @property
    def out(self) -> int:
        """Length of the output."""
        return self.full - self.crop_low - self.crop_high

    @property
    def zeros_for_appended(self) -> tuple[int, int]:
        """How many zeros before and behind the input reach as far as this window: each moves an end
        by the stride.

        An end where nothing is appended needs none. Where the stride does not divide what is
        appended they reach further.
        """
        return -min(self.crop_low // self.stride, 0), -min(self.crop_high // self.stride, 0)

    def padded(self, low: int, high: int) -> Axis:
        """The same window of an input with so many zeros before and behind it: a longer full
        output, of which more is cut.
        """
        return replace(
            self,
            size=self.size + low + high,
            crop_low=self.crop_low + low * self.stride,
            crop_high=self.crop_high + high * self.stride,
        )

    def undilated(self) -> Axis:
        """The same window of a kernel that has the dilation's zeros between its taps."""
        return replace(self, kernel=self.extent, dilation=1)

    def taps(self) -> Iterator[tuple[int, range, range]]:
        """For each tap that reaches the window: (tap, input positions, output positions), paired in
        order.

        Tap k moves input position i to output position i * stride + k * dilation - crop_low.
        """
        for tap in range(self.kernel):
            shift = tap * self.dilation - self.crop_low
            first = max(0, -(shift // self.stride))  # the smallest i with i * stride + shift >= 0
            end = min(self.size, (self.out - 1 - shift) // self.stride + 1)
            if first < end:
                start = first * self.stride + shift
                stop = (end - 1) * self.stride + shift + 1
                yield tap, range(first, end), range(start, stop, self.stride)

    def overlap(self) -> list[int]:
        """How many products land on each output position."""
        counts = [0] * max(self.out, 0)
        for _, _, outputs in self.taps():
            for output in outputs:
                counts[output] += 1
        return counts

    @property
    def even(self) -> bool:
        """Whether as many taps reach every position far from the ends; if not, the output has a
        checkerboard's texture.

        (A. Odena, V. Dumoulin and C. Olah, "Deconvolution and checkerboard artifacts", Distill,
        2016.)
        """
        taps = Counter(tap * self.dilation % self.stride for tap in range(self.kernel))
        return len(taps) == self.stride and len(set(taps.values())) == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """All spatial axes and the number of groups: everything about a call but its numbers and
    channels.
    """

    axes: tuple[Axis, ...]
    groups: int = 1

    @property
    def rank(self) -> int:
        return len(self.axes)

    @property
    def size(self) -> tuple[int, ...]:
        return tuple(axis.size for axis in self.axes)

    @property
    def kernel(self) -> tuple[int, ...]:
        return tuple(axis.kernel for axis in self.axes)

    @property
    def stride(self) -> tuple[int, ...]:
        return tuple(axis.stride for axis in self.axes)

    @property
    def dilation(self) -> tuple[int, ...]:
        return tuple(axis.dilation for axis in self.axes)

    @property
    def crops(self) -> tuple[tuple[int, int], ...]:
        """(crop_low, crop_high) per axis."""
        return tuple((axis.crop_low, axis.crop_high) for axis in self.axes)

    @property
    def full(self) -> tuple[int, ...]:
        return tuple(axis.full for axis in self.axes)

    @property
    def out(self) -> tuple[int, ...]:
        return tuple(axis.out for axis in self.axes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Arguments that make no sense: which argument, and one sentence."""

    key: str
    text: str


def from_padding(
    *,
    size: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[tuple[int, int]],
    output_padding: Sequence[int],
    dilation: Sequence[int],
    groups: int = 1,
) -> Geometry:
    """The geometry of generic arguments, one per spatial axis; `padding` holds (low, high) pairs.

    Padding cuts both ends and output_padding gives back at the high end, so
    crop = (padding_low, padding_high - output_padding).
    """
    return Geometry(
        axes=tuple(
            Axis(size=n, kernel=k, stride=s, dilation=d, crop_low=low, crop_high=high - extra)
            for n, k, s, (low, high), extra, d in zip(
                size, kernel, stride, padding, output_padding, dilation, strict=True
            )
        ),
        groups=groups,
    )


def canonical_padding(crops: Sequence[tuple[int, int]]) -> tuple[list[tuple[int, int]], list[int]]:
    """(padding, output_padding) of `from_padding` for the given crops.

    High padding is never negative: the negative part of a high crop becomes output_padding. A
    negative low crop stays a negative pad.
    """
    return [(low, max(high, 0)) for low, high in crops], [max(-high, 0) for _, high in crops]


def problems(geometry: Geometry) -> list[Problem]:
    """Everything that keeps this geometry from having an output, an argument at a time; empty if it
    has one.
    """
    faults = []
    for number, axis in enumerate(geometry.axes):
        at = f"axis {number}"
        for key, value, least in (
            ("input", axis.size, 0),
            ("kernel", axis.kernel, 1),
            ("stride", axis.stride, 1),
            ("dilation", axis.dilation, 1),
        ):
            if value < least:
                what = "size " if key in ("input", "kernel") else ""
                faults.append(
                    Problem(key=key, text=f"{what}{value} on {at}, should be at least {least}")
                )
    if geometry.groups < 1:
        faults.append(Problem(key="groups", text=f"{geometry.groups}, should be at least 1"))
    if faults:
        return faults
    for number, axis in enumerate(geometry.axes):
        if axis.out < 1:
            cut = axis.crop_low or axis.crop_high
            key = "padding" if cut else "input"
            text = f"the output has {axis.out} elements on axis {number}, should have at least 1"
            if cut:
                text += (
                    f": {axis.crop_low} and {axis.crop_high} are cropped from a full output of "
                    f"{axis.full}"
                )
            faults.append(Problem(key=key, text=text))
    return faults


def call_problems(
    geometry: Geometry, *, x: Sequence[int], kernel: Sequence[int], bias: Sequence[int] | None
) -> list[Problem]:
    """The problems that keep a call from having an output: `problems`, and channels that do not
    fit.

    x is the shape (N, C_in, *spatial), kernel (C_in, C_out / groups, *kernel), bias (C_out,) or
    None.
    """
    faults = problems(geometry)
    c_in, groups = x[1], geometry.groups
    if groups >= 1 and c_in % groups:
        faults.append(
            Problem(
                key="groups", text=f"{groups} groups of {c_in} input channels, should divide them"
            )
        )
    if kernel[0] != c_in:
        text = f"its first axis has {kernel[0]} channels, should have the input's {c_in}"
        faults.append(Problem(key="kernel", text=text))
    if bias is not None and groups >= 1 and tuple(bias) != (kernel[1] * groups,):
        text = (
            f"has shape {list(bias)}, should have one number per output channel: "
            f"{kernel[1] * groups}"
        )
        faults.append(Problem(key="bias", text=text))
    return faults
