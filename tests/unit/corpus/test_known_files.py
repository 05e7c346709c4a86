"""Known failures beside case files, and links that lead out of a corpus."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from conformance.corpus.files import case_files, load_cases
from conformance.corpus.known_files import holds_known
from conformance.errors import CaseFileError, FileProblems
from conformance.verdicts.known_reader import load_differences

CASES = """format: 1
cases:
  - {id: a, summary: s, source: s, input: [[1]], kernel: [[1]]}
"""
ENTRY = """- adapter: torch
  cases: [cases/a]
  versions: {}
  status: differs
  reason: r
  source: s
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "cases.yaml").write_text(CASES, encoding="utf-8")
    return tmp_path / "mine"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "text", "is_known"),
    [
        ("mine.yaml", ENTRY, True),
        ("mine.yml", f"# of mine\n\n---\n{ENTRY}", True),
        ("mine.yaml", "- {cases: [a], adapter: torch}\n", True),
        ("mine.yaml", "-   reason: r\n    adapter: x\n", True),
        ("mine.yaml", '\ufeff- "adapter": torch\n', True),
        ("known_differences.yaml", "# nothing yet\n[]\n", True),
        ("mine.yaml", CASES, False),
        ("playbook.yaml", "- hosts: all\n  tasks: []\n", False),
        ("mine.yaml", "adapter: torch\n", False),
        ("mine.yaml", "", False),
    ],
)
def test_a_file_of_known_differences_is_known_by_name_or_first_key(
    tmp_path: Path, name: str, text: str, is_known: bool
) -> None:
    """Other lists of YAML are none."""
    assert holds_known(write(tmp_path / name, text)) is is_known


def test_known_differences_beside_cases_are_read_as_such(folder: Path) -> None:
    """They are no cases, and are read with those of the folder `known_differences`."""
    write(folder / "mine.yaml", ENTRY)
    write(folder / "known_differences" / "more.yaml", ENTRY)
    assert [file.name for file, _ in case_files([folder])] == ["cases.yaml"]
    assert [case.name for case in load_cases(folder)] == ["cases/a"]
    entries = load_differences([folder])
    assert [Path(entry.at.rpartition(":")[0]).name for entry in entries] == [
        "more.yaml",
        "mine.yaml",
    ]
    assert {entry.root for entry in entries} == {folder}


def test_one_case_file_brings_what_is_beside_it(folder: Path) -> None:
    """Its folder is its root."""
    write(folder / "mine.yaml", ENTRY)
    ((_, root),) = case_files([folder / "cases.yaml"])
    assert len(load_differences([root])) == 1


def test_deeper_in_a_corpus_or_named_as_cases_they_are_told(folder: Path) -> None:
    """They would be read by nobody there."""
    for path in (folder / "deeper" / "mine.yaml", folder / "mine.yaml"):
        write(path, ENTRY)
        with pytest.raises(CaseFileError) as caught:
            load_cases(folder if path.parent != folder else path)
        assert caught.value.lines == (
            f"{path}:1: (file): is not a mapping, should have the keys format and cases: known "
            "failures lie beside the cases of their root, or are given with --known",
        )
        path.unlink()


def test_links_that_lead_out_are_refused(folder: Path) -> None:
    """Of cases and of known failures; one within the folder, or that is named, is followed."""
    outside = write(folder.parent / "outside.yaml", CASES)
    (folder / "link.yaml").symlink_to(outside)
    with pytest.raises(CaseFileError) as caught:
        load_cases(folder)
    assert caught.value.lines == (
        f"{folder / 'link.yaml'}:1: (file): is a link that leads out of {folder}, should be the "
        "file itself, or be named on the command line",
    )
    assert len(load_cases(folder / "link.yaml")) == 1
    (folder / "link.yaml").unlink()
    (folder / "within.yaml").symlink_to(folder / "cases.yaml")
    assert len(load_cases(folder)) == 1
    write(outside, ENTRY)
    (folder / "known_differences").mkdir()
    (folder / "known_differences" / "link.yaml").symlink_to(outside)
    with pytest.raises(FileProblems, match="is a link that leads out of"):
        load_differences([folder])


def test_pipes_and_devices_are_not_opened(folder: Path, corpus: Callable[[str, str], Path]) -> None:
    """Named they are refused, found in a folder they are no case files."""
    pipe = folder / "pipe.yaml"
    os.mkfifo(pipe)
    assert len(load_cases(folder)) == 1
    with pytest.raises(CaseFileError) as caught:
        load_cases(pipe)
    assert caught.value.lines == (
        f"{pipe}:1: (file): is a pipe or a device, should be a case file or a folder of them",
    )
    with pytest.raises(FileProblems) as of_known:
        load_differences([], [pipe])
    assert of_known.value.lines == (
        f"{pipe}:1: (file): cannot be read: it is a pipe or a device, no regular file, should be a "
        "YAML file in UTF-8",
    )
