"""The gradient oracle against the forward definition, against products counted one by one, and
against two autograds.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from helpers import REQUESTED
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.conventions import Unrepresentable, jax, torch
from conformance.geometry import Axis, Geometry
from conformance.oracle import gradient_truths, gradients, transpose_into_window
from conformance.oracle.derivations import scatter

COUNT = int(os.environ.get("CONFORMANCE_GRADIENT_COUNT", "12"))
MOST = {
    1: (9, 5, 5, 4),
    2: (5, 4, 4, 3),
    3: (3, 3, 3, 2),
}  # per rank: size, kernel, stride, dilation


class Call(NamedTuple):
    """x (N, C_in, *size), kernel (C_in, C_out / groups, *kernel), bias (C_out,) or None, cotangent
    (N, C_out, *out).
    """

    x: np.ndarray
    kernel: np.ndarray
    bias: np.ndarray | None
    cotangent: np.ndarray
    geometry: Geometry

    def truths(self, dtype: str = "float32") -> dict[str, gradients.GradientTruth]:
        return gradient_truths(*self, dtype)


def drawn(random: np.random.RandomState, *, least: int = 0) -> Call:
    """A call on small integers: crops of both signs, windows that miss the full output; none empty
    with `least`.
    """
    least = least or int(random.randint(6) > 0)  # with no elements there is little to go wrong
    rank, groups, per_in, per_out = random.randint(1, 4, 4)
    alike = bool(random.randint(2))
    axes = tuple(axis(random, alike, least, *MOST[rank]) for _ in range(rank))
    geometry = Geometry(axes=axes, groups=int(groups))
    c_in, c_out, batch = groups * per_in, groups * per_out, random.randint(least, 4)

    def integers(*shape: int) -> np.ndarray:
        return random.randint(-4, 5, shape).astype(np.float64)

    bias = integers(c_out) if random.randint(2) else None
    x, kernel = integers(batch, c_in, *geometry.size), integers(c_in, per_out, *geometry.kernel)
    return Call(x, kernel, bias, integers(batch, c_out, *geometry.out), geometry)


def axis(random: np.random.RandomState, alike: bool, least: int, *most: int) -> Axis:
    """One axis with an output, cut alike at both ends or not: PyTorch can say the former itself."""
    size, kernel, stride, dilation = (
        int(random.randint(low, high + 1)) for low, high in zip((least, 1, 1, 1), most, strict=True)
    )
    whole = Axis(size=size, kernel=kernel, stride=stride, dilation=dilation)
    low = int(random.randint(-3, max(whole.full, 0) + 2))
    most_high = whole.full - low - 1  # one element is left
    high = int(random.randint(min(-3, most_high - 2), min(4, most_high) + 1))
    if alike and whole.full > 0:
        low = high = int(random.randint(0, (whole.full - 1) // 2 + 1))
    return Axis(
        size=size, kernel=kernel, stride=stride, dilation=dilation, crop_low=low, crop_high=high
    )


CALLS = st.integers(0, 2**32 - 1).map(lambda seed: drawn(np.random.RandomState(seed)))


def loss(call: Call) -> float:
    """sum(y * cotangent) by the derivation that stamps the kernel, which shares no code with the
    oracle.
    """
    return float(
        (
            scatter.conv_transpose(call.x, call.kernel, call.bias, call.geometry) * call.cotangent
        ).sum()
    )


@settings(max_examples=200)
@given(CALLS)
def test_every_gradient_is_the_difference_that_one_makes(call: Call) -> None:
    """The loss is linear in each operand, so that adding 1 to an element changes it by the
    derivative, exactly.
    """
    before = loss(call)
    for of, truth in call.truths().items():
        operand = getattr(call, "x" if of == "input" else of)
        assert truth.y.shape == operand.shape
        for index in list(np.ndindex(*operand.shape))[:: max(1, operand.size // 20)]:
            more = operand.copy()
            more[index] += 1
            assert (
                truth.y[index]
                == loss(call._replace(**{"x" if of == "input" else of: more})) - before
            ), (of, index)


@settings(max_examples=200)
@given(CALLS)
def test_the_gradients_are_adjoints(call: Call) -> None:
    """<conv_transpose(x), c> = <x, dx> and = <kernel, dkernel>, since y is linear in either."""
    truths = call.truths()
    product = np.vdot(
        transpose_into_window(call.x, call.kernel, None, call.geometry), call.cotangent
    )
    assert np.vdot(call.x, truths["input"].y) == product
    assert np.vdot(call.kernel, truths["kernel"].y) == product


@pytest.mark.parametrize(
    ("of", "argument"),
    [
        ("input", "kernel"),
        ("input", "cotangent"),
        ("kernel", "x"),
        ("kernel", "cotangent"),
        ("bias", "cotangent"),
    ],
)
@settings(max_examples=50)
@given(call=CALLS, seed=st.integers(0, 999))
def test_linear_in_each_argument(of: str, argument: str, call: Call, seed: int) -> None:
    """The gradient at 2 a - 3 b is twice that at a less three times that at b."""
    call = call._replace(bias=np.zeros(call.cotangent.shape[1]))
    one = getattr(call, argument)
    other = np.random.RandomState(seed).randint(-4, 5, one.shape).astype(np.float64)
    mixed = call._replace(**{argument: 2 * one - 3 * other}).truths()[of].y
    assert np.array_equal(
        mixed, 2 * call.truths()[of].y - 3 * call._replace(**{argument: other}).truths()[of].y
    )


@pytest.mark.parametrize(("of", "argument"), [("input", "x"), ("kernel", "kernel")])
@given(call=CALLS)
def test_a_gradient_does_not_depend_on_its_own_operand(of: str, argument: str, call: Call) -> None:
    """The operator is bilinear: where the operand stands does not change the derivative with
    respect to it.
    """
    moved = call._replace(**{argument: getattr(call, argument) + 7.5})
    assert np.array_equal(moved.truths()[of].y, call.truths()[of].y)


def products(call: Call) -> dict[str, list[tuple[tuple[int, ...], float]]]:
    """Every product of every element of the gradients, by definition: (index of the element,
    value).
    """
    found: dict[str, list[Any]] = {"input": [], "kernel": [], "bias": []}
    groups, (c_in, per_out) = call.geometry.groups, call.kernel.shape[:2]
    for i, k in itertools.product(
        np.ndindex(*call.geometry.size), np.ndindex(*call.geometry.kernel)
    ):
        p = tuple(
            a * e.stride + b * e.dilation - e.crop_low
            for a, b, e in zip(i, k, call.geometry.axes, strict=True)
        )
        if all(0 <= q < length for q, length in zip(p, call.geometry.out, strict=True)):
            for n, c, o in np.ndindex(len(call.x), c_in, per_out):
                seen = call.cotangent[(n, c // (c_in // groups) * per_out + o, *p)]
                found["input"].append(((n, c, *i), call.kernel[(c, o, *k)] * seen))
                found["kernel"].append(((c, o, *k), call.x[(n, c, *i)] * seen))
    found["bias"] = [((index[1],), seen) for index, seen in np.ndenumerate(call.cotangent)]
    return found


@settings(max_examples=40)
@given(CALLS)
def test_what_the_bound_is_made_of_is_that_of_the_products(call: Call) -> None:
    """Adding up products one by one gives the same gradient, magnitude, squares and number of
    terms.
    """
    counted = products(call)
    for of, truth in call.truths().items():
        sums = np.zeros((4, *truth.y.shape))
        for index, value in counted[of]:
            sums[(slice(None), *index)] += value, abs(value), value**2, 1
        quantities = (
            truth.y,
            truth.magnitude,
            truth.squares,
            np.broadcast_to(truth.terms, truth.y.shape),
        )
        for name, total, quantity in zip(
            ("y", "magnitude", "squares", "terms"), sums, quantities, strict=True
        ):
            assert np.array_equal(total, quantity), (of, name)


@given(CALLS, st.sampled_from([1, 64, 200, 1000]))
def test_blocks_of_any_size_give_the_same(call: Call, block: int) -> None:
    """How much is held at once changes nothing: from one position at a time to everything."""
    whole = call.truths()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gradients, "BLOCK_BYTES", block)
        for of, truth in call.truths().items():
            assert np.array_equal(truth.y, whole[of].y), of


@given(CALLS, st.sampled_from([400, 2000]))
def test_a_block_stays_within_its_limit(call: Call, block: int) -> None:
    """What a tap reads of a block takes at most BLOCK_BYTES, as far as one position of all channels
    fits into it.
    """
    channels = call.x.shape[1] + call.cotangent.shape[1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gradients, "BLOCK_BYTES", block)
        for _, source, _ in gradients._pairs(call.geometry, len(call.x), channels):
            positions = np.prod([place.stop - place.start for place in source[2:]])
            assert positions * channels * 8 <= max(block, channels * 8)


def of_ones(dtype: str = "float32", **changes: Any) -> dict[str, gradients.GradientTruth]:
    """The gradients of a call on ones: three input elements, a kernel of two taps, stride 2, one
    output element per product.
    """
    geometry = Geometry(axes=(Axis(size=3, kernel=2, stride=2),))
    arrays = {
        "x": np.ones((1, 1, 3)),
        "kernel": np.ones((1, 1, 2)),
        "bias": np.ones(1),
        "cotangent": np.ones((1, 1, 6)),
    }
    return Call(**{**arrays, **changes}, geometry=geometry).truths(dtype)


def test_appended_elements_reach_the_bias_alone() -> None:
    """The cotangent of an element outside the full output counts for the bias and for nothing
    else.
    """
    geometry = Geometry(axes=(Axis(size=1, kernel=1, crop_low=-1, crop_high=-2),))
    cotangent = np.array([[[10.0, 1, 20, 30]]])
    truths = gradient_truths(
        np.full((1, 1, 1), 3.0),
        np.full((1, 1, 1), 5.0),
        np.zeros(1),
        cotangent,
        geometry,
        "float32",
    )
    assert {of: truth.y.ravel().tolist() for of, truth in truths.items()} == {
        "input": [5],
        "kernel": [3],
        "bias": [61],
    }


def test_nan_and_infinity_go_where_their_products_go() -> None:
    """A tap that is cut away for an input element leaves it finite, and no warning is raised."""
    geometry = Geometry(axes=(Axis(size=2, kernel=2, stride=2, crop_low=1),))
    kernel, cotangent = np.array([[[np.inf, 1.0]]]), np.array([[[2.0, 0.0, np.nan]]])
    truths = gradient_truths(
        np.ones((1, 1, 2)), kernel, np.zeros(1), cotangent, geometry, "float32"
    )
    assert np.array_equal(truths["input"].y, [[[2.0, np.nan]]], equal_nan=True)
    assert np.array_equal(truths["kernel"].y, [[[0.0, np.nan]]], equal_nan=True)


def test_squares_beyond_the_range_are_infinite() -> None:
    """The square of a large number overflows without a warning."""
    assert np.isinf(of_ones("float64", cotangent=np.full((1, 1, 6), 1e200))["bias"].squares).all()


@pytest.mark.parametrize(("batch", "size"), [(0, 3), (2, 0)])
def test_without_elements_there_is_nothing_to_add(batch: int, size: int) -> None:
    """Without batch or input elements the kernel's gradient is zero, the others have the shape of
    their operands, all exact.
    """
    geometry = Geometry(axes=(Axis(size=size, kernel=3, crop_low=-1 if size else 0),))
    cotangent = np.ones((batch, 2, *geometry.out))
    truths = gradient_truths(
        np.ones((batch, 1, size)), np.ones((1, 2, 3)), np.ones(2), cotangent, geometry, "float32"
    )
    assert [truth.y.shape for truth in truths.values()] == [(batch, 1, size), (1, 2, 3), (2,)]
    assert not truths["kernel"].y.any()
    assert truths["bias"].y.tolist() == [batch * geometry.out[0]] * 2
    assert all(truth.exact for truth in truths.values())


@pytest.mark.parametrize("shape", [(1, 1, 5), (1, 2, 6), (2, 1, 6)])
def test_a_cotangent_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    """A cotangent that is not of the output's shape would be read only in part, or past its end."""
    with pytest.raises(
        ValueError, match=r"cotangent: has shape .*, should have the output's \[1, 1, 6\]"
    ):
        of_ones(cotangent=np.ones(shape))


def test_without_a_bias_there_is_no_gradient_of_it() -> None:
    """The keys are the operands that the call has."""
    assert list(of_ones(bias=None)) == ["input", "kernel"]
    assert list(of_ones()) == ["input", "kernel", "bias"]


@pytest.mark.parametrize(
    ("changed", "inexact"),
    [
        ("x", {"kernel"}),
        ("kernel", {"input"}),
        ("bias", set()),
        ("cotangent", {"input", "kernel", "bias"}),
    ],
)
def test_exact_asks_the_operands_that_a_gradient_is_made_of(
    changed: str, inexact: set[str]
) -> None:
    """A fraction in an operand makes those gradients inexact in whose products it stands, and no
    other.
    """
    shape = {"x": (1, 1, 3), "kernel": (1, 1, 2), "bias": (1,), "cotangent": (1, 1, 6)}[changed]
    assert {
        of for of, truth in of_ones(**{changed: np.full(shape, 0.5)}).items() if not truth.exact
    } == inexact


@pytest.mark.parametrize(("dtype", "bits"), [("float32", 24), ("float16", 11), ("bfloat16", 8)])
def test_exact_up_to_two_to_the_significand_bits(dtype: str, bits: int) -> None:
    """A bias gradient whose magnitudes add up to 2^p is exact and with one more is not, whatever
    cancels.
    """
    cotangent = np.array([[[2.0 ** (bits - 1), -(2.0 ** (bits - 1)), 0, 0, 0, 0]]])
    assert of_ones(dtype, cotangent=cotangent)["bias"].exact
    assert not of_ones(dtype, cotangent=cotangent + np.eye(6)[5])["bias"].exact


def test_rounded_is_the_gradient_of_rounded_operands() -> None:
    """Both operands of every product lose their last bits, and the cotangent alone for the bias."""
    fine = 1 + 2.0**-9
    truths = of_ones(
        x=np.full((1, 1, 3), fine),
        kernel=np.full((1, 1, 2), fine),
        cotangent=np.full((1, 1, 6), fine),
    )
    assert {of: truth.rounded(8).ravel().tolist() for of, truth in truths.items()} == {
        "input": [2, 2, 2],
        "kernel": [3, 3],
        "bias": [6],
    }
    assert all(
        np.array_equal(truth.rounded(53), truth.y) and truth.before_bias is truth.y
        for truth in truths.values()
    )


# Autograd: each framework in processes of its own that write one file per call, so that one that
# dies costs one call.

TORCH = """
import torch
import torch.nn.functional as F
def differentiate(x, kernel, bias, cotangent, call):
    x, kernel, bias = (
        None if a is None else torch.from_numpy(a).contiguous().requires_grad_()
        for a in (x, kernel, bias)
    )
    transpose = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[x.ndim - 3]
    with torch.backends.mkldnn.flags(enabled=False):
        if call["torch"]:
            y = transpose(x, kernel, bias, **call["torch"])
        else:
            rest = {key: call[key] for key in ("stride", "dilation", "groups")}
            y = transpose(x, kernel, **rest)
            # appended first: what is cut may be longer than the full output
            for bound in (min, max):
                y = F.pad(y, [-bound(crop, 0) for pair in reversed(call["crops"]) for crop in pair])
            y = y if bias is None else y + bias.reshape(-1, *[1] * (x.ndim - 2))
        operands = [operand for operand in (x, kernel, bias) if operand is not None]
        gradients = torch.autograd.grad((y * torch.from_numpy(cotangent)).sum(), operands)
        return [gradient.numpy() for gradient in gradients]
"""
JAX = """
import jax
def differentiate(x, kernel, bias, cotangent, call):
    def loss(x, kernel, bias):
        groups, rank, (c_in, per_group, *size) = call["groups"], x.ndim - 2, kernel.shape
        flipped = jax.numpy.flip(kernel, range(2, kernel.ndim))
        by_group = flipped.reshape(groups, c_in // groups, per_group, *size)
        laid_out = jax.numpy.moveaxis(by_group, 0, 1)
        laid_out = laid_out.reshape(c_in // groups, groups * per_group, *size)
        axes = "HWD"[:rank]
        numbers = ("NC" + axes, "IO" + axes, "NC" + axes)
        y = jax.lax.conv_general_dilated(
            x, laid_out, (1,) * rank, call["jax"], call["stride"], call["dilation"],
            numbers, groups)
        return ((y if bias is None else y + bias.reshape(-1, *[1] * rank)) * cotangent).sum()
    operands = range(2 if bias is None else 3)
    gradients = jax.jit(jax.grad(loss, tuple(operands)))(x, kernel, bias)
    return [numpy.asarray(gradient) for gradient in gradients]
"""
LOOP = """
import json, sys, numpy
for line in sys.stdin:
    call = json.loads(line)
    with numpy.load(call["file"]) as held:
        names = ("x", "kernel", "bias", "cotangent")
        operands = [held[name] if name in held else None for name in names]
    numpy.savez(call["file"].replace(".in.", ".out."), *differentiate(*operands, call))
"""
PROGRAMS = {
    name: text + LOOP for name, text in (("torch", TORCH), ("jax", JAX)) if name in REQUESTED
}


def written(call: Call, path: Path) -> str:
    """The call for a program: its operands in a file, its window as the line that is returned."""
    arrays = {
        name: array
        for name, array in call._asdict().items()
        if name != "geometry" and array is not None
    }
    np.savez(path, **arrays)
    window, native = call.geometry, torch.native(call.geometry)
    line: dict[str, Any] = {
        name: getattr(window, name) for name in ("stride", "dilation", "groups", "crops")
    }
    line |= {
        "torch": None if isinstance(native, Unrepresentable) else native,
        "jax": jax.input_padding(window),
    }
    return json.dumps({"file": str(path), **line})


def differentiated(program: str, lines: list[str], folder: Path) -> list[str]:
    """Runs the program on all lines, anew behind each one at which it dies; the last words of each
    death.
    """
    deaths, left = [], list(enumerate(lines))
    environment = {**os.environ, "JAX_ENABLE_X64": "1", "JAX_PLATFORMS": "cpu"}
    while left:
        text = "\n".join(line for _, line in left)
        done = subprocess.run(
            [sys.executable, "-c", program],
            input=text,
            capture_output=True,
            text=True,
            check=False,
            env=environment,
        )
        absent = [(n, line) for n, line in left if not (folder / f"{n}.out.npz").exists()]
        if absent:
            deaths.append(f"call {absent[0][0]}: {done.returncode}: {done.stderr[-300:]}")
            assert len(deaths) <= max(3, COUNT // 50), deaths
        left = absent[1:]
    return deaths


@pytest.mark.parametrize("framework", PROGRAMS)
def test_autograd_in_float64_agrees(framework: str, tmp_path: Path) -> None:
    """A framework's own derivatives on integers are the oracle's, bit for bit, wherever it lives
    through the call.
    """
    calls = [drawn(np.random.RandomState(seed), least=1) for seed in range(COUNT)]
    lines = [written(call, tmp_path / f"{n}.in.npz") for n, call in enumerate(calls)]
    deaths = differentiated(PROGRAMS[framework], lines, tmp_path)
    agreeing = 0
    for n, call in enumerate(calls):
        if not (tmp_path / f"{n}.out.npz").exists():
            continue
        with np.load(tmp_path / f"{n}.out.npz") as held:
            for (of, truth), got in zip(call.truths("float64").items(), held.values(), strict=True):
                assert truth.exact, f"call {n}, {of}"
                assert np.array_equal(got, truth.y), f"call {n}, {of}: {call.geometry}"
        agreeing += 1
    print(f"{framework}: {agreeing} of {COUNT} calls agree; {deaths}")
    assert agreeing + len(deaths) == COUNT
