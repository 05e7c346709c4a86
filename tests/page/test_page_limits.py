"""The page of records that are not the reference: hostile, ten times as large, empty, cut, and with
a baseline.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from browser import first_paint

from conformance.record.record import Record
from conformance.report import render
from conformance.verdicts.verdict import Verdict

EVIL = (
    "</script><script>alert(1)</script><img src=x "
    "onerror=alert(2)>\"'--><b>&amp;{{7*7}}\u2028\ud800"
)
SHOWN = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'--><b>&amp;{{7*7}}"
ARRAY = {"shape": [1, 1, 2, 2], "values": [[[[1.0, 2.0], [3.0, 4.0]]]]}


def hostile(run_line: dict[str, Any], verdict: Callable[..., Verdict]) -> Record:
    """A record with markup and script wherever a text can be."""
    name = f"folder/{EVIL}/one"
    run = {
        **run_line,
        **dict.fromkeys(("conformance", "started", "system", "python", "corpus"), EVIL),
        "cpu": {"model": EVIL, "flags": []},
        "command": [EVIL],
        "adapters": [{"label": EVIL, "asked": EVIL, "adapter": EVIL, "convention": EVIL}],
        "versions": {EVIL: {EVIL: EVIL}},
        "devices": {EVIL: [EVIL]},
        "absent": {EVIL: EVIL},
    }
    line = {
        "case": name,
        **dict.fromkeys(("summary", "source", "dtype"), EVIL),
        **dict.fromkeys(("input", "kernel", "expected"), ARRAY),
        **dict.fromkeys(("geometry", "bias")),
        "tags": [EVIL],
        "spatial": 2,
        "must_fail": False,
        "native": {EVIL: {EVIL: EVIL}},
    }
    mine = verdict(
        case=name,
        adapter=EVIL,
        device=EVIL,
        message=EVIL,
        known=EVIL,
        known_problem={"entry": EVIL, "problem": EVIL},
        mismatch={"kind": "values", "text": EVIL, "index": [0, 0, 0, 0]},
        diagnosis={"name": EVIL, "text": EVIL, "also": [{"name": EVIL, "text": EVIL}]},
        precision={"bits": 8, "formats": [EVIL]},
        error_over_bound=2.0,
        got={"shape": [1, 1, 2, 2], "values": [[[[EVIL, 2.0], [3.0, 4.0]]]]},
        timing={
            "mode": "quick",
            "threads": 1,
            "first": 1.0,
            "minimum": 1.0,
            "lower": 1.0,
            "median": 1.0,
            "upper": 1.0,
            "count": 1,
        },
    )
    end = {"counts": {}, "duration": 1.0, "problems": [{"entry": EVIL, "problem": EVIL}]}
    return Record(run=run, cases={name: line}, verdicts=(mine,), end=end)


def on_disk(text: str, folder: Path) -> str:
    file = folder / "index.html"
    file.write_text(text, encoding="utf-8")
    return file.as_uri()


def test_markup_and_script_are_shown_as_text(
    visit: Callable[..., Any],
    run_line: dict[str, Any],
    verdict: Callable[..., Verdict],
    tmp_path: Path,
) -> None:
    """In every place, with every part unfolded and a case open: no element of it, no dialog, no
    request, and it can be read.
    """
    record = hostile(run_line, verdict)
    page = visit(on_disk(render(record, baseline=record), tmp_path))
    page.locator("#matrix tbody td.cell").first.click()
    page.wait_for_selector("dialog[open] details.verdict-of[open] .reproduce")
    page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true")
    page.evaluate(
        "async () => { for (const figure of document.querySelectorAll('[data-figure]')) "
        "figure.scrollIntoView(); }"
    )
    page.wait_for_timeout(300)
    assert page.evaluate("document.querySelectorAll('img, b > img, [onerror]').length") == 0
    assert (
        page.evaluate(
            "[...document.scripts].filter((script) => "
            "script.textContent.startsWith('alert')).length"
        )
        == 0
    )
    shown = page.evaluate("document.querySelector('dialog').textContent")
    assert shown.count(SHOWN) > 10
    assert SHOWN in page.inner_text("main")


def ten_times(record: Record) -> Record:
    """The record with every case and verdict ten times, under ten names."""
    cases = {
        f"copy{n}/{name}": {**line, "case": f"copy{n}/{name}"}
        for n in range(10)
        for name, line in record.cases.items()
    }
    verdicts = tuple(
        dataclasses.replace(v, case=f"copy{n}/{v.case}") for n in range(10) for v in record.verdicts
    )
    return dataclasses.replace(record, cases=cases, verdicts=verdicts)


def test_the_page_of_the_reference_is_small_and_made_quickly(reference: Record) -> None:
    """Under 6 MB, in less than 5 s of this process's own time."""
    start = time.process_time()
    text = render(reference)
    assert time.process_time() - start < 5
    assert len(text.encode()) < 6_000_000


def thirty_columns(record: Record) -> Record:
    """The record with every engine three times, under three names."""
    labels = {
        entry["label"]: [f"{entry['label']}@{n}" for n in range(3)]
        for entry in record.run["adapters"]
    }

    def spread(by_label: Any) -> dict[str, Any]:
        return {name: value for label, value in by_label.items() for name in labels[label]}

    run = record.run | {
        "adapters": [
            {**entry, "label": name}
            for entry in record.run["adapters"]
            for name in labels[entry["label"]]
        ],
        **{key: spread(record.run[key]) for key in ("versions", "facts", "devices")},
    }
    verdicts = tuple(
        dataclasses.replace(v, adapter=name) for v in record.verdicts for name in labels[v.adapter]
    )
    return dataclasses.replace(record, run=run, verdicts=verdicts)


def test_thirty_columns_stay_small_and_paint_early(
    visit: Callable[..., Any], reference: Record, tmp_path: Path
) -> None:
    """Under 6 MB, and something is seen within 1.5 s on a processor throttled four times."""
    text = render(thirty_columns(reference))
    assert len(text.encode()) < 6_000_000
    address = on_disk(text, tmp_path)
    assert visit(address).locator("#can-use thead th").count() == 31
    assert 0 < first_paint(lambda: visit(address, throttled=4)) < 1500


def test_a_record_ten_times_as_large_opens(
    visit: Callable[..., Any], reference: Record, tmp_path: Path
) -> None:
    """Its matrix is there, answers a filter, and opens its last case."""
    large = ten_times(reference)
    page = visit(on_disk(render(large), tmp_path))
    rows = len({(v.case, v.quantity) for v in large.verdicts})
    assert page.inner_text("#found") == f"{rows} rows"
    page.fill("#q", "copy9 cs231n two-by-two-to-four")
    assert page.locator("#matrix tbody tr:not(.group)").count() >= 1
    page.locator("#matrix tbody th[scope=row]").first.click()
    page.wait_for_selector("dialog[open] details.verdict-of")
    assert page.inner_text("#case-title").startswith("copy9/textbook/cs231n/")


@pytest.mark.parametrize("cut", [True, False])
def test_a_record_without_a_verdict_opens(
    visit: Callable[..., Any], run_line: dict[str, Any], tmp_path: Path, cut: bool
) -> None:
    """A run that was cut at once, and one that had nothing to do."""
    end = None if cut else {"counts": {}, "duration": 0.0, "problems": []}
    page = visit(on_disk(render(Record(run=run_line, cases={}, verdicts=(), end=end)), tmp_path))
    assert "No case matches." in page.inner_text("#matrix")
    assert ("The run was cut" in page.inner_text("header")) is cut


def test_what_changed_since_a_baseline_leads_to_the_case(
    visit: Callable[..., Any],
    run_line: dict[str, Any],
    verdict: Callable[..., Verdict],
    tmp_path: Path,
) -> None:
    """A verdict that fails now is named, counted, and a click away; the versions that changed are
    there.
    """
    line = {
        "case": "folder/file/one",
        "summary": "One case.",
        "source": "made up",
        "tags": [],
        "expected": None,
    }
    end = {"counts": {}, "duration": 1.0, "problems": []}
    sides = [
        Record(
            run={**run_line, "versions": {"engine": {"engine": version}}},
            cases={"folder/file/one": line},
            verdicts=(verdict(status=status),),
            end=end,
        )
        for version, status in (("1.0", "conforms"), ("2.0", "differs"))
    ]
    page = visit(on_disk(render(sides[1], baseline=sides[0]), tmp_path))
    said = page.inner_text("#changes")
    assert "1 newly failing" in said
    assert "engine 2.0, before 1.0" in said
    page.locator("#changes a[data-case]").first.click()
    page.wait_for_selector("dialog[open]")
    assert page.inner_text("#case-title") == "folder/file/one"
