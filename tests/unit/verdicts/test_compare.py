"""Verdicts on outcomes: each kind of mismatch, exactness, and the error bound against a formula
written a second time.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from conformance.corpus.case import Case
from conformance.corpus.expected import agrees_with_oracle
from conformance.corpus.tensors import dtype_of
from conformance.oracle import Truth
from conformance.oracle.bound import bound, gamma
from conformance.outcomes import (
    Crashed,
    Outcome,
    Output,
    Raised,
    TimedOut,
    Unavailable,
    Unsupported,
)
from conformance.verdicts.assessment import assess_output
from conformance.verdicts.compare import compare
from conformance.verdicts.excerpt import MOST_ELEMENTS, WINDOW, excerpt
from conformance.verdicts.precision import effective_precision

TruthMaker = Callable[..., Truth]
DTYPES = ("float32", "float64", "float16", "bfloat16")


def rounded(truth: Truth) -> Any:
    """The true output in its dtype."""
    with np.errstate(over="ignore"):
        return truth.y.astype(dtype_of(truth.dtype))


@pytest.fixture
def normal(truth: TruthMaker) -> Truth:
    """A case of rounded sums: 12 channels, 3x3 taps, with bias."""
    random = np.random.RandomState(0)
    return truth(
        random.standard_normal((2, 12, 6, 5)),
        random.standard_normal((12, 4, 3, 3)),
        random.standard_normal(4),
        stride=2,
        padding=1,
    )


def products_of(truth: Truth) -> dict[tuple[int, ...], list[tuple[np.float32, np.float32]]]:
    """The factors of every product of every element, in float32; a bias is its product with 1."""
    found: dict[tuple[int, ...], list[tuple[np.float32, np.float32]]] = {}
    geometry = truth.geometry
    for index in np.ndindex(truth.y.shape):
        found[index] = (
            [] if truth.bias is None else [(np.float32(truth.bias[index[1]]), np.float32(1))]
        )
    for n, c, o in itertools.product(
        range(truth.x.shape[0]), range(truth.x.shape[1]), range(truth.kernel.shape[1])
    ):
        for position in np.ndindex(*geometry.size):
            for tap in np.ndindex(*geometry.kernel):
                place = tuple(
                    i * a.stride + k * a.dilation - a.crop_low
                    for i, k, a in zip(position, tap, geometry.axes, strict=True)
                )
                if (n, o, *place) in found:
                    factors = (
                        np.float32(truth.x[(n, c, *position)]),
                        np.float32(truth.kernel[(c, o, *tap)]),
                    )
                    found[(n, o, *place)].append(factors)
    return found


# ------------------------------------------------------------------------------
# what disagrees


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_truth_rounded_to_the_dtype_conforms(truth: TruthMaker, dtype: str) -> None:
    """The nearest number of the dtype is right in every dtype."""
    random = np.random.RandomState(1)
    true = truth(random.standard_normal((1, 3, 5)), random.standard_normal((3, 2, 3)), dtype=dtype)
    found = compare(rounded(true), true)
    assert found.mismatch is None
    assert found.error_over_bound is not None
    assert found.error_over_bound <= 1


def test_shape_comes_first(normal: Truth) -> None:
    """A wrong shape is told whatever the dtype and the values are."""
    found = compare(np.full((2, 4), np.nan), normal)
    assert found.mismatch == {
        "kind": "shape", "got": [2, 4], "expected": [2, 4, 11, 9], "text": ("out.shape=[2, 4], "
            "should be [2, 4, 11, 9]"),
    }  # fmt: skip
    assert found.error_over_bound is None


def test_dtype_comes_second(normal: Truth) -> None:
    """A wrong dtype is told whatever the values are."""
    found = compare(np.full(normal.y.shape, np.nan, np.float64), normal)
    assert found.mismatch is not None
    assert (found.mismatch["kind"], found.mismatch["text"]) == (
        "dtype",
        "out.dtype=float64, should be float32",
    )


def test_the_pattern_of_nan_and_infinity_comes_third(normal: Truth) -> None:
    """A NaN where none is due is told before a wrong value at an earlier index."""
    got = rounded(normal)
    got[0, 0, 0, 0] += 100
    got[1, 2, 3, 4] = np.nan
    found = compare(got, normal)
    assert found.mismatch is not None
    assert (found.mismatch["kind"], found.mismatch["index"], found.mismatch["count"]) == (
        "nonfinite",
        [1, 2, 3, 4],
        1,
    )


def test_values_come_last_with_the_first_of_them(normal: Truth) -> None:
    """The first index in C order, what is there, what should be, and how many of how many."""
    got = rounded(normal)
    got[1, 1, 0, 2] = 7
    got[0, 3, 5, 1] = -100
    found = compare(got, normal)
    assert found.mismatch is not None
    assert found.mismatch["kind"] == "values"
    assert (found.mismatch["index"], found.mismatch["got"], found.mismatch["expected"]) == (
        [0, 3, 5, 1],
        -100.0,
        normal.y[0, 3, 5, 1],
    )
    assert (found.mismatch["count"], found.mismatch["of"]) == (2, normal.y.size)
    where, wanted = "out[0, 3, 5, 1]=-100", float(normal.y[0, 3, 5, 1])
    assert (
        found.mismatch["text"]
        == f"{where}, should be {wanted!r}; 2 of {normal.y.size} elements differ"
    )
    assert found.error_over_bound is not None
    assert found.error_over_bound > 1


@pytest.mark.parametrize(
    ("true", "wrong"),
    [(np.nan, np.inf), (np.inf, -np.inf), (np.inf, 3e38), (1.0, np.nan), (1.0, np.inf)],
)
def test_each_strange_number_is_told_from_the_others(
    truth: TruthMaker, true: float, wrong: float
) -> None:
    """NaN, both infinities and finite numbers are four patterns."""
    expected = truth([[[true]]], [[[1.0]]])
    assert compare(np.array([[[true]]], np.float32), expected).mismatch is None
    found = compare(np.array([[[wrong]]], np.float32), expected)
    assert found.mismatch is not None
    assert found.mismatch["kind"] == "nonfinite"


@pytest.mark.parametrize(
    ("dtype", "beyond"), [("float16", 300.0), ("float32", 1e30), ("bfloat16", 1e30)]
)
def test_the_true_value_is_rounded_to_the_dtype_before_patterns_are_compared(
    truth: TruthMaker, dtype: str, beyond: float
) -> None:
    """Where the truth exceeds the dtype, infinity is right and the largest finite number is not."""
    expected = truth([[[beyond]]], [[[beyond]]], dtype=dtype)
    assert compare(np.full((1, 1, 1), np.inf).astype(dtype_of(dtype)), expected).mismatch is None
    found = compare(np.full((1, 1, 1), 60000.0).astype(dtype_of(dtype)), expected)
    assert found.mismatch is not None
    assert found.mismatch["kind"] == "nonfinite"


# ------------------------------------------------------------------------------
# exactness


@pytest.mark.parametrize("dtype", DTYPES)
def test_exact_cases_are_compared_bit_for_bit(truth: TruthMaker, dtype: str) -> None:
    """On integers the neighbour of the true number is wrong, although the bound would forgive
    it.
    """
    expected = truth([[[3.0, 5.0]]], [[[1.0, 2.0]]], dtype=dtype)
    got = rounded(expected)
    assert compare(got, expected).mismatch is None
    got[0, 0, 1] = np.nextafter(got[0, 0, 1], got.dtype.type(0))
    found = compare(got, expected)
    assert found.mismatch is not None
    assert (found.mismatch["kind"], found.mismatch["index"]) == ("values", [0, 0, 1])


def test_minus_zero_is_zero_unless_the_case_is_about_its_sign(
    a_case: Callable[..., Case], truth: TruthMaker
) -> None:
    """-0.0 for 0.0 conforms, and differs in cases tagged `signed-zero`."""
    expected = truth([[[0.0, 1.0]]], [[[1.0]]])
    got = Output(y=np.array([[[-0.0, 1.0]]], np.float32))
    plain = assess_output(a_case(), expected, got, adapter="engine", device="cpu")
    tagged = assess_output(
        a_case(tags=("signed-zero",)), expected, got, adapter="engine", device="cpu"
    )
    assert (plain.status, tagged.status) == ("conforms", "differs")
    right = Output(y=np.array([[[0.0, 1.0]]], np.float32))
    assert (
        assess_output(
            a_case(tags=("signed-zero",)), expected, right, adapter="engine", device="cpu"
        ).status
        == "conforms"
    )


# ------------------------------------------------------------------------------
# the bound


def scalar_gamma(n: float, u: float) -> float:
    """The docstring's gamma of one number, in plain Python."""
    exponent = 6 * math.sqrt(n) * u + n * u * u / (1 - u)
    probable = math.expm1(exponent) if exponent < 700 else math.inf
    return min(n * u / (1 - n * u), probable) if n * u < 1 else probable


@examples(n=st.integers(0, 2**30), u=st.sampled_from([2.0**-24, 2.0**-53, 2.0**-8]))
def test_gamma_is_that_of_the_docstring(n: int, u: float) -> None:
    """The smaller of the certain and the probable bound; the certain one ends where n u reaches
    1.
    """
    assert gamma(np.array(float(n)), u) == pytest.approx(scalar_gamma(n, u), rel=1e-9)


def test_the_certain_bound_is_the_smaller_for_few_terms() -> None:
    """Up to 36 terms the certain bound decides, beyond the probable one."""
    u = 2.0**-24
    assert [
        bool(gamma(np.array(float(n)), u) == n * u / (1 - n * u)) for n in (1, 35, 37, 1000)
    ] == [True, True, False, False]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bias", [None, [0.3, -7.0]])
def test_the_bound_is_that_of_the_docstring_in_every_element(
    truth: TruthMaker, dtype: str, bias: list[float] | None
) -> None:
    """Computed a second time, an element at a time, from the terms of that element."""
    random = np.random.RandomState(3)
    true = truth(
        random.standard_normal((2, 3, 4)),
        random.standard_normal((3, 2, 3)),
        bias,
        dtype=dtype,
        stride=2,
        padding=1,
        output_padding=1,
    )
    u = 2.0**-53 if dtype == "float64" else 2.0**-24
    u_out = {"float64": 2.0**-53, "float32": 2.0**-24, "float16": 2.0**-11, "bfloat16": 2.0**-8}[
        dtype
    ]
    smallest = {
        "float64": 2.0**-1074,
        "float32": 2.0**-149,
        "float16": 2.0**-24,
        "bfloat16": 2.0**-133,
    }[dtype]
    found = bound(true)
    overlap = true.geometry.axes[0].overlap()
    assert len(set(overlap)) > 1
    for index in np.ndindex(true.y.shape):
        _, channel, place = index
        terms = 3 * overlap[place] + (bias is not None)
        b = 0.0 if true.bias is None else true.bias[channel]
        y, magnitude = true.y[index], true.magnitude[index]
        times, rounded = (1, abs(y)) if bias is None else (2, abs(y) + abs(y - b))
        sums = (1 + u_out) ** times * scalar_gamma(terms, u) + scalar_gamma(terms, 2.0**-53)
        wanted = sums * magnitude + u_out * rounded + (terms + 1) * (smallest / 2)
        assert found[index] == pytest.approx(wanted, rel=1e-12, abs=0)


def added(factors: list[tuple[np.float32, np.float32]], order: str) -> np.float32:
    """The sum of products in float32, rounded after every step, in one of several orders."""
    terms = [np.float32(x * w) for x, w in factors]
    if order == "backward":
        terms = terms[::-1]
    if order == "by-magnitude":
        terms.sort(key=abs)
    if order == "pairwise":
        while len(terms) > 1:
            terms = [sum(terms[i : i + 2], np.float32(0)) for i in range(0, len(terms), 2)]
    if order == "fused":  # one rounding for the product and the sum
        total = np.float32(0)
        for x, w in factors:
            total = np.float32(float(total) + float(x) * float(w))
        return total
    return np.float32(sum(terms, np.float32(0)))


@pytest.mark.parametrize("order", ["forward", "backward", "by-magnitude", "pairwise", "fused"])
def test_correct_float32_sums_conform_in_any_order(truth: TruthMaker, order: str) -> None:
    """An engine that only rounds is right, in whatever order it adds, with cancellation too."""
    random = np.random.RandomState(5)
    true = truth(
        random.standard_normal((1, 8, 4, 3)),
        random.standard_normal((8, 2, 3, 3)),
        [1000.0, -1.0],
        stride=2,
        padding=1,
    )
    got = np.zeros(true.y.shape, np.float32)
    for index, factors in products_of(true).items():
        got[index] = added(factors, order)
    found = compare(got, true)
    assert found.mismatch is None
    assert found.error_over_bound is not None
    assert 0 < found.error_over_bound < 1


def test_the_oracle_is_the_exact_sum_within_its_own_share_of_the_bound(truth: TruthMaker) -> None:
    """float64 sums differ from the exact rational ones by no more than gamma(n, 2^-53) * B."""
    random = np.random.RandomState(6)
    true = truth(random.standard_normal((1, 4, 3)), random.standard_normal((4, 1, 3)), [0.7])
    for index, factors in products_of(true).items():
        exact = sum((Fraction(float(x)) * Fraction(float(w)) for x, w in factors), Fraction(0))
        assert abs(exact - Fraction(true.y[index])) <= Fraction(
            scalar_gamma(len(factors), 2.0**-53) * true.magnitude[index]
        )


def test_a_relative_error_of_two_millionths_fails(normal: Truth) -> None:
    """x * (1 + 2e-6) is no rounding of float32, and is noticed."""
    got = (normal.y * (1 + 2e-6)).astype(np.float32)
    found = compare(got, normal)
    assert found.mismatch is not None
    assert found.mismatch["kind"] == "values"


@pytest.mark.parametrize(
    "change", ["a-tap-lost", "a-bias-lost", "kernel-in-bfloat16", "kernel-in-tf32"]
)
def test_errors_that_are_no_rounding_fail(truth: TruthMaker, normal: Truth, change: str) -> None:
    """Products or precision that were lost are outside of the bound."""
    kernel, bias = normal.kernel.copy(), normal.bias
    if change == "a-tap-lost":
        kernel[3, 2, 1, 1] = 0
    elif change == "a-bias-lost":
        bias = None
    else:
        kernel = to_bits(kernel, 8 if change == "kernel-in-bfloat16" else 11)
    wrong = truth(normal.x, kernel, bias, stride=2, padding=1)
    assert compare(wrong.y.astype(np.float32), normal).mismatch is not None


@pytest.mark.parametrize("bias", [None, [2.0]])
def test_elements_that_nothing_reaches_are_the_bias_exactly(
    truth: TruthMaker, bias: list[float] | None
) -> None:
    """Where no product lands there is nothing to forgive but the rounding of the bias itself."""
    true = truth([[[0.5, 0.5]]], [[[0.5]]], bias, stride=2)
    b = 0.0 if bias is None else bias[0]
    assert bound(true)[0, 0, 1] <= 4 * 2.0**-24 * b + 2.0**-148
    got = rounded(true)
    got[0, 0, 1] += np.float32(1e-6)
    assert compare(got, true).mismatch is not None


def test_the_largest_error_is_a_multiple_of_the_bound(normal: Truth) -> None:
    """error_over_bound is the largest ratio of an element's error and its bound, and 0 where
    nothing is off.
    """
    got = rounded(normal)
    limit = bound(normal)
    got[0, 0, 2, 2] = normal.y[0, 0, 2, 2] + 50 * limit[0, 0, 2, 2]
    found = compare(got, normal)
    wanted = max(abs(got.astype(np.float64) - normal.y).ravel() / limit.ravel())
    assert found.error_over_bound == pytest.approx(wanted)


def test_without_error_the_ratio_is_zero(truth: TruthMaker) -> None:
    """A bit-exact answer, an empty one too, has the ratio 0 and no precision."""
    for x in (np.ones((1, 1, 3)), np.zeros((0, 1, 3))):
        true = truth(x, [[[2.0]]])
        found = compare(rounded(true), true)
        assert (found.mismatch, found.error_over_bound, found.precision) == (None, 0.0, None)


# ------------------------------------------------------------------------------
# the precision


def to_bits(array: Any, bits: int) -> Any:
    """The nearest numbers with so many bits of significand, the hidden one counted."""
    mantissa, exponent = np.frexp(array)
    return np.ldexp(np.rint(mantissa * 2.0**bits), exponent - bits)


@pytest.mark.parametrize(
    ("bits", "formats"), [(24, ["float32"]), (11, ["TF32", "float16"]), (8, ["bfloat16"])]
)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_precision_is_that_of_the_operands(
    truth: TruthMaker, bits: int, formats: list[str], seed: int
) -> None:
    """Operands rounded to so many bits show that many, and the formats that have them."""
    random = np.random.RandomState(seed)
    x, kernel = random.standard_normal((2, 8, 9, 9)), random.standard_normal((8, 4, 3, 3))
    true = truth(x, kernel, dtype="float64")
    engine = truth(to_bits(x, bits), to_bits(kernel, bits), dtype="float64")
    found = effective_precision(abs(engine.y - true.y), true)
    assert found == {"bits": bits, "formats": formats}


def test_a_precision_between_formats_names_none(truth: TruthMaker) -> None:
    """16 bits are more than float16 has, and too few for an accumulator in float32 over sums as
    short as these.
    """
    random = np.random.RandomState(0)
    x, kernel = random.standard_normal((2, 8, 9, 9)), random.standard_normal((8, 4, 3, 3))
    true = truth(x, kernel, dtype="float64")
    engine = truth(to_bits(x, 16), to_bits(kernel, 16), dtype="float64")
    assert effective_precision(abs(engine.y - true.y), true) == {"bits": 16, "formats": []}


def test_strange_elements_do_not_count_towards_the_precision(truth: TruthMaker) -> None:
    """NaN and infinity in the truth leave the precision to the other elements."""
    random = np.random.RandomState(0)
    x, kernel = random.standard_normal((2, 8, 9, 9)), random.standard_normal((8, 4, 3, 3))
    x[0, 0, 0, 0] = np.nan
    true = truth(x, kernel)
    got = truth(to_bits(x, 8), to_bits(kernel, 8)).y.astype(np.float32)
    assert compare(got, true).precision == {"bits": 8, "formats": ["bfloat16"]}


# ------------------------------------------------------------------------------
# the verdicts


@pytest.mark.parametrize(
    ("outcome", "status", "refusal", "message"),
    [
        (Raised(type="ValueError", message="no"), "raised", "conforms", "ValueError: no"),
        (
            Raised(type="E", message="no", stage="while translating"),
            "raised",
            "raised",
            "while translating E: no",
        ),
        (
            Unsupported(reason="its documentation"),
            "unsupported",
            "unsupported",
            "its documentation",
        ),
        (
            Unsupported(reason="not yet", raised="NotImplementedError"),
            "unsupported",
            "conforms",
            "not yet",
        ),
        (Crashed(message="SIGABRT"), "crashed", "crashed", "SIGABRT"),
        (TimedOut(seconds=1.5), "timed-out", "timed-out", "no answer within 1.5 s"),
        (Unavailable(reason="not installed"), "unavailable", "unavailable", "not installed"),
    ],
)
def test_each_outcome_has_its_status(
    a_case: Callable[..., Case],
    truth: TruthMaker,
    outcome: Outcome,
    status: str,
    refusal: str,
    message: str,
) -> None:
    """What it means where an answer was due, and where refusal was: only an exception of the call
    itself refuses.
    """
    due = assess_output(
        a_case(), truth([[[1.0]]], [[[1.0]]]), outcome, adapter="engine", device="gpu"
    )
    refuse = assess_output(a_case(must_fail=True), None, outcome, adapter="engine", device="gpu")
    assert (due.status, refuse.status) == (status, refusal)
    assert due.message == refuse.message == message
    assert (due.case, due.adapter, due.device, due.quantity, due.exact, refuse.exact) == (
        "folder/file/one", "engine", "gpu", "output", True, None,
    )  # fmt: skip


def test_a_result_where_refusal_was_due_differs(a_case: Callable[..., Case]) -> None:
    """An answer to nonsense is a difference of its own kind, and is kept."""
    found = assess_output(
        a_case(must_fail=True), None, Output(y=np.ones((1, 2))), adapter="engine", device="cpu"
    )
    assert found.status == "differs"
    assert found.mismatch == {
        "kind": "not-refused",
        "text": "a result of shape [1, 2], should be refused",
    }
    assert found.got == {"shape": [1, 2], "values": [[1.0, 1.0]]}


def test_a_difference_keeps_what_was_got_and_a_conforming_answer_does_not(
    a_case: Callable[..., Case], truth: TruthMaker
) -> None:
    """The record shows the numbers of what is wrong alone."""
    true = truth([[[1.0, 2.0]]], [[[1.0]]])
    wrong = assess_output(
        a_case(), true, Output(y=np.array([[[1, 3]]], np.float32)), adapter="engine", device="cpu"
    )
    right = assess_output(
        a_case(), true, Output(y=np.array([[[1, 2]]], np.float32)), adapter="engine", device="cpu"
    )
    assert (wrong.status, wrong.got) == ("differs", {"shape": [1, 1, 2], "values": [[[1.0, 3.0]]]})
    assert (right.status, right.got) == ("conforms", None)


def test_excerpts_are_whole_up_to_4096_elements() -> None:
    """One element more and a window round the index is kept, with where it starts."""
    assert excerpt(np.zeros((1, 1, MOST_ELEMENTS)), [0, 0, 9])["values"] == [
        [[0.0] * MOST_ELEMENTS]
    ]
    large = np.arange(2.0 * 3 * 50 * 60).reshape(2, 3, 50, 60)
    found = excerpt(large, [1, 2, 30, 1])
    assert (found["shape"], found["start"]) == ([2, 3, 50, 60], [1, 2, 26, 0])
    assert np.array_equal(found["values"], large[1:2, 2:3, 26 : 26 + WINDOW, :WINDOW])


@pytest.mark.parametrize("shape", [(10**4,), (100, 100), (1, 1, 10**4), (1, 1, 30, 30, 30)])
def test_excerpts_exist_for_any_rank_and_without_an_index(shape: tuple[int, ...]) -> None:
    """An engine may return an array of any rank: its excerpt is small all the same."""
    found = excerpt(np.zeros(shape, np.float32), None)
    assert found["shape"] == list(shape)
    assert 0 < np.size(found["values"]) <= WINDOW**3
    assert json.dumps(found)


@pytest.mark.parametrize(
    ("stated", "y", "scale", "agrees"),
    [
        (1.0, 1.0, 0.0, True),
        (1.0, 1.0 + 1e-13, 1.0, True),
        (1.0, 1.0 + 1e-11, 1.0, False),
        (0.0, 1e-10, 1e3, True),
        (np.nan, np.nan, np.nan, True),
        (np.nan, 1.0, 1.0, False),
        (1.0, np.nan, np.nan, False),
        (np.inf, np.inf, np.inf, True),
        (-np.inf, np.inf, np.inf, False),
        (5.0, np.inf, np.inf, False),
    ],
)
def test_stated_numbers_agree_with_the_oracle_within_its_order_of_addition(
    stated: float, y: float, scale: float, agrees: bool
) -> None:
    """1e-12 of the sum of magnitudes is allowed, and nothing where a number is not finite."""
    assert agrees_with_oracle(stated, y, scale) is agrees
