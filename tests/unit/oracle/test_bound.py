"""The error bound against arithmetic whose rounding is known: it holds for what is right and tells
what is not.

Every engine here is emulated, one rounding at a time: the operands of all products of an element
are laid out in a row, and multiplied and added in a chosen order and format.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np
import pytest

from conformance.corpus.tensors import dtype_of
from conformance.geometry import Axis, Geometry
from conformance.oracle import Truth, truth_of
from conformance.oracle.bound import bound
from conformance.oracle.derivations import zero_insertion
from conformance.verdicts.compare import compare

DTYPES = ("float32", "float64", "float16", "bfloat16")
BF16 = np.dtype(ml_dtypes.bfloat16)


# Orders of summation: a (rows, n) and v (n, C_out) in the accumulator's format -> (rows, C_out),
# each operation rounded once.


def sequential(a: np.ndarray, v: np.ndarray) -> np.ndarray:
    total = np.zeros((len(a), v.shape[1]), a.dtype)
    for j in range(len(v)):
        total += a[:, j, np.newaxis] * v[j]
    return total


def pairwise(a: np.ndarray, v: np.ndarray) -> np.ndarray:
    if len(v) == 1:
        return a * v
    middle = len(v) // 2
    return pairwise(a[:, :middle], v[:middle]) + pairwise(a[:, middle:], v[middle:])


def blocked(a: np.ndarray, v: np.ndarray, length: int = 16) -> np.ndarray:
    blocks = [sequential(a[:, j : j + length], v[j : j + length]) for j in range(0, len(v), length)]
    return sum(blocks[1:], start=blocks[0])


ORDERS = {"sequential": sequential, "pairwise": pairwise, "blocked": blocked}


def rounded(values: np.ndarray, bits: int) -> np.ndarray:
    """float64 values to that many significand bits, half to even, the exponent unlimited: TF32 has
    11.
    """
    fraction, exponent = np.frexp(values)
    return np.ldexp(np.rint(np.ldexp(fraction, bits)), exponent - bits)


def emulated(
    truth: Truth,
    order: Callable[..., np.ndarray] = sequential,
    *,
    accumulator: Any = None,
    operand_bits: int | None = None,
    bias_last: bool = False,
) -> np.ndarray:
    """The output of an engine: operands rounded, products and sums in the accumulator's format, one
    rounding to the dtype.

    With bias_last the sum is rounded to the dtype before the bias is added in the dtype.
    """
    dtype = dtype_of(truth.dtype)
    accumulator = accumulator or (np.float64 if truth.dtype == "float64" else np.float32)
    z = zero_insertion.stretched(truth.x, truth.geometry)
    v = zero_insertion.flipped(truth.kernel, truth.geometry)
    windows = np.lib.stride_tricks.sliding_window_view(z, v.shape[2:], axis=tuple(range(2, z.ndim)))
    out = windows.shape[2 : z.ndim]
    a = np.moveaxis(windows, 1, z.ndim - 1).reshape(len(z) * int(np.prod(out)), -1)
    v = np.moveaxis(v, 1, -1).reshape(a.shape[1], -1)
    if operand_bits is not None:
        a, v = rounded(a, operand_bits), rounded(v, operand_bits)
    y = order(a.astype(accumulator), v.astype(accumulator))
    if bias_last:
        y = y.astype(dtype)
    if truth.bias is not None:
        y = y + truth.bias.astype(y.dtype)
    return np.moveaxis(y.reshape(len(z), *out, -1), -1, 1).astype(dtype)


class Shape(NamedTuple):
    """The shapes of a call of one group: (N, C_in), C_out, and the axes."""

    batch: int
    c_in: int
    c_out: int
    axes: tuple[Axis, ...]


TINY = {
    "float32": 2.0**-74,
    "float64": 2.0**-537,
    "float16": 2.0**-12,
    "bfloat16": 2.0**-66,
}  # products are subnormal

LINE = Shape(8, 6, 7, (Axis(size=300, kernel=5, stride=3, dilation=2, crop_low=1, crop_high=-1),))
PLANE = Shape(
    6,
    5,
    6,
    (Axis(size=20, kernel=3, stride=2, crop_low=1), Axis(size=21, kernel=4, stride=2, crop_high=1)),
)


def drawn(
    shape: Shape, dtype: str, seed: int = 0, *, bias: float | None = None, values: str = "normal"
) -> Truth:
    """The truth of random operands, rounded to the dtype; `bias` is the size of a random one."""
    random = np.random.RandomState(seed)
    x = random.standard_normal((shape.batch, shape.c_in, *(axis.size for axis in shape.axes)))
    w = random.standard_normal((shape.c_in, shape.c_out, *(axis.kernel for axis in shape.axes)))
    if values == "tiny":
        x, w = x * TINY[dtype], w * TINY[dtype]
    if values == "wide range":
        x, w = (
            x * 2.0 ** random.randint(-12, 4, x.shape),
            w * 2.0 ** random.randint(-10, 4, w.shape),
        )
    if values == "cancellation":
        x[:, 1::2], w[1::2] = (
            x[:, ::2] * (1 + 2.0**-7),
            -w[::2],
        )  # the channels of a pair all but cancel
    if values == "positive":
        x, w = abs(x), abs(w)
    b = None if bias is None else bias * random.standard_normal(shape.c_out)
    x, w, b = (None if array is None else array.astype(dtype_of(dtype)) for array in (x, w, b))
    return truth_of(x, w, b, Geometry(axes=shape.axes), dtype)


def long(channels: int) -> Shape:
    """Sums of three products per channel."""
    return Shape(2, channels, 8, (Axis(size=16, kernel=3, crop_low=1, crop_high=1),))


WINOGRAD_INPUT = np.array(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ]
)
WINOGRAD_KERNEL = np.array(
    [
        [1 / 4, 0, 0],
        [-1 / 6, -1 / 6, -1 / 6],
        [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6],
        [0, 0, 1],
    ]
)
WINOGRAD_OUTPUT = np.array(
    [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]]
)


def winograd(truth: Truth) -> np.ndarray:
    """F(4, 3) in float32 (A. Lavin and S. Gray, arXiv:1509.09308): 1-D, stride 1, kernel 3, the
    output a multiple of 4.

    Every six positions of the padded input and the flipped kernel are transformed, multiplied,
    summed over the channels and transformed back to four outputs.
    """
    f32 = np.float32
    z = zero_insertion.stretched(truth.x, truth.geometry).astype(f32)
    v = zero_insertion.flipped(truth.kernel, truth.geometry).astype(f32)
    tiles = np.lib.stride_tricks.sliding_window_view(z, 6, axis=2)[:, :, ::4]  # (N, C, tiles, 6)
    inputs = sequential(tiles.reshape(-1, 6), WINOGRAD_INPUT.T.astype(f32)).reshape(tiles.shape)
    kernels = sequential(v.reshape(-1, 3), WINOGRAD_KERNEL.T.astype(f32)).reshape(*v.shape[:2], 6)
    sums = np.zeros((len(z), v.shape[1], tiles.shape[2], 6), f32)
    for channel in range(z.shape[1]):
        sums += inputs[:, np.newaxis, channel] * kernels[channel, :, np.newaxis]
    return sequential(sums.reshape(-1, 6), WINOGRAD_OUTPUT.T.astype(f32)).reshape(
        *sums.shape[:2], -1
    )


def wide(channels: int) -> Truth:
    """The truth of a case of `values: wide`: odd 13-bit integers, kernels in [-2, 2]."""
    shape, random = long(channels), np.random.RandomState(1)
    size, kernel = (shape.batch, channels, 16), (channels, shape.c_out, 3)
    x = (2 * random.randint(2048, 4096, size) + 1) * (1 - 2 * random.randint(0, 2, size))
    w = random.randint(-2, 3, kernel)
    return truth_of(x, w, None, Geometry(axes=shape.axes), "float32")


RANDOM_ELEMENTS = 10**6


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_right_arithmetic_stays_within_the_bound(dtype: str, order: str) -> None:
    """Random data, with and without bias, added in the accumulator or after rounding: a twelfth of
    a million elements each.
    """
    elements = 0
    for shape, bias, bias_last in ((LINE, None, False), (PLANE, 1.0, False), (PLANE, 1.0, True)):
        truth = drawn(shape, dtype, seed=elements, bias=bias)
        found = compare(emulated(truth, ORDERS[order], bias_last=bias_last), truth)
        assert found.mismatch is None, found.error_over_bound
        assert found.error_over_bound > 0.1  # a bound that nothing comes near to would not be one
        elements += truth.y.size
    assert elements * len(ORDERS) * len(DTYPES) >= RANDOM_ELEMENTS


ADVERSARIAL = {
    "cancellation": (LINE, None, "cancellation"),
    "wide range": (PLANE, 1.0, "wide range"),
    "long sums": (long(2048), None, "normal"),
    "long sums of one sign": (long(2048), 1.0, "positive"),
    "large bias": (PLANE, 2.0**10, "normal"),
    "subnormal products": (PLANE, None, "tiny"),
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("case", ADVERSARIAL)
@pytest.mark.parametrize("dtype", DTYPES)
def test_right_arithmetic_stays_within_the_bound_on_hard_data(
    dtype: str, case: str, order: str
) -> None:
    """Data chosen to make rounding errors large against the result."""
    shape, bias, values = ADVERSARIAL[case]
    truth = drawn(shape, dtype, bias=bias, values=values)
    found = compare(emulated(truth, ORDERS[order], bias_last=bias is not None), truth)
    assert found.mismatch is None, found.error_over_bound


def test_bound_is_the_formula_of_the_design() -> None:
    """One element with a bias, term by term: three products and the bias are n = 4."""
    axis = Axis(size=3, kernel=3, crop_low=2, crop_high=2)
    x, w, b = np.array([[[1.5, -2.25, 3.0]]]), np.array([[[0.75, 1.25, -0.5]]]), np.array([0.125])
    truth = truth_of(x, w, b, Geometry(axes=(axis,)), "bfloat16")
    y_before = 1.5 * -0.5 + -2.25 * 1.25 + 3.0 * 0.75
    y, magnitude, n = y_before + 0.125, 1.5 * 0.5 + 2.25 * 1.25 + 3.0 * 0.75 + 0.125, 4
    assert truth.y.item() == y

    def gamma(u: float) -> float:
        return min(n * u / (1 - n * u), np.exp(6 * np.sqrt(n) * u + n * u**2 / (1 - u)) - 1)

    expected = (
        ((1 + 2**-8) ** 2 * gamma(2**-24) + gamma(2**-53)) * magnitude
        + 2**-8 * (abs(y) + abs(y_before))
        + (n + 1) * 2**-134
    )
    assert bound(truth).item() == pytest.approx(expected, rel=1e-12)


def test_a_result_without_a_bias_is_rounded_once() -> None:
    """The same sum without the bias: what is cut off to bfloat16 instead of rounded is too far
    away, and passed while two roundings were counted.
    """
    axis = Axis(size=1, kernel=1)
    x, w = np.array([[[1.0]]]), np.array([[[1.0 + 2**-7 - 2**-12]]])
    truth = truth_of(x, w, None, Geometry(axes=(axis,)), "bfloat16")
    once = 2**-8 * truth.y.item()
    assert once < bound(truth).item() < once * (1 + 2**-12)
    assert compare(truth.y.astype(BF16), truth).mismatch is None
    assert compare(np.ones((1, 1, 1), BF16), truth).mismatch is not None
    with_bias = truth_of(x, w, np.zeros(1), Geometry(axes=(axis,)), "bfloat16")
    assert compare(np.ones((1, 1, 1), BF16), with_bias).mismatch is None


@pytest.mark.parametrize("channels", [1, 21, 171], ids=lambda channels: f"{3 * channels} products")
@pytest.mark.parametrize(("bits", "formats"), [(11, ["TF32", "float16"]), (8, ["bfloat16"])])
def test_low_precision_operands_are_noticed(bits: int, formats: list[str], channels: int) -> None:
    """Operands rounded to 11 or 8 bits in front of a float32 accumulator exceed the bound, and are
    named.
    """
    truth = drawn(long(channels), "float32")
    found = compare(emulated(truth, operand_bits=bits), truth)
    assert found.mismatch is not None
    assert found.error_over_bound > 5
    assert found.precision == {"bits": bits, "formats": formats}


@pytest.mark.parametrize("bits", [11, 8])
def test_wide_integers_show_low_precision_at_any_length(bits: int) -> None:
    """`values: wide` is exact in float32, so that not even the longest sum hides rounded
    operands.
    """
    for channels in (1, 512):
        truth = wide(channels)
        assert truth.exact
        assert compare(emulated(truth), truth).mismatch is None
        assert compare(emulated(truth, operand_bits=bits), truth).mismatch is not None


@pytest.mark.parametrize(
    "channels", [1, 21, 171, 1365], ids=lambda channels: f"{3 * channels} products"
)
@pytest.mark.parametrize(
    ("dtype", "accumulator"), [("float16", np.dtype(np.float16)), ("bfloat16", BF16)]
)
def test_16_bit_accumulator_is_noticed(
    dtype: str, accumulator: np.dtype[Any], channels: int
) -> None:
    """Products and sums in 16 bits exceed a bound that allows float32 inside and one 16-bit
    rounding at the end.
    """
    truth = drawn(long(channels), dtype)
    found = compare(emulated(truth, accumulator=accumulator), truth)
    assert found.mismatch is not None
    assert found.error_over_bound > 10


def test_16_bit_accumulator_looks_less_precise_the_longer_the_sum() -> None:
    """The precision that is recorded is that of operands which would explain the error: an
    accumulator's falls as sums grow.
    """
    found = [drawn(long(channels), "float16") for channels in (1, 21, 171, 1365)]
    bits = [
        compare(emulated(truth, accumulator=np.dtype(np.float16)), truth).precision["bits"]
        for truth in found
    ]
    assert bits == sorted(bits, reverse=True)
    assert bits[0] >= 10
    assert bits[-1] <= 7


def test_winograd_is_noticed() -> None:
    """F(4, 3) divides by 6 and 24: `wide` integers come out inexact, and short sums exceed the
    bound.
    """
    for channels in (1, 64, 512):
        assert compare(winograd(wide(channels)), wide(channels)).mismatch is not None
    for channels in (1, 2):
        truth = drawn(long(channels), "float32")
        assert compare(winograd(truth), truth).mismatch is not None


@pytest.mark.parametrize("values", ["normal", "positive", "cancellation"])
def test_winograd_hides_in_long_sums_of_random_numbers(values: str) -> None:
    """Blind: its error stays below what rounding alone may do to a long sum, though its precision
    is seen to be lower.
    """
    truth = drawn(long(64), "float32", values=values)
    got = winograd(truth)
    assert compare(got, truth).mismatch is None
    assert abs(got - truth.y).max() > 3 * abs(emulated(truth, pairwise) - truth.y).max()


def test_tf32_hides_in_very_long_sums() -> None:
    """Blind: the bound grows like n^1.5, the error of rounded operands like n^0.5; the precision
    still tells.
    """
    truth = drawn(long(5461), "float32")
    found = compare(emulated(truth, operand_bits=11), truth)
    assert found.mismatch is None
    assert found.precision["bits"] == 11


@pytest.mark.parametrize("bits", [11, 8])
def test_low_precision_hides_in_small_integers(bits: int) -> None:
    """Blind: integers that the low precision holds come out right."""
    random = np.random.RandomState(0)
    x, w = random.randint(-4, 5, (2, 64, 16)), random.randint(-4, 5, (64, 8, 3))
    truth = truth_of(x, w, None, Geometry(axes=long(64).axes), "float32")
    found = compare(emulated(truth, operand_bits=bits), truth)
    assert found.mismatch is None
    assert found.precision is None


def test_equal_terms_in_one_long_chain_break_the_bound() -> None:
    """Too strict: equal terms round the same way again and again, and a long float32 chain of them
    errs by more.
    """
    x, w = np.full((1, 10_000, 1), 0.1, np.float32), np.ones((10_000, 1, 1), np.float32)
    truth = truth_of(x, w, None, Geometry(axes=(Axis(size=1, kernel=1),)), "float32")
    assert compare(emulated(truth, sequential), truth).mismatch is not None
    assert compare(emulated(truth, pairwise), truth).mismatch is None
    assert compare(emulated(truth, blocked), truth).mismatch is None


@pytest.mark.parametrize(
    ("dtype", "bits", "format_"),
    [
        ("float64", 53, "float64"),
        ("float32", 24, "float32"),
        ("float16", 11, "float16"),
        ("bfloat16", 8, "bfloat16"),
    ],
)
def test_precision_of_right_arithmetic(dtype: str, bits: int, format_: str) -> None:
    """Short sums show the precision of their dtype, within the one bit that a sum's own roundings
    or a single rounding make.
    """
    truth = drawn(long(1), dtype)
    found = compare(emulated(truth), truth)
    assert abs(found.precision["bits"] - bits) <= 1
    assert format_ in found.precision["formats"]
