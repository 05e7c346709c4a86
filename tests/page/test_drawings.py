"""The drawings in a headless browser, each alone: what is drawn is read back, by keys and from the
shapes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from browser import canvas, draw, drawings

from conformance.geometry import Axis

__all__ = ["canvas", "drawings"]

AXES = {
    "torch 3/2/1/1": Axis(size=4, kernel=3, stride=2, crop_low=1),
    "an even kernel, Keras same": Axis(size=4, kernel=4, stride=2, crop_low=1, crop_high=1),
    "stride above kernel": Axis(size=3, kernel=2, stride=4),
    "appended ends": Axis(size=3, kernel=3, stride=2, crop_low=-2, crop_high=-3),
    "dilation": Axis(size=4, kernel=3, dilation=3, crop_low=1, crop_high=2),
    "no input": Axis(size=0, kernel=3, stride=2, crop_low=-1, crop_high=-2),
    "a window behind everything": Axis(size=2, kernel=2, crop_low=5, crop_high=-6),
}


def geometry(*axes: Axis) -> dict[str, Any]:
    keys = ("size", "kernel", "stride", "dilation", "crop_low", "crop_high")
    return {
        "axes": [{key: getattr(axis, key) for key in keys} for axis in axes],
        "groups": 1,
        "out": [axis.out for axis in axes],
    }


def texts(place: Any, selector: str) -> list[str]:
    return [text.strip() for text in place.locator(selector).all_text_contents()]


@pytest.mark.parametrize("axis", AXES.values(), ids=AXES)
def test_a_geometry_is_drawn_cell_by_cell(canvas: Callable[..., Any], axis: Axis) -> None:
    """As many cells of each kind as the arithmetic says, and in the kept ones how many products
    land there.
    """
    place = draw(canvas(), "geometry", geometry(axis))
    picture = place.locator("svg.dr-axis")
    kept = (
        max(min(axis.full, axis.full - axis.crop_high) - max(axis.crop_low, 0), 0)
        if axis.full > 0
        else 0
    )
    assert picture.locator("rect.dr-kept").count() == kept
    assert picture.locator("rect.dr-appended").count() == axis.out - kept
    assert picture.locator("rect.dr-cut").count() == max(axis.full, 0) - kept
    assert picture.locator("rect.dr-input, rect.dr-chosen").count() == axis.size
    counts = texts(picture, "rect.dr-kept + text, rect.dr-appended + text")
    assert [int(count) for count in counts] == axis.overlap()
    assert f"kernel {axis.kernel}, stride {axis.stride}" in picture.get_attribute("aria-label")


def test_the_footprint_follows_the_arrow_keys_and_the_mouse(canvas: Callable[..., Any]) -> None:
    """The slider moves the chosen input cell, a click chooses one, and a sentence says what it
    reaches.
    """
    page = canvas()
    place = draw(page, "geometry", geometry(AXES["torch 3/2/1/1"]))
    slider = place.get_by_role("slider", name="input cell of axis 0 (length)")
    slider.focus()
    page.keyboard.press("Home")
    assert place.locator("output").inner_text() == "input 0 reaches output 0, 1; cut: tap 0"
    assert place.locator("svg.dr-axis rect.dr-tap").count() == 2
    assert place.locator("svg.dr-axis rect.dr-tap-cut").count() == 1
    page.keyboard.press("ArrowRight")
    assert place.locator("output").inner_text() == "input 1 reaches output 1, 2, 3"
    place.locator("g.dr-pick").nth(3).click()
    assert place.locator("output").inner_text() == "input 3 reaches output 5, 6, 7"
    assert slider.input_value() == "3"


def test_the_middle_of_a_long_axis_is_left_out_and_said(canvas: Callable[..., Any]) -> None:
    """Both ends of 131,072 elements are there, and the footprint wherever the slider is."""
    page = canvas()
    place = draw(
        page, "geometry", geometry(Axis(size=65536, kernel=4, stride=2, crop_low=1, crop_high=1))
    )
    assert place.locator("svg.dr-axis rect").count() < 100
    assert "131071" in texts(place, "text.dr-in")
    assert texts(place, "title") == ["131,060 positions left out"] * 2
    place.get_by_role("slider").focus()
    for _ in range(30):
        page.keyboard.press("ArrowRight")
    assert place.locator("output").inner_text() == "input 30 reaches output 59, 60, 61, 62"
    assert place.locator("svg.dr-axis rect.dr-tap").count() == 4


def test_axes_that_are_alike_are_drawn_once(canvas: Callable[..., Any]) -> None:
    """Two of three axes share a picture; the sentence names both."""
    wide, other = AXES["torch 3/2/1/1"], AXES["dilation"]
    place = draw(canvas(), "geometry", geometry(wide, other, wide))
    assert place.locator("svg.dr-axis").count() == 2
    assert (
        place.locator("figcaption")
        .first.inner_text()
        .startswith("axis 0 (depth) and axis 2 (width): 4 input cells")
    )


@pytest.mark.parametrize("name", ["geometry", "overlap"])
@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, "no geometry"),
        (geometry(Axis(size=2, kernel=0)), "kernel 0, should be at least 1"),
        (geometry(Axis(size=2, kernel=2, stride=0)), "stride 0, should be at least 1"),
        (
            geometry(Axis(size=2, kernel=2, crop_low=2, crop_high=2)),
            "2 and 2 are cropped from a full output of 3",
        ),
    ],
)
def test_what_cannot_be_drawn_is_a_sentence(
    canvas: Callable[..., Any], name: str, given: Any, words: str
) -> None:
    """A case that must be refused has a page too."""
    assert words in draw(canvas(), name, given).inner_text()


@pytest.mark.parametrize(
    "names", [["torch 3/2/1/1"], ["appended ends", "dilation"], ["stride above kernel", "no input"]]
)
def test_overlaps_are_the_products_per_element(
    canvas: Callable[..., Any], names: list[str]
) -> None:
    """The table holds the outer product of the axes' counts."""
    axes = [AXES[name] for name in names]
    place = draw(canvas(), "overlap", geometry(*axes))
    rows = [[int(text) for text in texts(row, "td")] for row in place.locator("tbody tr").all()]
    first = axes[0].overlap() if len(axes) == 2 else [1]
    assert rows == [[a * b for b in axes[-1].overlap()] for a in first]


def test_a_checkerboard_is_said(canvas: Callable[..., Any]) -> None:
    """Kernel 3 with stride 2 overlaps unevenly, kernel 4 does not."""
    page = canvas()
    uneven, even = AXES["torch 3/2/1/1"], AXES["an even kernel, Keras same"]
    assert (
        "Uneven inside along axis 1 (width): the texture"
        in draw(page, "overlap", geometry(even, uneven)).inner_text()
    )
    assert "As many everywhere inside" in draw(page, "overlap", geometry(even, even)).inner_text()


ARRAY = {
    "shape": [1, 2, 2, 3],
    "values": [[[[1, -2.5, 0], [4, 5, 6]], [["NaN", "Infinity", -0.0], [7, 8, 123456.789]]]],
}


def test_an_array_is_a_table_with_selects_for_its_leading_axes(canvas: Callable[..., Any]) -> None:
    """Axes of length 1 need no select; numbers are short, what is not finite is marked."""
    place = draw(canvas(), "array", ARRAY, "input")
    assert texts(place, "td")[1:] == ["1", "−2.5", "0", "4", "5", "6"]
    assert place.get_by_role("combobox").count() == 1
    place.get_by_label("axis 1").select_option("1")
    assert texts(place, "td")[1:] == ["NaN", "∞", "−0", "7", "8", "123460"]
    assert texts(place, "td.dr-odd") == ["NaN", "∞"]


def test_arrow_keys_read_exact_values(canvas: Callable[..., Any]) -> None:
    """One tab stop; the first key goes to the first element."""
    page = canvas()
    place = draw(page, "array", ARRAY, "input")
    place.get_by_label("axis 1").select_option("1")
    place.get_by_role("group").focus()
    for key in ("ArrowDown", "ArrowDown", "End"):
        page.keyboard.press(key)
    assert place.locator("output").inner_text() == "[0, 1, 1, 2] is 123456.789"
    assert texts(place, ".dr-current") == ["123460"]


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (None, "None."),
        (
            {
                "shape": [3, 64, 8, 3],
                "make": {"shape": [3, 64, 8, 3], "values": "normal", "seed": 1},
            },
            "values normal, seed 1",
        ),
        ({"shape": [1, 2, 0, 3], "values": [[[], []]]}, "no element"),
        ({"shape": [0], "values": []}, "no element"),
        (
            {"shape": [2], "values": ["<img src=x onerror=alert(1)>", 0]},
            "<img src=x onerror=alert(1)>",
        ),
    ],
)
def test_arrays_without_numbers_are_said(
    canvas: Callable[..., Any], array: Any, words: str
) -> None:
    """Absent, made by a recipe, empty, and markup where a number should be: all are text."""
    assert words in draw(canvas(), "array", array, "input").inner_text()


def test_a_window_of_a_large_array_has_its_own_indices(canvas: Callable[..., Any]) -> None:
    """The record keeps eight positions round the first mismatch, with where they start."""
    window = {"shape": [1, 64, 42], "start": [0, 5, 30], "values": [[[1, 2], [3, 4]]]}
    place = draw(canvas(), "array", window, "got")
    assert texts(place, "th") == ["30", "31", "5", "6"]
    assert "a window of it that starts at [0, 5, 30]" in place.inner_text()


def test_an_error_is_signed_by_colour_and_sign_and_read_out(canvas: Callable[..., Any]) -> None:
    """On the slice of the first mismatch; equal elements are plain."""
    page = canvas()
    got = {"shape": [1, 2, 1, 3], "values": [[[[1, 2, 3]], [[1, 5, 2.5]]]]}
    expected = {"shape": [1, 2, 1, 3], "values": [[[[1, 2, 3]], [[1, 3, 3]]]]}
    place = draw(page, "error", got, expected, [0, 1, 0, 1])
    assert "2 of 6 elements differ" in place.inner_text()
    assert texts(place, "td")[1:] == ["0", "+2", "−0.5"]
    assert (texts(place, "td.dr-plus"), texts(place, "td.dr-minus")) == (["+2"], ["−0.5"])
    place.locator("td.dr-minus").hover()
    assert (
        place.locator("output").inner_text() == "out[0, 1, 0, 2]: got 2.5, should be 3: error −0.5"
    )


def test_what_is_not_finite_on_one_side_has_no_size_of_error(canvas: Callable[..., Any]) -> None:
    """The same infinity on both sides agrees; NaN for a number is marked, and does not spoil the
    scale of the others.
    """
    got = {"shape": [4], "values": ["NaN", "Infinity", "Infinity", 1.5]}
    expected = {"shape": [4], "values": [1, "Infinity", "-Infinity", 1]}
    place = draw(canvas(), "error", got, expected, [0])
    assert texts(place, "td.dr-odd") == ["NaN", "∞"]
    assert texts(place, "td")[1:] == ["NaN", "∞", "∞", "+0.5"]
    assert "3 of 4 elements differ" in place.inner_text()
    assert "+0.5" in place.locator(".dr-legend").inner_text()


def test_another_shape_is_two_outlines(canvas: Callable[..., Any]) -> None:
    """Longer and narrower than it should be: read from the rectangles."""
    place = draw(
        canvas(),
        "error",
        {"shape": [1, 1, 6, 3], "values": []},
        {"shape": [1, 1, 4, 4], "values": []},
        None,
    )
    got, due = (place.locator(f"figure > svg rect.{name}") for name in ("dr-got", "dr-due"))
    assert float(got.get_attribute("height")) == pytest.approx(
        1.5 * float(due.get_attribute("height"))
    )
    assert float(got.get_attribute("width")) == pytest.approx(
        0.75 * float(due.get_attribute("width"))
    )
    assert "got [1, 1, 6, 3], should be [1, 1, 4, 4]" in place.inner_text()


def test_a_large_error_is_a_canvas_that_keys_read(canvas: Callable[..., Any]) -> None:
    """64 x 64 elements, one of them wrong: its pixel alone is coloured, and the keys find it."""
    page = canvas()
    values = [[float(64 * i + j) for j in range(64)] for i in range(64)]
    wrong = [[*row] for row in values]
    wrong[1][2] += 3
    place = draw(
        page,
        "error",
        {"shape": [64, 64], "values": wrong},
        {"shape": [64, 64], "values": values},
        [1, 2],
    )
    coloured = page.evaluate(
        """() => {
            const canvas = document.querySelector("canvas");
            const { data } = canvas.getContext("2d")
                .getImageData(0, 0, canvas.width, canvas.height);
            const found = [];
            for (let i = 0; i < data.length; i += 4)
                if (data[i] !== data[0] || data[i + 1] !== data[1]) found.push(i / 4);
            return found;
        }"""
    )
    assert coloured == [64 + 2]
    place.get_by_role("application").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    assert place.locator("output").inner_text() == "out[1, 2]: got 69, should be 66: error +3"


@pytest.mark.parametrize(
    ("name", "axis"),
    [
        ("geometry", Axis(size=999, kernel=16, stride=8)),
        ("overlap", Axis(size=256, kernel=4, stride=2, crop_low=1, crop_high=1)),
    ],
)
def test_large_drawings_are_quick(canvas: Callable[..., Any], name: str, axis: Axis) -> None:
    """The best of five: a shared machine stalls now and then."""
    page = canvas()
    took = []
    for _ in range(5):
        draw(page, name, geometry(axis, axis))
        took.append(page.evaluate("window.took"))
    assert min(took) < 100
