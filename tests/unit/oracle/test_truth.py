"""What a truth knows beside the output: the number of terms, their magnitude, their squares, and
whether sums are exact.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.geometry import Axis, Geometry
from conformance.oracle import Truth, truth_of

AXES = st.builds(
    Axis,
    size=st.integers(1, 4),
    kernel=st.integers(1, 3),
    stride=st.integers(1, 3),
    dilation=st.integers(1, 3),
    crop_low=st.integers(-2, 2),
    crop_high=st.integers(-2, 2),
).filter(lambda axis: axis.out > 0)


def sums(truth: Truth, term: Callable[[float, float], float]) -> Any:
    """The sum over all products of an element of term(x, w), by definition."""
    total = np.zeros(truth.y.shape)
    geometry, per_group = truth.geometry, truth.kernel.shape[1]
    per_in = truth.x.shape[1] // geometry.groups
    for n, c, o in itertools.product(
        range(truth.x.shape[0]), range(truth.x.shape[1]), range(per_group)
    ):
        for position in itertools.product(*map(range, geometry.size)):
            for tap in itertools.product(*map(range, geometry.kernel)):
                place = tuple(
                    i * axis.stride + k * axis.dilation - axis.crop_low
                    for i, k, axis in zip(position, tap, geometry.axes, strict=True)
                )
                if all(0 <= p < length for p, length in zip(place, geometry.out, strict=True)):
                    total[(n, c // per_in * per_group + o, *place)] += term(
                        truth.x[(n, c, *position)], truth.kernel[(c, o, *tap)]
                    )
    return total


@given(
    axes=st.lists(AXES, min_size=1, max_size=2),
    groups=st.integers(1, 2),
    bias=st.booleans(),
    seed=st.integers(0, 99),
)
def test_terms_magnitude_and_squares_are_those_of_the_definition(
    axes: list[Axis], groups: int, bias: bool, seed: int
) -> None:
    """Counting products one by one gives the same terms, and the bias is one more term and part of
    the magnitude alone.
    """
    random = np.random.RandomState(seed)
    geometry = Geometry(axes=tuple(axes), groups=groups)
    x = random.randint(-4, 5, (2, 2 * groups, *geometry.size))
    kernel = random.randint(-4, 5, (2 * groups, 2, *geometry.kernel))
    b = random.randint(-4, 5, 2 * groups) if bias else None
    truth = truth_of(x, kernel, b, geometry, "float32")
    shape = truth.y.shape
    extra = (
        np.zeros(shape)
        if b is None
        else np.broadcast_to(abs(b).reshape(-1, *[1] * len(axes)), shape)
    )
    assert np.array_equal(np.broadcast_to(truth.terms, shape), sums(truth, lambda a, w: 1.0) + bias)
    assert np.array_equal(truth.magnitude, sums(truth, lambda a, w: abs(a * w)) + extra)
    assert np.array_equal(truth.squares, sums(truth, lambda a, w: (a * w) ** 2))


@pytest.mark.parametrize(
    ("dtype", "bits"), [("float32", 24), ("float64", 53), ("float16", 11), ("bfloat16", 8)]
)
@pytest.mark.parametrize("sign", [1, -1])
def test_exact_up_to_two_to_the_significand_bits(
    truth: Callable[..., Truth], dtype: str, bits: int, sign: int
) -> None:
    """Integers whose magnitudes add up to 2^p are exact and to 2^p + 2 are not, whatever
    cancels.
    """
    half = 2.0 ** (bits - 1)
    assert truth([[[half], [half]]], [[[1]], [[sign]]], dtype=dtype).exact
    assert not truth([[[half], [half]]], [[[1]], [[sign]]], [2], dtype=dtype).exact


def test_one_is_too_many_already(truth: Callable[..., Truth]) -> None:
    """The limit is 2^24 itself: one more is not exact in float32, and is in float64."""
    x, kernel, bias = [[[2.0**23], [2.0**23]]], [[[1]], [[1]]], [1]
    assert not truth(x, kernel, bias, dtype="float32").exact
    assert truth(x, kernel, bias, dtype="float64").exact


@pytest.mark.parametrize("where", ["x", "kernel", "bias"])
@pytest.mark.parametrize("number", [0.5, np.nan, np.inf])
def test_one_operand_that_is_no_integer_is_enough(
    truth: Callable[..., Truth], where: str, number: float
) -> None:
    """A fraction, NaN or infinity in any operand makes the case inexact."""
    operands = {"x": [[[1.0, 2.0]]], "kernel": [[[1.0]]], "bias": [1.0]}
    assert truth(**operands).exact
    operands[where] = (np.array(operands[where]) * number).tolist()
    assert not truth(**operands).exact


def test_without_elements_everything_is_exact(truth: Callable[..., Truth]) -> None:
    """An output of no elements has no sum that could be inexact."""
    assert truth(np.zeros((0, 1, 2)), np.ones((1, 1, 2))).exact


def test_the_output_is_that_of_the_rounded_operands(truth: Callable[..., Truth]) -> None:
    """Operands are rounded to the dtype first, and the sum is then float64."""
    true = truth([[[1 + 2.0**-9]]], [[[1 + 2.0**-7]]], dtype="bfloat16")
    assert true.y.item() == 1 + 2.0**-7
    assert true.y.dtype == np.float64
