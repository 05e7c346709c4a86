"""What a case file's `expected` says of the oracle: whether it agrees, and what it should say."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable

import numpy as np

from conformance.corpus.case import Case, Expected
from conformance.corpus.truths import Truths
from conformance.errors import CaseFileError
from conformance.oracle import Truth
from conformance.oracle.reference import Float64

MOST_VALUES = 64
"""Elements of an output that are written out; a larger one is guarded by a digest."""


def expectation(truth: Truth) -> Expected:
    """What `expected` should say: the shape, and the values, or their digest, or the sum of their
    magnitudes.
    """
    shape = tuple(truth.y.shape)
    if truth.y.size <= MOST_VALUES:
        return Expected(
            shape=shape, numbers=tuple(float(number) for number in (truth.y + 0.0).ravel())
        )
    if truth.exact:
        return Expected(shape=shape, sha256=digest(truth.y))
    return Expected(shape=shape, sum_abs=float(np.abs(truth.y).sum()))


def digest(y: Float64) -> str:
    """SHA-256 of the float64 little-endian C-order bytes, with -0.0 as 0.0."""
    return hashlib.sha256(np.ascontiguousarray(y + 0.0, "<f8").tobytes()).hexdigest()


def contradiction(case: Case, truth: Truth) -> str | None:
    """`FILE:LINE: KEY: what is wrong, what would be right` where `expected` and the oracle
    disagree.
    """
    stated = case.expected
    if stated is None:
        return None
    true = truth.y
    found = None
    if stated.shape is not None and stated.shape != true.shape:
        found = "shape", f"is {list(stated.shape)}, should be {list(true.shape)} as the oracle says"
    elif stated.numbers is not None and len(stated.numbers) != true.size:
        found = (
            "values",
            (
                f"has {len(stated.numbers)} numbers, should have {true.size} as the oracle's "
                "output "
                f"of {list(true.shape)}"
            ),
        )
    elif stated.numbers is not None and not _agrees(
        np.array(stated.numbers), true.ravel(), lambda: truth.magnitude.ravel()
    ):
        given = np.array(stated.numbers).reshape(true.shape)
        with np.errstate(invalid="ignore"):
            wrong = ~((given == true) | (np.isnan(given) & np.isnan(true)))
        index = tuple(int(i) for i in np.argwhere(wrong)[0])
        found = (
            "values",
            (
                f"has {float(given[index])!r} at {list(index)}, should have "
                f"{float(true[index])!r} as "
                "the oracle says"
            ),
        )
    elif stated.sha256 is not None and not truth.exact:
        found = (
            "sha256",
            (
                "is given, should be sum_abs: the sums are not exact, and their bits depend on the "
                "order of summation"
            ),
        )
    elif stated.sha256 is not None and stated.sha256 != digest(true):
        found = "sha256", f"is {stated.sha256}, should be {digest(true)} as the oracle says"
    elif stated.sum_abs is not None and not _agrees(
        stated.sum_abs, float(np.abs(true).sum()), lambda: truth.magnitude.sum()
    ):
        found = (
            "sum_abs",
            f"is {stated.sum_abs!r}, should be {float(np.abs(true).sum())!r} as the oracle says",
        )
    if found is None:
        return None
    key = f"expected.{found[0]}"
    return f"{case.place.at(key)}: {key}: {found[1]}"


def _agrees(
    stated: float | Float64, y: float | Float64, scale: Callable[[], float | Float64]
) -> bool:
    """`agrees_with_oracle`, with a scale that is made only where the numbers are not the same."""
    return bool(np.all(stated == y)) or agrees_with_oracle(stated, y, scale())


def check_guards(cases: Iterable[Case], truths: Truths) -> None:
    """Raise CaseFileError where what is `expected` and the oracle disagree."""
    wrong = []
    for case in cases:
        if case.expected is not None:
            truth = truths(case).truth
            line = None if truth is None else contradiction(case, truth)
            if line is not None:
                wrong.append(line)
    if wrong:
        raise CaseFileError(wrong)


def agrees_with_oracle(stated: float | Float64, y: float | Float64, scale: float | Float64) -> bool:
    """Whether numbers written into a case file are the oracle's, up to the order in which it adds.

    NaN agrees with NaN, an infinity with itself; else within 1e-12 of the sum of magnitudes.
    """
    stated, y = np.asarray(stated, np.float64), np.asarray(y, np.float64)
    with np.errstate(invalid="ignore"):
        near = np.isfinite(y) & np.isfinite(stated) & (abs(stated - y) <= 1e-12 * scale)
        return bool(((stated == y) | near | (np.isnan(stated) & np.isnan(y))).all())
