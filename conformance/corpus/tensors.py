"""A case's arrays: from its numbers, or from the recipe and the seed.

`RandomState` is NumPy's frozen generator: its streams are guaranteed not to change (NEP 19).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from conformance.corpus import tensor_file
from conformance.corpus.case import DTYPES, ArrayLiteral, Case, Filed, Made, Source

Array = NDArray[Any]


DTYPES_OF_RESULTS = (
    *DTYPES,
    "bool",
    "int8",
    "uint8",
    "int16",
    "int32",
    "int64",
    "complex64",
    "complex128",
)
"""The dtypes in which an engine may return a result that is judged; anything else is no array of
numbers."""


class Tensors(NamedTuple):
    """x (N, C_in, *spatial), kernel (C_in, C_out / groups, *kernel), bias (C_out,) or None, each in
    the case's dtype for it.
    """

    x: Array
    kernel: Array
    bias: Array | None


def dtype_of(name: str) -> np.dtype[Any]:
    """The NumPy dtype of that name, bfloat16 included."""
    if name == "bfloat16":
        import ml_dtypes

        bfloat16: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16)
        return bfloat16
    return np.dtype(name)


def numeric_array(y: Any) -> Array:
    """The result of an engine as an array. Raises TypeError if it is no array of numbers."""
    if np.ma.is_masked(y):
        raise TypeError("returned a masked array, should be an array of numbers")
    array = np.asarray(y)
    if array.dtype.name not in DTYPES_OF_RESULTS:
        raise TypeError(
            f"returned {type(y).__name__} of dtype {array.dtype}, should be an array of numbers"
        )
    return array


def tensors_of(case: Case) -> Tensors:
    """The arrays of a case, each rounded to its dtype."""
    return Tensors(
        x=_array(case.input, "input", dtype_of(case.dtype_of("input"))),
        kernel=_array(case.kernel, "kernel", dtype_of(case.dtype_of("kernel"))),
        bias=None
        if case.bias is None
        else _array(case.bias, "bias", dtype_of(case.dtype_of("bias"))),
    )


def cotangent_of(case: Case) -> Array | None:
    """The cotangent (N, C_out, *out) of a case with gradients, rounded to its dtype."""
    return (
        None
        if case.gradients is None
        else _array(case.gradients, "gradients", dtype_of(case.dtype))
    )


def _array(source: Source, role: str, dtype: np.dtype[Any]) -> Array:
    if isinstance(source, ArrayLiteral):
        values: Array = np.array(source.numbers, np.float64).reshape(source.shape)
    elif isinstance(source, Filed):
        values = tensor_file.numbers(source)
    else:
        values = _recipe_values(source, role)
    with np.errstate(over="ignore", under="ignore"):
        return values.astype(dtype)


def _recipe_values(source: Made, role: str) -> Array:
    random = np.random.RandomState(source.seed)
    shape = source.shape
    values: Array
    match source.values:
        case "integers":
            values = random.randint(-4, 5, shape).astype(np.float64)
        case "signs":
            values = random.randint(-1, 2, shape).astype(np.float64)
        case "wide" if role == "input":
            odd = 2 * random.randint(2048, 4096, shape) + 1
            values = (odd * (1 - 2 * random.randint(0, 2, shape))).astype(np.float64)
        case "wide":
            values = random.randint(-2, 3, shape).astype(np.float64)
        case "normal":
            values = random.standard_normal(shape)
            values *= 2.0**12
            np.round(values, out=values)
            values /= 2.0**12
        case "ones":
            values = np.ones(shape)
        case "arange":
            values = np.arange(1.0, np.prod(shape) + 1).reshape(shape)
        case "one-hot":
            values = np.zeros(shape)
            values[source.index if source.index is not None else tuple(n // 2 for n in shape)] = 1.0
        case other:
            raise ValueError(f"unknown values {other!r}")
    for index, number in source.put:
        values[index] = number
    return values
