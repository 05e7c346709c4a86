"""A transposed convolution on the scatter definition, one product at a time, that makes mistakes on
purpose.

It shares no code with the package. A mistake is a small function under the name that the diagnosis
gives it; what stands behind a slash tells ways of making it apart. Those of ARGUMENTS change the
call before it is computed, those of ACCUMULATION how a product is added, those of SUMS the sums
before the bias, and those of RESULTS what comes out.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from conformance.oracle import Truth

Array = NDArray[np.float64]


class Impossible(Exception):  # noqa: N818 - what is the case, not a fault
    """This mistake cannot be made in this call."""


@dataclass(slots=True)
class Scatter:
    """One call: x (N, C_in, *size), w (C_in, C_out / groups, *kernel), b (C_out,); stride, dilation
    and what the start and the end lose, by axis.
    """

    truth: Truth
    x: Array
    w: Array
    b: Array | None
    groups: int
    stride: list[int]
    dilation: list[int]
    low: list[int]
    high: list[int]
    overlap: Array
    """How many products reach an output position (*out), once they are added."""

    @classmethod
    def of(cls, truth: Truth) -> Scatter:
        geometry = truth.geometry
        return cls(
            truth=truth,
            x=truth.x,
            w=truth.kernel,
            b=truth.bias,
            groups=geometry.groups,
            stride=[axis.stride for axis in geometry.axes],
            dilation=[axis.dilation for axis in geometry.axes],
            low=[axis.crop_low for axis in geometry.axes],
            high=[axis.crop_high for axis in geometry.axes],
            overlap=np.zeros(geometry.out),
        )

    @property
    def rank(self) -> int:
        return len(self.stride)

    @property
    def extra(self) -> list[int]:
        """What the end loses less than the start."""
        return [low - high for low, high in zip(self.low, self.high, strict=True)]

    @property
    def out(self) -> list[int]:
        sides = zip(
            self.x.shape[2:], self.stride, self.dilation, self.w.shape[2:], self.low, self.high,
            strict=True,
        )  # fmt: skip
        return [(n - 1) * s + d * (k - 1) + 1 - lo - hi for n, s, d, k, lo, hi in sides]


def possible(condition: bool) -> None:
    if not condition:
        raise Impossible


def ends_swapped(call: Scatter) -> None:
    call.low, call.high = call.high, call.low


def strides_swapped(call: Scatter) -> None:
    call.stride = call.stride[::-1]


def dilations_swapped(call: Scatter) -> None:
    call.dilation = call.dilation[::-1]


def paddings_swapped(call: Scatter) -> None:
    call.low, call.high = call.low[::-1], call.high[::-1]


def paddings_alone_swapped(call: Scatter) -> None:
    extra = call.extra
    possible(min(extra) >= 0 and len(set(extra)) > 1)
    call.low = call.low[::-1]
    call.high = [low - q for low, q in zip(call.low, extra, strict=True)]


def output_paddings_swapped(call: Scatter) -> None:
    call.high = [low - q for low, q in zip(call.low, call.extra[::-1], strict=True)]


def output_padding_ignored(call: Scatter) -> None:
    call.high = [high + max(q, 0) for high, q in zip(call.high, call.extra, strict=True)]


def output_padding_at_start(call: Scatter) -> None:
    extra = call.extra
    possible(min(extra) >= 0)
    call.low = [low - q for low, q in zip(call.low, extra, strict=True)]
    call.high = [high + q for high, q in zip(call.high, extra, strict=True)]


def shifted_window(call: Scatter) -> None:
    call.low, call.high = [low + 1 for low in call.low], [high - 1 for high in call.high]


def padding_ignored(call: Scatter) -> None:
    call.low, call.high = [0] * call.rank, [0] * call.rank


def padding_of_input(call: Scatter) -> None:
    possible(min(call.low + call.high) >= 0 and any(call.low + call.high))
    call.x = np.pad(call.x, [(0, 0), (0, 0), *zip(call.low, call.high, strict=True)])
    padding_ignored(call)


def padding_of_dilated_input(call: Scatter) -> None:
    spans = [d * (k - 1) for d, k in zip(call.dilation, call.w.shape[2:], strict=True)]
    call.low = [n - low for n, low in zip(spans, call.low, strict=True)]
    call.high = [n - high for n, high in zip(spans, call.high, strict=True)]


def dilation_ignored(call: Scatter) -> None:
    call.dilation = [1] * call.rank


def dilation_of_input(call: Scatter) -> None:
    call.stride = [s * d for s, d in zip(call.stride, call.dilation, strict=True)]
    call.dilation = [1] * call.rank


def stride_ignored(call: Scatter) -> None:
    call.stride = [1] * call.rank


def kernel_not_flipped(call: Scatter) -> None:
    call.w = call.w[(slice(None), slice(None), *[slice(None, None, -1)] * call.rank)]


def kernel_axes_transposed(call: Scatter) -> None:
    possible(call.rank == 2)
    call.w = call.w.transpose(0, 1, 3, 2)


def kernel_axes_transposed_in_memory(call: Scatter) -> None:
    possible(call.rank == 2)
    call.w = call.w.transpose(0, 1, 3, 2).reshape(call.w.shape)


def kernel_layout(call: Scatter) -> None:
    possible(math.prod(call.w.shape[2:]) > 1)
    call.w = np.moveaxis(call.w, (0, 1), (-1, -2)).reshape(call.w.shape)


def channels_exchanged(call: Scatter) -> None:
    possible(call.w.shape[0] // call.groups == call.w.shape[1])
    call.w = np.concatenate([part.swapaxes(0, 1) for part in np.split(call.w, call.groups)])


def channels_reinterpreted(call: Scatter) -> None:
    c_in, per_group, *kernel = call.w.shape
    call.w = call.w.reshape(per_group, c_in, *kernel).swapaxes(0, 1)


def groups_ignored(call: Scatter) -> None:
    call.w, call.groups = np.concatenate([call.w] * call.groups, axis=1), 1


def groups_ignored_and_fewer_channels(call: Scatter) -> None:
    call.b = None if call.b is None else call.b[: call.w.shape[1]]
    call.groups = 1


def input_channels_interleaved(call: Scatter) -> None:
    possible(call.groups > 1)
    groups, inside = call.groups, call.x.shape[1] // call.groups
    call.x = call.x[:, [c * groups + g for g in range(groups) for c in range(inside)]]


def first_kernel_for_all(call: Scatter) -> None:
    call.w = np.concatenate([call.w[: call.w.shape[0] // call.groups]] * call.groups)


def first_bias_for_all(call: Scatter) -> None:
    call.b = None if call.b is None else np.tile(call.b[: call.w.shape[1]], call.groups)


def bias_dropped(call: Scatter) -> None:
    call.b = None


def bias_twice(call: Scatter) -> None:
    call.b = None if call.b is None else call.b + call.b


def bias_reversed(call: Scatter) -> None:
    call.b = None if call.b is None else call.b[::-1]


def bias_rolled(call: Scatter) -> None:
    call.b = None if call.b is None else np.concatenate([call.b[-1:], call.b[:-1]])


def bias_permuted(call: Scatter) -> None:
    call.b = None if call.b is None else call.b[np.random.RandomState(5).permutation(len(call.b))]


def input_layout(call: Scatter) -> None:
    call.x = np.moveaxis(call.x, 1, -1).reshape(call.x.shape)


def input_layout_reversed(call: Scatter) -> None:
    n, c_in, *size = call.x.shape
    call.x = np.moveaxis(call.x.reshape(n, *size, c_in), -1, 1)


def input_repeated(call: Scatter) -> None:
    call.x = np.stack([call.x[0]] * len(call.x))


def operands_in_float16(call: Scatter) -> None:
    call.x, call.w = (part.astype(np.float16).astype(float) for part in (call.x, call.w))


def operands_in_bfloat16(call: Scatter) -> None:
    call.x, call.w = (part.astype(ml_dtypes.bfloat16).astype(float) for part in (call.x, call.w))


def dilation_and_groups_exchanged(call: Scatter) -> None:
    dilation, groups = call.dilation[0], call.groups
    possible(call.b is None and len(set(call.dilation)) == 1 and len(call.w) % dilation == 0)
    call.dilation, call.groups = [groups] * call.rank, dilation


def paddings_regrouped(call: Scatter) -> None:
    possible(call.rank > 1)
    ends = [end for pair in zip(call.low, call.high, strict=True) for end in pair]
    call.low, call.high = ends[: call.rank], ends[call.rank :]


def padding_beyond_reach(call: Scatter) -> None:
    reaches = [d * (k - 1) for d, k in zip(call.dilation, call.w.shape[2:], strict=True)]
    possible(min(call.high) >= 0 and any(map(int.__gt__, call.low, reaches)))
    extra = call.extra
    for axis, reach in enumerate(reaches):
        cut = max(call.low[axis] - reach, 0)
        possible(call.x.shape[axis + 2] > 2 * cut)
        call.x = call.x.take(range(cut, call.x.shape[axis + 2] - cut), axis + 2)
        call.low[axis] = min(call.low[axis], reach)
        call.high[axis] = call.low[axis] - extra[axis]


def stride_limited(call: Scatter) -> None:
    call.stride = [min(stride, 2) for stride in call.stride]


def dilation_limited(call: Scatter) -> None:
    call.dilation = [min(dilation, 2) for dilation in call.dilation]


def last_input_channel_left_out(call: Scatter) -> None:
    inside = call.w.shape[0] // call.groups
    possible(inside > 1)
    call.w = call.w.copy()
    call.w[inside - 1 :: inside] = 0


def input_channels_scaled(call: Scatter) -> None:
    factors = np.resize([1.0, 2.0, 4.0, 0.5], call.w.shape[0])
    call.w = call.w * factors.reshape(-1, *[1] * (call.w.ndim - 1))


def last_input_channel_unweighted(call: Scatter) -> None:
    inside = call.w.shape[0] // call.groups
    possible(inside > 1)
    call.w = call.w.copy()
    call.w[inside - 1 :: inside] = 1


def input_channels_reversed(call: Scatter) -> None:
    possible(call.x.shape[1] > call.groups)
    groups = np.split(call.x, call.groups, axis=1)
    call.x = np.concatenate([group[:, ::-1] for group in groups], axis=1)


def groups_reversed(call: Scatter) -> None:
    possible(call.groups > 1)
    call.x = np.concatenate(np.split(call.x, call.groups, axis=1)[::-1], axis=1)


def last_input_position_left_out(call: Scatter) -> None:
    possible(call.x.shape[-1] > 1)
    call.x = call.x.copy()
    call.x[..., -1] = 0


def last_tap_left_out(call: Scatter) -> None:
    possible(call.w.shape[-1] > 1)
    call.w = call.w.copy()
    call.w[..., -1] = 0


def taps_moved_round(call: Scatter) -> None:
    possible(call.w.shape[-1] > 2)  # of two, that is a flip
    call.w = np.roll(call.w, 1, axis=-1)


def bias_halved(call: Scatter) -> None:
    call.b = None if call.b is None else call.b / 2


ARGUMENTS: dict[str, Callable[[Scatter], None]] = {
    "ends-swapped": ends_swapped,
    "strides-swapped": strides_swapped,
    "dilations-swapped": dilations_swapped,
    "paddings-swapped": paddings_swapped,
    "paddings-swapped/alone": paddings_alone_swapped,
    "output-paddings-swapped": output_paddings_swapped,
    "output-padding-ignored": output_padding_ignored,
    "output-padding-at-start": output_padding_at_start,
    "shifted-window": shifted_window,
    "padding-ignored": padding_ignored,
    "padding-of-input": padding_of_input,
    "padding-of-dilated-input": padding_of_dilated_input,
    "dilation-ignored": dilation_ignored,
    "dilation-of-input": dilation_of_input,
    "stride-ignored": stride_ignored,
    "kernel-not-flipped": kernel_not_flipped,
    "kernel-axes-transposed": kernel_axes_transposed,
    "kernel-axes-transposed/in-memory": kernel_axes_transposed_in_memory,
    "kernel-layout": kernel_layout,
    "channels-exchanged": channels_exchanged,
    "channels-reinterpreted": channels_reinterpreted,
    "groups-ignored": groups_ignored,
    "groups-ignored/fewer-channels": groups_ignored_and_fewer_channels,
    "input-channels-interleaved": input_channels_interleaved,
    "first-kernel-for-all": first_kernel_for_all,
    "first-bias-for-all": first_bias_for_all,
    "bias-dropped": bias_dropped,
    "bias-twice": bias_twice,
    "bias-reversed": bias_reversed,
    "bias-rolled": bias_rolled,
    "bias-permuted": bias_permuted,
    "input-layout": input_layout,
    "input-layout-reversed": input_layout_reversed,
    "input-repeated": input_repeated,
    "dilation-and-groups-exchanged": dilation_and_groups_exchanged,
    "paddings-regrouped": paddings_regrouped,
    "padding-beyond-reach": padding_beyond_reach,
    "stride-limited": stride_limited,
    "dilation-limited": dilation_limited,
    "input-channels-left-out": last_input_channel_left_out,
    "input-channels-scaled": input_channels_scaled,
    "input-channels-unweighted": last_input_channel_unweighted,
    "input-channels-permuted": input_channels_reversed,
    "groups-permuted": groups_reversed,
    "input-positions-left-out": last_input_position_left_out,
    "taps-left-out": last_tap_left_out,
    "taps-permuted": taps_moved_round,
    "bias-scaled": bias_halved,
    "low-precision/float16-operands": operands_in_float16,
    "low-precision/bfloat16-operands": operands_in_bfloat16,
}


@dataclass(frozen=True, slots=True)
class Product:
    """What one input position and one tap of one group contribute: x (N, C_in / groups), w (C_in /
    groups, C_out / groups); `first` where nothing has been added to that output position yet.
    """

    x: Array
    w: Array
    first: bool

    @property
    def sum(self) -> Array:
        return self.x @ self.w


def added(there: Array, product: Product) -> Array:
    return there + product.sum


def overwritten(_: Array, product: Product) -> Array:
    return product.sum


def first_stays(there: Array, product: Product) -> Array:
    return product.sum if product.first else there


def last_product_stays(_: Array, product: Product) -> Array:
    return product.x[:, -1:] @ product.w[-1:]


def added_in_float16(there: Array, product: Product) -> Array:
    return (there + product.sum).astype(np.float16).astype(float)


def added_in_bfloat16(there: Array, product: Product) -> Array:
    return (there + product.sum).astype(ml_dtypes.bfloat16).astype(float)


ACCUMULATION: dict[str, Callable[[Array, Product], Array]] = {
    "overlaps-overwritten": overwritten,
    "overlaps-overwritten/first-stays": first_stays,
    "overlaps-overwritten/last-product-stays": last_product_stays,
    "low-precision-accumulation/float16": added_in_float16,
    "low-precision-accumulation/bfloat16": added_in_bfloat16,
}


def overlaps_averaged(y: Array, call: Scatter) -> Array:
    return y / np.maximum(call.overlap, 1)


def output_channels_scaled(y: Array, call: Scatter) -> Array:
    factors: Array = np.resize([1.0, -1.0, 2.0], y.shape[1])
    return np.asarray(y * factors.reshape(-1, *[1] * call.rank))


def first_group_left_out(y: Array, call: Scatter) -> Array:
    possible(call.groups > 1 and call.w.shape[1] > 1)
    y[:, : call.w.shape[1]] = 0
    return y


def last_sample_left_out(y: Array, call: Scatter) -> Array:
    possible(len(y) > 1)
    y[-1] = 0
    return y


def last_position_left_out(y: Array, call: Scatter) -> Array:
    possible(y.shape[-1] > 1)
    y[..., -1] = 0
    return y


SUMS: dict[str, Callable[[Array, Scatter], Array]] = {
    "overlaps-averaged": overlaps_averaged,
    "output-channels-scaled": output_channels_scaled,
    "groups-left-out": first_group_left_out,
    "samples-left-out": last_sample_left_out,
    "output-positions-left-out": last_position_left_out,
}


def ends_of(axis: int, first: int, last: int, length: int) -> list[tuple[slice, ...]]:
    """The indices of the first and the last so many positions of a spatial axis."""
    ahead = (slice(None),) * (axis + 2)
    start = max(length - max(last, 0), 0)
    return [(*ahead, slice(0, max(first, 0))), (*ahead, slice(start, None))]


def no_bias_on_border(y: Array, call: Scatter) -> Array:
    possible(call.b is not None)
    assert call.b is not None
    bias = np.broadcast_to(call.b.reshape(-1, *[1] * call.rank), y.shape).copy()
    plain, border = y - bias, np.zeros(y.shape, bool)
    for axis, (low, high) in enumerate(zip(call.low, call.high, strict=True)):
        for end in ends_of(axis, -low, -high, y.shape[axis + 2]):
            border[end] = True
    return np.where(border, plain, y)


def output_padding_zeros(y: Array, call: Scatter) -> Array:
    possible(min(call.low) >= 0)
    for axis, extra in enumerate(call.extra):
        y[ends_of(axis, 0, extra, y.shape[axis + 2])[1]] = 0
    return y


def output_padding_bias_alone(y: Array, call: Scatter) -> Array:
    possible(min(call.low) >= 0 and call.b is not None)
    assert call.b is not None
    bias = np.broadcast_to(call.b.reshape(-1, *[1] * call.rank), y.shape)
    for axis, extra in enumerate(call.extra):
        end = ends_of(axis, 0, extra, y.shape[axis + 2])[1]
        y[end] = bias[end]
    return y


def moved_round_the_ends(y: Array, call: Scatter) -> Array:
    return np.roll(y, 1, axis=2)


def moved_with_zeros(y: Array, call: Scatter) -> Array:
    possible(y.shape[-1] > 1)
    return np.concatenate([np.zeros_like(y[..., :1]), y[..., :-1]], axis=-1)


def result_in_bfloat16(y: Array, call: Scatter) -> Array:
    return y.astype(ml_dtypes.bfloat16).astype(float)


def subnormals_flushed(y: Array, call: Scatter) -> Array:
    y[abs(y) < 2.0**-126] = 0
    return y


def output_layout(y: Array, call: Scatter) -> Array:
    return np.moveaxis(y, 1, -1).reshape(y.shape)


def batch_repeated(y: Array, call: Scatter) -> Array:
    return np.stack([y[0]] * len(y))


def output_channels_interleaved(y: Array, call: Scatter) -> Array:
    groups, per_group = call.groups, call.w.shape[1]
    possible(groups > 1 and per_group > 1)
    return y[:, [g * per_group + c for c in range(per_group) for g in range(groups)]]


def uninitialised_memory(y: Array, call: Scatter) -> Array:
    possible(y.size >= 3 and 1e-30 < call.truth.magnitude.max() < 1e29)
    y = np.ascontiguousarray(y)
    y.ravel()[-(y.size // 3) :: 2] = 4.1e33
    y.ravel()[-(y.size // 3) + 1 :: 2] = 2.8e-44
    return y


def repeated_memory(y: Array, call: Scatter) -> Array:
    y = np.ascontiguousarray(y)
    half = y.size // 2
    possible(len(np.unique(y.ravel()[:half])) >= 8)
    y.ravel()[y.size - half :] = y.ravel()[:half].copy()
    return y


def axes_exchanged(y: Array, _: Scatter) -> Array:
    return np.asarray(y.swapaxes(0, 1))


def mirrored(y: Array, call: Scatter) -> Array:
    return y[..., ::-1]


def output_channels_reversed(y: Array, call: Scatter) -> Array:
    return y[:, ::-1]


def samples_reversed(y: Array, call: Scatter) -> Array:
    return y[::-1]


def bias_channels_last(y: Array, call: Scatter) -> Array:
    possible(call.b is not None and math.prod(y.shape[2:]) > 1)
    assert call.b is not None
    along = np.resize(call.b, y.size).reshape(y.shape)
    return y - call.b.reshape(-1, *[1] * call.rank) + along


RESULTS: dict[str, Callable[[Array, Scatter], Array]] = {
    "no-bias-on-border": no_bias_on_border,
    "output-padding-zeros": output_padding_zeros,
    "output-padding-bias-alone": output_padding_bias_alone,
    "shifted-window/round-the-ends": moved_round_the_ends,
    "shifted-window/with-zeros": moved_with_zeros,
    "low-precision/bfloat16-result": result_in_bfloat16,
    "subnormals-flushed": subnormals_flushed,
    "output-layout": output_layout,
    "batch-repeated": batch_repeated,
    "output-channels-interleaved": output_channels_interleaved,
    "output-axes-exchanged": axes_exchanged,
    "output-mirrored": mirrored,
    "output-channels-permuted": output_channels_reversed,
    "samples-permuted": samples_reversed,
    "bias-along-another-axis": bias_channels_last,
    "uninitialised-memory": uninitialised_memory,
    "repeated-memory": repeated_memory,
}

MISTAKES = (*ARGUMENTS, *ACCUMULATION, *SUMS, *RESULTS)


def name_of(mistake: str) -> str:
    """The name that the diagnosis should give."""
    return mistake.partition("/")[0]


@np.errstate(all="ignore")
def engine(truth: Truth, *mistakes: str) -> Array | None:
    """The output (N, C_out, *out) of a scatter loop that makes these mistakes; None where one of
    them cannot be made.
    """
    call = Scatter.of(truth)
    add = next((rule for name, rule in ACCUMULATION.items() if name in mistakes), added)
    try:
        for mistake in mistakes:
            if mistake in ARGUMENTS:
                ARGUMENTS[mistake](call)
        possible(min(call.out) >= 1)
        y = scattered(call, add)
        for mistake in SUMS.keys() & {*mistakes}:
            y = SUMS[mistake](y, call)
        if call.b is not None:
            y = y + call.b.reshape(-1, *[1] * call.rank)
        for mistake, change in RESULTS.items():
            if mistake in mistakes:
                y = change(y, call)
    except Impossible:
        return None
    return y


def scattered(call: Scatter, add: Callable[[Array, Product], Array]) -> Array:
    """The sums (N, C_out, *out) without the bias; the call's `overlap` is counted on the way."""
    inside, per_group = call.x.shape[1] // call.groups, call.w.shape[1]
    y = np.zeros((call.x.shape[0], per_group * call.groups, *call.out))
    call.overlap = np.zeros(call.out)
    positions = itertools.product(*map(range, call.x.shape[2:]))
    taps = itertools.product(*map(range, call.w.shape[2:]))
    for position, tap in itertools.product(positions, taps):
        at = tuple(
            p * s + t * d - lo
            for p, s, t, d, lo in zip(
                position, call.stride, tap, call.dilation, call.low, strict=True
            )
        )
        if any(not 0 <= a < n for a, n in zip(at, call.out, strict=True)):
            continue
        call.overlap[at] += 1
        for group in range(call.groups):
            inputs = slice(group * inside, (group + 1) * inside)
            outputs = slice(group * per_group, (group + 1) * per_group)
            input_index: tuple[Any, ...] = (slice(None), inputs, *position)
            kernel_index: tuple[Any, ...] = (inputs, slice(None), *tap)
            output_index: tuple[Any, ...] = (slice(None), outputs, *at)
            is_first = bool(call.overlap[at] == 1)
            product = Product(x=call.x[input_index], w=call.w[kernel_index], first=is_first)
            y[output_index] = add(y[output_index], product)
    return y
