"""What low precision makes of a call: operands or the result rounded to a format, sums accumulated
in one, subnormals flushed.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from conformance.corpus.tensors import dtype_of
from conformance.geometry import Axis, Geometry
from conformance.oracle import Truth
from conformance.oracle.bound import bound
from conformance.oracle.reference import Float64, transpose_into_window
from conformance.oracle.truth import SIGNIFICAND_BITS, significand
from conformance.verdicts.diagnosis.fit import matching_elements
from conformance.verdicts.diagnosis.mistake import Mistake

SMALLEST_NORMAL = {
    "float64": 2.0**-1022,
    "float32": 2.0**-126,
    "bfloat16": 2.0**-126,
    "float16": 2.0**-14,
}
NEARLY = 2.0**-6  # of the sum of magnitudes: what rounding to 8 bits and more leaves


@dataclass(frozen=True, slots=True, kw_only=True)
class _Format:
    """Significand bits, the binary exponent of the smallest subnormal, and the largest number."""

    bits: int
    quantum: int
    largest: float


FORMATS = {
    "TF32": _Format(bits=11, quantum=-136, largest=2.0**128 - 2.0**117),
    "float16": _Format(bits=11, quantum=-24, largest=65504.0),
    "bfloat16": _Format(bits=8, quantum=-133, largest=2.0**128 - 2.0**120),
}
"""Formats that hardware computes in instead of the one asked for."""

_OWN = {name: FORMATS[name] for name in ("float16", "bfloat16")} | {
    "float32": _Format(bits=24, quantum=-149, largest=2.0**128 - 2.0**104)
}
"""The format of a dtype itself, where float64 has bits enough to tell what cutting off makes."""


def rounding_mistakes(truth: Truth) -> Iterator[Mistake]:
    """Every mistake of rounding that this call could show, made: one for each format with fewer
    bits than the dtype.
    """
    for format in FORMATS:
        if FORMATS[format].bits < SIGNIFICAND_BITS[truth.dtype]:
            yield from _rounded(truth, format)
    for bits in (11, 8):
        if bits <= SIGNIFICAND_BITS[truth.dtype]:
            text = f"sums are accumulated in {bits} significand bits"
            yield Mistake(name="low-precision-accumulation", text=text, y=_accumulated(truth, bits))
    yield from _cut(truth)
    yield from _flushed(truth)


def _cut(truth: Truth) -> Iterator[Mistake]:
    """The result cut off to its own dtype instead of rounded to the nearest."""
    own = _OWN.get(truth.dtype)
    if own is not None and not truth.exact:
        text = f"the result is cut off to {truth.dtype} instead of rounded to the nearest"
        yield Mistake(name="result-cut", text=text, y=_in(own, truth.y, cut=True))


def rounding(
    got: Float64, truth: Truth, precision: Mapping[str, Any] | None
) -> tuple[dict[str, Any] | None, bool]:
    """What kind of rounding explains every element of a result that differs, or None; and whether
    that is certain.

    `precision` is what `compare` found. Operands or a result rounded to a format are held against
    every element; what neither explains, though its errors are small beside the sums, was lost on
    the way: in the accumulator, or in another algorithm.
    """
    if got.shape != truth.y.shape:
        return None, False
    whole = _certain_roundings(got, truth)
    if whole:
        return {**whole[0], "share": 1.0, "also": whole[1:]}, True
    if _overflows(got, truth):
        text = (
            "sums are accumulated in low precision: float16, whose largest number is "
            f"{FORMATS['float16'].largest:.0f}"
        )
        return {"name": "low-precision-accumulation", "text": text, "share": 1.0, "also": []}, True
    return (None if precision is None else _intermediate_loss(truth, precision)), False


def _certain_roundings(got: Float64, truth: Truth) -> list[dict[str, str]]:
    """The {"name", "text"} of what rounds every element of `got`: subnormals flushed, operands or a
    result rounded to a format.
    """
    limit = 0.0 if truth.exact else bound(truth)
    whole = [
        {"name": mistake.name, "text": mistake.text}
        for mistake in itertools.chain(_flushed(truth), _cut(truth))
        if mistake.y is not None and matching_elements(got, mistake.y, truth.dtype, limit).all()
    ][:1]
    fits = _formats_that_fit(got, truth, limit)
    if not fits:
        return whole
    bits, whats = next(iter(fits.values()))
    formats = " or ".join(fits)
    text = f"the result has {bits} significant bits: {formats} ({whats[0]})"
    whole.append({"name": "low-precision", "text": text})
    of_the_result = any(
        what.startswith("the result") for _, fitting in fits.values() for what in fitting
    )
    sums = (_accumulated(truth, bits), _accumulated(truth, bits, bias_rounded=False))
    if of_the_result or any(matching_elements(got, y, truth.dtype, limit).all() for y in sums):
        text = (
            f"sums are accumulated in {bits} bits, which short ones do not tell from "
            "rounding to them"
        )
        whole.append({"name": "low-precision-accumulation", "text": text})
    return whole


def _intermediate_loss(truth: Truth, precision: Mapping[str, Any]) -> dict[str, Any]:
    """What is told of errors that are small beside the sums, and that no format explains."""
    formats = " or ".join(precision["formats"])
    text = f"the result has about {precision['bits']} significant bits" + (
        f": {formats}" if formats else ""
    )
    plain = {"name": "low-precision", "text": text}
    text += (
        "; neither rounded operands nor a rounded result explain it: sums are accumulated in "
        "low precision"
    )
    if SIGNIFICAND_BITS[truth.dtype] > max(format.bits for format in FORMATS.values()):
        text += ", or another algorithm is at work (as Winograd's)"
    return {"name": "low-precision-accumulation", "text": text, "share": 1.0, "also": [plain]}


def _overflows(got: Float64, truth: Truth) -> bool:
    """Whether what is not finite lies only where sums pass the range of float16 on the way, all
    else being nearly right.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        lost = ~np.isfinite(got) & np.isfinite(truth.y.astype(dtype_of(truth.dtype)))
        rest = (
            lost
            | (np.abs(got - truth.y) <= NEARLY * truth.magnitude)
            | (~np.isfinite(got) & ~np.isfinite(truth.y))
        )
    return bool(
        lost.any() and rest.all() and (truth.magnitude[lost] > FORMATS["float16"].largest).all()
    )


def _formats_that_fit(
    got: Float64, truth: Truth, limit: float | Float64
) -> dict[str, tuple[int, list[str]]]:
    """format -> (bits, what is rounded to it, for all that explains every element), of the formats
    of most bits alone.
    """
    fitting: dict[str, tuple[int, list[str]]] = {}
    for format, bits in ((name, format.bits) for name, format in FORMATS.items()):
        if bits >= SIGNIFICAND_BITS[truth.dtype]:
            continue
        for mistake in _rounded(truth, format):
            assert mistake.y is not None
            if (
                not np.array_equal(mistake.y, truth.y, equal_nan=True)
                and matching_elements(got, mistake.y, truth.dtype, limit).all()
            ):
                fitting.setdefault(format, (bits, []))[1].append(mistake.text)
    most = max((bits for bits, _ in fitting.values()), default=0)
    return {format: entry for format, entry in fitting.items() if entry[0] == most}


def _rounded(truth: Truth, format: str) -> Iterator[Mistake]:
    x, w, b = truth.x, truth.kernel, truth.bias
    with np.errstate(over="ignore", invalid="ignore"):
        for cut in (False, True):
            how = "cut to it" if cut else "rounded to it"
            for what, operands in (
                ("operands", (to_format(format, x, cut), to_format(format, w, cut))),
                ("input", (to_format(format, x, cut), w)),
                ("kernel", (x, to_format(format, w, cut))),
            ):
                y = transpose_into_window(*operands, b, truth.geometry)
                yield Mistake(name="low-precision", text=f"the {what} {how}", y=y)
            yield Mistake(
                name="low-precision", text=f"the result {how}", y=to_format(format, truth.y, cut)
            )


def to_format(format: str, values: Float64, cut: bool) -> Float64:
    """The values in a format, with its range and its subnormals: to nearest even, or cut."""
    return _in(FORMATS[format], values, cut=cut)


def _in(format: _Format, values: Float64, *, cut: bool) -> Float64:
    exponent = np.maximum(np.frexp(values)[1] - format.bits, format.quantum)
    units = np.ldexp(values, -exponent)
    rounded = np.ldexp(np.trunc(units) if cut else np.round(units), exponent)
    return np.asarray(np.where(np.abs(rounded) <= format.largest, rounded, rounded * np.inf))


def _accumulated(truth: Truth, bits: int, *, bias_rounded: bool = True) -> Float64:
    """A tap's products added after another's, every partial sum rounded to so many significand
    bits, then the bias.
    """
    y = np.zeros_like(truth.y)
    for taps in itertools.product(*(axis.taps() for axis in truth.geometry.axes)):
        numbers = tuple(tap for tap, _, _ in taps)
        alone = truth.kernel[(slice(None), slice(None), *(slice(tap, tap + 1) for tap in numbers))]
        axes = tuple(
            _tap_alone(axis, tap) for axis, tap in zip(truth.geometry.axes, numbers, strict=True)
        )
        y = significand(
            y
            + transpose_into_window(
                truth.x, alone, None, Geometry(axes=axes, groups=truth.geometry.groups)
            ),
            bits,
        )
    if truth.bias is None:
        return y
    y = y + truth.bias.reshape(-1, *[1] * truth.geometry.rank)
    return significand(y, bits) if bias_rounded else y


def _tap_alone(axis: Axis, tap: int) -> Axis:
    """The axis with one tap of its kernel, and the same window."""
    low = axis.crop_low - tap * axis.dilation
    single = replace(axis, kernel=1, dilation=1, crop_low=low, crop_high=0)
    return replace(single, crop_high=single.full - low - axis.out)


def _flushed(truth: Truth) -> Iterator[Mistake]:
    """Subnormals taken for zero: in the result, in the operands, or in both."""

    def flush(values: Float64) -> Float64:
        return np.where(np.abs(values) < SMALLEST_NORMAL[truth.dtype], 0.0, values)

    results = flush(truth.y)
    x, w = flush(truth.x), flush(truth.kernel)
    bias = None if truth.bias is None else flush(truth.bias)
    if (results != truth.y)[~np.isnan(truth.y)].any():
        yield Mistake(
            name="subnormals-flushed", text="subnormal results are flushed to zero", y=results
        )
    if not (
        np.array_equal(x, truth.x, equal_nan=True)
        and np.array_equal(w, truth.kernel, equal_nan=True)
    ):
        y = transpose_into_window(x, w, bias, truth.geometry)
        yield Mistake(name="subnormals-flushed", text="subnormal operands are taken for zero", y=y)
        yield Mistake(
            name="subnormals-flushed",
            text="subnormal operands and results are flushed to zero",
            y=flush(y),
        )
