"""The charts of a whole record in a headless browser: what they say, by keys and from the shapes,
and whether all can read it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from browser import ASSETS, canvas, chart, draw, drawings

__all__ = ["canvas", "drawings"]


def texts(place: Any, selector: str) -> list[str]:
    return [text.strip() for text in place.locator(selector).all_text_contents()]


def cell(
    median: float,
    ratio: float,
    first: float | None = 0.1,
    low: float | None = None,
    high: float | None = None,
) -> dict[str, Any]:
    return {
        "first": first,
        "minimum": median / 2,
        "lower": median,
        "median": median,
        "upper": median * 4,
        "count": 5,
        "ratio": ratio,
        "low": low,
        "high": high,
    }


COLUMNS = [
    {"adapter": name, "device": device}
    for name, device in (("slow", "cpu"), ("fast", "cuda"), ("<b>none</b>", "cpu"))
]
TIMINGS = {
    "columns": COLUMNS,
    "layers": [
        {
            "case": "networks/net/last",
            "network": "networks/net",
            "summary": "A layer.",
            "cells": [cell(4e-3, 4.0, None, 3.5, 4.5), cell(1e-3, 1.0), None],
        }
    ],
    "standing": [
        {"layers": 1, "fastest": 0, "ratio": 4.0},
        {"layers": 1, "fastest": 1, "ratio": 1.0},
        {"layers": 0, "fastest": 0, "ratio": None},
    ],
}
WORK = {
    "columns": COLUMNS,
    "cases": [
        {"case": "networks/net/small", "work": 1000},
        {"case": "networks/net/large", "work": 10**6},
    ],
    "points": [[0, 0, 1e-5], [1, 0, 1e-3], [0, 1, 1e-4], [1, 1, 1e-2]],
}


def test_a_layer_has_its_adapters_side_by_side_the_fastest_first(
    canvas: Callable[..., Any],
) -> None:
    """With median, ratio, quartiles and the first call, which may be unknown; who was not timed has
    no row.
    """
    place = chart(canvas(), "timings", TIMINGS)
    rows = place.locator("details section tbody tr")
    assert [texts(row, "th, td.number") for row in rows.all()] == [
        ["fast (cuda)", "1 ms", "×1", "", "1 ms to 4 ms", "100 ms", "5"],
        ["slow", "4 ms", "×4", "×3.5 to ×4.5", "4 ms to 16 ms", "", "5"],
    ]
    assert [row.locator("circle.dr-first").count() for row in rows.all()] == [1, 0]
    left, right = (
        float(box.get_attribute("x").rstrip("%")) for box in rows.locator("rect.dr-box").all()
    )
    assert left < right


def test_an_interval_that_spans_one_says_that_no_difference_was_seen(
    canvas: Callable[..., Any],
) -> None:
    """A ratio is no news where the rounds disagree on which is faster."""
    layer = {
        **TIMINGS["layers"][0],
        "cells": [cell(1.1e-3, 1.1, None, 0.9, 1.3), cell(1e-3, 1.0), None],
    }
    place = chart(canvas(), "timings", {**TIMINGS, "layers": [layer]})
    assert "no difference seen" in texts(
        place.locator("details section tbody tr").nth(1), "td.number"
    )


def test_a_network_is_drawn_when_it_is_opened(canvas: Callable[..., Any]) -> None:
    """Hundreds of layers cost nothing until somebody looks."""
    layers = [
        {**TIMINGS["layers"][0], "case": f"networks/net{i}/last", "network": f"networks/net{i}"}
        for i in range(2)
    ]
    place = chart(canvas(), "timings", {**TIMINGS, "layers": layers})
    second = place.locator("details").nth(1)
    assert second.locator("table").count() == 0
    second.locator("summary").click()
    second.locator("table").wait_for()  # the browser tells of the opening later
    assert second.locator("table").count() == 1


def test_points_of_time_against_work_are_read_by_keys(canvas: Callable[..., Any]) -> None:
    """Left and right along an adapter, up and down among the adapters of a case; a hidden adapter
    is passed over.
    """
    page = canvas()
    place = chart(page, "work", WORK)
    place.get_by_role("application").focus()
    said = place.locator("output")
    page.keyboard.press("ArrowRight")
    assert (
        said.inner_text() == "networks/net/small on slow: 1,000 multiply-adds in 10 µs, 0.2 GFLOP/s"
    )
    page.keyboard.press("ArrowRight")
    assert said.inner_text().startswith(
        "networks/net/large on slow: 1,000,000 multiply-adds in 1 ms"
    )
    page.keyboard.press("ArrowUp")
    assert said.inner_text().startswith("networks/net/large on fast (cuda)")
    place.get_by_role("button", name="fast (cuda)").click()
    assert place.get_by_role("button", name="fast (cuda)").get_attribute("aria-pressed") == "false"
    place.get_by_role("application").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    assert "fast" not in said.inner_text()


def test_a_point_is_under_the_mouse_where_its_axes_say(canvas: Callable[..., Any]) -> None:
    """Where the ring stands after the keys, the mouse finds the same point."""
    page = canvas()
    place = chart(page, "work", WORK)
    place.get_by_role("application").focus()
    page.keyboard.press("ArrowRight")
    told = place.locator("output").inner_text()
    box = place.locator(".dr-ring").bounding_box()
    page.keyboard.press("ArrowUp")
    assert place.locator("output").inner_text() != told
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert place.locator("output").inner_text() == told


def test_the_distribution_of_errors_stands_on_both_sides_of_the_bound(
    canvas: Callable[..., Any],
) -> None:
    """A bar for each bin, left of the bound or right of it; beyond the ends of the axis at them;
    the worst is named.
    """
    row = {
        **COLUMNS[0],
        "quantity": "output",
        "dtype": "float16",
        "compared": 9,
        "without_error": 2,
        "infinite": 1,
        "over": 3,
        "median": 0.5,
        "largest": 30.0,
        "worst": "a/b/worst",
        "bins": [[-40, 1], [-2, 3], [0, 1], [40, 1]],
        "precision": [[11, ["float16"], 2], [10, ["float16"], 1]],
    }
    place = chart(canvas(), "accuracy", {"bins_per_decade": 4, "rows": [row]})
    bound = float(place.locator("tbody line.dr-mean").get_attribute("x1").rstrip("%"))
    below, above = (
        [float(bar.get_attribute("x").rstrip("%")) for bar in place.locator(f"rect.{name}").all()]
        for name in ("dr-under", "dr-over")
    )
    assert (len(below), len(above)) == (2, 2)  # the infinite one shares the last bin
    assert max(below) < bound <= min(above)
    assert texts(place, "td.number") == ["∞", "3", "0.5", "2", "9"]
    assert "float16: 10 to 11 bits (3)" in place.inner_text()
    assert place.locator("td[title]").get_attribute("title") == "a/b/worst"


def test_the_trend_says_what_changed(canvas: Callable[..., Any]) -> None:
    """Counts with their change, unexpected ones, timings against the first record, and errors where
    they changed.
    """
    step = {
        "versions": "slow 1",
        "counts": {"conforms": 3},
        "unexpected": 0,
        "known": 0,
        "timed": 2,
        "ratio": 1.0,
        "precision": {"float32": [24, 0.5]},
    }
    worse = {
        **step,
        "versions": "slow 2",
        "counts": {"conforms": 2, "differs": 1},
        "unexpected": 1,
        "ratio": 1.5,
    }
    data = {
        "records": [
            {"started": f"2026-01-0{i}", "conformance": "0.1", "corpus": "abc", "cases": 3}
            for i in (1, 2)
        ],
        "statuses": {"conforms": "✓", "differs": "✗"},
        "columns": [{**COLUMNS[0], "steps": [step, worse]}, {**COLUMNS[2], "steps": [None, step]}],
        "changes": [
            {
                "record": 1,
                **COLUMNS[0],
                "case": "a/b/c",
                "quantity": "output",
                "was": "conforms",
                "now": "differs",
            }
        ],
    }
    place = chart(canvas(), "trend", data)
    rows = place.locator("tbody tr")
    assert rows.count() == 3
    assert texts(rows.nth(1), ".dr-counts > span") == ["✓ conforms 2 (−1)", "✗ differs 1 (+1)"]
    assert "×1.5 (2 layers)" in rows.nth(1).inner_text()
    assert "as before" in rows.nth(1).inner_text()
    assert "1 check changed: conforms to differs: 1." in place.inner_text()


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("timings", {**TIMINGS, "layers": []}, "Nothing was timed."),
        ("work", {**WORK, "points": []}, "Nothing was timed."),
        ("accuracy", {"bins_per_decade": 4, "rows": []}, "No result was compared"),
        (
            "trend",
            {"records": [{}], "columns": [], "changes": [], "statuses": {}},
            "There is one record",
        ),
    ],
)
def test_an_empty_chart_is_a_sentence(
    canvas: Callable[..., Any], name: str, data: Any, words: str
) -> None:
    """No axes without anything on them."""
    assert words in chart(canvas(), name, data).inner_text()


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_marks_on_a_canvas_are_seen_in_light_and_dark() -> None:
    """A contrast of at least 3 on both papers; no tool sees into a canvas."""
    script = (ASSETS / "scatter.js").read_text(encoding="utf-8")
    colours = script.split("const COLOURS = [")[1].split("]")[0].replace('"', "").split(", ")
    papers = [luminance(paper) for paper in ("#ffffff", "#17181a")]
    for colour in colours:
        for paper in papers:
            darker, lighter = sorted((luminance(colour), paper))
            assert (lighter + 0.05) / (darker + 0.05) >= 3, colour


def test_a_canvas_takes_the_colours_of_a_new_theme(canvas: Callable[..., Any]) -> None:
    """An element without products is the page's paper, in light and after the switch in dark."""
    page = canvas()
    axis = {"size": 40, "kernel": 1, "stride": 2, "dilation": 1, "crop_low": 0, "crop_high": 0}
    draw(page, "overlap", {"axes": [axis, axis], "groups": 1})
    pixel = """() => {
        const copy = document.createElement("canvas")
                .getContext("2d", { willReadFrequently: true });
        copy.drawImage(document.querySelector("#place canvas"), 1, 1, 1, 1, 0, 0, 1, 1);
        return [...copy.getImageData(0, 0, 1, 1).data];
    }"""
    assert page.evaluate(pixel)[:3] == [255, 255, 255]
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.wait_for_timeout(200)
    try:
        assert page.evaluate(pixel)[:3] == [0x17, 0x18, 0x1A]
    finally:
        page.evaluate("delete document.documentElement.dataset.theme")
