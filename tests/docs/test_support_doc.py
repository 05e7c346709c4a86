"""docs/support.md, and the data that it is made of, are those of the records in git."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from helpers import tool

from conformance.support.features import GRADIENTS, features_of
from conformance.support.shipped import shipped_engines

support, supported = tool("support"), tool("supported")


@pytest.fixture(scope="module")
def chosen() -> dict[str, Path]:
    """Adapter -> the record that counts for it."""
    return supported.newest({path: supported.run_line(path) for path in supported.records()})


def tally(path: Path, adapters: set[str]) -> Counter[tuple[str, str, bool]]:
    """(adapter, feature, whether it conforms) -> the number of checks, from the lines of a record
    as they are.
    """
    counts: Counter[tuple[str, str, bool]] = Counter()
    features: dict[str, frozenset[str]] = {}
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as lines:
        for text in lines:
            line: dict[str, Any] = json.loads(text)
            if line["type"] == "case":
                features[line["case"]] = features_of(line)
            elif line["type"] == "verdict" and line["adapter"] in adapters:
                if line["status"] in ("unsupported", "unavailable"):
                    continue
                of = [GRADIENTS] if line["quantity"] == "gradients" else features[line["case"]]
                conforms = line["status"] == "conforms"
                counts.update((line["adapter"], feature, conforms) for feature in of)
    return counts


def test_the_page_is_what_its_tool_makes() -> None:
    """Else `python tools/docs/support.py` makes it anew."""
    text = support.DOCUMENT.read_text(encoding="utf-8")
    assert support.document(text, shipped_engines()) == text


def test_the_numbers_are_the_tally_of_the_newest_records(chosen: dict[str, Path]) -> None:
    """Else `python tools/records/supported.py` counts anew."""
    counts: Counter[tuple[str, str, bool]] = Counter()
    for path in dict.fromkeys(chosen.values()):
        counts += tally(path, {name for name, its in chosen.items() if its == path})
    shipped: Counter[tuple[str, str, bool]] = Counter()
    for engine in shipped_engines():
        for feature, cell in engine.cells.items():
            shipped[engine.name, feature, True] += cell.conforms
            shipped[engine.name, feature, False] += cell.checked - cell.conforms
    assert {engine.name for engine in shipped_engines()} == set(chosen)
    assert +shipped == counts


def test_versions_and_days_are_those_of_the_records(chosen: dict[str, Path]) -> None:
    """The page says what it is of."""
    for engine in shipped_engines():
        run = supported.run_line(chosen[engine.name])
        assert engine.versions == run["versions"][engine.name]
        assert engine.date == run["started"][:10]
        assert run["cpu"]["model"] in engine.place


def test_the_newest_release_counts_and_of_it_the_newest_record() -> None:
    """But no record in which the engine was held to an older instruction set."""

    def run(version: str, started: str, isa: str = "avx2") -> dict[str, Any]:
        return {
            "versions": {"mine": {"mine": version}},
            "facts": {"mine": {"isa": isa, "processor": "avx2"}},
            "started": started,
        }

    runs = {
        Path("old"): run("1.9", "2026-01-04"),
        Path("first"): run("1.10", "2026-01-01"),
        Path("second"): run("1.10", "2026-01-02"),
        Path("held"): run("1.10", "2026-01-03", isa="sse41"),
    }
    assert supported.newest(runs) == {"mine": Path("second")}
