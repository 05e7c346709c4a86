"""`conformance diff`: exit codes, and what it prints in each format."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers import CUT, GAPS, command, corpus

from conformance.record.record import RECORD, verdict_line
from conformance.record.writer import Writer
from conformance.verdicts.verdict import Verdict

pytestmark = pytest.mark.slow

RIGHT = {"status": "conforms"}
TIMING = {
    "mode": "quick",
    "threads": 1,
    "first": 1.0,
    "minimum": 0.9,
    "lower": 1.0,
    "median": 1.1,
    "upper": 1.2,
    "count": 9,
}
SLOW = {**TIMING, "lower": 2.0, "median": 2.2, "upper": 2.4}


@pytest.fixture
def record(
    tmp_path: Path, run_line: dict[str, Any], verdict: Callable[..., Verdict]
) -> Callable[..., Path]:
    """The folder of a record with these verdicts, whole unless told otherwise."""

    def build(name: str, *verdicts: dict[str, Any], whole: bool = True, **run: Any) -> Path:
        writer = Writer(tmp_path / name / RECORD)
        writer.write("run", {**run_line, **run})
        for one in (verdict(**changes) for changes in verdicts):
            writer.write("case", {"case": one.case})
            writer.write("verdict", verdict_line(one))
        if whole:
            writer.write("end", {"counts": {}, "duration": 1.0, "problems": []})
        writer.close()
        return tmp_path / name

    return build


def diff(tmp_path: Path, *words: Any, code: int) -> str:
    done = command("diff", *words, cwd=tmp_path)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout if code != 2 else done.stderr


def test_two_runs_of_an_engine_that_got_worse(tmp_path: Path) -> None:
    """From the runs themselves: exit 1, what fails now, what it is instead, and the versions."""
    root = corpus(tmp_path, CUT, GAPS)
    for folder, adapter in (("old", "mine=miniatures:Right"), ("new", "mine=miniatures:OffByOne")):
        command("run", root, "-a", adapter, "-o", folder, "--jobs", 1, cwd=tmp_path)
    told = diff(tmp_path, "old", "new", code=1)
    assert "Newly failing (2)\n    mine (cpu) tiny/cut: conforms → differs values" in told
    assert "out[0, 0, 0, 0]=21, should be 3; 16 of 16 elements differ" in told
    assert "Worse: of 2 checks that both records have, 2 checks fail that did not" in told
    assert "No worse" in diff(tmp_path, "new", "old", code=0)


def test_markdown_is_a_table_in_which_nothing_is_markup(
    tmp_path: Path, record: Callable[..., Path]
) -> None:
    """Every newly failing verdict is a row; what an engine said cannot leave its cell."""
    wrong = {"status": "raised", "message": "ValueError: <b>a|b</b>\n# c"}
    told = diff(
        tmp_path, record("old", RIGHT), record("new", wrong), "--format", "markdown", code=1
    )
    [row] = [line for line in told.splitlines() if line.startswith("| engine")]
    assert row == (
        r"| engine | cpu | folder/file/one | conforms → raised | ValueError: "
        r"&lt;b&gt;a\|b&lt;/b&gt;; # c |"
    )  # fmt: skip


def test_json_has_everything(tmp_path: Path, record: Callable[..., Path]) -> None:
    """Both sides of a change, the versions, and the gate."""
    old, new = record("old", RIGHT), record("new", {}, versions={"engine": {"engine": "2.0"}})
    found = json.loads(diff(tmp_path, old, new, "--format", "json", code=1))
    assert (found["ok"], found["compared"]) == (False, 1)
    [change] = found["newly_failing"]
    assert (change["case"], change["old"]["status"], change["new"]["status"]) == (
        "folder/file/one",
        "conforms",
        "differs",
    )
    assert found["versions"] == [
        {"adapter": "engine", "name": "engine", "old": "1.0", "new": "2.0"}
    ]


@pytest.mark.parametrize(
    ("words", "code"), [((), 0), (("--max-slowdown", "1.3"), 1), (("--max-slowdown", "3"), 0)]
)
def test_slower_fails_only_where_it_is_asked(
    tmp_path: Path, record: Callable[..., Path], words: Any, code: int
) -> None:
    """Twice as slow is told, and fails with a limit below that."""
    old, new = record("old", RIGHT | {"timing": TIMING}), record("new", RIGHT | {"timing": SLOW})
    told = diff(tmp_path, old, new, *words, code=code)
    assert (
        "engine (cpu) folder/file/one: 1.1e+03 ms → 2.2e+03 ms, 2.00 times (1.67 to 2.40)" in told
    )


def test_what_cannot_be_compared_is_exit_2(tmp_path: Path, record: Callable[..., Path]) -> None:
    """No times, a record that was cut, none at all, a ratio that is none, a format that is none:
    one sentence each.
    """
    old, cut = record("old", RIGHT), record("cut", RIGHT, whole=False)
    asked = {
        "no call is timed in both": (old, old, "--max-slowdown", "1.3"),
        "the run was cut after 1 check,": (old, cut),
        "cannot be read": (old, tmp_path / "none"),
        "should be a ratio of times of at least 1": (old, old, "--max-slowdown", "0.5"),
        "should be one of terminal, markdown, json": (old, old, "--format", "xml"),
    }
    for said, words in asked.items():
        told = diff(tmp_path, *words, code=2)
        assert said in told
        assert len(told.splitlines()) == 1


def test_a_list_that_is_too_long_says_so(tmp_path: Path, record: Callable[..., Path]) -> None:
    """Fifty rows, and how many more there are; JSON has all."""
    many = [{"case": f"a/b/{number}"} for number in range(60)]
    old, new = record("old", *(RIGHT | one for one in many)), record("new", *many)
    assert "and 10 more: --format json has all" in diff(tmp_path, old, new, code=1)
    assert (
        len(json.loads(diff(tmp_path, old, new, "--format", "json", code=1))["newly_failing"]) == 60
    )
