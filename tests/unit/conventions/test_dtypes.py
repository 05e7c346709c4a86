"""What frameworks document of operands of several dtypes, rule by rule."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from conformance.conventions import NAMES, Dtypes, Unrepresentable, dtype_arguments
from conformance.conventions.dtypes import promoted
from conformance.corpus.case import DTYPES
from conformance.corpus.tensors import dtype_of

RULES = [
    # input, kernel, bias, output: what it adds, or the beginning of the reason
    ("torch", "float32 bfloat16 float32 float32", {}),
    ("torch", "float16 float16 float32 float16", {}),
    ("torch", "bfloat16 float32 float32 float32", "The layers of torch have no argument"),
    ("keras", "bfloat16 float32 float32 float32", {}),
    ("keras", "bfloat16 float32 - float32", {}),
    ("keras", "float64 float32 - float32", "A Keras layer casts its input"),
    ("keras", "float32 bfloat16 - float32", "A Keras layer has one dtype for kernel and bias"),
    ("keras", "float32 float32 float64 float32", "A Keras layer has one dtype for kernel"),
    ("tensorflow", "float32 float32 float64 float64", "tf.nn and tf.math.add document one type"),
    ("onnx", "float32 float32 float64 float64", "The ConvTranspose of ONNX has one type T"),
    ("jax", "bfloat16 bfloat16 - float32", {"preferred_element_type": "float32"}),
    ("jax", "bfloat16 bfloat16 float32 float32", {"preferred_element_type": "float32"}),
    ("jax", "float32 float32 float16 float32", {}),
    ("jax", "bfloat16 float32 - float32", "jax.lax does not promote"),
    ("jax", "float32 float32 - float16", "preferred_element_type is not below"),
    ("jax", "float16 float16 - bfloat16", "preferred_element_type is not below"),
    ("jax", "float16 float16 float32 float16", "JAX's + promotes"),
    ("flax", "bfloat16 float32 - float32", {}),
    ("flax", "float16 bfloat16 - float32", {}),
    ("flax", "bfloat16 bfloat16 - float32", {"dtype": "float32"}),
    ("flax", "float16 float16 float32 float16", "flax.nnx.ConvTranspose casts its operands"),
]


@pytest.mark.parametrize(("convention", "words", "answer"), RULES)
def test_a_call_is_spelled_or_ruled_out(
    convention: str, words: str, answer: dict[str, str] | str
) -> None:
    x, kernel, bias, output = words.split()
    dtypes = Dtypes(input=x, kernel=kernel, bias=None if bias == "-" else bias, output=output)
    got = dtype_arguments(convention, dtypes)
    if isinstance(answer, str):
        assert isinstance(got, Unrepresentable)
        assert got.reason.startswith(answer)
    else:
        assert got == answer


@pytest.mark.parametrize("convention", sorted({*NAMES} - {"tensorflow", "onnx"}))
@pytest.mark.parametrize("dtype", DTYPES)
def test_one_dtype_adds_nothing(convention: str, dtype: str) -> None:
    dtypes = Dtypes(input=dtype, kernel=dtype, bias=dtype, output=dtype)
    assert dtype_arguments(convention, dtypes) == {}


@pytest.mark.parametrize(("one", "other"), list(itertools.product(DTYPES, DTYPES)))
def test_what_is_promoted_is_the_narrowest_that_holds_both(one: str, other: str) -> None:
    """Each dtype's largest, smallest and finest number is the same in it, and no narrower one of
    the four holds them all.
    """
    import ml_dtypes

    numbers = [
        np.array([limits.max, limits.tiny, 1 + float(limits.eps)], np.float64)
        for limits in (ml_dtypes.finfo(dtype_of(name)) for name in (one, other))
    ]

    def holds(dtype: str) -> bool:
        with np.errstate(over="ignore"):
            return all((n.astype(dtype_of(dtype)).astype(np.float64) == n).all() for n in numbers)

    chosen = promoted(one, other)
    assert holds(chosen)
    width = dtype_of(chosen).itemsize
    assert not [name for name in DTYPES if dtype_of(name).itemsize < width and holds(name)]
