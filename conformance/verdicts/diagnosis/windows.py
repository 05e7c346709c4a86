"""Which window of the full output an array is, and whose window that is."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from conformance import conventions
from conformance.conventions import Unrepresentable
from conformance.conventions.spelling import SPELLINGS
from conformance.geometry import Axis, Geometry
from conformance.oracle.reference import Float64
from conformance.verdicts.diagnosis.mistake import Call

FARTHEST = 8  # positions that a window is looked for on either side of the right one
PROBES = 48  # elements that are looked at before all are
LEAST_LIKENESS = 0.6  # the part of them that must agree

SAME_SOUNDING = {
    "Keras same": ("keras", {"padding": "same"}),
    "Keras valid": ("keras", {"padding": "valid"}),
    "TensorFlow SAME": ("tensorflow", {"padding": "SAME"}),
    "TensorFlow VALID": ("tensorflow", {"padding": "VALID"}),
    "JAX SAME": ("jax", {"padding": "SAME"}),
    "ONNX SAME_UPPER": ("onnx", {"auto_pad": "SAME_UPPER"}),
    "ONNX SAME_LOWER": ("onnx", {"auto_pad": "SAME_LOWER"}),
}


def neighbours(call: Call) -> Iterator[tuple[tuple[int, ...], Call]]:
    """(shift, call) for the windows of the same shape that begin one position before or after on
    some axes.
    """
    axes = call.geometry.axes
    for shift in itertools.product((-1, 0, 1), repeat=len(axes)):
        if any(shift):
            yield (
                shift,
                call.with_axes(
                    lambda number, axis, shift=shift: replace(  # type: ignore[misc]
                        axis,
                        crop_low=axis.crop_low + shift[number],
                        crop_high=axis.crop_high - shift[number],
                    )
                ),
            )


def _likely_starts(got: Float64, wide: Float64, reaches: Sequence[int]) -> NDArray[np.int_]:
    """The (starts, rank) of windows of `wide`, from 0 to twice the reach of each axis, that agree
    with `got` at most of some random positions.
    """
    random = np.random.RandomState(0)
    probes = [random.randint(0, size, PROBES) for size in got.shape]
    starts = np.array(list(itertools.product(*(range(2 * reach + 1) for reach in reaches))))
    expected = got[tuple(probes)]
    positions = tuple(
        probe + starts[:, number, np.newaxis] for number, probe in enumerate(probes[2:])
    )
    with np.errstate(invalid="ignore"):
        there = wide[(*probes[:2], *positions)]
        near = (
            (np.abs(there - expected) <= 1e-2 * (np.abs(expected) + 1e-30))
            | (there == expected)
            | (np.isnan(there) & np.isnan(expected))
        )
    likely: NDArray[np.int_] = starts[near.mean(axis=1) >= LEAST_LIKENESS]
    return likely


def shifted_windows(got: Float64, call: Call) -> Iterator[tuple[tuple[int, ...], Float64]]:
    """Every ((low, ...), window) of the call's full output that `got` (N, C_out, *out) is for the
    most part.
    """
    axes = call.geometry.axes
    reaches = [min(FARTHEST, max(axis.extent, axis.stride, 3)) for axis in axes]
    out = got.shape[2:]
    wide = call.with_axes(
        lambda number, axis: replace(
            axis,
            crop_low=axis.crop_low - reaches[number],
            crop_high=axis.full - (axis.crop_low + reaches[number]) - out[number],
        )
    ).output()
    if wide is None:
        return
    for starts in _likely_starts(got, wide, reaches):
        window = wide[
            (slice(None), slice(None), *(slice(a, a + n) for a, n in zip(starts, out, strict=True)))
        ]
        yield (
            tuple(
                int(axis.crop_low + by - reach)
                for axis, by, reach in zip(axes, starts, reaches, strict=True)
            ),
            window,
        )


def window_text(call: Call, lows: tuple[int, ...], out: tuple[int, ...]) -> str:
    """What is cropped at the start instead, whose window that is, and whose it should be."""
    axes = call.geometry.axes
    start = tuple(axis.crop_low for axis in axes)
    shift = tuple(low - due for low, due in zip(lows, start, strict=True))
    if out == call.geometry.out:
        by = shift if len(shift) > 1 else shift[0]
        text = f"the window is shifted by {by}: {crops_text(lows, start)}"
    else:
        text = (
            f"another window is taken: from {lows} on {out} elements instead of from {start} "
            f"on {call.geometry.out}"
        )
    takes, due = owners(axes, lows, out), owners(axes, start, call.geometry.out)
    text += f"; that is the window of {', '.join(takes)}" if takes else ""
    return text + (f"; it should be that of {', '.join(due)}" if due else "")


def crops_text(crops: Sequence[int], right: Sequence[int]) -> str:
    """ "crops 0 at the start, should crop 1, on both axes": the axes that differ."""
    by_pair: dict[tuple[int, int], list[int]] = {}
    for axis, pair in enumerate(zip(crops, right, strict=True)):
        if pair[0] != pair[1]:
            by_pair.setdefault(pair, []).append(axis)
    return "; ".join(
        f"crops {crop} at the start, should crop {due}{_on(axes, len(crops))}"
        for (crop, due), axes in by_pair.items()
    )


def _on(axes: Sequence[int], rank: int) -> str:
    """Which of the spatial axes, where there are several."""
    if rank == 1:
        return ""
    if len(axes) == rank:
        return ", on both axes" if rank == 2 else f", on all {rank} axes"
    return f", on {'axis' if len(axes) == 1 else 'axes'} {' and '.join(map(str, axes))}"


def owners(axes: tuple[Axis, ...], lows: Sequence[int], out: Sequence[int]) -> list[str]:
    """The spellings whose window begins at `lows` and has `out` elements, for these sizes, kernels,
    strides and dilations.
    """
    texts = [
        name for name, *window in _windows_of_spellings(axes) if window == [tuple(lows), tuple(out)]
    ]
    plain = Geometry(
        axes=tuple(
            replace(axis, crop_low=low, crop_high=axis.full - low - length)
            for axis, low, length in zip(axes, lows, out, strict=True)
        )
    )
    native_or_none = conventions.get("torch").native(plain)
    if not isinstance(native_or_none, Unrepresentable):
        padding, extra = native_or_none["padding"], native_or_none["output_padding"]
        texts.append(f"padding={_one(padding)}, output_padding={_one(extra)}")
    return texts


@lru_cache(1024)  # many windows of one call are looked at
def _windows_of_spellings(
    axes: tuple[Axis, ...],
) -> list[tuple[str, tuple[int, ...], tuple[int, ...]]]:
    """(spelling, where its window begins, how long it is) for these sizes, kernels, strides and
    dilations.
    """
    size, kernel = [axis.size for axis in axes], [axis.kernel for axis in axes]
    windows = []
    for name, (convention, padding) in SAME_SOUNDING.items():
        names = SPELLINGS[convention]
        native = conventions.normal_form(
            convention,
            {
                names.stride: [axis.stride for axis in axes],
                names.dilation: [axis.dilation for axis in axes],
                **padding,
            },
            len(axes),
        )
        geometry = conventions.get(convention).geometry(native, size=size, kernel=kernel)
        windows.append((name, tuple(axis.crop_low for axis in geometry.axes), geometry.out))
    return windows


def _one(values: Sequence[int]) -> int | tuple[int, ...]:
    return values[0] if len(set(values)) == 1 else tuple(values)
