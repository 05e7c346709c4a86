"""Bits that change: whether repeated calls on the same numbers give the same result, and what it
looks like if they do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from conformance.corpus.tensors import Array
from conformance.outcomes import Gradients, Outcome, Output

HUGE = 1e20
TINY = 1e-30


def nondeterminism(outcomes: Sequence[Outcome]) -> dict[str, Any] | None:
    """{"runs", "distinct", "largest", "looks"} of repetitions that do not agree bit for bit; None
    if they do.

    `largest` is the largest difference between two of them where both are finite, and `looks` says
    "uninitialised" where what changes is huge, subnormal or not a number in some of them, as memory
    is that nobody wrote. An outcome that is no array counts as one of its kind.
    """
    marks = [_mark(outcome) for outcome in outcomes]
    if len(set(marks)) == 1:
        return None
    first, largest, strange = _arrays(outcomes[0]), 0.0, False
    for other in map(_arrays, outcomes[1:]):
        for one, two in zip(first, other, strict=False):
            if one.shape == two.shape:
                a, b = one.astype(np.float64), two.astype(np.float64)
                changed = (a != b) & ~(np.isnan(a) & np.isnan(b))
                finite = changed & np.isfinite(a) & np.isfinite(b)
                largest = max(largest, float(np.max(np.abs(a - b), where=finite, initial=0.0)))
                strange |= any(_looks_unwritten(values[changed]) for values in (a, b))
    looks = "uninitialised" if strange else None
    return {"runs": len(outcomes), "distinct": len(set(marks)), "largest": largest, "looks": looks}


def _arrays(outcome: Outcome) -> list[Array]:
    if isinstance(outcome, Output):
        return [outcome.y]
    if isinstance(outcome, Gradients):
        return [
            array for array in (outcome.input, outcome.kernel, outcome.bias) if array is not None
        ]
    return []


def _mark(outcome: Outcome) -> tuple[Any, ...]:
    """A mark by which outcomes are compared: the bits of the arrays, or the kind of the outcome."""
    arrays = _arrays(outcome)
    return (
        type(outcome).__name__,
        *((array.shape, array.dtype.name, array.tobytes()) for array in arrays),
    )


def _looks_unwritten(values: Array) -> bool:
    with np.errstate(invalid="ignore"):
        sizes = np.abs(values)
        return bool((~np.isfinite(values) | (sizes > HUGE) | ((sizes > 0) & (sizes < TINY))).any())
