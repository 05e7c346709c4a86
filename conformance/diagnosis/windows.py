"""Which window of the full output an array is, and whose window that is."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from conformance import conventions
from conformance.compare import share_explained
from conformance.conventions import Unrepresentable
from conformance.diagnosis.mistakes import Call
from conformance.geometry import Axis, Geometry
from conformance.oracle import Truth
from conformance.oracle.reference import Float64

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
_STRIDE_AND_DILATION = {
    "keras": ("strides", "dilation_rate"),
    "tensorflow": ("strides", "dilations"),
    "jax": ("strides", "rhs_dilation"),
    "onnx": ("strides", "dilations"),
}


def shifted_windows(got: Float64, call: Call, truth: Truth) -> Iterator[tuple[tuple[int, ...], float]]:
    """Every (low, ...) at which the window of the full output begins that `got` is for the most part, and for which part.

    The right one is left out.
    """
    axes = call.geometry.axes
    reaches = [min(FARTHEST, max(axis.extent, axis.stride, 3)) for axis in axes]
    out = got.shape[2:]
    if len(out) != len(axes) or got.shape[:2] != truth.y.shape[:2] or 0 in got.shape:
        return
    around = Geometry(
        axes=tuple(
            replace(axis, crop_low=axis.crop_low - reach, crop_high=axis.full - (axis.crop_low + reach) - length)
            for axis, reach, length in zip(axes, reaches, out, strict=True)
        ),
        groups=call.geometry.groups,
    )
    wide = replace(call, geometry=around).output()
    if wide is None:
        return
    random = np.random.RandomState(0)
    probes = [random.randint(0, size, PROBES) for size in got.shape]
    seen = got[tuple(probes)]
    tolerance = 1e-2 * (np.abs(seen) + 1e-30)
    for shift in itertools.product(*(range(-reach, reach + 1) for reach in reaches)):
        lows = tuple(axis.crop_low + by for axis, by in zip(axes, shift, strict=True))
        if not any(shift) and got.shape == truth.y.shape:
            continue
        starts = [by + reach for by, reach in zip(shift, reaches, strict=True)]
        with np.errstate(invalid="ignore"):
            there = wide[(*probes[:2], *(probe + start for probe, start in zip(probes[2:], starts, strict=True)))]
            near = (np.abs(there - seen) <= tolerance) | (there == seen) | (np.isnan(there) & np.isnan(seen))
        if near.mean() < LEAST_LIKENESS:
            continue
        window = wide[(slice(None), slice(None), *(slice(a, a + n) for a, n in zip(starts, out, strict=True)))]
        yield lows, share_explained(got, window, truth)


def owners(axes: Sequence[Axis], lows: Sequence[int], out: Sequence[int]) -> list[str]:
    """The spellings whose window begins at `lows` and has `out` elements, for these sizes, kernels, strides and dilations."""
    size, kernel = [axis.size for axis in axes], [axis.kernel for axis in axes]
    found = []
    for name, (convention, padding) in SAME_SOUNDING.items():
        stride, dilation = _STRIDE_AND_DILATION[convention]
        native = conventions.normal_form(
            convention, {stride: [a.stride for a in axes], dilation: [a.dilation for a in axes], **padding}, len(axes)
        )
        geometry = conventions.get(convention).geometry(native, size=size, kernel=kernel)
        if [axis.crop_low for axis in geometry.axes] == list(lows) and list(geometry.out) == list(out):
            found.append(name)
    plain = Geometry(
        axes=tuple(
            replace(axis, crop_low=low, crop_high=axis.full - low - length)
            for axis, low, length in zip(axes, lows, out, strict=True)
        )
    )
    native_or_none = conventions.get("torch").native(plain)
    if not isinstance(native_or_none, Unrepresentable):
        padding, extra = native_or_none["padding"], native_or_none["output_padding"]
        found.append(f"padding={_one(padding)}, output_padding={_one(extra)}")
    return found


def _one(values: Sequence[int]) -> int | tuple[int, ...]:
    return values[0] if len(set(values)) == 1 else tuple(values)
