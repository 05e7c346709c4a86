"""Five ways to the same numbers: the oracle and the four derivations agree exactly, and share no
code.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import conformance
from conformance.geometry import Axis, Geometry
from conformance.oracle import reference
from conformance.oracle.derivations import matrix, phases, scatter, zero_insertion

WAYS = {
    "oracle": reference.transpose_into_window,
    "scatter": scatter.conv_transpose,
    "zero_insertion": zero_insertion.conv_transpose,
    "matrix": matrix.conv_transpose,
    "phases": phases.conv_transpose,
}
DERIVATIONS = ("scatter", "zero_insertion", "matrix", "phases")
FOLDER = Path(conformance.__file__).parent / "oracle" / "derivations"
MOST = {
    1: (9, 5, 5, 4),
    2: (5, 4, 4, 3),
    3: (3, 3, 3, 2),
}  # per rank: size, kernel, stride, dilation


class Call(NamedTuple):
    """x (N, C_in, *size), w (C_in, C_out / groups, *kernel), bias (C_out,) or None, and the
    geometry.
    """

    x: np.ndarray
    w: np.ndarray
    bias: np.ndarray | None
    geometry: Geometry


@st.composite
def axes(draw: st.DrawFn, rank: int, least: int) -> Axis:
    """One axis with an output: crops of both signs, windows that miss the full output, stride above
    the kernel.
    """
    ranges = zip((least, 1, 1, 1), MOST[rank], strict=True)
    size, kernel, stride, dilation = (draw(st.integers(low, high)) for low, high in ranges)
    full = (size - 1) * stride + dilation * (kernel - 1) + 1
    low = draw(st.integers(-3, max(full, 0) + 1))
    most = full - low - 1  # the largest high crop that leaves one element
    high = draw(st.integers(min(-3, most - 2), min(4, most)))
    return Axis(
        size=size, kernel=kernel, stride=stride, dilation=dilation, crop_low=low, crop_high=high
    )


@st.composite
def calls(draw: st.DrawFn, least: int = 0) -> Call:
    """A call on small integers, whose sums are exact in any order; sizes from `least`."""
    rank = draw(st.integers(1, 3))
    geometry = Geometry(
        axes=tuple(draw(axes(rank, least)) for _ in range(rank)), groups=draw(st.integers(1, 3))
    )
    batch, per_group_in, per_group_out = (
        draw(st.integers(1, 2)),
        draw(st.integers(1, 2)),
        draw(st.integers(1, 2)),
    )
    c_in = geometry.groups * per_group_in
    random = np.random.RandomState(draw(st.integers(0, 2**16)))
    bias = integers(random, geometry.groups * per_group_out) if draw(st.booleans()) else None
    x, w = (
        integers(random, batch, c_in, *geometry.size),
        integers(random, c_in, per_group_out, *geometry.kernel),
    )
    return Call(x, w, bias, geometry)


def integers(random: np.random.RandomState, *shape: int) -> np.ndarray:
    return random.randint(-4, 5, shape).astype(np.float64)


def convolution(u: np.ndarray, w: np.ndarray, geometry: Geometry) -> np.ndarray:
    """The convolution whose transpose is under test, one input position at a time: (N, C_in, *size)
    of u (N, C_out, *out).

    sum over o and k of w[c, o, k] * u[o, i * stride + k * dilation - crop_low], u zero outside.
    """
    groups, c_in = geometry.groups, w.shape[0] // geometry.groups
    margins = [
        axis.size * axis.stride + axis.dilation * axis.kernel + 4 for axis in geometry.axes
    ]  # no tap reads beyond
    padded = np.pad(u, [(0, 0), (0, 0), *((margin, margin) for margin in margins)])
    summed = list(range(1, u.ndim))
    v = np.empty((u.shape[0], w.shape[0], *geometry.size))
    for i in np.ndindex(*geometry.size):
        starts = [
            p * axis.stride - axis.crop_low + margin
            for p, axis, margin in zip(i, geometry.axes, margins, strict=True)
        ]
        read = tuple(
            slice(start, start + axis.dilation * axis.kernel, axis.dilation)
            for start, axis in zip(starts, geometry.axes, strict=True)
        )
        for group in range(groups):
            seen = padded[(slice(None), slice(group * w.shape[1], (group + 1) * w.shape[1]), *read)]
            mine = slice(group * c_in, (group + 1) * c_in)
            v[(slice(None), mine, *i)] = np.tensordot(seen, w[mine], axes=(summed, summed))
    return v


@settings(max_examples=400)
@given(calls())
def test_all_five_agree(call: Call) -> None:
    """Every way gives the same shape and the same integers."""
    x, w, bias, geometry = call
    outputs = {name: way(x, w, bias, geometry) for name, way in WAYS.items()}
    for name, y in outputs.items():
        assert y.shape == (len(x), w.shape[1] * geometry.groups, *geometry.out), name
        assert y.dtype == np.float64, name
        assert np.array_equal(y, outputs["scatter"]), name


@pytest.mark.parametrize("name", WAYS)
@settings(max_examples=60)
@given(call=calls(), seed=st.integers(0, 2**16))
def test_adjoint(name: str, call: Call, seed: int) -> None:
    """<conv(u), v> = <u, conv_transpose(v)> for the convolution written out in this file."""
    v, w, _, geometry = call
    u = integers(np.random.RandomState(seed), len(v), w.shape[1] * geometry.groups, *geometry.out)
    assert np.vdot(convolution(u, w, geometry), v) == np.vdot(u, WAYS[name](v, w, None, geometry))


@pytest.mark.parametrize("name", WAYS)
@settings(max_examples=40)
@given(call=calls(), seed=st.integers(0, 2**16))
def test_linear_in_input(name: str, call: Call, seed: int) -> None:
    """The output of 2 x - 3 x' is 2 y - 3 y' where there is no bias."""
    x, w, _, geometry = call
    other = integers(np.random.RandomState(seed), *x.shape)
    mixed = WAYS[name](2 * x - 3 * other, w, None, geometry)
    assert np.array_equal(
        mixed, 2 * WAYS[name](x, w, None, geometry) - 3 * WAYS[name](other, w, None, geometry)
    )


@pytest.mark.parametrize("name", WAYS)
@settings(max_examples=40)
@given(call=calls(), seed=st.integers(0, 2**16))
def test_linear_in_kernel(name: str, call: Call, seed: int) -> None:
    """The output of the kernel 2 w - 3 w' is 2 y - 3 y' where there is no bias."""
    x, w, _, geometry = call
    other = integers(np.random.RandomState(seed), *w.shape)
    mixed = WAYS[name](x, 2 * w - 3 * other, None, geometry)
    assert np.array_equal(
        mixed, 2 * WAYS[name](x, w, None, geometry) - 3 * WAYS[name](x, other, None, geometry)
    )


@pytest.mark.parametrize("name", WAYS)
@settings(max_examples=40)
@given(call=calls())
def test_bias_is_added_once_to_every_element(name: str, call: Call) -> None:
    """With a bias every element of output channel o, appended ones too, is larger by bias[o]."""
    x, w, _, geometry = call
    bias = np.arange(1.0, w.shape[1] * geometry.groups + 1)
    more = WAYS[name](x, w, bias, geometry) - WAYS[name](x, w, None, geometry)
    assert np.array_equal(more, np.broadcast_to(bias.reshape(-1, *[1] * geometry.rank), more.shape))


@pytest.mark.parametrize("name", WAYS)
@settings(max_examples=40)
@given(call=calls(least=1), data=st.data())
def test_shift(name: str, call: Call, data: st.DataObject) -> None:
    """Moving the input by one position moves the full output by the stride, and zeros come in."""
    x, w, _, geometry = call
    moved_axis = data.draw(st.integers(0, geometry.rank - 1))
    pads = [(0, 0)] * x.ndim
    pads[2 + moved_axis] = (1, 0)
    y = WAYS[name](x, w, None, uncropped(x, geometry))
    moved = np.moveaxis(
        WAYS[name](np.pad(x, pads), w, None, uncropped(np.pad(x, pads), geometry)),
        2 + moved_axis,
        0,
    )
    stride = geometry.stride[moved_axis]
    assert not moved[:stride].any()
    assert np.array_equal(moved[stride:], np.moveaxis(y, 2 + moved_axis, 0))


def uncropped(x: np.ndarray, geometry: Geometry) -> Geometry:
    """The same call's geometry for an input of x's size, nothing cut."""
    full = (
        Axis(size=n, kernel=axis.kernel, stride=axis.stride, dilation=axis.dilation)
        for n, axis in zip(x.shape[2:], geometry.axes, strict=True)
    )
    return Geometry(axes=tuple(full), groups=geometry.groups)


@settings(max_examples=60)
@given(calls())
def test_overlap_counts_products(call: Call) -> None:
    """The overlap of an axis is the transposed convolution of ones with ones: the error bound
    counts terms with it.
    """
    for axis in call.geometry.axes:
        ones = scatter.conv_transpose(
            np.ones((1, 1, axis.size)), np.ones((1, 1, axis.kernel)), None, Geometry(axes=(axis,))
        )
        assert axis.overlap() == ones[0, 0].tolist()


@pytest.mark.parametrize("name", DERIVATIONS)
def test_derivation_imports_only_the_geometry(name: str) -> None:
    """A derivation imports NumPy, typing and the type Geometry: neither the oracle nor another
    derivation.
    """
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            assert {alias.name for alias in node.names} <= {"numpy"}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            assert node.module is not None
            if node.module.startswith("conformance"):
                assert (node.module, [alias.name for alias in node.names]) == (
                    "conformance.geometry",
                    ["Geometry"],
                )
            else:
                assert node.module.split(".")[0] in ("numpy", "typing", "__future__")


@pytest.mark.parametrize("name", DERIVATIONS)
def test_derivation_does_its_own_arithmetic(name: str) -> None:
    """A derivation reads only what was given of the geometry, none of what the geometry
    computes.
    """
    computed = {"taps", "overlap", "full", "out", "extent"}
    assert not {
        node.attr
        for node in ast.walk(tree(name))
        if isinstance(node, ast.Attribute) and node.attr in computed
    }


def test_no_function_is_written_twice() -> None:
    """No two of the oracle's and the derivations' functions have the same body."""
    seen: dict[str, str] = {}
    for name in ("reference", *DERIVATIONS):
        for function in functions(tree(name)):
            body = function.body[1:] if ast.get_docstring(function) else function.body
            text = "\n".join(ast.unparse(statement) for statement in body)
            assert text not in seen, f"{name}.{function.name} is {seen.get(text)}"
            seen[text] = f"{name}.{function.name}"
    assert len(seen) > 10


def tree(name: str) -> ast.Module:
    folder = FOLDER if name in DERIVATIONS else FOLDER.parent
    return ast.parse((folder / f"{name}.py").read_text(encoding="utf-8"))


def functions(module: ast.Module) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(module) if isinstance(node, ast.FunctionDef))
