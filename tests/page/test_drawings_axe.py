"""All drawings and charts of real data, held against axe-core."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from browser import canvas, drawings, violations

from conformance.record.record import Record
from conformance.report import accuracy, figures, trend
from conformance.report.atlas_svg import atlas_svg, legend

__all__ = ["canvas", "drawings"]


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_every_drawing_is_accessible_and_no_wider_than_the_page(
    canvas: Callable[..., Any], reference: Record, scheme: str, width: int
) -> None:
    """All of them at once, of real data, held against axe-core."""
    page = canvas(scheme=scheme, width=width)
    case = reference.cases["networks/demucs/last"]
    wrong = next(
        v
        for v in reference.verdicts
        if v.got and v.mismatch and v.mismatch["kind"] == "values" and "start" not in v.got
    )
    special = next(
        v for v in reference.verdicts if v.got and v.mismatch and v.mismatch["kind"] == "nonfinite"
    )
    page.evaluate("window.add = (made) => document.getElementById('place').append(made)")
    for drawn in (case, reference.cases[wrong.case]):
        page.evaluate("(g) => { add(Draw.geometry(g)); add(Draw.overlap(g)); }", drawn["geometry"])
    for verdict in (wrong, special):
        expected = reference.cases[verdict.case]["expected"]
        page.evaluate(
            "([g, e, i]) => { add(Draw.array(g, 'got')); add(Draw.error(g, e, i)); }",
            [verdict.got, expected, verdict.mismatch["index"]],
        )
    few = replace(
        reference, verdicts=tuple(v for v in reference.verdicts if v.adapter in ("torch", "jax"))
    )
    data = {
        "timings": figures.timings(few),
        "work": figures.work(few),
        "accuracy": accuracy.accuracy(few),
        "trend": trend.trend([few] * 2),
    }
    data["timings"]["layers"] = data["timings"]["layers"][
        :3
    ]  # as many kinds of elements as all 47, and axe-core is slow
    for name, found in data.items():
        page.evaluate(
            (
                "([name, data]) => { const box = document.createElement('section'); add(box); "
                "Charts[name](box, data); }"
            ),
            [name, found],
        )
    atlas = legend() + "".join(entry["svg"] for entry in atlas_svg(reference)[3:6])
    page.evaluate(
        "(text) => { const box = document.createElement('div'); add(box); box.innerHTML = text; }",
        str(atlas),
    )
    page.wait_for_timeout(200)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
