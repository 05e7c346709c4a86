"""Which mistakes a case cannot notice: by its looks, and by making them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from conformance.corpus.case import Case
from conformance.corpus.tensors import dtype_of
from conformance.oracle import Truth
from conformance.verdicts.compare import compare
from conformance.verdicts.diagnosis import made_mistakes


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """The names of the mistakes that a case notices when they are made, and of those that it could
    show and does not.
    """

    detected: frozenset[str]
    survived: frozenset[str]


def detection(truth: Truth) -> Detection:
    """Make every mistake that the call could show, and see whether the comparison finds it."""
    detected: set[str] = set()
    survived: set[str] = set()
    dtype = dtype_of(truth.dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        for mistake in made_mistakes(truth):
            y = mistake.output()
            wrong = y is not None and compare(y.astype(dtype), truth).mismatch is not None
            (detected if wrong else survived).add(mistake.name)
    return Detection(detected=frozenset(detected), survived=frozenset(survived - detected))


def weaknesses(case: Case, truth: Truth) -> Iterator[str]:
    """What in the looks of a case keeps it from noticing mistakes, a sentence each."""
    w, axes = truth.kernel, truth.geometry.axes
    spatial = tuple(range(2, w.ndim))
    if not truth.y.any():
        yield "the output is zero everywhere, and every mistake that keeps its shape survives"
        return
    if np.prod(w.shape[2:]) > 1:
        if (w == w[(slice(None), slice(None), *[slice(0, 1)] * len(spatial))]).all():
            yield "every kernel is constant: neither a flip nor a shift of its taps shows"
        elif (w == np.flip(w, spatial)).all():
            yield "every kernel is symmetric: whether it is flipped does not show"
    if w.shape[0] // truth.geometry.groups == 1 and w.shape[1] == 1:
        yield "one input and one output channel per group: no mistake about channels shows"
    if len(axes) > 1 and len(set(axes)) == 1:
        yield "all axes are alike: exchanging their arguments does not show"
