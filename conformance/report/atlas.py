"""The atlas: which window of the full output every convention's spelling takes, and which of them a
run has measured.

For one axis of a kernel and a stride: the crops at start and end, and the size of the output.
Spellings of the same size and another window are what ports go wrong on: the same shape, other
numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from conformance import conventions
from conformance.geometry import Axis
from conformance.record.record import Record

KERNELS = (2, 3, 4, 5)
STRIDES = (1, 2, 3)
SIZE = 4  # of the input; no window here depends on it


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The window of one spelling on one axis, and whether a run has seen it computed so."""

    convention: str
    spelling: str
    axis: Axis
    measured: bool
    alike: bool = field(default=False)
    """Whether another spelling has the same size and another window."""


def spellings(kernel: int, stride: int) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(convention, words, native arguments) of what users write to multiply the size by the stride,
    or to cut nothing.
    """
    half = (kernel - 1) // 2
    extra = max(stride - (kernel - 2 * half), 0)
    yield "torch", "padding=0", {"stride": stride}
    if (half or extra) and extra < stride:
        words = f"padding={half}" + (f", output_padding={extra}" if extra else "")
        yield "torch", words, {"stride": stride, "padding": half, "output_padding": extra}
    for padding in ("same", "valid"):
        yield "keras", padding, {"strides": stride, "padding": padding}
    for padding in ("SAME", "VALID"):
        yield "tensorflow", padding, {"strides": stride, "padding": padding}
        yield "jax", padding, {"strides": stride, "padding": padding}
        yield "flax", padding, {"strides": stride, "padding": padding}
    yield "jax", f"[({half}, {half})]", {"strides": stride, "padding": [[half, half]]}
    for padding in ("SAME_UPPER", "SAME_LOWER", "VALID"):
        yield "onnx", padding, {"strides": stride, "auto_pad": padding}


def windows(
    kernel: int, stride: int, measured: frozenset[tuple[str, int, int, int, int]] = frozenset()
) -> list[Window]:
    """The window of every spelling, those of one size together; `measured` is what
    `measured_windows` found in a record.
    """
    entries = []
    for convention, words, native in spellings(kernel, stride):
        normal = conventions.normal_form(convention, native, 1)
        (axis,) = conventions.get(convention).geometry(normal, size=[SIZE], kernel=[kernel]).axes
        seen = (convention, kernel, stride, axis.crop_low, axis.crop_high) in measured
        entries.append((convention, words, axis, seen))
    shown = []
    for convention, words, axis, seen in sorted(
        entries, key=lambda entry: (-entry[2].out, entry[2].crop_low)
    ):
        others = {other.crop_low for _, _, other, _ in entries if other.out == axis.out}
        shown.append(
            Window(
                convention=convention,
                spelling=words,
                axis=axis,
                measured=seen,
                alike=len(others) > 1,
            )
        )
    return shown


def measured_windows(
    cases: Mapping[str, Mapping[str, Any]], conforming: Sequence[tuple[str, str]]
) -> frozenset[tuple[str, int, int, int, int]]:
    """(convention, kernel, stride, crop_low, crop_high) of every axis of a native case that its own
    convention computed.

    cases are a record's case lines by name; conforming has (case, convention) for every verdict
    that conforms.
    """
    measured = set()
    for name, convention in conforming:
        case = cases[name]
        if convention not in (case.get("native") or {}) or case.get("geometry") is None:
            continue
        for axis in case["geometry"]["axes"]:
            if axis["dilation"] == 1:
                measured.add(
                    (
                        convention,
                        axis["kernel"],
                        axis["stride"],
                        axis["crop_low"],
                        axis["crop_high"],
                    )
                )
    return frozenset(measured)


def measured_of(record: Record) -> frozenset[tuple[str, int, int, int, int]]:
    """`measured_windows` of a record: what its adapters have computed, by their conventions."""
    spoken = {entry["label"]: entry.get("convention") for entry in record.run["adapters"]}
    conforming = [
        (v.case, str(spoken.get(v.adapter))) for v in record.verdicts if v.status == "conforms"
    ]
    return measured_windows(record.cases, conforming)


def picture(axis: Axis) -> str:
    """The full output as a row: `.` cut, `o` kept, `+` appended."""
    low, high = axis.crop_low, axis.crop_high
    uncropped = axis.full - max(low, 0) - max(high, 0)
    return (
        "+" * max(-low, 0)
        + "." * max(low, 0)
        + "o" * uncropped
        + "." * max(high, 0)
        + "+" * max(-high, 0)
    )
