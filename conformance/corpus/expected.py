"""The comparison of a case file's `expected` with the oracle: whether they agree, and the text that
should stand there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from conformance.corpus.case import OPERANDS, Case, Expected, Guard
from conformance.corpus.truths import Truths
from conformance.errors import CaseFileError
from conformance.oracle import GradientTruth, Truth
from conformance.oracle.reference import Float64
from conformance.wording import counted

MOST_VALUES = 64
"""The most elements of an output that are written out; a larger one is guarded by a digest."""


Gradients = Mapping[str, GradientTruth]


def expectation(truth: Truth, gradients: Gradients | None = None) -> Expected:
    """The `expected` that the oracle gives: the shape, and what guards the numbers of the output
    and of the gradients, where there are some.
    """
    return Expected(
        shape=tuple(truth.y.shape),
        gradients=None
        if gradients is None
        else {of: Guard(**_numbers_of(gradient)) for of, gradient in gradients.items()},
        **_numbers_of(truth),
    )


def _numbers_of(truth: Truth | GradientTruth) -> dict[str, Any]:
    """The values, or their digest, or the sum of their magnitudes."""
    if truth.y.size <= MOST_VALUES:
        return {"numbers": tuple(float(number) for number in (truth.y + 0.0).ravel())}
    if truth.exact:
        return {"sha256": digest(truth.y)}
    return {"sum_abs": float(np.abs(truth.y).sum())}


def lack(case: Case) -> str | None:
    """`KEY: what is missing` where `expected` does not guard all that the oracle says of the
    case.
    """
    if case.must_fail:
        return None
    if case.expected is None:
        return "expected: missing"
    if not case.expected.complete:
        return "expected: says nothing of the values"
    return None if case.gradients is None else _lack_of_gradients(case, case.expected)


def _lack_of_gradients(case: Case, expected: Expected) -> str | None:
    if expected.gradients is None:
        return "expected.gradients: missing"
    operands = ("input", "kernel") if case.bias is None else OPERANDS
    guards = expected.gradients
    silent = [of for of in operands if of not in guards or not guards[of].complete]
    return f"expected.gradients: says nothing of {', '.join(silent)}" if silent else None


def digest(y: Float64) -> str:
    """SHA-256 of the float64 little-endian C-order bytes, with -0.0 as 0.0."""
    return hashlib.sha256(np.ascontiguousarray(y + 0.0, "<f8").tobytes()).hexdigest()


def contradiction(case: Case, truth: Truth, gradients: Gradients | None = None) -> str | None:
    """`FILE:LINE: KEY: what is wrong, what would be right` where `expected` and the oracle
    disagree, of the output first; `gradients` are needed where `expected` has some.
    """
    stated = case.expected
    if stated is None:
        return None
    guards: dict[str, tuple[Guard, Truth | GradientTruth]] = {"expected": (stated, truth)}
    for of, guard in (stated.gradients or {}).items():
        assert gradients is not None, "a guard of gradients is checked with them"
        guards[f"expected.gradients.{of}"] = (guard, gradients[of])
    for above, (guard, true) in guards.items():
        for key, contradicts in _CONTRADICTS.items():
            text = contradicts(guard, true)
            if text is not None:
                return f"{case.location.at(f'{above}.{key}')}: {above}.{key}: {text}"
    return None


def _shape_contradicts(stated: Guard, truth: Truth | GradientTruth) -> str | None:
    shape = truth.y.shape
    if not isinstance(stated, Expected) or stated.shape is None or stated.shape == shape:
        return None
    return f"is {list(stated.shape)}, should be {list(shape)} as the oracle says"


def _numbers_contradict(stated: Guard, truth: Truth | GradientTruth) -> str | None:
    """How many there are, then the first that is another one."""
    y = truth.y
    if stated.numbers is None:
        return None
    if len(stated.numbers) != y.size:
        return (
            f"has {counted(len(stated.numbers), 'number')}, should have {y.size} as the oracle's "
            f"{'output' if isinstance(truth, Truth) else 'gradient'} of {list(y.shape)}"
        )
    numbers = np.array(stated.numbers)
    if _agrees(numbers, y.ravel(), lambda: truth.magnitude.ravel()):
        return None
    numbers = numbers.reshape(y.shape)
    with np.errstate(invalid="ignore"):
        wrong = ~((numbers == y) | (np.isnan(numbers) & np.isnan(y)))
    index = tuple(int(i) for i in np.argwhere(wrong)[0])
    return (
        f"has {float(numbers[index])!r} at {list(index)}, should have {float(y[index])!r} as the "
        "oracle says"
    )


def _digest_contradicts(stated: Guard, truth: Truth | GradientTruth) -> str | None:
    if stated.sha256 is None:
        return None
    if not truth.exact:
        return (
            "is given, should be sum_abs: the sums are not exact, and their bits depend on the "
            "order of summation"
        )
    true = digest(truth.y)
    return (
        None
        if stated.sha256 == true
        else f"is {stated.sha256}, should be {true} as the oracle says"
    )


def _sum_contradicts(stated: Guard, truth: Truth | GradientTruth) -> str | None:
    if stated.sum_abs is None:
        return None
    true = float(np.abs(truth.y).sum())
    if _agrees(stated.sum_abs, true, lambda: truth.magnitude.sum()):
        return None
    return f"is {stated.sum_abs!r}, should be {true!r} as the oracle says"


_CONTRADICTS: dict[str, Callable[[Guard, Truth | GradientTruth], str | None]] = {
    "shape": _shape_contradicts,
    "values": _numbers_contradict,
    "sha256": _digest_contradicts,
    "sum_abs": _sum_contradicts,
}
"""Checks by key of `expected`: each returns the contradiction and the right value as a text. The
shape comes first: the others count on it."""


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
            prepared = truths(case)
            if prepared.truth is None:
                continue
            gradients = None if case.expected.gradients is None else prepared.gradient_truths
            line = contradiction(case, prepared.truth, gradients)
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
