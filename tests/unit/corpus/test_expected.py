"""What a case's `expected` says of the oracle, and what it should say."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from conformance.corpus.case import ArrayLiteral, Case, Expected, Guard, Made
from conformance.corpus.expected import (
    MOST_VALUES,
    check_guards,
    contradiction,
    digest,
    expectation,
    lack,
)
from conformance.corpus.truths import Truths, prepare
from conformance.errors import CaseFileError
from conformance.geometry import from_padding
from conformance.oracle import Truth

CaseMaker = Callable[..., Case]
TruthMaker = Callable[..., Truth]


def test_small_outputs_are_written_out(truth: TruthMaker) -> None:
    """Up to 64 elements the numbers stand, in C order, with -0.0 as 0.0."""
    expected = expectation(truth([[[1.0, -2.0]]], [[[1.0, 0.0]]]))
    assert expected == Expected(shape=(1, 1, 3), numbers=(1.0, -2.0, 0.0))
    assert "-0.0" not in repr(expected.numbers)


@pytest.mark.parametrize(("size", "written"), [(MOST_VALUES, True), (MOST_VALUES + 1, False)])
def test_sixty_four_elements_are_the_most(truth: TruthMaker, size: int, written: bool) -> None:
    """One element more has a digest."""
    expected = expectation(truth(np.ones((1, 1, size)), [[[1.0]]]))
    assert (expected.numbers is not None, expected.sha256 is not None) == (written, not written)


def test_large_exact_outputs_have_a_digest_and_others_a_sum(truth: TruthMaker) -> None:
    """Bits are compared where they do not depend on the order of summation."""
    exact = expectation(truth(np.full((1, 1, 100), 3.0), [[[-1.0]]]))
    rounded = expectation(truth(np.full((1, 1, 100), 0.5), [[[-1.0]]]))
    assert (exact.shape, exact.sum_abs) == ((1, 1, 100), None)
    assert exact.sha256 is not None
    assert rounded == Expected(shape=(1, 1, 100), sum_abs=50.0)


def test_the_digest_is_that_of_the_little_endian_bytes() -> None:
    """SHA-256 of float64 little-endian in C order; -0.0 counts as 0.0 and any memory layout is the
    same.
    """
    y = np.array([[1.0, -0.0], [2.5, -3.0]])
    by_hand = hashlib.sha256(struct.pack("<4d", 1.0, 0.0, 2.5, -3.0)).hexdigest()
    assert digest(y) == by_hand
    assert digest(np.asfortranarray(y)) == by_hand
    assert digest(y.T) != by_hand


@pytest.mark.parametrize("size", [3, 100])
@pytest.mark.parametrize("scale", [1.0, 0.1])
def test_what_should_be_said_contradicts_nothing(
    a_case: CaseMaker, truth: TruthMaker, size: int, scale: float
) -> None:
    """The expectation of a truth agrees with it, in every form."""
    true = truth(np.arange(size).reshape(1, 1, -1) * scale, [[[3.0, -1.0]]])
    assert contradiction(a_case(expected=expectation(true)), true) is None


def test_nothing_expected_contradicts_nothing(a_case: CaseMaker, truth: TruthMaker) -> None:
    """Without `expected`, or with its shape alone where that is right, there is nothing to say."""
    true = truth([[[1.0, 2.0]]], [[[1.0]]])
    assert contradiction(a_case(), true) is None
    assert contradiction(a_case(expected=Expected(shape=(1, 1, 2))), true) is None


@pytest.mark.parametrize(
    ("stated", "line"),
    [
        ({"shape": (1, 1, 3)}, ("10: expected.shape: is [1, 1, 3], should be [1, 1, 2] as the "
            "oracle says")),
        ({"shape": (1, 1, 3), "numbers": (1.0,)}, "10: expected.shape: is [1, 1, 3]"),
        ({"numbers": (1.0,)}, ("9: expected.values: has 1 number, should have 2 as the oracle's "
            "output of [1, 1, 2]")),
        ({"numbers": (1.0, 2.5)}, ("9: expected.values: has 2.5 at [0, 0, 1], should have 2.0 as "
            "the oracle says")),
        ({"numbers": (float("nan"), 2.0)}, ("9: expected.values: has nan at [0, 0, 0], should have "
            "1.0 as the oracle says")),
        ({"sha256": "0" * 64}, "9: expected.sha256: is 000000"),
        ({"sum_abs": 3.0001}, "9: expected.sum_abs: is 3.0001, should be 3.0 as the oracle says"),
    ],
)  # fmt: skip
def test_each_disagreement_is_told_at_its_key(
    a_case: CaseMaker, truth: TruthMaker, stated: dict[str, Any], line: str
) -> None:
    """FILE:LINE: KEY: what is stated and what the oracle says."""
    told = contradiction(a_case(expected=Expected(**stated)), truth([[[1.0, 2.0]]], [[[1.0]]]))
    assert told is not None
    assert told.startswith(f"cases/folder/file.yaml:{line}")
    assert "should" in told


def test_a_digest_of_sums_that_are_rounded_is_refused(a_case: CaseMaker, truth: TruthMaker) -> None:
    """Even the right digest of inexact sums is wrong: another summation has another."""
    true = truth([[[0.1, 0.2]]], [[[0.3, 0.1]]])
    told = contradiction(a_case(expected=Expected(sha256=digest(true.y))), true)
    assert told is not None
    assert "expected.sha256: is given, should be sum_abs" in told


@pytest.mark.parametrize(("error", "agrees"), [(0.0, True), (0.5e-12, True), (3e-12, False)])
@pytest.mark.parametrize("form", ["numbers", "sum_abs"])
def test_rounded_sums_agree_within_a_millionth_of_a_millionth(
    a_case: CaseMaker, truth: TruthMaker, form: str, error: float, agrees: bool
) -> None:
    """Stated numbers may be off by 1e-12 of the sum of magnitudes, because BLAS adds in its own
    order.
    """
    true = truth([[[1.0, 1.0]]], [[[1.0]]])
    stated = {"numbers": (1.0, 1.0 + error)} if form == "numbers" else {"sum_abs": 2.0 + 2 * error}
    assert (contradiction(a_case(expected=Expected(**stated)), true) is None) == agrees


def test_expected_nan_and_infinity_agree_with_themselves_alone(
    a_case: CaseMaker, truth: TruthMaker
) -> None:
    """NaN agrees with NaN, an infinity with the one of its sign."""
    true = truth([[[np.nan, np.inf]]], [[[1.0]]])
    assert contradiction(a_case(expected=Expected(numbers=(np.nan, np.inf))), true) is None
    told = contradiction(a_case(expected=Expected(numbers=(np.nan, -np.inf))), true)
    assert told is not None
    assert "has -inf at [0, 0, 1], should have inf" in told


@pytest.fixture
def with_gradients(a_case: CaseMaker) -> Case:
    """A case whose gradients of input and bias are small, and that of the kernel has 96 numbers."""
    return a_case(
        kernel=Made(shape=(2, 12, 2, 2), values="integers", seed=2),
        bias=Made(shape=(12,), values="integers", seed=3),
        gradients=Made(shape=(1, 12, 6, 6), values="integers", seed=4),
    )


def test_gradients_are_guarded_by_the_same_rules_as_the_output(with_gradients: Case) -> None:
    """Up to 64 elements the numbers stand; more have a digest where sums are exact, else a sum."""
    exact = prepare(with_gradients)
    rounded = prepare(
        replace(with_gradients, input=Made(shape=(1, 2, 3, 3), values="normal", seed=1))
    )
    assert exact.truth is not None
    assert rounded.truth is not None
    guards = expectation(exact.truth, exact.gradient_truths).gradients
    assert guards is not None
    assert list(guards) == ["input", "kernel", "bias"]
    assert guards["input"] == Guard(
        numbers=tuple(exact.gradient_truths["input"].y.ravel().tolist())
    )
    assert guards["kernel"] == Guard(sha256=digest(exact.gradient_truths["kernel"].y))
    sums = expectation(rounded.truth, rounded.gradient_truths).gradients
    assert sums is not None
    assert sums["kernel"] == Guard(sum_abs=float(np.abs(rounded.gradient_truths["kernel"].y).sum()))


@pytest.mark.parametrize(
    ("of", "stated", "line"),
    [
        ("kernel", {"numbers": (1.0,)}, "values: has 1 number, should have 96 as the oracle's "
            "gradient of [2, 12, 2, 2]"),
        ("kernel", {"sha256": "0" * 64}, "sha256: is 000000"),
        ("input", {"sum_abs": 0.5}, "sum_abs: is 0.5, should be"),
        ("bias", {"numbers": (0.5, *[0.0] * 11)}, "values: has 0.5 at [0], should have"),
    ],
)  # fmt: skip
def test_a_gradient_that_disagrees_is_told_at_its_key(
    with_gradients: Case, of: str, stated: dict[str, Any], line: str
) -> None:
    """FILE:LINE: expected.gradients.OPERAND.KEY, and a run stops at it."""
    expected = Expected(gradients={of: Guard(**stated)})
    with pytest.raises(CaseFileError) as caught:
        check_guards([replace(with_gradients, expected=expected)], Truths())
    (told,) = caught.value.lines
    assert told.startswith(f"cases/folder/file.yaml:9: expected.gradients.{of}.{line}")
    assert "should" in told


def test_what_the_oracle_says_of_gradients_contradicts_nothing(with_gradients: Case) -> None:
    """The expectation of gradients agrees with them."""
    prepared = prepare(with_gradients)
    assert prepared.truth is not None
    expected = expectation(prepared.truth, prepared.gradient_truths)
    check_guards([replace(with_gradients, expected=expected)], Truths())
    assert lack(replace(with_gradients, expected=expected)) is None


def test_what_is_not_guarded_is_named(with_gradients: Case) -> None:
    """The whole, the output's numbers, all gradients, or some."""
    of = {"input": Guard(sum_abs=1.0), "kernel": Guard()}
    said = {
        None: "expected: missing",
        Expected(shape=(1, 12, 6, 6)): "expected: says nothing of the values",
        Expected(sum_abs=1.0): "expected.gradients: missing",
    }
    assert [lack(replace(with_gradients, expected=expected)) for expected in said] == [
        *said.values()
    ]
    partly = replace(with_gradients, expected=Expected(sum_abs=1.0, gradients=of))
    assert lack(partly) == "expected.gradients: says nothing of kernel, bias"
    assert lack(replace(partly, gradients=None)) is None


def test_a_cotangent_written_out_weighs_the_output(a_case: CaseMaker) -> None:
    """One product per element of a kernel of one: the gradient of the input is the cotangent where
    the products land, times the kernel.
    """
    case = a_case(
        input=ArrayLiteral(shape=(1, 1, 1, 2), numbers=(5.0, 7.0)),
        kernel=ArrayLiteral(shape=(1, 1, 1, 1), numbers=(3.0,)),
        geometry=from_padding(
            size=[1, 2], kernel=[1, 1], stride=[1, 2], padding=[(0, 0)] * 2,
            output_padding=[0, 0], dilation=[1, 1],
        ),
        gradients=ArrayLiteral(shape=(1, 1, 1, 3), numbers=(2.0, 100.0, -1.0)),
    )  # fmt: skip
    gradients = prepare(case).gradient_truths
    assert gradients["input"].y.ravel().tolist() == [6.0, -3.0]
    assert gradients["kernel"].y.ravel().tolist() == [5.0 * 2.0 - 7.0]
