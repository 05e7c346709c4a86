"""The arithmetic of the window, against its definition: every product x[i] * w[k] has the place i *
stride + k * dilation.
"""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.geometry import (
    Axis,
    Geometry,
    call_problems,
    canonical_padding,
    from_padding,
    problems,
)

AXES = st.builds(
    Axis,
    size=st.integers(0, 6),
    kernel=st.integers(1, 5),
    stride=st.integers(1, 4),
    dilation=st.integers(1, 4),
    crop_low=st.integers(-5, 8),
    crop_high=st.integers(-5, 8),
)


def places(axis: Axis) -> dict[tuple[int, int], int]:
    """(tap, input position) -> output position, for every product that stays inside the window."""
    length = axis.full - axis.crop_low - axis.crop_high
    found = {}
    for tap in range(axis.kernel):
        for position in range(axis.size):
            place = position * axis.stride + tap * axis.dilation - axis.crop_low
            if 0 <= place < length:
                found[tap, position] = place
    return found


@given(AXES)
def test_taps_pair_every_product_inside_the_window_with_its_place(axis: Axis) -> None:
    """`taps` lists exactly the products that the definition puts inside the window, each at its
    place.
    """
    listed = [
        ((tap, position), place)
        for tap, positions, outs in axis.taps()
        for position, place in zip(positions, outs, strict=True)
    ]
    assert dict(listed) == places(axis)
    assert len(dict(listed)) == len(listed)


@given(AXES)
def test_taps_that_reach_nothing_are_left_out(axis: Axis) -> None:
    """A tap of which no product stays inside the window is not listed at all."""
    assert [tap for tap, _, _ in axis.taps()] == sorted({tap for tap, _ in places(axis)})


@given(AXES)
def test_overlap_counts_the_products_of_every_element(axis: Axis) -> None:
    """`overlap` has one count per output position: 0 on appended zeros, nothing where there is no
    output.
    """
    counts = Counter(places(axis).values())
    assert axis.overlap() == [counts[place] for place in range(axis.out)]


@given(AXES.filter(lambda axis: axis.size > 0))
def test_full_reaches_from_the_first_product_to_the_last(axis: Axis) -> None:
    """With something in the input, the full length is the last product's place and one."""
    assert (
        axis.full
        == max(
            i * axis.stride + k * axis.dilation
            for i in range(axis.size)
            for k in range(axis.kernel)
        )
        + 1
    )


@given(AXES)
def test_out_is_what_the_crops_leave(axis: Axis) -> None:
    """A crop takes from the full length and a negative one adds to it, at both ends alike."""
    assert axis.out + axis.crop_low + axis.crop_high == axis.full


@given(AXES, st.integers(0, 3), st.integers(0, 3))
def test_zeros_round_the_input_leave_the_window_where_it_is(
    axis: Axis, low: int, high: int
) -> None:
    """Every product of a padded axis' own input has the place that it had, and the output its
    length.
    """
    padded = axis.padded(low, high)
    own = {
        (tap, i - low): place
        for (tap, i), place in places(padded).items()
        if low <= i < low + axis.size
    }
    assert own == places(axis)
    assert padded.out == axis.out


@given(AXES)
def test_the_zeros_for_what_is_appended_are_the_fewest_that_reach(axis: Axis) -> None:
    """An input that is padded by them appends nothing to its full output, and with one zero less at
    an end it does.
    """
    low, high = axis.zeros_for_appended
    whole = axis.padded(low, high)
    assert min(whole.crop_low, whole.crop_high) >= 0
    assert (low == 0) == (axis.crop_low >= 0)
    assert (high == 0) == (axis.crop_high >= 0)
    assert not low or axis.padded(low - 1, high).crop_low < 0 <= whole.crop_low
    assert not high or axis.padded(low, high - 1).crop_high < 0 <= whole.crop_high


@given(AXES)
def test_a_dilated_kernel_is_one_with_zeros_between_its_taps(axis: Axis) -> None:
    """Tap k of the dilated kernel is tap k * dilation of the other: its products keep their places,
    in the same window.
    """
    plain = axis.undilated()
    kept = {
        (tap // axis.dilation, i): place
        for (tap, i), place in places(plain).items()
        if tap % axis.dilation == 0
    }
    assert kept == places(axis)
    assert (plain.dilation, plain.out, plain.full) == (1, axis.out, axis.full)


def test_size_zero_uses_the_same_formula() -> None:
    """Of no input at stride 2, kernel 3 leaves one element, which no product reaches."""
    axis = Axis(size=0, kernel=3, stride=2)
    assert (axis.full, axis.overlap(), list(axis.taps())) == (1, [0], [])


def test_geometry_lists_its_axes_in_order() -> None:
    """Every property of a geometry has one entry per axis, in the order of the axes."""
    geometry = Geometry(
        axes=(
            Axis(size=4, kernel=3, stride=2, dilation=5, crop_low=1, crop_high=-1),
            Axis(size=2, kernel=1, crop_high=1),
        ),
        groups=2,
    )
    assert geometry.rank == 2
    assert (geometry.size, geometry.kernel, geometry.stride, geometry.dilation) == (
        (4, 2),
        (3, 1),
        (2, 1),
        (5, 1),
    )
    assert (geometry.crops, geometry.full, geometry.out) == (((1, -1), (0, 1)), (17, 2), (17, 1))


def test_from_padding_gives_back_at_the_high_end() -> None:
    """Padding cuts both ends, output_padding gives back at the high end alone."""
    geometry = from_padding(
        size=[3, 4],
        kernel=[3, 2],
        stride=[2, 3],
        padding=[(1, 2), (0, -1)],
        output_padding=[1, 2],
        dilation=[1, 2],
        groups=3,
    )
    assert geometry.crops == ((1, 1), (0, -3))
    assert geometry.groups == 3


@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=1, max_size=3))
def test_canonical_padding_is_an_inverse_of_from_padding(crops: list[tuple[int, int]]) -> None:
    """The canonical arguments give the crops they were made of, with no high pad or output_padding
    below 0.
    """
    padding, extra = canonical_padding(crops)
    rank = [1] * len(crops)
    geometry = from_padding(
        size=rank, kernel=rank, stride=rank, dilation=rank, padding=padding, output_padding=extra
    )
    assert list(geometry.crops) == crops
    assert min(extra) >= 0
    assert min(high for _, high in padding) >= 0


@given(st.lists(AXES, min_size=1, max_size=3))
def test_a_geometry_has_problems_exactly_where_it_has_no_output(axes: list[Axis]) -> None:
    """Legal sizes and factors are a problem exactly where some output is below one element, one
    problem per such axis.
    """
    found = problems(Geometry(axes=tuple(axes)))
    assert len(found) == sum(axis.out < 1 for axis in axes)
    assert all(problem.key == "padding" or (problem.key == "input") for problem in found)


@pytest.mark.parametrize(
    ("axis", "groups", "key", "text"),
    [
        (Axis(size=-1, kernel=1), 1, "input", "size -1 on axis 0, should be at least 0"),
        (Axis(size=1, kernel=0), 1, "kernel", "size 0 on axis 0, should be at least 1"),
        (Axis(size=1, kernel=1, stride=0), 1, "stride", "0 on axis 0, should be at least 1"),
        (Axis(size=1, kernel=1, dilation=-2), 1, "dilation", "-2 on axis 0, should be at least 1"),
        (Axis(size=1, kernel=1), 0, "groups", "0, should be at least 1"),
        (
            Axis(size=2, kernel=2, stride=2, crop_low=2, crop_high=3),
            1,
            "padding",
            (
                "the output has -1 elements on axis 0, should have at least 1: 2 and 3 are "
                "cropped from a full output of 4"
            ),
        ),
        (
            Axis(size=0, kernel=1),
            1,
            "input",
            "the output has 0 elements on axis 0, should have at least 1",
        ),
    ],
)
def test_each_problem_is_reported_at_its_key(axis: Axis, groups: int, key: str, text: str) -> None:
    """An argument that makes no sense is named by its key, with its value and what it should be."""
    assert [
        (problem.key, problem.text) for problem in problems(Geometry(axes=(axis,), groups=groups))
    ] == [(key, text)]


def test_lengths_are_not_judged_by_a_stride_that_makes_no_sense() -> None:
    """Where a factor is wrong, an output length computed from it is not reported beside it."""
    found = problems(
        Geometry(axes=(Axis(size=2, kernel=1, stride=-5), Axis(size=1, kernel=1, crop_low=4)))
    )
    assert [problem.key for problem in found] == ["stride"]


def test_channels_that_fit_are_no_problem() -> None:
    """Kernel (C_in, C_out / groups, ...) and bias (C_out,) of the right sizes leave nothing to
    report.
    """
    geometry = Geometry(axes=(Axis(size=3, kernel=2),), groups=2)
    assert call_problems(geometry, x=(1, 4, 3), kernel=(4, 3, 2), bias=(6,)) == []
    assert call_problems(geometry, x=(1, 4, 3), kernel=(4, 3, 2), bias=None) == []


@pytest.mark.parametrize(
    ("x", "kernel", "bias", "groups", "keys"),
    [
        ((1, 4, 3), (4, 3, 2), None, 3, ["groups"]),
        ((1, 4, 3), (3, 3, 2), None, 2, ["kernel"]),
        ((1, 4, 3), (4, 3, 2), (3,), 2, ["bias"]),
        ((1, 4, 3), (4, 3, 2), (6, 1), 2, ["bias"]),
        ((1, 4, 3), (5, 3, 2), (3,), 3, ["groups", "kernel", "bias"]),
        ((1, 4, 3), (4, 3, 2), (3,), 0, ["groups"]),
        ((1, 4, 3), (4, 3, 2), (3,), -4, ["groups"]),
    ],
)
def test_channels_that_do_not_fit_are_named(
    x: tuple[int, ...],
    kernel: tuple[int, ...],
    bias: tuple[int, ...] | None,
    groups: int,
    keys: list[str],
) -> None:
    """Groups that do not divide, a kernel with other input channels and a bias of another size are
    each named by their key.
    """
    geometry = Geometry(axes=(Axis(size=3, kernel=2),), groups=groups)
    assert [
        problem.key for problem in call_problems(geometry, x=x, kernel=kernel, bias=bias)
    ] == keys
