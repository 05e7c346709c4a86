"""Ranges of known failures, widened from a record."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.errors import FileProblems
from conformance.record.confirm import confirm, findings
from conformance.record.record import Record
from conformance.verdicts.known_reader import load_differences
from conformance.verdicts.verdict import Verdict

FILE = """# What is known.
- adapter: engine
  cases: [folder/file/*]
  versions: {engine: ">=1.1,<1.4"}  # measured
  status: differs
  reason: It is off by one.
  source: issue 1

- adapter: engine
  cases: [other/file/one]
  versions:
    engine: ==1.*
    # the backend's
    backend: "==3.1"

  status: raised
  reason: It refuses.
  source: issue 2
"""


@pytest.fixture
def record(run_line: dict[str, Any], verdict: Callable[..., Verdict]) -> Callable[..., Record]:
    """A record of an engine of some versions."""

    def build(versions: dict[str, str], *verdicts: dict[str, Any], **run: Any) -> Record:
        return Record(
            run={**run_line, "versions": {"engine": versions}, **run},
            verdicts=tuple(verdict(**one) for one in verdicts),
        )

    return build


@pytest.fixture
def known(tmp_path: Path) -> Path:
    file = tmp_path / "known.yaml"
    file.write_text(FILE)
    return file


def confirmed(record: Record, file: Path) -> list[str]:
    lines = confirm(findings(record, load_differences([], [file])))
    return [line.removeprefix(f"{file}:") for line in lines]


def test_a_range_is_widened_by_the_same_failure_in_a_newer_release(
    record: Callable[..., Record], known: Path
) -> None:
    """The specifier alone changes; comments and every other byte stay."""
    told = confirmed(record({"engine": "1.5"}, {}, {"case": "folder/file/two"}), known)
    assert told == ["2: seen in engine 1.5 too (2 checks): versions are now engine >=1.1,<=1.5"]
    assert known.read_text() == FILE.replace('">=1.1,<1.4"', '">=1.1,<=1.5"')


def test_a_range_is_widened_by_the_same_failure_in_an_older_release(
    record: Callable[..., Record], known: Path
) -> None:
    """History is filled in downwards; an older release that does not fail says nothing of the
    entry.
    """
    assert confirmed(record({"engine": "0.9"}, {"status": "conforms"}), known) == []
    assert confirmed(record({"engine": "0.9"}, {}), known)[0].startswith(
        "2: seen in engine 0.9 too (1 check)"
    )
    assert known.read_text() == FILE.replace('">=1.1,<1.4"', '">=0.9,<1.4"')


def test_a_range_ends_where_the_failure_is_gone(record: Callable[..., Record], known: Path) -> None:
    """The first release that was run without it is written down, below the range."""
    told = confirmed(record({"engine": "1.5"}, {"status": "conforms"}), known)
    assert told == ["2: mended in engine 1.5 (1 check): until says so now"]
    assert known.read_text() == FILE.replace(
        "  # measured\n", '  # measured\n  until: {engine: "1.5"}\n'
    )
    assert confirmed(record({"engine": "1.6"}, {}), known) == []


def test_only_the_distribution_outside_its_range_is_widened(
    record: Callable[..., Record], known: Path
) -> None:
    """A block mapping, with a comment in it; and an end is written below it."""
    run = {"engine": "1.5", "backend": "3.2"}
    refused = {"case": "other/file/one", "status": "raised"}
    assert "versions are now backend >=3.1,<=3.2" in confirmed(record(run, refused), known)[0]
    assert known.read_text() == FILE.replace('"==3.1"', '">=3.1,<=3.2"')
    known.write_text(FILE)
    confirmed(record(run, {**refused, "status": "conforms"}), known)
    assert known.read_text() == FILE.replace('"==3.1"\n', '"==3.1"\n  until: {backend: "3.2"}\n')


@pytest.mark.parametrize(
    ("second", "words"),
    [({"status": "conforms"}, "do not fail"), ({"status": "crashed"}, "fail otherwise")],
)
def test_what_is_mended_in_part_is_left_to_a_person(
    record: Callable[..., Record], known: Path, second: dict[str, str], words: str
) -> None:
    """The entry has to be split, and the odd case is named."""
    told = confirmed(
        record({"engine": "1.5"}, {}, {}, {"case": "folder/file/two", **second}), known
    )
    assert told == [
        f"2: left as it is for engine 1.5: 2 fail so, 1 {words}, as folder/file/two on engine; "
        "should be split by hand"
    ]
    assert known.read_text() == FILE


def test_a_record_within_the_range_changes_nothing(
    record: Callable[..., Record], known: Path
) -> None:
    """Whatever it says: the gate judges that."""
    assert confirmed(record({"engine": "1.2"}, {}, {"status": "conforms"}), known) == []
    assert known.read_text() == FILE


def test_where_holds_for_the_machine_of_the_record(
    record: Callable[..., Record], known: Path
) -> None:
    """A record of another machine says nothing of an entry that is not of it."""
    known.write_text(
        FILE.replace("  status: differs\n", "  where: {isa: avx2}\n  status: differs\n")
    )
    assert (
        confirmed(record({"engine": "1.5"}, {}, facts={"engine": {"isa": "avx512"}}), known) == []
    )
    assert (
        len(confirmed(record({"engine": "1.5"}, {}, facts={"engine": {"isa": "avx2"}}), known)) == 1
    )


def test_an_alias_is_refused(record: Callable[..., Record], known: Path) -> None:
    """To change it would change its other places too; the file stays as it was."""
    known.write_text(FILE.replace("{engine: \">=1.1,<1.4\"}", ("&range {engine: "
        "\">=1.1,<1.4\"}")).replace(
        ("  versions:\n    engine: ==1.*\n    # the backend's\n    backend: "
            "\"==3.1\"\n\n"), "  versions: *range\n"
    ))  # fmt: skip
    before = known.read_text()
    with pytest.raises(FileProblems, match="versions: is an alias"):
        confirmed(record({"engine": "1.5"}, {"case": "other/file/one", "status": "raised"}), known)
    assert known.read_text() == before


def test_an_entry_of_these_releases_speaks_alone(
    record: Callable[..., Record], known: Path
) -> None:
    """What fails there is its business, and widens no other."""
    known.write_text(
        FILE + FILE.partition("\n\n")[0].partition("\n")[2].replace(">=1.1,<1.4", "==1.5") + "\n"
    )
    assert confirmed(record({"engine": "1.5"}, {}), known) == []
