"""The oracle against the definition written as a scatter, exactly, on integers."""

from __future__ import annotations

import itertools
import math
from collections import deque
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.oracle import conv_transpose, reference


def scatter(
    x: Any, w: Any, b: Any, *, stride: list[int], padding: list[tuple[int, int]],
    output_padding: list[int],
    dilation: list[int], groups: int,
) -> Any:  # fmt: skip
    """The definition, a product at a time: everything placed in the full output, then the window,
    then the bias.
    """
    batch, c_in, *size = x.shape
    _, per_group, *kernel = w.shape
    out = [
        (n - 1) * s + d * (k - 1) + 1 - low - high + extra
        for n, k, s, d, (low, high), extra in zip(
            size, kernel, stride, dilation, padding, output_padding, strict=True
        )
    ]
    y = np.zeros((batch, per_group * groups, *out), object)
    for n, c, o in itertools.product(range(batch), range(c_in), range(per_group)):
        for position in itertools.product(*map(range, size)):
            for tap in itertools.product(*map(range, kernel)):
                place = tuple(
                    i * s + k * d - low
                    for i, k, s, d, (low, _) in zip(
                        position, tap, stride, dilation, padding, strict=True
                    )
                )
                if all(0 <= p < length for p, length in zip(place, out, strict=True)):
                    channel = c // (c_in // groups) * per_group + o
                    y[(n, channel, *place)] += int(x[(n, c, *position)]) * int(w[(c, o, *tap)])
    if b is not None:
        for channel in range(per_group * groups):
            y[:, channel] += int(b[channel])
    return y


@st.composite
def calls(draw: st.DrawFn) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Operands of small integers and generic arguments with an output, of any rank."""
    rank = draw(st.integers(1, 3))
    most = {1: 6, 2: 4, 3: 3}[rank]

    def each(low: int, high: int) -> list[int]:
        return draw(st.lists(st.integers(low, high), min_size=rank, max_size=rank))

    size, kernel = each(0, most), each(1, 3)
    window: dict[str, Any] = {
        "stride": each(1, 3),
        "dilation": each(1, 3),
        "output_padding": each(0, 3),
    }
    pads = []
    for n, k, s, d, extra in zip(
        size, kernel, window["stride"], window["dilation"], window["output_padding"], strict=True
    ):
        full = (n - 1) * s + d * (k - 1) + 1 + extra
        low = draw(st.integers(-2, 3))
        pads.append(
            (low, draw(st.integers(-2, 3).map(lambda high, room=full - low: min(high, room - 1))))
        )
    groups = draw(st.integers(1, 3))
    per_in, per_out, batch = (
        draw(st.integers(1, 2)),
        draw(st.integers(1, 2)),
        draw(st.integers(1, 2)),
    )
    random = np.random.RandomState(draw(st.integers(0, 999)))
    x = random.randint(-9, 10, (batch, per_in * groups, *size))
    w = random.randint(-9, 10, (per_in * groups, per_out, *kernel))
    b = random.randint(-9, 10, per_out * groups) if draw(st.booleans()) else None
    return (x, w, b), {**window, "padding": pads, "groups": groups}


@given(calls())
def test_every_call_is_the_scatter_of_its_products(
    call: tuple[tuple[Any, ...], dict[str, Any]],
) -> None:
    """On integers the oracle is the definition exactly, for any rank, groups, bias and sign of
    padding.
    """
    operands, window = call
    y = conv_transpose(*operands, **window)
    true = scatter(*operands, **window)
    assert y.dtype == np.float64
    assert y.shape == true.shape
    assert (y == true).all()


@given(calls(), st.sampled_from([1, 8, 40, 200, 1000]))
def test_blocks_of_any_size_give_the_same(
    call: tuple[tuple[Any, ...], dict[str, Any]], block: int
) -> None:
    """How many products are held at once changes nothing: from one row at a time to everything."""
    operands, window = call
    whole = conv_transpose(*operands, **window)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reference, "BLOCK_BYTES", block)
        assert np.array_equal(conv_transpose(*operands, **window), whole)


@pytest.mark.parametrize("block", [64, 1000, 4000])
def test_a_block_of_products_stays_within_its_limit(
    monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    """No block takes more than BLOCK_BYTES, as far as one row of one channel fits into it."""
    monkeypatch.setattr(reference, "BLOCK_BYTES", block)
    for *shape, row in itertools.product((1, 7), (1, 4), (1, 3), (1, 5), (1, 24)):
        steps = reference._block((shape[0], shape[1], shape[2], shape[3]), row)
        assert math.prod(steps) * row * 8 <= max(block, row * 8)
        assert all(1 <= step <= length for step, length in zip(steps, shape, strict=True))


def test_a_two_by_two_input_makes_the_textbook_output() -> None:
    """The worked example of a 3x3 kernel at stride 2: the full output, number by number."""
    y = conv_transpose([[[[1, 2], [3, 4]]]], [[[[1, 2, 3], [2, 2, 1], [3, 2, 1]]]], stride=2)
    assert y[0, 0].tolist() == [
        [1, 2, 5, 4, 6],
        [2, 2, 5, 4, 2],
        [6, 8, 20, 12, 14],
        [6, 6, 11, 8, 4],
        [9, 6, 15, 8, 4],
    ]


def test_bias_lands_on_appended_elements() -> None:
    """Elements that output_padding and negative padding append hold the bias alone."""
    y = conv_transpose([[[1.0]]], [[[1.0]]], [5.0], padding=[(-1, 0)], output_padding=2)
    assert y.tolist() == [[[5.0, 6.0, 5.0, 5.0]]]


@pytest.mark.parametrize(
    ("x", "shape"), [((0, 2, 3), (0, 1, 7)), ((1, 0, 3), (1, 1, 7)), ((1, 2, 0), (1, 1, 1))]
)
def test_zero_sizes_give_the_bias(x: tuple[int, ...], shape: tuple[int, ...]) -> None:
    """Without batch, input channels or input elements there is nothing to add, and the formula
    still says the shape.
    """
    y = conv_transpose(np.ones(x), np.ones((x[1], 1, 3)), [4], stride=2)
    assert y.shape == shape
    assert (y == 4).all()


def test_no_output_channels_give_an_empty_output() -> None:
    """A kernel of no output channels has an output of none."""
    assert conv_transpose(np.ones((2, 3, 4)), np.ones((3, 0, 2))).shape == (2, 0, 5)


def test_nan_and_infinity_go_where_their_products_go() -> None:
    """A strange input element makes strange what it reaches and nothing else, and no warning is
    raised.
    """
    y = conv_transpose([[[np.inf, 1.0, np.nan]]], [[[1.0, 0.0]]], stride=2)
    assert np.array_equal(y, [[[np.inf, np.nan, 1.0, 0.0, np.nan, np.nan]]], equal_nan=True)


@pytest.mark.parametrize(
    "window",
    [
        {"stride": 2, "padding": 1, "output_padding": 1, "dilation": 2},
        {"stride": [2, 2], "padding": [1, 1], "output_padding": [1, 1], "dilation": [2, 2]},
        {
            "stride": (2, 2),
            "padding": ((1, 1), (1, 1)),
            "output_padding": (1, 1),
            "dilation": (2, 2),
        },
        {
            "stride": np.array([2, 2]),
            "padding": np.array([[1, 1], [1, 1]]),
            "output_padding": np.int64(1),
            "dilation": np.int8(2),
        },
        {
            "stride": deque([2, 2]),
            "padding": {0: 1, 1: 1}.values(),
            "output_padding": [np.int16(1)] * 2,
            "dilation": (2, np.uint8(2)),
        },
        {"stride": 2, "padding": [(1, 0), (1, 0)], "dilation": 2},
    ],
)
def test_every_form_of_the_arguments_means_the_same(window: dict[str, Any]) -> None:
    """A number, one per axis, pairs, tuples, NumPy's integers and arrays are one call."""
    x, w = np.arange(12.0).reshape(1, 1, 3, 4), np.arange(1.0, 7.0).reshape(1, 1, 3, 2)
    true = scatter(
        x,
        w,
        None,
        stride=[2, 2],
        padding=[(1, 1)] * 2,
        output_padding=[1, 1],
        dilation=[2, 2],
        groups=1,
    )
    assert (conv_transpose(x, w, **window) == true).all()


def test_groups_may_be_a_numpy_integer() -> None:
    """groups takes whatever counts as a whole number."""
    x, w = np.ones((1, 2, 2)), np.ones((2, 1, 1))
    assert conv_transpose(x, w, groups=np.int32(2)).shape == (1, 2, 2)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"stride": 0}, "stride"),
        ({"stride": [1, 1, 1]}, "stride"),
        ({"stride": 1.5}, "stride"),
        ({"stride": True}, "stride"),
        ({"stride": "2"}, "stride"),
        ({"dilation": 0}, "dilation"),
        ({"dilation": None}, "dilation"),
        ({"padding": 9}, "padding"),
        ({"padding": "same"}, "padding"),
        ({"padding": [(1, 1)]}, "padding"),
        ({"padding": [1, (1, 1)]}, "padding"),
        ({"padding": [(1, 1, 1), (1, 1, 1)]}, "padding"),
        ({"padding": [(0.5, 1), (1, 1)]}, "padding"),
        ({"output_padding": [1]}, "output_padding"),
        ({"groups": 0}, "groups"),
        ({"groups": 2}, "groups"),
        ({"groups": 1.5}, "groups"),
        ({"groups": True}, "groups"),
        ({"w": np.ones((2, 1, 2, 2))}, "kernel"),
        ({"b": [1, 2]}, "bias"),
        ({"b": 1}, "bias"),
        ({"x": np.ones((3, 3))}, "x"),
        ({"w": np.ones((3, 1, 2))}, "w"),
    ],
)
def test_arguments_that_make_no_sense_are_a_value_error_that_names_them(
    change: dict[str, Any], key: str
) -> None:
    """A wrong argument is a ValueError that names it and says what it should be."""
    arguments = {"x": np.ones((1, 3, 3, 3)), "w": np.ones((3, 1, 2, 2)), **change}
    with pytest.raises(ValueError, match=rf"\b{key}\b.*should") as caught:
        conv_transpose(**arguments)
    assert type(caught.value) is ValueError


def test_operands_are_left_as_they_are() -> None:
    """The oracle writes into nothing that it was given."""
    x, w, b = np.ones((1, 2, 3)), np.ones((2, 2, 2)), np.ones(2)
    conv_transpose(x, w, b)
    assert (x == 1).all()
    assert (w == 1).all()
    assert (b == 1).all()
