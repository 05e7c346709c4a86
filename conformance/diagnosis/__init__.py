"""What a wrong transposed convolution is instead: the mistake that explains every element, or the one that explains most.

A result is held against what well-known mistakes compute on the same numbers: single ones, then two at once. Explanations that
fit equally are all given. It is asked only where a result differs, so it costs nothing where results conform.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from conformance.compare import share_explained
from conformance.diagnosis.mistakes import Call, Mistake, argument_mistakes, result_mistakes
from conformance.diagnosis.windows import owners, shifted_windows
from conformance.oracle import Truth
from conformance.oracle.reference import Float64
from conformance.outcomes import Outcome, Output
from conformance.tensors import Array
from conformance.verdict import Verdict

LEAST_SHARE = 0.5
MOST_FOR_PAIRS = 2**18  # elements of an output for which two mistakes at once are tried
SMALLEST_NORMAL = {"float64": 2.0**-1022, "float32": 2.0**-126, "bfloat16": 2.0**-126, "float16": 2.0**-14}

__all__ = ["Call", "Mistake", "argument_mistakes", "diagnose", "diagnosed", "result_mistakes", "single_mistakes"]


def diagnose(got: Array, truth: Truth, precision: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
    """{"name", "text", "share", "also"} of what explains a result that differs; None if nothing does.

    got is (N, C_out, *out) of any shape and real dtype; `precision` is what `compare` found. `share` is the part of the elements
    that is explained, and `also` has the other explanations that fit equally.
    """
    if np.iscomplexobj(got) or got.ndim != truth.y.ndim or not got.size:
        return None
    values = got.astype(np.float64)
    if got.shape == truth.y.shape and share_explained(values, truth.y, truth, tight=True) == 1.0:
        return None  # the numbers are right: the dtype is not, or the sign of a zero
    call = Call(x=truth.x, w=truth.kernel, bias=truth.bias, geometry=truth.geometry)
    rounded = _rounding(values, truth, precision)
    if rounded is not None:
        return rounded
    singles = [*_window(values, call, truth), *_scored(single_mistakes(call, truth.y), values, truth)]
    whole = [(mistake, share) for mistake, share in singles if share == 1.0]
    if not whole and got.size <= MOST_FOR_PAIRS:
        whole = [(mistake, share) for mistake, share in _pairs(call, values, truth) if share == 1.0]
    found = whole or _most(singles, values, truth)
    return None if not found else _told(found)


def diagnosed(verdict: Verdict, outcome: Outcome, truth: Truth | None) -> Verdict:
    """The verdict, with a diagnosis where a result differs in shape, pattern or values."""
    if verdict.status != "differs" or truth is None or not isinstance(outcome, Output):
        return verdict
    return replace(verdict, diagnosis=diagnose(outcome.y, truth, verdict.precision))


def single_mistakes(call: Call, y: Float64) -> Iterator[Mistake]:
    """Every mistake that this call could show; y is its right output."""
    yield from argument_mistakes(call)
    yield from result_mistakes(call, y)


def _scored(mistakes: Iterator[Mistake], got: Float64, truth: Truth) -> Iterator[tuple[Mistake, float]]:
    """Mistakes that change something and give an output of this shape, with the share of elements that they explain."""
    for mistake in mistakes:
        y = mistake.output()
        if (
            y is not None
            and y.shape == got.shape
            and not (y.shape == truth.y.shape and np.array_equal(y, truth.y, equal_nan=True))
        ):
            yield mistake, share_explained(got, y, truth)


def _window(got: Float64, call: Call, truth: Truth) -> Iterator[tuple[Mistake, float]]:
    axes = call.geometry.axes
    for lows, share in shifted_windows(got, call, truth):
        shift = tuple(low - axis.crop_low for low, axis in zip(lows, axes, strict=True))
        takes = owners(axes, lows, got.shape[2:])
        due = owners(axes, [axis.crop_low for axis in axes], truth.geometry.out)
        start = tuple(axis.crop_low for axis in axes)
        if got.shape == truth.y.shape:
            name, text = "shifted-window", f"the window is shifted by {shift if len(shift) > 1 else shift[0]}: "
            text += f"the start loses {lows} instead of {start}"
        else:
            name, text = "other-window", f"another window is taken: from {lows} on {got.shape[2:]} elements instead of "
            text += f"from {start} on {truth.geometry.out}"
        if takes:
            text += f"; that is the window of {', '.join(takes)}"
        if due:
            text += f"; due is that of {', '.join(due)}"
        yield Mistake(name=name, text=text), share


def _pairs(call: Call, got: Float64, truth: Truth) -> Iterator[tuple[Mistake, float]]:
    """Two mistakes at once: the second is made of the call that the first one made."""
    seen = []
    for first in argument_mistakes(call):
        assert first.call is not None
        y = first.call.output()
        if y is None or (y.shape == truth.y.shape and np.array_equal(y, truth.y, equal_nan=True)):
            continue
        for lows, share in shifted_windows(got, first.call, truth):
            shift = tuple(low - axis.crop_low for low, axis in zip(lows, first.call.geometry.axes, strict=True))
            if any(shift) and share == 1.0:
                seen.append(
                    (
                        Mistake(
                            name=f"{first.name} + shifted-window", text=f"{first.text}, and the window is shifted by {shift}"
                        ),
                        1.0,
                    )
                )
        for second in single_mistakes(first.call, y):
            if second.name == first.name:
                continue
            z = second.output()
            if z is None or z.shape != got.shape or (z.shape == y.shape and np.array_equal(z, y, equal_nan=True)):
                continue
            if share_explained(got, z, truth) == 1.0:
                names = sorted((first.name, second.name))
                seen.append((Mistake(name=" + ".join(names), text=f"{first.text}, and {second.text}"), 1.0))
    yield from seen


def _rounding(got: Float64, truth: Truth, precision: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Subnormals flushed, or low precision: what `compare` has found to be rounding and not another sum."""
    if got.shape != truth.y.shape:
        return None
    flushed = np.where(np.abs(truth.y) < SMALLEST_NORMAL[truth.dtype], 0.0, truth.y)
    if (flushed != truth.y).any() and share_explained(got, flushed, truth, tight=True) == 1.0:
        return {"name": "subnormals-flushed", "text": "subnormal results are flushed to zero", "share": 1.0, "also": []}
    if precision is None:
        return None
    formats = " or ".join(precision["formats"])
    text = f"the result has a precision of {precision['bits']} bits" + (f": {formats}" if formats else "")
    return {"name": "low-precision", "text": text, "share": 1.0, "also": []}


def _most(scored: Sequence[tuple[Mistake, float]], got: Float64, truth: Truth) -> list[tuple[Mistake, float]]:
    """The mistake that explains the most, if that is most of the elements and more than the truth itself explains."""
    if not scored:
        return []
    best = max(share for _, share in scored)
    right = share_explained(got, truth.y, truth) if got.shape == truth.y.shape else 0.0
    if best < LEAST_SHARE or best <= right:
        return []
    return [(mistake, share) for mistake, share in scored if share == best]


def _told(found: Sequence[tuple[Mistake, float]]) -> dict[str, Any]:
    (first, share), *others = found
    also, names = [], {first.name}
    for mistake, _ in others:
        if mistake.name not in names:
            names.add(mistake.name)
            also.append({"name": mistake.name, "text": mistake.text})
    text = first.text if share == 1.0 else f"{share:.0%} of the elements are explained so: {first.text}"
    if also:
        text += "; or, which fits as well: " + "; ".join(entry["text"] for entry in also[:3])
    return {"name": first.name, "text": text, "share": share, "also": also}
