"""Engines that are wrong for some calls alone: a condition over the geometry, the channels and the
dtype, and a mistake that is made only there. Each must be noticed by some cases of the corpus.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from math import prod
from typing import Any

import numpy as np
import pytest
from helpers import CHECKOUT

from conformance import load_cases
from conformance.corpus.case import Case
from conformance.corpus.tensors import dtype_of
from conformance.corpus.truths import prepare
from conformance.geometry import Axis, Geometry
from conformance.oracle import Truth
from conformance.oracle.reference import Float64, transpose_into_window
from conformance.verdicts.compare import compare

LEAST = 5
SIXTEEN = ("float16", "bfloat16")
COUNTED = {"float16": 2048, "bfloat16": 256}
"""The largest integer up to which a dtype has all."""


@dataclass(frozen=True)
class Call:
    """What a condition is about: the numbers of a call, no arrays."""

    dtype: str
    batch: int
    channels: int
    outputs: int
    groups: int
    geometry: Geometry
    bias: bool

    @property
    def dilated(self) -> bool:
        return any(axis.dilation > 1 and axis.kernel > 1 for axis in self.geometry.axes)

    @property
    def stride(self) -> int:
        return max(self.geometry.stride)

    @property
    def kernel(self) -> int:
        return max(self.geometry.kernel)

    @property
    def out(self) -> tuple[int, ...]:
        return self.geometry.out

    @property
    def inside(self) -> int:
        """Input channels of a group."""
        return self.channels // self.groups

    def loses(self, end: int) -> bool:
        """Whether the start (0) or the end (1) of some axis loses more than the kernel reaches."""
        return any(
            (axis.crop_low, axis.crop_high)[end] >= axis.extent for axis in self.geometry.axes
        )


# ------------------------------------------------------------------------------
# mistakes: what a truth becomes


def computed(truth: Truth, **changed: Any) -> Float64:
    """The output of the call with other operands or another window."""
    operands = {"x": truth.x, "kernel": truth.kernel, "geometry": truth.geometry} | changed
    return transpose_into_window(
        operands["x"], operands["kernel"], truth.bias, operands["geometry"]
    )


def with_axes(truth: Truth, change: Callable[[Axis], Axis]) -> Float64:
    """Other axes, whose output has the same length: what is more or less is at the end."""
    axes = []
    for axis in truth.geometry.axes:
        other = change(axis)
        axes.append(replace(other, crop_high=other.full - other.crop_low - axis.out))
    return computed(truth, geometry=replace(truth.geometry, axes=tuple(axes)))


def undilated(truth: Truth) -> Float64:
    return with_axes(truth, lambda axis: replace(axis, dilation=1))


def start_clamped(truth: Truth) -> Float64:
    return with_axes(
        truth, lambda axis: replace(axis, crop_low=min(axis.crop_low, axis.extent - 1))
    )


def end_clamped(truth: Truth) -> Float64:
    """What is lost beyond the kernel's reach at the end is lost at the start instead."""

    def moved(axis: Axis) -> Axis:
        return replace(axis, crop_low=axis.crop_low + max(axis.crop_high - axis.extent + 1, 0))

    return with_axes(truth, moved)


def first_kernel(truth: Truth) -> Float64:
    """The kernel of the first group for all."""
    groups = truth.geometry.groups
    inside = truth.kernel.shape[0] // groups
    return computed(truth, kernel=np.concatenate([truth.kernel[:inside]] * groups))


def first_channel(truth: Truth) -> Float64:
    """Of every group the first input channel alone."""
    inside = truth.kernel.shape[0] // truth.geometry.groups
    kernel = truth.kernel * (np.arange(truth.kernel.shape[0]) % inside == 0).reshape(
        -1, *[1] * (truth.kernel.ndim - 1)
    )
    return computed(truth, kernel=kernel)


def last_tap_lost(truth: Truth) -> Float64:
    """Of the longest axis of the kernel."""
    kernel = truth.kernel.copy()
    axis = 2 + int(np.argmax(kernel.shape[2:]))
    np.moveaxis(kernel, axis, 0)[-1] = 0
    return computed(truth, kernel=kernel)


def first_sample(truth: Truth) -> Float64:
    """The second half of the samples is the first sample again."""
    y, batch = truth.y.copy(), len(truth.y)
    y[(batch + 1) // 2 :] = y[0]
    return y


def last_sample(truth: Truth) -> Float64:
    y = truth.y.copy()
    y[-1] = 0
    return y


def through_float32(truth: Truth) -> Float64:
    return truth.y.astype(np.float32).astype(np.float64)


def channels_to(step: int) -> Callable[[Truth], Float64]:
    """Of every group the input channels behind the last multiple of the step are left out."""

    def mistake(truth: Truth) -> Float64:
        inside = truth.kernel.shape[0] // truth.geometry.groups
        number = np.arange(truth.kernel.shape[0]) % inside
        keep = number < inside - inside % step
        return computed(truth, kernel=truth.kernel * keep.reshape(-1, *[1] * (truth.y.ndim - 1)))

    return mistake


def outputs_to(step: int) -> Callable[[Truth], Float64]:
    """The output channels behind the last multiple of the step are left at zero."""

    def mistake(truth: Truth) -> Float64:
        y = truth.y.copy()
        y[:, y.shape[1] - y.shape[1] % step :] = 0
        return y

    return mistake


def written_to(limit: int, axes: slice = slice(None)) -> Callable[[Truth], Float64]:
    """Positions of the output from the limit on, along some axis of these, are left at zero."""

    def mistake(truth: Truth) -> Float64:
        y = truth.y.copy()
        for axis in range(2, y.ndim)[axes]:
            np.moveaxis(y, axis, 0)[limit:] = 0
        return y

    return mistake


def plane_to(limit: int) -> Callable[[Truth], Float64]:
    """Positions of a plane from the limit on, counted over all axes, are left at zero."""

    def mistake(truth: Truth) -> Float64:
        y = truth.y.copy().reshape(*truth.y.shape[:2], -1)
        y[..., limit:] = 0
        return y.reshape(truth.y.shape)

    return mistake


def read_to(limit: int) -> Callable[[Truth], Float64]:
    """Positions of the input from the limit on, along some axis, are not read."""

    def mistake(truth: Truth) -> Float64:
        x = truth.x.copy()
        for axis in range(2, x.ndim):
            np.moveaxis(x, axis, 0)[limit:] = 0
        return computed(truth, x=x)

    return mistake


def counted_in_dtype(truth: Truth) -> Float64:
    """Every position is the one that its number becomes in the dtype."""
    y = truth.y.reshape(*truth.y.shape[:2], -1)
    numbers = np.arange(y.shape[2]).astype(dtype_of(truth.dtype)).astype(np.float64)
    places = np.minimum(numbers, y.shape[2] - 1).astype(np.intp)
    return np.asarray(y[..., places].reshape(truth.y.shape))


def wrapped(bits: int) -> Callable[[Truth], Float64]:
    """Every position of a plane is the one that its number becomes in so many bits, the first
    ones again where it has none.
    """

    def mistake(truth: Truth) -> Float64:
        y = truth.y.reshape(*truth.y.shape[:2], -1)
        return np.asarray(y[..., np.arange(y.shape[2]) % 2**bits].reshape(truth.y.shape))

    return mistake


def cut_off(truth: Truth) -> Float64:
    """Results cut off to the dtype, toward zero, instead of rounded to the nearest."""
    nearest = truth.y.astype(dtype_of(truth.dtype))
    bits = nearest.view(np.uint16)
    larger = abs(nearest.astype(np.float64)) > abs(truth.y)
    return np.where(larger, bits - 1, bits).astype(np.uint16).view(nearest.dtype).astype(float)


def away(truth: Truth) -> Float64:
    """Results rounded away from zero instead of to the nearest."""
    nearest = truth.y.astype(dtype_of(truth.dtype))
    bits = nearest.view(np.uint16)
    smaller = abs(nearest.astype(np.float64)) < abs(truth.y)
    return np.where(smaller, bits + 1, bits).astype(np.uint16).view(nearest.dtype).astype(float)


# ------------------------------------------------------------------------------
# where each is made

Condition = Callable[[Call], bool]
ENGINES: dict[str, tuple[Condition, Callable[[Truth], Float64]]] = {
    # a dtype has a path of its own
    "16 bits: no dilation": (lambda c: c.dtype in SIXTEEN and c.dilated, undilated),
    "float16: no dilation": (lambda c: c.dtype == "float16" and c.dilated, undilated),
    "bfloat16: no dilation": (lambda c: c.dtype == "bfloat16" and c.dilated, undilated),
    "float64: no dilation": (lambda c: c.dtype == "float64" and c.dilated, undilated),
    "16 bits: first kernel for all groups": (
        lambda c: c.dtype in SIXTEEN and c.groups > 1,
        first_kernel,
    ),
    "float16: first kernel for all groups": (
        lambda c: c.dtype == "float16" and c.groups > 1,
        first_kernel,
    ),
    "bfloat16: first kernel for all groups": (
        lambda c: c.dtype == "bfloat16" and c.groups > 1,
        first_kernel,
    ),
    "float64: first kernel for all groups": (
        lambda c: c.dtype == "float64" and c.groups > 1,
        first_kernel,
    ),
    "float64: last tap of groups": (
        lambda c: c.dtype == "float64" and c.groups > 1,
        last_tap_lost,
    ),
    "float64: first sample for the second half": (
        lambda c: c.dtype == "float64" and c.batch > 1,
        first_sample,
    ),
    "16 bits: first sample for the second half": (
        lambda c: c.dtype in SIXTEEN and c.batch > 1,
        first_sample,
    ),
    "float64 on three axes: through float32": (
        lambda c: c.dtype == "float64" and c.geometry.rank == 3,
        through_float32,
    ),
    "float64 in groups: through float32": (
        lambda c: c.dtype == "float64" and c.groups > 1,
        through_float32,
    ),
    "float64 dilated: through float32": (
        lambda c: c.dtype == "float64" and c.dilated,
        through_float32,
    ),
    "float64 depthwise: through float32": (
        lambda c: c.dtype == "float64" and c.groups == c.channels > 1,
        through_float32,
    ),
    "bfloat16: cut off": (lambda c: c.dtype == "bfloat16", cut_off),
    "float16: cut off": (lambda c: c.dtype == "float16", cut_off),
    "bfloat16: cut off before a bias": (lambda c: c.dtype == "bfloat16" and c.bias, cut_off),
    "bfloat16 in groups: cut off": (lambda c: c.dtype == "bfloat16" and c.groups > 1, cut_off),
    "bfloat16: away from zero": (lambda c: c.dtype == "bfloat16", away),
    "float16: away from zero": (lambda c: c.dtype == "float16", away),
    # large strides
    "stride above 4: no dilation": (lambda c: c.stride > 4 and c.dilated, undilated),
    "stride above 4: first kernel for all groups": (
        lambda c: c.stride > 4 and c.groups > 1,
        first_kernel,
    ),
    "stride above 4: first sample for the second half": (
        lambda c: c.stride > 4 and c.batch > 1,
        first_sample,
    ),
    "stride above 4: last tap when dilated in groups": (
        lambda c: c.stride > 4 and c.dilated and c.groups > 1,
        last_tap_lost,
    ),
    "stride above 4: last tap when dilated with samples": (
        lambda c: c.stride > 4 and c.dilated and c.batch > 1,
        last_tap_lost,
    ),
    "stride above 6: last tap": (lambda c: c.stride > 6, last_tap_lost),
    "stride above 4 in 16 bits: last tap": (
        lambda c: c.stride > 4 and c.dtype in SIXTEEN,
        last_tap_lost,
    ),
    "stride above 4 in float64: last tap": (
        lambda c: c.stride > 4 and c.dtype == "float64",
        last_tap_lost,
    ),
    "stride above 4 on three axes: last tap": (
        lambda c: c.stride > 4 and c.geometry.rank == 3,
        last_tap_lost,
    ),
    # large kernels
    "kernel above 7: no dilation": (lambda c: c.kernel > 7 and c.dilated, undilated),
    "kernel above 7: last tap when dilated": (lambda c: c.kernel > 7 and c.dilated, last_tap_lost),
    "kernel above 7: first kernel for all groups": (
        lambda c: c.kernel > 7 and c.groups > 1,
        first_kernel,
    ),
    "kernel above 7: last tap when dilated with samples": (
        lambda c: c.kernel > 7 and c.dilated and c.batch > 1,
        last_tap_lost,
    ),
    "kernel above 7: last tap with a large stride": (
        lambda c: c.kernel > 7 and c.stride > 4,
        last_tap_lost,
    ),
    "kernel above 7 in 16 bits: last tap": (
        lambda c: c.kernel > 7 and c.dtype in SIXTEEN,
        last_tap_lost,
    ),
    "kernel above 7 in float64: last tap": (
        lambda c: c.kernel > 7 and c.dtype == "float64",
        last_tap_lost,
    ),
    "kernel above 7 on three axes: last tap": (
        lambda c: c.kernel > 7 and c.geometry.rank == 3,
        last_tap_lost,
    ),
    "kernel above 12: last tap": (lambda c: c.kernel > 12, last_tap_lost),
    # wide outputs
    "both axes above 32: no dilation": (
        lambda c: c.geometry.rank == 2 and min(c.out) > 32 and c.dilated,
        undilated,
    ),
    "both axes above 32: first sample for the second half": (
        lambda c: c.geometry.rank == 2 and min(c.out) > 32 and c.batch > 1,
        first_sample,
    ),
    "both axes above 32 in groups: written to 32": (
        lambda c: c.geometry.rank == 2 and min(c.out) > 32 and c.groups > 1,
        written_to(32),
    ),
    "three axes: last written to 32": (
        lambda c: c.geometry.rank == 3 and c.out[-1] > 32,
        written_to(32, slice(-1, None)),
    ),
    "three axes: first written to 32": (
        lambda c: c.geometry.rank == 3 and c.out[0] > 32,
        written_to(32, slice(0, 1)),
    ),
    "three axes: middle written to 32": (
        lambda c: c.geometry.rank == 3 and c.out[1] > 32,
        written_to(32, slice(1, 2)),
    ),
    "dilated: written to 64": (lambda c: c.dilated and max(c.out) > 64, written_to(64)),
    "in groups: written to 64": (lambda c: c.groups > 1 and max(c.out) > 64, written_to(64)),
    "samples: written to 64": (lambda c: c.batch > 1 and max(c.out) > 64, written_to(64)),
    "16 bits: written to 64": (lambda c: c.dtype in SIXTEEN and max(c.out) > 64, written_to(64)),
    "float64: written to 64": (lambda c: c.dtype == "float64" and max(c.out) > 64, written_to(64)),
    # ends that lose more than the kernel reaches
    "start beyond the reach of samples: clamped": (
        lambda c: c.loses(0) and c.batch > 1,
        start_clamped,
    ),
    "start beyond the reach: first sample for the second half": (
        lambda c: c.loses(0) and c.batch > 1,
        first_sample,
    ),
    "start beyond the reach of groups: clamped": (
        lambda c: c.loses(0) and c.groups > 1,
        start_clamped,
    ),
    "start beyond the reach when dilated: clamped": (
        lambda c: c.loses(0) and c.dilated,
        start_clamped,
    ),
    "end beyond the reach of samples: moved": (lambda c: c.loses(1) and c.batch > 1, end_clamped),
    "end beyond the reach of groups: moved": (lambda c: c.loses(1) and c.groups > 1, end_clamped),
    "end beyond the reach when dilated: moved": (lambda c: c.loses(1) and c.dilated, end_clamped),
    # samples
    "more than 4 samples: first for the second half": (lambda c: c.batch > 4, first_sample),
    "more than 4 samples: last left at zero": (lambda c: c.batch > 4, last_sample),
    "more than 4 samples in groups: last left at zero": (
        lambda c: c.batch > 4 and c.groups > 1,
        last_sample,
    ),
    "more than 4 samples when dilated: last left at zero": (
        lambda c: c.batch > 4 and c.dilated,
        last_sample,
    ),
    "3x3 at stride 1: first sample for the second half": (
        lambda c: c.geometry.kernel == (3, 3) and c.stride == 1 and c.batch > 1,
        first_sample,
    ),
    "3x3 at stride 1: last tap of samples": (
        lambda c: c.geometry.kernel == (3, 3) and c.stride == 1 and c.batch > 1,
        last_tap_lost,
    ),
    # channels
    "one output channel per group: first input channel alone": (
        lambda c: c.inside > 1 and c.outputs == c.groups > 1,
        first_channel,
    ),
    "input channels beyond 256": (
        lambda c: c.channels > 256 and c.groups == 1,
        channels_to(256),
    ),
    "input channels beyond 256, in 16 bits or groups": (
        lambda c: c.channels > 256 and (c.groups > 1 or c.dtype in SIXTEEN),
        channels_to(128),
    ),
    "output channels beyond 256": (lambda c: c.outputs > 256, outputs_to(256)),
    **{
        f"tail of input channels modulo {step}": (
            lambda c, step=step: c.inside > step and c.inside % step > 0,
            channels_to(step),
        )
        for step in (4, 8, 16, 32, 64)
    },
    **{
        f"tail of output channels modulo {step}": (
            lambda c, step=step: c.outputs > step and c.outputs % step > 0,
            outputs_to(step),
        )
        for step in (4, 8, 16, 32, 64)
    },
    **{
        f"tail of channels modulo 8 in {dtype}": (
            lambda c, dtype=dtype: c.dtype == dtype and c.inside > 8 and c.inside % 8 > 0,
            channels_to(8),
        )
        for dtype in ("float64", "float16", "bfloat16")
    },
    # long outputs and inputs
    **{
        f"planes above {limit} positions": (
            lambda c, limit=limit: prod(c.out) > limit,
            plane_to(limit),
        )
        for limit in (8192, 32_768, 65_535)
    },
    **{
        f"planes above {limit} positions of samples": (
            lambda c, limit=limit: prod(c.out) > limit and c.batch > 1,
            plane_to(limit),
        )
        for limit in (8192, 32_768, 65_535)
    },
    **{
        f"planes above {limit} positions when dilated": (
            lambda c, limit=limit: prod(c.out) > limit and c.dilated,
            plane_to(limit),
        )
        for limit in (8192, 32_768, 65_535)
    },
    "positions of planes in 16 bits": (lambda c: prod(c.out) > 65_536, wrapped(16)),
    "float16: positions counted in it": (
        lambda c: c.dtype == "float16" and prod(c.out) > 2048,
        counted_in_dtype,
    ),
    "bfloat16: positions counted in it": (
        lambda c: c.dtype == "bfloat16" and prod(c.out) > 256,
        counted_in_dtype,
    ),
    **{
        f"input read to {limit}": (
            lambda c, limit=limit: max(c.geometry.size) > limit,
            read_to(limit),
        )
        for limit in (32, 64, 256, 2048, 8192, 32_768)
    },
}


# ------------------------------------------------------------------------------
# who notices


def call_of(case: Case) -> Call:
    assert case.geometry is not None
    return Call(
        dtype=case.dtype,
        batch=case.input.shape[0],
        channels=case.input.shape[1],
        outputs=case.kernel.shape[1] * case.geometry.groups,
        groups=case.geometry.groups,
        geometry=case.geometry,
        bias=case.bias is not None,
    )


@cache
def corpus() -> tuple[tuple[Case, Call], ...]:
    """The cases that have an output, those with the fewest numbers first."""
    found = [
        (case, call_of(case))
        for case in load_cases(CHECKOUT / "cases")
        if case.geometry is not None and not case.must_fail and "slow" not in case.tags
    ]
    return tuple(
        sorted(found, key=lambda pair: prod(pair[0].input.shape) + prod(pair[0].output_shape))
    )


def noticing(condition: Condition, mistake: Callable[[Truth], Float64]) -> Iterator[str]:
    """The names of the cases that notice the mistake where the condition is met."""
    for case, call in corpus():
        if condition(call):
            truth = prepare(case).truth
            assert truth is not None
            with np.errstate(over="ignore", invalid="ignore"):
                got = mistake(truth).astype(dtype_of(case.dtype))
                if compare(got, truth, briefly=True).mismatch is not None:
                    yield case.name


@pytest.mark.parametrize("name", ENGINES)
def test_every_selective_mistake_is_noticed_by_some_cases(name: str) -> None:
    """Five cases or more notice an engine that is wrong there alone."""
    found = noticing(*ENGINES[name])
    first = [name for name, _ in zip(found, range(LEAST), strict=False)]
    assert len(first) == LEAST, first


def test_a_right_engine_is_noticed_by_none() -> None:
    """The oracle's own result, rounded to the dtype, is right in every case of the 16-bit dtypes
    and float64, so that what the others notice is the mistake.
    """
    right = noticing(lambda call: call.dtype != "float32", lambda truth: truth.y)
    assert list(right) == []


def test_conditions_are_of_calls_that_are_there() -> None:
    """The names of engines are all different in what they say, and none is for every call."""
    assert all(re.search(r"[a-z]", name) for name in ENGINES)
    for name, (condition, _) in ENGINES.items():
        met = sum(condition(call) for _, call in corpus())
        assert LEAST <= met < len(corpus()) / 2, name
