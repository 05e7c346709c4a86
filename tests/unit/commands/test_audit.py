"""`conformance audit`: what it prints, and what is wrong in one sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from helpers import CUT, EMPTY, command, corpus

pytestmark = pytest.mark.slow


def audit(tmp_path: Path, *words: Any, code: int = 0) -> str:
    done = command("audit", *words, cwd=tmp_path)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout if code == 0 else done.stderr


def test_cases_of_ones_own_with_a_tolerance(tmp_path: Path) -> None:
    """A tolerance that is too wide notices fewer mistakes than the bound."""
    file = corpus(tmp_path, CUT)
    noticed = []
    for words in ((), ("--atol", "1e9")):
        told = json.loads(audit(tmp_path, file, *words, "--format", "json"))
        (mine,) = told["suites"]
        assert mine["configurations"] == 1
        noticed.append(sum(counts["notices"] for counts in mine["mistakes"].values()))
    assert noticed[0] > noticed[1] > 0


def test_suites_by_name(tmp_path: Path) -> None:
    """Those that are named, beside one's own cases, with progress on standard error alone."""
    file = corpus(tmp_path, CUT)
    done = command("audit", file, "--suite", "tensorflow", "--suite", "ggml", cwd=tmp_path)
    assert done.stdout.splitlines()[0].split() == [
        *("mistake", "ggml", "tensorflow", "these", "cases")
    ]
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == [
        *("ggml", "tensorflow", "these cases")
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--suite", "gml"), "--suite gml: unknown suite, did you mean ggml"),
        (("--suite", "zzz"), "--suite zzz: unknown suite, should be one of "),
        (("--format", "html"), "--format html: should be one of terminal, markdown, json"),
        (("--atol", "-1"), "--atol -1: should be a finite number of at least 0"),
        (("--rtol", "nan"), "--rtol nan: should be a finite number of at least 0"),
        (("--atol", "1"), "--atol and --rtol are of one's own cases: a path or a name is missing"),
    ],
)
def test_what_is_wrong_is_one_sentence(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    """Exit 2, before anything is computed."""
    (line,) = audit(tmp_path, *words, code=2).splitlines()
    assert line.startswith(f"conformance: {said}")


def test_cases_without_a_result_cannot_be_audited(tmp_path: Path) -> None:
    """A table of nothing would look as if all were well."""
    said = audit(tmp_path, corpus(tmp_path, EMPTY), code=2)
    assert "of 1 case none has a result" in said
