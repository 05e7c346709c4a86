"""A case's arrays: every recipe against its definition, and rounding to the dtype."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from conformance.corpus.case import ArrayLiteral, Case, Made
from conformance.corpus.tensors import dtype_of, tensors_of

SHAPE = (2, 2, 3, 4)


def made(values: str, **rest: Any) -> Made:
    return Made(shape=SHAPE, values=values, seed=rest.pop("seed", 7), **rest)


def test_integers_are_randint_of_the_frozen_generator(a_case: Callable[..., Case]) -> None:
    """`integers` are RandomState(seed).randint(-4, 5, shape)."""
    x = tensors_of(a_case(input=made("integers"))).x
    assert np.array_equal(x, np.random.RandomState(7).randint(-4, 5, SHAPE))
    assert x.dtype == np.float32


def test_integers_never_change(a_case: Callable[..., Case]) -> None:
    """The first numbers of a seed are the same on every machine and in every release."""
    case = a_case(input=Made(shape=(1, 2, 1, 3), values="integers", seed=1))
    assert tensors_of(case).x.ravel().tolist() == [1, 4, 1, -4, -4, -3]


def test_wide_integers_of_the_input_are_odd_and_have_13_bits(a_case: Callable[..., Case]) -> None:
    """`wide` input is odd, between 2^12 and 2^13, of both signs, and exactly the documented
    draws.
    """
    x = tensors_of(a_case(input=made("wide"))).x
    random = np.random.RandomState(7)
    magnitude = 2 * random.randint(2048, 4096, SHAPE) + 1
    assert np.array_equal(x, magnitude * (1 - 2 * random.randint(0, 2, SHAPE)))
    assert set(np.sign(x).ravel()) == {-1, 1}
    assert (x % 2 == 1).all()
    assert ((abs(x) > 4096) & (abs(x) < 8192)).all()


@pytest.mark.parametrize("role", ["kernel", "bias"])
def test_wide_kernels_and_biases_are_small(a_case: Callable[..., Case], role: str) -> None:
    """`wide` kernel and bias are randint(-2, 3, shape), so that the sums stay exact in float32."""
    shape = {"kernel": (2, 3, 2, 2), "bias": (30,)}[role]
    case = a_case(**{role: Made(shape=shape, values="wide", seed=5)})
    assert np.array_equal(
        getattr(tensors_of(case), role), np.random.RandomState(5).randint(-2, 3, shape)
    )


def test_normal_numbers_are_multiples_of_two_to_the_minus_twelve(
    a_case: Callable[..., Case],
) -> None:
    """`normal` is standard_normal(shape) rounded to multiples of 2^-12."""
    x = tensors_of(a_case(input=made("normal"), dtype="float64")).x
    draws = np.random.RandomState(7).standard_normal(SHAPE)
    assert np.array_equal(x * 4096, np.rint(x * 4096))
    assert (abs(x - draws) <= 2.0**-13).all()


def test_ones_and_arange(a_case: Callable[..., Case]) -> None:
    """`ones` are ones, `arange` counts from 1 in C order."""
    assert (tensors_of(a_case(input=made("ones"))).x == 1).all()
    assert tensors_of(a_case(input=made("arange"))).x.ravel().tolist() == list(range(1, 49))


def test_one_hot_is_one_at_its_index_and_else_zero(a_case: Callable[..., Case]) -> None:
    """`one-hot` has its single 1 at `index`, or at the centre."""
    at_index = tensors_of(a_case(input=made("one-hot", index=(1, 0, 2, 3)))).x
    assert np.argwhere(at_index).tolist() == [[1, 0, 2, 3]]
    centre = tensors_of(a_case(input=made("one-hot"))).x
    assert np.argwhere(centre).tolist() == [[1, 1, 1, 2]]
    assert centre.sum() == 1


def test_put_places_single_numbers_in_order(a_case: Callable[..., Case]) -> None:
    """`put` replaces what the recipe made, the last word counting, and leaves the rest."""
    put = (
        ((0, 0, 0, 0), np.nan),
        ((1, 1, 2, 3), -0.0),
        ((0, 1, 0, 0), 5.0),
        ((0, 1, 0, 0), np.inf),
    )
    x = tensors_of(a_case(input=made("ones", put=put))).x
    assert np.isnan(x[0, 0, 0, 0])
    assert x[1, 1, 2, 3] == 0
    assert np.signbit(x[1, 1, 2, 3])
    assert x[0, 1, 0, 0] == np.inf
    assert (x == 1).sum() == x.size - 3


def test_given_numbers_keep_their_shape(a_case: Callable[..., Case]) -> None:
    """Numbers that were written out stand in C order."""
    x = tensors_of(a_case(input=ArrayLiteral(shape=(1, 2, 1, 3), numbers=(1, 2, 3, 4, 5, 6)))).x
    assert x.tolist() == [[[[1, 2, 3]], [[4, 5, 6]]]]


@pytest.mark.parametrize(
    ("dtype", "number", "rounded"),
    [
        ("float64", 1 + 2.0**-52, 1 + 2.0**-52),
        ("float32", 1 + 2.0**-24, 1.0),
        ("float32", 1e-40, float(np.float32(1e-40))),
        ("float16", 1 + 2.0**-11, 1.0),
        ("float16", 1e9, np.inf),
        ("bfloat16", 1 + 2.0**-8, 1.0),
        ("bfloat16", 1 + 3 * 2.0**-8, 1 + 2.0**-6),
        ("bfloat16", 1e39, np.inf),
    ],
)
def test_numbers_are_rounded_to_the_dtype(
    a_case: Callable[..., Case], dtype: str, number: float, rounded: float
) -> None:
    """Each number becomes the nearest of the case's dtype, ties to even, without a warning where it
    overflows.
    """
    x = tensors_of(
        a_case(input=ArrayLiteral(shape=(1, 2, 1, 1), numbers=(number, 0.0)), dtype=dtype)
    ).x
    assert x.dtype == dtype_of(dtype)
    assert float(x[0, 0, 0, 0]) == rounded


def test_an_operand_of_another_dtype_is_rounded_to_that(
    a_case: Callable[..., Case], given: Callable[[Any], ArrayLiteral]
) -> None:
    """257 is no bfloat16 and 2049 no float16, and the kernel keeps both in float32."""
    case = a_case(
        input=given([[[[257.0, 2049.0]]]]),
        kernel=given([[[[257.0, 2049.0]]]]),
        bias=given([2049.0]),
        other_dtypes={"input": "bfloat16", "bias": "float16"},
    )
    x, kernel, bias = tensors_of(case)
    assert (x.dtype.name, kernel.dtype.name, bias.dtype.name) == ("bfloat16", "float32", "float16")
    assert x.astype(float).ravel().tolist() == [256.0, 2048.0]
    assert kernel.ravel().tolist() == [257.0, 2049.0]
    assert bias.tolist() == [2048.0]


def test_all_operands_have_the_dtype_and_bias_may_be_absent(a_case: Callable[..., Case]) -> None:
    """x, kernel and bias are of one dtype; no bias is None."""
    tensors = tensors_of(a_case(bias=Made(shape=(3,), values="integers", seed=3), dtype="bfloat16"))
    assert {array.dtype.name for array in tensors} == {"bfloat16"}
    assert tensors_of(a_case()).bias is None


def test_an_unknown_recipe_is_an_error(a_case: Callable[..., Case]) -> None:
    """Values that no recipe makes are refused by name."""
    with pytest.raises(ValueError, match="unknown values 'sevens'"):
        tensors_of(a_case(input=made("sevens")))
