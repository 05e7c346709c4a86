"""Kinds of mistakes: what their texts say, and what is told where nothing explains the numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import conformance
from conformance.corpus.selection import select
from conformance.corpus.traits import rule, traits_of
from conformance.corpus.truths import prepare
from conformance.geometry import Axis, Geometry
from conformance.oracle import Truth, transpose_into_window
from conformance.verdicts.compare import compare
from conformance.verdicts.diagnosis import diagnose
from conformance.verdicts.diagnosis.regions import region_of
from conformance.verdicts.diagnosis.slices import chosen, factors_text, snapped

PLANE = Geometry(
    axes=(
        Axis(size=4, kernel=3, stride=2, dilation=1, crop_low=1, crop_high=1),
        Axis(size=5, kernel=3, stride=2, dilation=1, crop_low=1, crop_high=1),
    ),
    groups=2,
)


@pytest.fixture(scope="module")
def truth() -> Truth:
    """Four samples of 10 input and 6 output channels in 2 groups, with a bias."""
    random = np.random.RandomState(1)
    x, w, b = (
        random.randint(-4, 5, shape).astype(float) for shape in ((4, 10, 4, 5), (10, 3, 3, 3), (6,))
    )
    b = np.where(b == 0, 5.0, b)
    y = transpose_into_window(x, w, b, PLANE)
    return Truth(x=x, kernel=w, bias=b, geometry=PLANE, dtype="float32", y=y)


def text_of(truth: Truth, wrong: np.ndarray) -> str:
    got = wrong.astype("f4")
    precision = compare(got, truth).precision
    said = diagnose(got, truth, precision)
    return "" if said is None else f"{said['name']}: {said['text']}"


def with_kernel(truth: Truth, w: np.ndarray) -> np.ndarray:
    return transpose_into_window(truth.x, w, truth.bias, truth.geometry)


def test_what_is_left_over_of_a_tile_is_told_by_number(truth: Truth) -> None:
    """Of five channels of each group the fifth."""
    w = truth.kernel.copy()
    w[4::5] = 0
    said = text_of(truth, with_kernel(truth, w))
    assert said.startswith("input-channels-left-out: the last input channel (4) of each group is")


def test_factors_are_listed(truth: Truth) -> None:
    """One for each output channel, before the bias."""
    assert truth.bias is not None
    bias = truth.bias.reshape(-1, 1, 1)
    factors = np.array([1, 2, 4, 0.5, 8, 0.25]).reshape(-1, 1, 1)
    said = text_of(truth, (truth.y - bias) * factors + bias)
    assert said.startswith("output-channels-scaled: every output channel is multiplied by a factor")
    assert "1, 2, 4, 0.5, 8, 0.25, before the bias" in said


def test_a_known_mistake_in_some_samples_says_in_which(truth: Truth) -> None:
    """The kernel is not flipped from the third sample on."""
    flipped = with_kernel(truth, truth.kernel[:, :, ::-1, ::-1])
    wrong = truth.y.copy()
    wrong[2:] = flipped[2:]
    said = text_of(truth, wrong)
    assert said.startswith("kernel-not-flipped: ")
    assert "in samples from 2 on" in said


def test_what_nothing_explains_is_told_by_where_it_is(truth: Truth) -> None:
    """Noise in one output channel."""
    wrong = truth.y.copy()
    noise = np.random.RandomState(0)
    wrong[:, 3] += 1 + noise.randint(0, 40, wrong[:, 3].shape)
    assert text_of(truth, wrong) == "wrong-in-part: all is right but output channel 3"


def test_positions_counted_in_few_bits_are_told_by_the_last_right_one() -> None:
    """Beyond 256 a position in bfloat16 is an even number."""
    axis = Axis(size=300, kernel=3, stride=1, dilation=1, crop_low=1, crop_high=1)
    geometry = Geometry(axes=(axis,), groups=1)
    random = np.random.RandomState(0)
    x, w = random.randint(-4, 5, (1, 2, 300)) * 1.0, random.randint(-4, 5, (2, 2, 3)) * 1.0
    y = transpose_into_window(x, w, None, geometry)
    truth = Truth(x=x, kernel=w, bias=None, geometry=geometry, dtype="float32", y=y)
    read = np.arange(300.0).astype(ml_dtypes.bfloat16).astype(int)
    wrong = y[:, :, np.minimum(read, 299)]
    said = diagnose(wrong.astype("f4"), replace(truth), None)
    assert said is not None
    names = {said["name"], *(entry["name"] for entry in said["also"])}
    assert names & {"positions-in-low-precision", "output-positions-permuted"}


def test_no_precision_is_told_where_a_mistake_explains_the_numbers() -> None:
    """A bias that is a little wrong has errors as small as rounding leaves."""

    def kernel(x: Any, w: Any, bias: Any, **arguments: Any) -> Any:
        y = conformance.conv_transpose(x, w, None, **arguments)
        if bias is not None:
            y = y + bias.astype(float).reshape(-1, *[1] * (x.ndim - 2)) * 0.5
        return y.astype(x.dtype)

    report = conformance.check(kernel, "arithmetic/plane_dense/*bias*", progress=False)
    told = [verdict for verdict in report.verdicts if verdict.mistake == "bias-scaled"]
    assert len(told) > 5
    assert {verdict.precision is None for verdict in told} == {True}


@pytest.mark.parametrize(
    ("numbers", "count", "words"),
    [
        ([3], 8, "sample 3"),
        ([7], 8, "the last sample (7)"),
        ([4, 5, 6, 7], 8, "samples from 4 on"),
        ([0, 1], 8, "samples up to 1"),
        ([2, 3], 8, "samples 2 to 3"),
        ([0, 1, 3], 4, "all samples but 2"),
        ([1, 3, 5], 8, "every second sample from 1 on"),
        ([1, 4, 5], 8, "samples 1, 4, 5"),
    ],
)
def test_slices_in_words(numbers: list[int], count: int, words: str) -> None:
    assert chosen(np.isin(np.arange(count), numbers), "sample") == words


def test_factors_in_words() -> None:
    """Left out, one factor, or one each; a factor next to a simple number is that."""
    assert factors_text(np.array([1.0, 1.0, 0.0]), "tap", "") == (
        "left-out",
        "the last tap (2) is left out",
    )
    kind, text = factors_text(np.array([1.0, 1.0, 1.0, 3.0]), "tap", " of the kernel")
    assert (kind, text) == ("scaled", "the last tap (3) of the kernel is multiplied by 3")
    assert snapped(np.array([0.50000001, 1.7, 0.123456]), 1e-5).tolist() == [0.5, 1.7, 0.123456]


def test_a_region_is_the_smallest_that_has_all(truth: Truth) -> None:
    """Of slices of one axis, or of two where that is much fuller."""
    wrong = np.zeros(truth.y.shape, bool)
    wrong[3, 2:4] = True
    region = region_of(wrong, PLANE)
    assert region is not None
    assert region.filled == 1.0
    assert sorted(region.text.split(" and ")) == ["output channels 2 to 3", "the last sample (3)"]
    assert region_of(~wrong & wrong, PLANE) is None
    assert region_of(wrong | True, PLANE) is None


def test_rules_are_sizes_that_kernels_are_cut_by() -> None:
    """On shipped cases: what is true of more than 4 channels per group with a left-over."""
    cases = select(["arithmetic/*"]).cases
    traits = {case.name: traits_of(case) for case in cases if case.geometry is not None}
    failing = []
    for case in cases:
        if case.geometry is not None:
            inside = case.kernel.shape[0] // case.geometry.groups
            if inside > 4 and inside % 4:
                failing.append(case.name)
    passing = [traits[name] for name in traits if name not in failing]
    words, only = rule([traits[name] for name in failing], passing)
    assert (words, only) == ("input channels per group above 4 that 4 does not divide", True)
    three = [
        case.name
        for case in cases
        if case.geometry is not None
        and case.dtype == "float64"
        and case.geometry.groups > 1
        and case.input.shape[0] > 1
    ]
    words, only = rule(
        [traits[name] for name in three], [traits[name] for name in traits if name not in three]
    )
    assert only
    assert set(words.split(" and ")) == {"dtype float64", "groups above 1", "several samples"}


def test_a_result_cut_off_is_named() -> None:
    """bfloat16 that is cut off instead of rounded."""
    names = []
    for case in select(["arithmetic/far_line/*bfloat16*normal*"]).cases:
        truth = prepare(case).truth
        if truth is None or truth.exact:
            continue
        bits = truth.y.astype("f4").view("u4") & np.uint32(0xFFFF0000)
        got = bits.view("f4").astype(ml_dtypes.bfloat16)
        if compare(got, truth).mismatch is not None:
            said = diagnose(got, truth, None)
            names.append(said and said["name"])
    assert len(names) > 2
    assert set(names) == {"result-cut"}
