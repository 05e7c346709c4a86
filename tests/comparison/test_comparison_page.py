"""The page of a comparison: nothing runs, nothing is fetched, and axe-core finds nothing."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.comparison.page import render, write_page
from conformance.comparison.results import (
    MEANINGS,
    Departure,
    Finding,
    ModelComparison,
    OutputPair,
    Pair,
    Side,
)

WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


def comparison() -> ModelComparison:
    """A pair of every status, names that are markup, and all that may stand beside them."""
    side = Side(
        layer="<i>up1</i>",
        operator="torch.nn.ConvTranspose2d",
        arguments={"stride": [2, 2], "padding": [1, 1]},
        kernel="(C_in, C_out, kH, kW)",
        kernel_shape=(6, 4, 3, 3),
        input_shape=(1, 6, 4, 5),
        output_shape=(1, 4, 7, 9),
        window=("axis 0: 4 inputs", "axis 1: 5 inputs"),
    )
    pair = Pair(
        source=side,
        target=replace(side, input_shape=None, output_shape=None, window=()),
        matched="weights",
        status="same",
        wrong=(),
        notes=("a note",),
        incoming=0.0,
        outgoing=None,
        of_bound=0.25,
    )
    finding = Finding(name="kernel-not-flipped", text="the kernel is not flipped")
    return ModelComparison(
        source="a.pt2",
        target="b.onnx",
        pairs=tuple(
            replace(pair, status=status, wrong=(finding,) if status == "wrong" else ())
            for status in MEANINGS
        ),
        alone=(Finding(name="source-alone", text="up9 of the source has no layer like it"),),
        departure=Departure(source="a", target="b", text="a departs from b"),
        outputs=(OutputPair(source="0", target="y", difference=1.0, agrees=False, text="output"),),
        notes=("a.pt2: something could not be read",),
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_axe_finds_nothing(
    browser: Any, tmp_path: Path, scheme: str, viewport: dict[str, int]
) -> None:
    """With every row open, in light and dark, wide and on a phone."""
    axe = importlib.util.find_spec("axe_playwright_python")
    if axe is None:
        pytest.skip("axe_playwright_python is not installed")
    file = write_page(comparison(), tmp_path)
    (folder,) = axe.submodule_search_locations
    context = browser.new_context(color_scheme=scheme, viewport=viewport)
    try:
        page = context.new_page()
        page.goto(file.as_uri())
        page.evaluate("document.querySelectorAll('details').forEach((row) => { row.open = true; })")
        page.evaluate((Path(folder) / "axe.min.js").read_text(encoding="utf-8"))
        result = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
        assert [entry["id"] for entry in result["violations"]] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    finally:
        context.close()


def test_everything_is_said_and_escaped() -> None:
    """Findings with their names, notes, what departs; no markup of a model's own."""
    page = render(comparison())
    assert "&lt;i&gt;up1&lt;/i&gt;" in page
    assert "<i>up1" not in page
    assert "<code>kernel-not-flipped</code>" in page
    for text in ("a note", "up9 of the source", "a departs from b", "could not be read"):
        assert text in page
    for meaning in MEANINGS.values():
        assert meaning in page
    assert "0.25 of the bound" in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")


def test_a_wrong_pair_is_open_and_the_others_are_not() -> None:
    """What a reader came for is seen at once."""
    page = render(comparison())
    assert page.count("<details") == len(MEANINGS)
    assert page.count('unexpected" open>') == 1
