"""What well-known mistakes compute: other arguments, other sums, other places for the result.

A mistake about the arguments makes another `Call` of a call, so that two of them can be made one after the other; a mistake
about the result makes another array of a call and its output. Each yields only what could be told from the right call: a mistake
that needs two axes, groups or a bias is left out where there are none.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from conformance.geometry import Axis, Geometry, problems
from conformance.oracle.reference import Float64, transpose_into_window


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call in float64: x (N, C_in, *spatial), w (C_in, C_out / groups, *kernel), bias (C_out,) or None, and its window."""

    x: Float64
    w: Float64
    bias: Float64 | None
    geometry: Geometry

    def output(self) -> Float64 | None:
        """(N, C_out, *out); None where the call makes no sense."""
        g = self.geometry
        fits = self.x.shape[1] == self.w.shape[0] and g.groups > 0 and self.x.shape[1] % g.groups == 0
        if not fits or problems(g):
            return None
        return transpose_into_window(self.x, self.w, self.bias, g)

    def with_axes(self, change: Callable[[int, Axis], Axis]) -> Call:
        """The same call with every spatial axis changed."""
        axes = tuple(change(number, axis) for number, axis in enumerate(self.geometry.axes))
        return replace(self, geometry=replace(self.geometry, axes=axes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """A mistake by name, in words, and what it makes of a call: another call, or another output."""

    name: str
    text: str
    call: Call | None = None
    y: Float64 | None = None

    def output(self) -> Float64 | None:
        return self.y if self.call is None else self.call.output()


def argument_mistakes(call: Call) -> Iterator[Mistake]:
    """Every mistake about the arguments that this call could show."""
    yield from _window_mistakes(call)
    yield from _axis_mistakes(call)
    yield from _kernel_mistakes(call)
    yield from _group_mistakes(call)
    yield from _bias_mistakes(call)
    yield from _layout_mistakes(call)


def result_mistakes(call: Call, y: Float64) -> Iterator[Mistake]:
    """Every mistake about sums and results that this call could show; y is its output."""
    batch, channels, *out = y.shape
    axes = call.geometry.axes
    if batch > 1:
        yield Mistake(name="batch-repeated", text="the first item of the batch stands for all", y=np.repeat(y[:1], batch, axis=0))
    if channels > 1 or batch > 1:
        read = np.moveaxis(y, 1, -1).reshape(y.shape)
        yield Mistake(name="output-layout", text="the result is laid out channels last and read as channels first", y=read)
    if call.geometry.groups > 1 and channels > call.geometry.groups:
        groups = call.geometry.groups
        order = np.arange(channels).reshape(groups, -1).T.ravel()
        text = "the output channels of the groups are interleaved (the depthwise multiplier in the other order)"
        yield Mistake(name="output-channels-interleaved", text=text, y=y[:, order])
    beyond = [max(-axis.crop_high, 0) for axis in axes]
    before = [max(-axis.crop_low, 0) for axis in axes]
    if call.bias is not None and any(beyond + before):
        inside = tuple(slice(low, size - high) for low, high, size in zip(before, beyond, out, strict=True))
        kept = np.zeros_like(y)
        kept[(slice(None), slice(None), *inside)] = y[(slice(None), slice(None), *inside)]
        yield Mistake(name="no-bias-on-border", text="the bias is missing on the appended elements", y=kept)
    appended = [max(min(axis.crop_low - axis.crop_high, axis.out - 1), 0) for axis in axes]
    if any(appended) and all(axis.crop_low >= 0 for axis in axes):
        zeroed = y.copy()
        for axis, count in enumerate(appended):
            if count:
                zeroed[(slice(None),) * (axis + 2) + (slice(-count, None),)] = 0.0
        if call.bias is not None:
            yield Mistake(name="output-padding-zeros", text="output_padding is appended as zeros where products belong", y=zeroed)
            shown = zeroed + np.where(zeroed == 0.0, 0.0, 0.0)
            for axis, count in enumerate(appended):
                if count:
                    place = (slice(None),) * (axis + 2) + (slice(-count, None),)
                    shown[place] = np.broadcast_to(call.bias.reshape(-1, *[1] * len(axes)), shown.shape)[place]
            text = "output_padding is appended as the bias alone where products belong"
            yield Mistake(name="output-padding-bias-alone", text=text, y=shown)
        else:
            yield Mistake(name="output-padding-zeros", text="output_padding is appended as zeros where products belong", y=zeroed)
    yield from _sum_mistakes(call)


def _window_mistakes(call: Call) -> Iterator[Mistake]:
    axes = call.geometry.axes

    def crops(change: Callable[[Axis], tuple[int, int]]) -> Call:
        def cropped(_: int, axis: Axis) -> Axis:
            low, high = change(axis)
            return replace(axis, crop_low=low, crop_high=high)

        return call.with_axes(cropped)

    if any(axis.crop_low != axis.crop_high for axis in axes):
        yield Mistake(
            name="ends-swapped",
            text="what the start and the end lose is exchanged",
            call=crops(lambda axis: (axis.crop_high, axis.crop_low)),
        )
    extra = [axis.crop_low - axis.crop_high for axis in axes]
    if any(value > 0 for value in extra):
        yield Mistake(
            name="output-padding-ignored",
            text="output_padding is ignored",
            call=crops(lambda axis: (axis.crop_low, max(axis.crop_low, axis.crop_high))),
        )
    if any(value > 0 for value in extra) and all(value >= 0 for value in extra):
        yield Mistake(
            name="output-padding-at-start",
            text="output_padding is given back at the start instead of the end",
            call=crops(lambda axis: (axis.crop_high, axis.crop_low)),
        )
    if any(axis.crop_low or axis.crop_high for axis in axes):
        yield Mistake(name="padding-ignored", text="nothing is cut", call=crops(lambda axis: (0, 0)))
        if all(axis.crop_low >= 0 and axis.crop_high >= 0 for axis in axes):
            pads = [(0, 0), (0, 0), *((axis.crop_low, axis.crop_high) for axis in axes)]
            sizes = [axis.size + axis.crop_low + axis.crop_high for axis in axes]
            padded = replace(call, x=np.pad(call.x, pads)).with_axes(
                lambda number, axis: replace(axis, size=sizes[number], crop_low=0, crop_high=0)
            )
            yield Mistake(
                name="padding-of-input", text="padding is added to the input instead of cut from the output", call=padded
            )
    dilated = call.with_axes(
        lambda _, axis: replace(axis, crop_low=axis.extent - 1 - axis.crop_low, crop_high=axis.extent - 1 - axis.crop_high)
    )
    text = "padding is added to the dilated input instead of cut from the output (as JAX reads integers)"
    yield Mistake(name="padding-of-dilated-input", text=text, call=dilated)


def _axis_mistakes(call: Call) -> Iterator[Mistake]:
    """Arguments of two axes exchanged; dilation ignored, or taken for the stride."""
    axes = call.geometry.axes
    for first, second in itertools.combinations(range(len(axes)), 2):
        a, b = axes[first], axes[second]
        other = {first: b, second: a}

        def swapped(*fields: str, other: dict[int, Axis] = other) -> Call:
            return call.with_axes(
                lambda number, axis: (
                    replace(axis, **{key: getattr(other[number], key) for key in fields}) if number in other else axis
                )
            )

        where = f"of axes {first} and {second}"
        if a.stride != b.stride:
            yield Mistake(name="strides-swapped", text=f"the strides {where} are exchanged", call=swapped("stride"))
        if a.dilation != b.dilation:
            yield Mistake(name="dilations-swapped", text=f"the dilations {where} are exchanged", call=swapped("dilation"))
        if (a.crop_low, a.crop_high) != (b.crop_low, b.crop_high):
            yield Mistake(
                name="paddings-swapped", text=f"what is cut {where} is exchanged", call=swapped("crop_low", "crop_high")
            )
            extras = {first: b.crop_low - b.crop_high, second: a.crop_low - a.crop_high}
            if extras[first] != extras[second]:
                yield Mistake(
                    name="output-paddings-swapped",
                    text=f"the output_padding {where} is exchanged",
                    call=call.with_axes(
                        lambda number, axis, extras=extras: replace(  # type: ignore[misc]
                            axis, crop_high=axis.crop_low - extras.get(number, axis.crop_low - axis.crop_high)
                        )
                    ),
                )
    if any(axis.dilation > 1 for axis in axes):
        yield Mistake(
            name="dilation-ignored", text="dilation is ignored", call=call.with_axes(lambda _, axis: replace(axis, dilation=1))
        )
        text = "dilation spreads the input instead of the kernel"
        spread = call.with_axes(lambda _, axis: replace(axis, dilation=1, stride=axis.stride * axis.dilation))
        yield Mistake(name="dilation-of-input", text=text, call=spread)
    if any(axis.stride > 1 for axis in axes):
        ignored = call.with_axes(lambda _, axis: replace(axis, stride=1))
        yield Mistake(name="stride-ignored", text="stride is ignored", call=ignored)


def _kernel_mistakes(call: Call) -> Iterator[Mistake]:
    w, rank = call.w, call.geometry.rank
    spatial = tuple(range(2, w.ndim))
    if np.prod(w.shape[2:]) > 1:
        text = "the kernel is not flipped: the dilated input is correlated with it (JAX's default)"
        yield Mistake(name="kernel-not-flipped", text=text, call=replace(call, w=np.flip(w, spatial)))
    for first, second in itertools.combinations(range(rank), 2):
        if w.shape[first + 2] == w.shape[second + 2] > 1:
            text = f"axes {first} and {second} of the kernel are transposed"
            turned = np.swapaxes(w, first + 2, second + 2)
            yield Mistake(name="kernel-axes-transposed", text=text, call=replace(call, w=turned))
    if w.shape[0] == w.shape[1] > 1 and call.geometry.groups == 1:
        exchanged = replace(call, w=np.swapaxes(w, 0, 1))
        yield Mistake(name="channels-exchanged", text="input and output channels of the kernel are exchanged", call=exchanged)
    if w.shape[0] > 1 and w.shape[1] > 1:
        read = np.swapaxes(w.reshape(w.shape[1], w.shape[0], *w.shape[2:]), 0, 1)
        text = "the kernel's memory is read with input and output channels in the other order"
        yield Mistake(name="channels-reinterpreted", text=text, call=replace(call, w=read))


def _group_mistakes(call: Call) -> Iterator[Mistake]:
    groups = call.geometry.groups
    if groups == 1:
        return
    c_in, per_group = call.w.shape[:2]
    inside = c_in // groups
    dense = np.concatenate([call.w] * groups, axis=1)
    text = "groups are ignored: every output channel sums over all input channels"
    yield Mistake(name="groups-ignored", text=text, call=replace(call, w=dense, geometry=replace(call.geometry, groups=1)))
    if inside > 1:
        order = np.arange(c_in).reshape(inside, groups).T.ravel()
        text = "input channels are dealt to the groups in turn instead of in blocks"
        yield Mistake(name="input-channels-interleaved", text=text, call=replace(call, x=call.x[:, order]))
    first = np.concatenate([call.w[:inside]] * groups)
    yield Mistake(
        name="first-kernel-for-all", text="the first group's kernel is used for all groups", call=replace(call, w=first)
    )
    if call.bias is not None:
        repeated = np.tile(call.bias[:per_group], groups)
        text = "the first group's bias is used for all groups"
        yield Mistake(name="first-bias-for-all", text=text, call=replace(call, bias=repeated))


def _bias_mistakes(call: Call) -> Iterator[Mistake]:
    if call.bias is None:
        return
    yield Mistake(name="bias-dropped", text="the bias is dropped", call=replace(call, bias=None))
    yield Mistake(name="bias-twice", text="the bias is added twice", call=replace(call, bias=2 * call.bias))
    if len(call.bias) > 1:
        yield Mistake(name="bias-reversed", text="the bias is permuted: reversed", call=replace(call, bias=call.bias[::-1]))
        for shift in range(1, len(call.bias)) if len(call.bias) <= 8 else (1, -1):
            text = f"the bias is permuted: moved on by {shift}"
            yield Mistake(name="bias-rolled", text=text, call=replace(call, bias=np.roll(call.bias, shift)))


def _layout_mistakes(call: Call) -> Iterator[Mistake]:
    x = call.x
    if x.shape[1] > 1 and np.prod(x.shape[2:]) > 1:
        read = np.moveaxis(x, 1, -1).reshape(x.shape)
        yield Mistake(
            name="input-layout", text="the input is channels last and read as channels first", call=replace(call, x=read)
        )
        other = np.moveaxis(x.reshape(x.shape[0], *x.shape[2:], x.shape[1]), -1, 1)
        text = "the input is channels first and read as channels last"
        yield Mistake(name="input-layout-reversed", text=text, call=replace(call, x=other))
    if x.shape[0] > 1:
        yield Mistake(
            name="input-repeated",
            text="the first input of the batch is used for all",
            call=replace(call, x=np.repeat(x[:1], len(x), 0)),
        )


def _sum_mistakes(call: Call) -> Iterator[Mistake]:
    """Overlapping products overwritten or averaged, and zeros multiplied by what is not finite."""
    axes = call.geometry.axes
    if any(axis.kernel > 1 and axis.stride < axis.extent for axis in axes):
        yield Mistake(name="overlaps-overwritten", text="where products overlap, the last one stays", y=_overwritten(call))
        plain = transpose_into_window(call.x, call.w, None, call.geometry)
        counts = np.ones((1, 1))
        for axis in axes:
            counts = counts[..., np.newaxis] * np.maximum(np.array(axis.overlap(), np.float64), 1.0)
        averaged = plain / counts
        text = "where products overlap, they are averaged instead of added"
        yield Mistake(name="overlaps-averaged", text=text, y=_biased(averaged, call))
    if not (np.isfinite(call.x).all() and np.isfinite(call.w).all()):
        yield Mistake(
            name="zero-times-infinity",
            text="inserted zeros are multiplied by the kernel, and zero times infinity is NaN",
            y=_with_inserted_zeros(call),
        )


def _biased(y: Float64, call: Call) -> Float64:
    return y if call.bias is None else y + call.bias.reshape(-1, *[1] * call.geometry.rank)


def _overwritten(call: Call) -> Float64:
    """Input positions in C order stamp the kernel on the window; a later stamp hides an earlier one."""
    geometry = call.geometry
    groups, rank = geometry.groups, geometry.rank
    inside, per_group = call.x.shape[1] // groups, call.w.shape[1]
    y = np.zeros((call.x.shape[0], per_group * groups, *geometry.out))
    for place in np.ndindex(*geometry.size):
        starts = [p * axis.stride - axis.crop_low for p, axis in zip(place, geometry.axes, strict=True)]
        taps = [
            [k for k in range(axis.kernel) if 0 <= start + k * axis.dilation < axis.out]
            for start, axis in zip(starts, geometry.axes, strict=True)
        ]
        if not all(taps):
            continue
        at = tuple(
            slice(start + t[0] * axis.dilation, start + t[-1] * axis.dilation + 1, axis.dilation)
            for start, t, axis in zip(starts, taps, geometry.axes, strict=True)
        )
        reach = tuple(slice(t[0], t[-1] + 1) for t in taps)
        for group in range(groups):
            these = slice(group * inside, (group + 1) * inside)
            stamp = np.tensordot(call.x[(slice(None), these, *place)], call.w[(these, slice(None), *reach)], (1, 0))
            y[(slice(None), slice(group * per_group, (group + 1) * per_group), *at)] = stamp
    assert y.ndim == rank + 2
    return _biased(y, call)


def _with_inserted_zeros(call: Call) -> Float64:
    """The right output, but NaN wherever a zero between or around the inputs meets a tap that is not finite."""
    geometry = call.geometry
    strange_w = np.where(np.isfinite(call.w), 0.0, 1.0)
    zeros = np.ones((1, 1, *((axis.size - 1) * axis.stride + 1 + 2 * (axis.extent - 1) for axis in geometry.axes)))
    spread = tuple(
        slice(axis.extent - 1, axis.extent - 1 + (axis.size - 1) * axis.stride + 1, axis.stride) for axis in geometry.axes
    )
    zeros[(slice(None), slice(None), *spread)] = 0.0
    dense = Geometry(
        axes=tuple(
            Axis(
                size=zeros.shape[number + 2],
                kernel=axis.kernel,
                dilation=axis.dilation,
                crop_low=axis.extent - 1 + axis.crop_low,
                crop_high=zeros.shape[number + 2] + axis.extent - 1 - (axis.extent - 1 + axis.crop_low) - axis.out,
            )
            for number, axis in enumerate(geometry.axes)
        )
    )
    y = transpose_into_window(call.x, call.w, call.bias, geometry)
    per_output = strange_w.reshape(geometry.groups, -1, *call.w.shape[1:]).sum(axis=1).reshape(1, -1, *call.w.shape[2:])
    met = transpose_into_window(zeros, per_output, None, dense)
    return np.where(met > 0, np.nan, y)
