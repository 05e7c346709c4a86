"""The truth of huge calls: samples are exact, and the projection sees every element."""

from __future__ import annotations

import numpy as np
import pytest

from conformance.corpus.tensors import Array
from conformance.kernels import sampling
from conformance.kernels.call import Arguments, numbers, weights
from conformance.oracle.reference import transpose_into_window

CALLS = [
    Arguments(
        in_channels=8, out_channels=12, kernel_size=(3, 5), stride=(2, 3), padding=(1, 2),
        output_padding=(1, 0), dilation=(2, 1), groups=4,
    ),
    Arguments(
        in_channels=16, out_channels=8, kernel_size=(5,), stride=(2,), padding=(0,),
        output_padding=(0,), dilation=(3,), bias=False,
    ),
    Arguments(
        in_channels=4, out_channels=6, kernel_size=(3, 2, 4), stride=(1, 2, 2), padding=(0, 1, 1),
        output_padding=(0, 1, 0), dilation=(1, 1, 1), groups=2,
    ),
]  # fmt: skip
SIZES = {1: (700,), 2: (40, 50), 3: (9, 12, 14)}


def operands(arguments: Arguments) -> tuple[Array, Array, Array | None]:
    """x of three samples, kernel and bias."""
    x = numbers("normal", (3, arguments.in_channels, *SIZES[arguments.rank]), "float32", 1)
    bias = weights("normal", (arguments.out_channels,), "float32", 3) if arguments.bias else None
    return x, weights("normal", arguments.kernel_shape, "float32", 2), bias


def result(arguments: Arguments, x: Array, w: Array, b: Array | None) -> Array:
    geometry = arguments.geometry(x.shape[2:])
    doubles = [None if each is None else each.astype(np.float64) for each in (x, w, b)]
    assert doubles[0] is not None
    assert doubles[1] is not None
    return transpose_into_window(doubles[0], doubles[1], doubles[2], geometry).astype(np.float32)


def found(arguments: Arguments, y: Array) -> str | None:
    x, w, b = operands(arguments)
    return sampling.find(x, w, b, arguments.geometry(x.shape[2:]), y, 5).text


@pytest.mark.parametrize("arguments", CALLS, ids=str)
def test_the_sums_of_samples_are_those_of_the_oracle(arguments: Arguments) -> None:
    """Of every chosen element, its magnitude and its number of terms too."""
    x, w, b = operands(arguments)
    geometry = arguments.geometry(x.shape[2:])
    shape = arguments.output_shape(x.shape)
    chosen = sampling.elements(shape, geometry, np.random.Generator(np.random.SFC64(1)))
    y, magnitude, terms = sampling.sums(x, w, b, geometry, chosen)
    want = result(arguments, x, w, b)[tuple(chosen.T)]
    assert np.allclose(y, want, rtol=1e-6, atol=1e-6)
    whole = result(arguments, abs(x), abs(w), None if b is None else abs(b))
    assert np.allclose(magnitude, whole[tuple(chosen.T)], rtol=1e-6)
    overlap = geometry.axes[0].overlap()
    assert terms.max() <= max(overlap) * x.shape[1] * np.prod(arguments.kernel_size) + 1
    assert len({tuple(index) for index in chosen.tolist()}) > 0.2 * min(len(chosen), want.size)


@pytest.mark.parametrize("arguments", CALLS, ids=str)
def test_borders_corners_and_the_last_elements_are_chosen(arguments: Arguments) -> None:
    """All coordinates of a border, edges of tiles, and both ends of the memory."""
    x, *_ = operands(arguments)
    geometry = arguments.geometry(x.shape[2:])
    shape = arguments.output_shape(x.shape)
    chosen = sampling.elements(shape, geometry, np.random.Generator(np.random.SFC64(1)))
    for axis, size in enumerate(shape):
        assert {0, size - 1} <= set(chosen[:, axis].tolist())
    flat = set(np.ravel_multi_index(tuple(chosen.T), shape).tolist())
    total = int(np.prod(shape))
    assert {*range(64), *range(total - 64, total)} <= flat
    assert chosen.min() >= 0


@pytest.mark.parametrize("arguments", CALLS, ids=str)
def test_a_right_result_is_right(arguments: Arguments) -> None:
    """In whatever order float32 has added."""
    x, w, b = operands(arguments)
    assert found(arguments, result(arguments, x, w, b)) is None


@pytest.mark.parametrize("arguments", CALLS, ids=str)
@pytest.mark.parametrize("number", [0, 1, 2, 3, 4])
def test_one_wrong_element_anywhere_is_found(arguments: Arguments, number: int) -> None:
    """By the samples or, where they miss it, by the projection."""
    y = result(arguments, *operands(arguments))
    y.flat[np.random.RandomState(number).randint(y.size)] += 1.0
    assert found(arguments, y) is not None


@pytest.mark.parametrize("arguments", CALLS, ids=str)
def test_structured_faults_are_found(arguments: Arguments) -> None:
    """Channels or samples exchanged, half precision, and NaN in one place."""
    x, w, b = operands(arguments)
    y = result(arguments, x, w, b)
    assert found(arguments, y[:, ::-1].copy()) is not None
    assert found(arguments, y[::-1].copy()) is not None
    half = [None if each is None else each.astype(np.float16).astype(np.float32) for each in (x, w)]
    assert half[0] is not None
    assert half[1] is not None
    assert found(arguments, result(arguments, half[0], half[1], b)) is not None
    y[1, 2] = np.where(np.arange(y[1, 2].size).reshape(y[1, 2].shape) == 7, np.nan, y[1, 2])
    assert found(arguments, y) is not None
