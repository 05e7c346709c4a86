"""How a run is told while it goes on, and how it is stopped early."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers import CUT, GAPS, command, corpus, eventually
from rich.console import Console

from conformance.commands.progress import Bar, Lines
from conformance.record.reader import read_record
from conformance.verdicts.verdict import Verdict
from conformance.wording import duration

pytestmark = pytest.mark.slow


def test_nobody_waits_for_a_line(run_line: dict[str, Any], verdict: Callable[..., Verdict]) -> None:
    """While nothing ends, what is being done is told again and again: starting, calls with what is
    left, and timing.
    """
    lines: list[str] = []
    teller = Lines(silence=0.05, tell=lines.append)
    with teller:
        assert eventually(
            lambda: any(line.startswith("starting the engines, 0.") for line in lines)
        )
        teller.started({"engine": 4}, {"absent": "not installed"}, run_line)
        assert "absent: not run: not installed" in lines
        teller.verdict(verdict(status="conforms"))
        time.sleep(0.01)
        assert eventually(
            lambda: any(line.startswith("1 of 4 checks, no new failures, about ") for line in lines)
        )
        teller.phase("layers, timed on every adapter", 2, 9)
        assert eventually(
            lambda: any(
                line.endswith("new failures, 2 of 9 layers, timed on every adapter")
                for line in lines
            )
        )
        teller.writing("the page")
        assert eventually(lambda: any(line.endswith("writing the page") for line in lines))
    said = len(lines)
    time.sleep(0.15)
    assert len(lines) == said


def test_nothing_of_a_stranger_steers_the_bar(
    run_line: dict[str, Any], verdict: Callable[..., Verdict]
) -> None:
    """A terminal gets escapes of the bar alone, and no line but its own."""
    screen = io.StringIO()
    teller = Bar(Console(file=screen, force_terminal=True, width=400), every_failure=True)
    with teller:
        teller.started({"engine": 1}, {"absent": "no\x1b]8;;x\n::error::y"}, run_line)
        teller.verdict(
            verdict(status="raised", device="d\x1b]8;;x\n::error::y", message="\x9b\u202e")
        )
    shown = screen.getvalue()
    assert r"\x1b]8;;x\n::error::y" in shown
    assert not set(shown) & {"\x9b", "\u202e"}
    assert "\x1b]" not in shown
    assert "\n::" not in shown


def test_the_first_failure_is_told_when_it_happens(
    run_line: dict[str, Any], verdict: Callable[..., Verdict]
) -> None:
    """In a line, with the command; what explains it is told at the end. Those after it are counted,
    unless each was asked for.
    """
    for every, told in ((False, 1), (True, 2)):
        lines: list[str] = []
        teller = Lines(every_failure=every, silence=60.0, tell=lines.append)
        teller.started({"engine": 3}, {}, run_line)
        for case in ("folder/file/one", "folder/file/two"):
            teller.verdict(
                verdict(case=case, mismatch={"kind": "values", "text": "out[0]=1, should be 2"})
            )
        teller.verdict(verdict(known="a reason"))
        assert sum("should be 2" in line for line in lines) == told
        teller.finished("engine", 75.0)
        assert lines[-1] == "engine: 3 checks, 2 new failures, after 1 min 15 s"


def test_the_first_failure_ends_the_run(tmp_path: Path) -> None:
    """Exit 1; the record is as after Ctrl-C, so that --resume goes on."""
    root = corpus(
        tmp_path, *(GAPS.replace("id: gaps", f"id: gaps-{number}") for number in range(6)), CUT
    )
    words = ("run", root, "-a", "miniatures:OffByOne", "-o", "out", "--jobs", 1)
    done = command(*words, "-x", cwd=tmp_path)
    assert done.returncode == 1
    assert "Stopped after 1 failure: go on with the same command and --resume." in done.stdout
    record = read_record(tmp_path / "out")
    assert record.end is None
    assert sum(verdict.unexpected for verdict in record.verdicts) == 1
    again = command(*words, "--maxfail", 2, "--resume", cwd=tmp_path)
    assert again.returncode == 1
    assert sum(verdict.unexpected for verdict in read_record(tmp_path / "out").verdicts) == 3
    rest = command(*words, "--resume", cwd=tmp_path)
    assert rest.returncode == 1
    assert "Does not conform: 7 new failures" in rest.stdout


def test_durations_are_said_as_people_say_them() -> None:
    """Seconds, minutes and seconds, hours and minutes."""
    seconds = (0.04, 9.94, 12.4, 59.4, 60, 879.6, 3600, 7500)
    said = ["0.0 s", "9.9 s", "12 s", "59 s", "1 min", "14 min 40 s", "1 h", "2 h 5 min"]
    assert [duration(one) for one in seconds] == said
