"""The oracle: one matrix product and strided additions, in float64, for any rank.

    full[n, o, i * stride + k * dilation] += sum over c of x[n, c, i] * w[c, o, k]

per group, the products of a block of output channels in one matrix, each tap of which is then added
to the output positions that it reaches. Nothing outside the window is ever stored.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from conformance.conventions.arguments import is_integer, per_axis
from conformance.geometry import Axis, Geometry, Problem, call_problems, from_padding
from conformance.wording import counted

BLOCK_BYTES = 64 * 2**20
"""The most memory for the products of one block."""

Float64 = NDArray[np.float64]


def conv_transpose(
    x: ArrayLike,
    w: ArrayLike,
    b: ArrayLike | None = None,
    *,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] | Sequence[Sequence[int]] = 0,
    output_padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Float64:
    """Transposed convolution in float64.

    x is (N, C_in, *spatial), w is (C_in, C_out / groups, *kernel), b is (C_out,); the result is (N,
    C_out, *out) with out = (size - 1) * stride - low - high + dilation * (kernel - 1) + 1 +
    output_padding per axis. `padding` is a number, one per spatial axis, or a (low, high) pair per
    spatial axis; negative padding appends zeros. Raises ValueError for what makes no sense.
    """
    x, w = _real("x", x), _real("w", w)
    bias = None if b is None else _real("b", b)
    rank = _rank(x, w)
    geometry = from_padding(
        size=x.shape[2:],
        kernel=w.shape[2:],
        stride=_per_axis("stride", stride, rank),
        padding=_pairs(padding, rank),
        output_padding=_per_axis("output_padding", output_padding, rank),
        dilation=_per_axis("dilation", dilation, rank),
        groups=_whole("groups", groups),
    )
    bias_shape = None if bias is None else bias.shape
    problems = call_problems(geometry, x=x.shape, kernel=w.shape, bias=bias_shape)
    problems += _negative(_per_axis("output_padding", output_padding, rank))
    if problems:
        raise ValueError("; ".join(f"{problem.key}: {problem.text}" for problem in problems))
    return transpose_into_window(x, w, bias, geometry)


def _rank(x: Float64, w: Float64) -> int:
    """How many spatial axes both have. Raises ValueError if they do not agree in it."""
    if x.ndim < 3 or w.ndim != x.ndim:
        raise ValueError(
            f"x has {counted(x.ndim, 'axis', 'axes')} "
            f"and w {w.ndim}, should be (N, C_in, *spatial) and (C_in, C_out "
            "/ groups, *kernel)"
        )
    return x.ndim - 2


def _negative(output_padding: Sequence[int]) -> list[Problem]:
    """A problem for every axis that is given less than nothing."""
    return [
        Problem(
            key="output_padding",
            text=f"is {extra} on axis {number}, should not be negative (padding may be)",
        )
        for number, extra in enumerate(output_padding)
        if extra < 0
    ]


def transpose_into_window(
    x: Float64, w: Float64, bias: Float64 | None, geometry: Geometry
) -> Float64:
    """`conv_transpose` of arguments known to make sense, with the window given by a geometry."""
    batch, groups = x.shape[0], geometry.groups
    y = np.zeros((batch, w.shape[1] * groups, *geometry.out))
    by_channel = np.ascontiguousarray(np.moveaxis(x, 1, 0))  # (C_in, N, *size)
    by_group = by_channel.reshape(groups, x.shape[1] // groups, *by_channel.shape[1:])
    # a view: (groups, C_out / groups, N, *out)
    window = np.moveaxis(y.reshape(batch, groups, w.shape[1], *geometry.out), 0, 2)
    with np.errstate(invalid="ignore", over="ignore"):
        _add_products(
            window, by_group, w.reshape(groups, w.shape[0] // groups, *w.shape[1:]), geometry.axes
        )
        if bias is not None:
            y += bias.reshape(-1, *[1] * geometry.rank)
    return y


def _add_products(window: Float64, x: Float64, w: Float64, axes: Sequence[Axis]) -> None:
    """Add the products of x (G, C, N, *size) and w (G, C, O, *kernel), of G groups, to window (G,
    O, N, *out), block by block.
    """
    groups, c_in, batch, *size = x.shape
    outside, kernel = w.shape[2], w.shape[3:]
    taps = [list(axis.taps()) for axis in axes]
    shape = (groups, outside, batch, size[0])
    steps = _block(shape, math.prod(kernel) * math.prod(size[1:]))
    room = np.empty(
        math.prod(steps) * math.prod(kernel) * math.prod(size[1:])
    )  # touched anew per block, it costs more
    for (g, h), (o, p), (n, m), (r, t) in itertools.product(*map(blocks, shape, steps)):
        part = x[g:h, :, n:m, r:t]
        weights = w[g:h, :, o:p].reshape(h - g, c_in, (p - o) * math.prod(kernel))
        columns = part.reshape(h - g, c_in, math.prod(part.shape[2:]))
        matrices = room[: (h - g) * weights.shape[2] * columns.shape[2]].reshape(
            h - g, weights.shape[2], columns.shape[2]
        )
        products = np.matmul(np.moveaxis(weights, 1, 2), columns, out=matrices).reshape(
            h - g, p - o, *kernel, *part.shape[2:]
        )
        for tap in itertools.product(of_rows(taps[0], axes[0].stride, r, t), *taps[1:]):
            at = tuple(as_slice(outputs) for _, _, outputs in tap)
            source = tuple(as_slice(positions) for _, positions, _ in tap)
            which = (slice(None), slice(None), *(k for k, _, _ in tap), slice(None), *source)
            window[(slice(g, h), slice(o, p), slice(n, m), *at)] += products[which]


def _block(shape: tuple[int, int, int, int], row: int) -> tuple[int, int, int, int]:
    """How many groups, output channels, batch items and rows of the first axis one block takes; a
    row has so many products.
    """
    left, steps = max(1, BLOCK_BYTES // 8) // max(1, row), []
    for length in reversed(
        shape
    ):  # a part of an axis only where the whole of the ones behind it fits
        steps.append(max(1, min(length, left)))
        left = left // max(1, length)
    groups, channels, items, rows = reversed(steps)
    return groups, channels, items, rows


def blocks(length: int, step: int) -> Iterator[tuple[int, int]]:
    return ((start, min(length, start + step)) for start in range(0, length, step))


def of_rows(taps: Iterable[Any], stride: int, start: int, stop: int) -> Iterator[Any]:
    """The taps of the first axis with their input positions limited to [start, stop), counted from
    start.
    """
    for tap, positions, outputs in taps:
        first, last = max(positions.start, start), min(positions.stop, stop)
        if first < last:
            move = (first - positions.start) * stride
            begin = outputs.start + move
            yield (
                tap,
                range(first - start, last - start),
                range(begin, begin + (last - first - 1) * stride + 1, stride),
            )


def as_slice(positions: range) -> slice:
    return slice(positions.start, positions.stop, positions.step)


def _real(key: str, values: ArrayLike) -> Float64:
    if np.ma.is_masked(values) or np.iscomplexobj(values):
        raise ValueError(f"{key}: is masked or complex, should be an array of real numbers")
    return np.asarray(values, np.float64)


def _whole(key: str, value: Any) -> int:
    plain = _plain(value)
    if not is_integer(plain):
        raise ValueError(f"{key}: is {value!r}, should be a whole number")
    return int(plain)


def _per_axis(key: str, value: Any, rank: int) -> list[int]:
    try:
        return per_axis(_plain(value), rank)
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from None


def _pairs(padding: Any, rank: int) -> list[tuple[int, int]]:
    plain = _plain(padding)
    if isinstance(plain, list) and any(isinstance(entry, list) for entry in plain):
        if len(plain) != rank or not all(
            isinstance(entry, list) and len(entry) == 2 for entry in plain
        ):
            raise ValueError(
                f"padding: is {plain}, should be a (low, high) pair per spatial axis: {rank}"
            )
        return [(low, high) for low, high in (_per_axis("padding", pair, 2) for pair in plain)]
    return [(number, number) for number in _per_axis("padding", plain, rank)]


def _plain(value: Any) -> Any:
    """A whole number of any type as int, anything that can be iterated as a list; the rest as it
    is.
    """
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, Iterable) and not isinstance(value, str | bytes | dict | set):
        return [_plain(entry) for entry in value]
    try:
        return value if isinstance(value, bool) else operator.index(value)
    except TypeError:
        return value
