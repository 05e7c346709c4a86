"""Instruction sets: their table, the tox environments that stand for it, and the records that
entries are held against.
"""

from __future__ import annotations

import configparser
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from helpers import CHECKOUT, tool

from conformance.adapters import REGISTRY
from conformance.corpus.files import shipped_cases
from conformance.record.record import Record
from conformance.system.processor import LEVELS
from conformance.verdicts.known import Difference
from conformance.verdicts.known_reader import load_differences
from conformance.verdicts.verdict import Verdict

RECORDS = sorted((CHECKOUT / "reports" / "isa").glob("*.json"))

pytestmark = pytest.mark.skipif(
    not (CHECKOUT / "reports").is_dir(), reason="a source distribution has no reports"
)


@pytest.fixture(scope="module")
def isa() -> ModuleType:
    """The tool as a module."""
    return tool("isa")


@pytest.fixture(scope="module")
def known() -> list[Difference]:
    """The known failures of today."""
    return load_differences([shipped_cases()])


def test_every_row_has_an_environment_and_the_other_way_round(isa: ModuleType) -> None:
    """Tox and the table name the same instruction sets."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(CHECKOUT / "tox.ini")
    (names,) = (
        m[1].split(",")
        for section in parser.sections()
        if (m := re.fullmatch(r"testenv:isa-\{(.*)\}", section))
    )
    assert set(names) == set(isa.matrix())


def test_rows_name_what_there_is(isa: ModuleType) -> None:
    """What a processor needs is a level of ours, and the adapters are the table's."""
    for row in isa.matrix().values():
        assert (row.needs in LEVELS) != (row.emulated is not None)
        assert row.adapters
        assert set(row.adapters) <= set(REGISTRY)


def test_every_row_has_a_record(isa: ModuleType) -> None:
    """So that a machine which cannot run a row holds the entries against it all the same."""
    assert {file.stem for file in RECORDS} == set(isa.matrix())


@pytest.mark.parametrize("file", RECORDS, ids=lambda file: file.stem)
def test_the_records_of_other_machines_are_explained(
    isa: ModuleType, known: list[Difference], file: Path
) -> None:
    """Every failure on every instruction set is known, and no entry is stale there: whatever
    machine the test runs on.
    """
    assert isa.unexpected(isa.read(file.stem), known) == []


@pytest.mark.parametrize("file", RECORDS, ids=lambda file: file.stem)
def test_a_record_is_of_what_its_row_says(isa: ModuleType, file: Path) -> None:
    """Engines told that they are held to the row's instruction set, or are emulated without
    AVX-512.
    """
    row = isa.matrix()[file.stem]
    told = {
        label: facts["isa"]
        for label, facts in isa.read(file.stem)["run"]["facts"].items()
        if facts.get("onednn")
    }
    wanted = row.needs or "avx2"
    assert set(told.values()) <= {wanted}
    assert isa.read(file.stem)["cases"]


def test_an_entry_that_no_longer_holds_is_noticed(isa: ModuleType, known: list[Difference]) -> None:
    """Without the entries that ask for an instruction set some record is not explained, and with
    one more neither.
    """
    records = [isa.read(file.stem) for file in RECORDS]
    without = [entry for entry in known if not {"isa", "processor"} & entry.where.keys()]
    assert any(isa.unexpected(told, without) for told in records)
    told = records[0]
    stale = replace(
        known[0],
        adapters=("torch",),
        cases=("textbook/*",),
        versions={},
        until={},
        where={},
        status="crashed",
    )
    assert len(isa.unexpected(told, [*known, stale])) > len(isa.unexpected(told, known))


def test_a_record_and_what_is_kept_of_it_say_the_same(
    isa: ModuleType, run_line: dict[str, Any], verdict: Callable[..., Verdict]
) -> None:
    """Every status, kind and diagnosis of every verdict; what was not asked stays out."""
    verdicts = (
        verdict(mismatch={"kind": "values"}, diagnosis={"name": "shifted-window"}),
        verdict(status="raised", quantity="gradients"),
        verdict(case="folder/file/two", status="conforms"),
        verdict(case="folder/file/two", status="unsupported", adapter="other"),
    )
    cases = {name: {"case": name} for name in ("folder/file/one", "folder/file/two")}
    told = tool("instructions.kept").kept(Record(run=run_line, cases=cases, verdicts=verdicts))
    found = list(tool("instructions.kept").verdicts(told))
    assert {(v.adapter, v.quantity, v.case, v.status) for v in found} == {
        (v.adapter, v.quantity, v.case, v.status) for v in verdicts
    }
    (wrong,) = (v for v in found if v.status == "differs")
    assert (wrong.mismatch, wrong.diagnosis) == ({"kind": "values"}, {"name": "shifted-window"})


def test_the_page_is_made_of_the_records(isa: ModuleType, known: list[Difference]) -> None:
    """docs/processors.md is what the tool writes, to the byte."""
    rows = {name: isa.read(name) for name in isa.matrix()}
    assert isa.PAGE.read_text(encoding="utf-8") == isa.page(rows, known)


def test_a_processor_that_has_less_is_held_against_the_record(
    isa: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is run there, and the exit code is that of the comparison."""
    for module in (isa, tool("instructions.rows")):
        monkeypatch.setattr(module, "isa", lambda: "avx2")
    monkeypatch.setattr(isa, "run", lambda *_: pytest.fail("nothing can be run"))
    assert isa.main(["isa-avx512-bf16"]) == 0
    assert "this processor has avx2" in capsys.readouterr().out


def test_a_row_that_is_none_is_told(isa: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2 and the names that there are."""
    assert isa.main(["isa-neon"]) == 2
    assert "neon: should be one of amx, " in capsys.readouterr().err
