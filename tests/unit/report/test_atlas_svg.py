"""The atlas as SVG: read back from its shapes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest

from conformance.record.record import Record
from conformance.report import atlas_svg
from conformance.report.atlas import SIZE, windows
from conformance.verdicts.verdict import Verdict


@pytest.fixture
def atlas(run_line: dict[str, Any], verdict: Callable[..., Verdict]) -> list[dict[str, Any]]:
    """The drawn atlas of a record in which Keras computed one window of kernel 3 and stride 2."""
    axes = [{"size": 4, "kernel": 3, "stride": 2, "dilation": 1, "crop_low": 0, "crop_high": 1}]
    case = {
        "geometry": {"axes": axes, "groups": 1},
        "native": {"keras": {"strides": 2, "padding": "same"}},
    }
    run = {**run_line, "adapters": [{"label": "engine", "convention": "keras"}]}
    conforming = verdict(case="a/b/native", status="conforms")
    return atlas_svg.atlas_svg(Record(run=run, cases={"a/b/native": case}, verdicts=(conforming,)))


def test_the_atlas_draws_every_spelling_where_its_window_is(atlas: list[dict[str, Any]]) -> None:
    """Cells are read back from the pixels: as many kept, cut and appended as the windows have."""
    for drawn in atlas:
        found = windows(drawn["kernel"], drawn["stride"])
        assert {(row["convention"], row["spelling"]) for row in drawn["rows"]} == {
            (w.convention, w.spelling) for w in found
        }
        cells = dict.fromkeys(("kept", "cut", "appended"), 0)
        for box in ElementTree.fromstring(str(drawn["svg"])).iter("rect"):
            kind = box.attrib["class"].split()[0].removeprefix("dr-")
            cells[kind] += round((int(box.attrib["width"]) + 1) / atlas_svg.CELL)
        crops = {(w.axis.crop_low, w.axis.crop_high, w.axis.full) for w in found}
        assert cells["cut"] == sum(max(low, 0) + max(high, 0) for low, high, _ in crops)
        assert cells["appended"] == sum(max(-low, 0) + max(-high, 0) for low, high, _ in crops)
        assert cells["kept"] == sum(full - max(low, 0) - max(high, 0) for low, high, full in crops)


def test_the_same_shape_with_other_numbers_has_letters(atlas: list[dict[str, Any]]) -> None:
    """Kernel 3, stride 2: torch 3/2/1/1 and Keras same have size 8 and differ; what Keras computed
    is marked.
    """
    (drawn,) = (entry for entry in atlas if (entry["kernel"], entry["stride"]) == (3, 2))
    rows = {(row["convention"], row["spelling"]): row for row in drawn["rows"]}
    same, torch = rows["keras", "same"], rows["torch", "padding=1, output_padding=1"]
    assert (same["out"], torch["out"]) == (2 * SIZE, 2 * SIZE)
    assert (same["mark"], torch["mark"]) == ("A", "B")
    assert (same["measured"], torch["measured"]) == (True, False)
    assert rows["keras", "valid"]["mark"] == ""
    assert "keras same ✓" in drawn["svg"]
    assert "torch padding=1, output_padding=1 ✓" not in drawn["svg"]


def test_the_atlas_is_described_small_and_without_names_that_clash(
    atlas: list[dict[str, Any]],
) -> None:
    """A title and a description for screen readers; 12 drawings on a page share no id; all together
    are small.
    """
    idents = [
        element.attrib["id"]
        for drawn in atlas
        for element in ElementTree.fromstring(str(drawn["svg"])).iter()
        if "id" in element.attrib
    ]
    assert len(idents) == len(set(idents)) == 2 * len(atlas) == 24
    assert sum(len(drawn["svg"]) for drawn in atlas) < 100_000
    assert (
        "crops 1 at the start, crops 0 at the end: torch padding=1, output_padding=1"
        in atlas[4]["svg"]
    )


def test_no_atlas_without_a_measured_window(run_line: dict[str, Any]) -> None:
    """A record of somebody's own kernel says nothing about conventions."""
    assert atlas_svg.atlas_svg(Record(run=run_line)) == []
