"""Whether the textbook's expected values are true: the other sides of every example, in plain
NumPy, without the oracle.

The case files are read here without the loader, and the arrays made from their recipes, so that
nothing of the package has a say.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest
import yaml
from helpers import CHECKOUT

CASES = CHECKOUT / "cases"
NATIVE_CUTS = {
    "keras-same": (0, 1),
    "keras-valid": (0, 0),
    "tensorflow-same": (0, 1),
    "tensorflow-valid": (0, 0),
}
"""What the documentation's text says that each end of an axis loses in the native cases, worked out
by hand."""


class Example(NamedTuple):
    """A case as its file says it: x (N, C_in, *spatial), kernel (C_in, C_out / groups, *kernel),
    cuts (low, high).
    """

    x: np.ndarray
    kernel: np.ndarray
    bias: np.ndarray | None
    stride: int
    cuts: tuple[int, int]
    groups: int
    expected: Mapping[str, Any]

    @property
    def values(self) -> np.ndarray:
        """The expected values, of the expected shape."""
        return np.array(self.expected["values"], np.float64).reshape(self.expected["shape"])


def read(name: str) -> dict[str, Example]:
    """The examples of a file below cases/, by id."""
    document = yaml.safe_load((CASES / name).read_text(encoding="utf-8"))
    return {raw["id"]: example(raw) for raw in document["cases"]}


def example(raw: Mapping[str, Any]) -> Example:
    """One case of a file; all axes have the same stride and cuts in these files."""
    spatial = raw.get("spatial", 2)
    x = array(raw["input"], 1, spatial)
    kernel = array(raw["kernel"], 2, spatial)
    stride, cuts = raw.get("stride", 1), NATIVE_CUTS.get(raw["id"])
    if "native" in raw:
        (native,) = raw["native"].values()
        stride = native["strides"]
    else:
        padding = raw.get("padding", 0)
        low, high = padding[0] if isinstance(padding, list) else (padding, padding)
        cuts = (low, high - raw.get("output_padding", 0))
    assert cuts is not None, f"{raw['id']} needs an entry in NATIVE_CUTS"
    groups = raw.get("groups", 1)
    return Example(
        x=x,
        kernel=kernel,
        bias=bias_of(raw["bias"], kernel.shape[1] * groups) if "bias" in raw else None,
        stride=stride,
        cuts=cuts,
        groups=groups,
        expected=raw["expected"],
    )


def array(written: Any, seed: int, spatial: int) -> np.ndarray:
    """The numbers written out, with leading axes of 1, or what the recipe makes."""
    if isinstance(written, Mapping):
        return made(written["shape"], written["values"], seed)
    numbers = np.array(written, np.float64)
    return numbers.reshape([1] * (2 + spatial - numbers.ndim) + list(numbers.shape))


def bias_of(written: Any, channels: int) -> np.ndarray:
    """The numbers written out, or what the recipe makes."""
    if isinstance(written, Mapping):
        return made((channels,), written["values"], 3)
    return np.array(written, np.float64)


def made(shape: Sequence[int], values: str, seed: int) -> np.ndarray:
    """The array of a recipe of the case format."""
    random = np.random.RandomState(seed)
    makers: dict[str, Callable[[], np.ndarray]] = {
        "ones": lambda: np.ones(shape),
        "integers": lambda: random.randint(-4, 5, shape).astype(np.float64),
        "signs": lambda: random.randint(-1, 2, shape).astype(np.float64),
        "wide": lambda: (
            wide(random, shape) if seed == 1 else random.randint(-2, 3, shape).astype(np.float64)
        ),
        "normal": lambda: (
            (np.round(random.standard_normal(shape) * 4096) / 4096)
            .astype(np.float32)
            .astype(np.float64)
        ),
    }
    return makers[values]()


def wide(random: np.random.RandomState, shape: Sequence[int]) -> np.ndarray:
    """Odd integers of 13 bits and either sign."""
    magnitudes = 2 * random.randint(2048, 4096, shape) + 1
    return np.asarray(magnitudes * (1 - 2 * random.randint(0, 2, shape)), np.float64)


def scatter(one: Example) -> np.ndarray:
    """Every product, one at a time, added where it belongs; then the window is cut, or zeros
    appended.
    """
    (batch, c_in, *size), (_, per_group, *taps) = one.x.shape, one.kernel.shape
    low, high = one.cuts
    extra = max(-high, 0)
    full = np.zeros(
        (
            batch,
            per_group * one.groups,
            *((n - 1) * one.stride + k + extra for n, k in zip(size, taps, strict=True)),
        )
    )
    for n, c, o in itertools.product(range(batch), range(c_in), range(per_group)):
        out = c // (c_in // one.groups) * per_group + o
        for at in np.ndindex(*size):
            for tap in np.ndindex(*taps):
                place = tuple(i * one.stride + k for i, k in zip(at, tap, strict=True))
                full[(n, out, *place)] += one.x[(n, c, *at)] * one.kernel[(c, o, *tap)]
    return full[(..., *(slice(low, length - max(high, 0)) for length in full.shape[2:]))]


def correlate(image: np.ndarray, kernel: np.ndarray, stride: int = 1) -> np.ndarray:
    """The direct convolution of deep learning, of one 2-D image with one kernel, not flipped and
    without padding.
    """
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)[::stride, ::stride]
    return np.einsum("ijkl,kl->ij", windows, kernel)


def spread(image: np.ndarray, stride: int) -> np.ndarray:
    """The image with stride - 1 zeros between its elements."""
    wide = np.zeros([(n - 1) * stride + 1 for n in image.shape])
    wide[::stride, ::stride] = image
    return wide


def shuffled(one: Example) -> np.ndarray:
    """A 1x1 convolution to C_out * k * k channels, and pixel shuffle: what kernel = stride amounts
    to.
    """
    (c_in, c_out, k, _), (batch, _, height, width) = one.kernel.shape, one.x.shape
    channels = np.einsum(
        "ncp,cq->nqp", one.x.reshape(batch, c_in, -1), one.kernel.reshape(c_in, -1), optimize=True
    )
    blocks = channels.reshape(batch, c_out, k, k, height, width)
    return blocks.transpose(0, 1, 4, 2, 5, 3).reshape(batch, c_out, height * k, width * k)


TEXTBOOK = {
    f"{file.stem}/{name}": one
    for file in sorted((CASES / "textbook").glob("*.yaml"))
    for name, one in read(f"textbook/{file.name}").items()
}


@pytest.mark.parametrize("name", TEXTBOOK)
def test_every_example_is_the_sum_of_its_products(name: str) -> None:
    """Adding the products one by one gives exactly the numbers that the file expects."""
    one = TEXTBOOK[name]
    y = scatter(one)
    if one.bias is not None:
        y += one.bias.reshape(-1, *[1] * (y.ndim - 2))
    assert list(y.shape) == one.expected["shape"]
    if "values" in one.expected:
        np.testing.assert_array_equal(y, one.values)
    else:
        assert hashlib.sha256(y.astype("<f8").tobytes()).hexdigest() == one.expected["sha256"]


def test_the_textbook_is_there() -> None:
    """Each file of the textbook contributes examples, so that nothing above passes by being
    empty.
    """
    files = [name.partition("/")[0] for name in TEXTBOOK]
    assert {file: files.count(file) for file in files} == {
        "cs231n": 7,
        "d2l": 6,
        "dumoulin_visin": 7,
        "equivalences": 3,
        "gradients": 3,
        "line": 3,
        "matrix": 2,
        "overlap": 2,
        "worked": 3,
    }


def test_kernels_tell_their_orientation() -> None:
    """No kernel looks the same transposed or turned, except where the example demands ones or the
    bilinear kernel.
    """
    symmetric = {
        name
        for name, one in TEXTBOOK.items()
        if one.kernel.ndim == 4
        for plane in [one.kernel[0, 0]]
        if np.array_equal(plane, plane.T) or np.array_equal(plane, plane[::-1, ::-1])
    }
    assert symmetric == {
        "equivalences/bilinear",
        "equivalences/nearest-neighbour",
        "overlap/even",
        "overlap/uneven",
    }


class Figure(NamedTuple):
    """The numbers under a figure of arXiv:1603.07285.

    The convolution that is transposed (size, kernel, stride, padding), and the direct convolution
    that is equivalent to its transpose: the size of the stretched input, its border of zeros, and
    the rows and columns of zeros added at the end.
    """

    i: int
    k: int
    s: int
    p: int
    stretched: int
    border: int
    a: int


FIGURES = {
    "no-zero-padding-unit-strides": Figure(4, 3, 1, 0, 2, 2, 0),
    "zero-padding-unit-strides": Figure(5, 4, 1, 2, 6, 1, 0),
    "half-padding": Figure(5, 3, 1, 1, 5, 1, 0),
    "full-padding": Figure(5, 3, 1, 2, 7, 0, 0),
    "no-zero-padding-non-unit-strides": Figure(5, 3, 2, 0, 3, 2, 0),
    "zero-padding-non-unit-strides": Figure(5, 3, 2, 1, 5, 1, 0),
    "zero-padding-non-unit-strides-odd": Figure(6, 3, 2, 1, 5, 1, 1),
}


@pytest.mark.parametrize(("name", "figure"), FIGURES.items())
def test_transposes_the_convolution_of_the_figure(name: str, figure: Figure) -> None:
    """The output is the transposed matrix of the figure's convolution, column by column from unit
    images, times the input.
    """
    one = TEXTBOOK[f"dumoulin_visin/{name}"]
    i, p = figure.i, figure.p
    kernel = one.kernel[0, 0]
    assert kernel.shape == (figure.k, figure.k)
    units = np.eye(i * i).reshape(-1, i, i)
    columns = [correlate(np.pad(unit, p), kernel, figure.s).ravel() for unit in units]
    y = np.stack(columns, axis=1).T @ one.x.ravel()
    np.testing.assert_array_equal(y.reshape(1, 1, i, i), one.values)


@pytest.mark.parametrize(("name", "figure"), FIGURES.items())
def test_equals_the_direct_convolution_of_the_figure(name: str, figure: Figure) -> None:
    """The output is the figure's direct convolution of the stretched and padded input with the
    flipped kernel.
    """
    one = TEXTBOOK[f"dumoulin_visin/{name}"]
    wide = spread(one.x[0, 0], figure.s)
    assert wide.shape == (figure.stretched, figure.stretched)
    border = (figure.border, figure.border + figure.a)
    y = correlate(np.pad(wide, [border, border]), one.kernel[0, 0, ::-1, ::-1])
    np.testing.assert_array_equal(y, one.values[0, 0])


def test_transposed_matrix_of_the_tutorial() -> None:
    """The 4x16 matrix, written out as the tutorial prints it, transposed and times four numbers,
    gives the sixteen.
    """
    matrix = np.array(
        [
            [1, 4, 1, 0, 1, 4, 3, 0, 3, 3, 1, 0, 0, 0, 0, 0],
            [0, 1, 4, 1, 0, 1, 4, 3, 0, 3, 3, 1, 0, 0, 0, 0],
            [0, 0, 0, 0, 1, 4, 1, 0, 1, 4, 3, 0, 3, 3, 1, 0],
            [0, 0, 0, 0, 0, 1, 4, 1, 0, 1, 4, 3, 0, 3, 3, 1],
        ]
    )
    one = TEXTBOOK["matrix/transposed-matrix"]
    np.testing.assert_array_equal(matrix.T @ one.x.ravel(), one.values.ravel())


@pytest.mark.parametrize("name", ["transposed-matrix", "zeros-between-the-elements"])
def test_zero_insertion_with_a_flipped_kernel(name: str) -> None:
    """A direct convolution of the input, zeros between and around its elements, with the flipped
    kernel gives the same.
    """
    one = TEXTBOOK[f"matrix/{name}"]
    wide = np.pad(spread(one.x[0, 0], one.stride), 2)
    np.testing.assert_array_equal(correlate(wide, one.kernel[0, 0, ::-1, ::-1]), one.values[0, 0])


def test_zero_insertion_needs_the_flip() -> None:
    """The kernel as it stands gives other numbers, so the case can tell whether it was flipped."""
    one = TEXTBOOK["matrix/zeros-between-the-elements"]
    assert not np.array_equal(
        correlate(np.pad(spread(one.x[0, 0], 2), 2), one.kernel[0, 0]), one.values[0, 0]
    )


def test_the_book_transposes_its_own_convolution() -> None:
    """The book's input of the matrix example is what its convolution makes of 0 to 8, and the
    result the transposed matrix's.
    """
    one = TEXTBOOK["d2l/matrix"]
    kernel = one.kernel[0, 0]
    np.testing.assert_array_equal(correlate(np.arange(9.0).reshape(3, 3), kernel), one.x[0, 0])
    matrix = np.stack(
        [correlate(unit, kernel).ravel() for unit in np.eye(9).reshape(-1, 3, 3)], axis=1
    )
    np.testing.assert_array_equal(matrix.T @ one.x.ravel(), one.values.ravel())


def test_shape_of_the_input_comes_back() -> None:
    """A convolution with the kernel, padding and stride of the case maps its output's size to its
    input's.
    """
    one = TEXTBOOK["d2l/channels-and-the-shape-of-the-input"]
    size = one.expected["shape"][2]
    assert (size + sum(one.cuts) - one.kernel.shape[2]) // one.stride + 1 == one.x.shape[2]


def test_letters_of_the_line() -> None:
    """Input [a, b] and kernel [x, y, z] at stride 2 give ax, ay, az + bx, by, bz, of which the
    other two cut and append.
    """
    full = TEXTBOOK["line/full-output"]
    (a, b), (x, y, z) = full.x.ravel(), full.kernel.ravel()
    letters = [a * x, a * y, a * z + b * x, b * y, b * z]
    assert full.values.ravel().tolist() == letters
    assert TEXTBOOK["line/cut-at-the-start"].values.ravel().tolist() == letters[1:]
    assert TEXTBOOK["line/output-padding"].values.ravel().tolist() == [*letters, 0]


def test_windows_of_one_full_output() -> None:
    """All seven outputs of the lecture's example are windows of its 5x5: what is cut at the start
    and kept at the end.
    """
    full = TEXTBOOK["cs231n/full-output"].values[0, 0]
    windows = {
        "full-output": slice(0, 5),
        "padding-cuts-both-ends": slice(1, 4),
        "two-by-two-to-four-by-four": slice(1, 5),
        "keras-same": slice(0, 4),
        "keras-valid": slice(0, 5),
        "tensorflow-same": slice(0, 4),
        "tensorflow-valid": slice(0, 5),
    }
    for name, window in windows.items():
        np.testing.assert_array_equal(
            TEXTBOOK[f"cs231n/{name}"].values[0, 0], full[window, window], err_msg=name
        )


def test_tiles_and_zeros() -> None:
    """At stride 3 the output is the kernel tiled three by three, with one row and one column of
    zeros behind.
    """
    one = TEXTBOOK["worked/tiles-and-zeros"]
    y = np.pad(np.tile(one.kernel[0, 0], (3, 3)), ((0, 1), (0, 1)))
    assert [1, 1, *y.shape] == one.expected["shape"]
    assert hashlib.sha256(y.astype("<f8").tobytes()).hexdigest() == one.expected["sha256"]


@pytest.mark.parametrize(
    ("name", "counts"), [("even", [1, 2, 2, 2, 2, 1]), ("uneven", [1, 1, 2, 1, 2, 1, 1])]
)
def test_overlap_counts(name: str, counts: Sequence[int]) -> None:
    """The number of products of an element is the product of its axes' counts, in which positions i
    * stride + k are counted.
    """
    one = TEXTBOOK[f"overlap/{name}"]
    size, taps = one.x.shape[2], one.kernel.shape[2]
    places = [i * one.stride + k - one.cuts[0] for i in range(size) for k in range(taps)]
    assert [places.count(place) for place in range(len(counts))] == counts
    np.testing.assert_array_equal(np.outer(counts, counts), one.values[0, 0])


def test_kernel_equal_to_stride_is_a_pixel_shuffle() -> None:
    """A 1x1 convolution and pixel shuffle give the expected values."""
    one = TEXTBOOK["equivalences/pixel-shuffle"]
    np.testing.assert_array_equal(shuffled(one), one.values)


def test_ones_repeat_the_nearest_neighbour() -> None:
    """Repeating every element twice along both axes gives the expected values."""
    one = TEXTBOOK["equivalences/nearest-neighbour"]
    np.testing.assert_array_equal(one.x.repeat(2, axis=2).repeat(2, axis=3), one.values)


def weights(size: int, *, edge: bool) -> np.ndarray:
    """(2 * size, size): bilinear upsampling by two of one axis, with centres at half pixels.

    Neighbours outside repeat the edge, as upsampling has it, or count as zero.
    """
    matrix = np.zeros((2 * size, size))
    for out in range(2 * size):
        at = (out + 0.5) / 2 - 0.5
        left = math.floor(at)
        for neighbour, weight in ((left, left + 1 - at), (left + 1, at - left)):
            if edge or 0 <= neighbour < size:
                matrix[out, min(max(neighbour, 0), size - 1)] += weight
    return matrix


def test_bilinear_kernel_interpolates_inside_the_border() -> None:
    """Bilinear upsampling gives the expected values inside the border and, its edge repeated, other
    ones all along the border.
    """
    one = TEXTBOOK["equivalences/bilinear"]
    image, expected = one.x[0, 0], one.values[0, 0]
    upsampled = weights(image.shape[0], edge=True) @ image @ weights(image.shape[1], edge=True).T
    inside = (slice(1, -1), slice(1, -1))
    np.testing.assert_array_equal(upsampled[inside], expected[inside])
    border = np.ones(expected.shape, bool)
    border[inside] = False
    assert (upsampled[border] > expected[border]).all()


def test_bilinear_kernel_takes_zeros_beyond_the_border() -> None:
    """With zeros for the neighbours outside, interpolation gives the expected values up to the
    border.
    """
    one = TEXTBOOK["equivalences/bilinear"]
    image = one.x[0, 0]
    y = weights(image.shape[0], edge=False) @ image @ weights(image.shape[1], edge=False).T
    np.testing.assert_array_equal(y, one.values[0, 0])


@pytest.mark.parametrize(("file", "name"), [("unet", "up-convolution"), ("doubling", "kernel-2")])
def test_up_convolution_of_a_network_is_a_pixel_shuffle(file: str, name: str) -> None:
    """The sum of magnitudes of a 2x2 up-convolution is that of a 1x1 convolution, a pixel shuffle
    and the bias.
    """
    one = read(f"networks/{file}.yaml")[name]
    y = shuffled(one)
    if one.bias is not None:
        y += one.bias.reshape(-1, 1, 1)
    assert list(y.shape) == one.expected["shape"]
    assert np.abs(y).sum() == pytest.approx(one.expected["sum_abs"], rel=1e-12)


def test_first_layer_of_the_generator_is_a_matrix_product() -> None:
    """The sum of magnitudes of the layer that starts from one element per channel is that of a
    vector times a matrix.
    """
    one = read("networks/dcgan.yaml")["first"]
    y = one.x.ravel() @ one.kernel.reshape(one.kernel.shape[0], -1)
    assert y.size == math.prod(one.expected["shape"])
    assert np.abs(y).sum() == pytest.approx(one.expected["sum_abs"], rel=1e-12)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("dcgan", "second"),
        ("dcgan", "third"),
        ("dcgan", "fourth"),
        ("dcgan", "last"),
        ("doubling", "kernel-4"),
    ],
)
def test_doubling_layer_of_a_network_is_four_small_convolutions(file: str, name: str) -> None:
    """The sum of magnitudes of a 4/2/1 layer is that of four 2x2 convolutions, one for each parity
    of row and column.
    """
    one = read(f"networks/{file}.yaml")[name]
    _, c_in, height, width = one.x.shape
    padded = np.pad(one.x[0], ((0, 0), (1, 1), (1, 1)))
    total = 0.0
    for row, column in itertools.product(range(2), repeat=2):
        # Output row 2m + row is reached from input rows m - 1 + row and m + row, through taps 3 -
        # row and 1 - row.
        corners = list(itertools.product(range(2), repeat=2))
        windows = [
            padded[:, row + i : row + i + height, column + j : column + j + width]
            for i, j in corners
        ]
        taps = [one.kernel[:, :, 3 - row - 2 * i, 3 - column - 2 * j] for i, j in corners]
        x = np.concatenate([window.reshape(c_in, -1) for window in windows])
        total += float(np.abs(np.concatenate(taps).T @ x).sum())
    assert total == pytest.approx(one.expected["sum_abs"], rel=1e-12)
