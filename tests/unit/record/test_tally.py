"""Green means checked: of which adapters and cases nothing was, and why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from helpers import CUT, GAPS, command, corpus

from conformance.record.reader import read_record
from conformance.record.tally import Tally
from conformance.verdicts.verdict import STATUSES, Verdict

pytestmark = pytest.mark.slow

MINE = """  - id: decoder
    summary: The decoder's layer as Keras has it.
    source: our model
    input: {shape: [1, 8, 5, 7], values: integers}
    kernel: {shape: [8, 4, 3, 3], values: integers}
    native: {keras: {strides: 2, padding: same}}
"""


@pytest.mark.parametrize("status", STATUSES)
def test_everything_but_what_could_not_be_asked_is_checked(
    verdict: Callable[..., Verdict], status: str
) -> None:
    """A failure was seen, a refusal of nonsense was held against what should be; no answer says
    nothing.
    """
    found = Tally([verdict(status=status, message="why")]).unchecked(
        adapters=["engine"], named=["engine"], own_cases=[]
    )
    assert (found == []) == (status not in ("unsupported", "unavailable"))


def test_an_adapter_says_why_nothing_was_checked(verdict: Callable[..., Verdict]) -> None:
    """By the reason that most of its verdicts have; without a verdict no case concerns it."""
    reasons = ["no groups", "no groups", "no dilation"]
    tally = Tally(verdict(status="unsupported", message=reason) for reason in reasons)
    assert tally.unchecked(
        adapters=["engine", "other"], named=["engine", "other"], own_cases=[]
    ) == [
        {"adapter": "engine", "reason": "no groups (and 1 for other reasons)"},
        {"adapter": "other", "reason": "none of the cases concerns it"},
    ]


def test_adapters_that_nobody_named_may_have_nothing_to_do(verdict: Callable[..., Verdict]) -> None:
    """All that are installed run: some of them cannot do everything."""
    tally = Tally(
        [
            verdict(status="unsupported", message="no groups"),
            verdict(status="conforms", adapter="other"),
        ]
    )
    assert (
        tally.unchecked(adapters=["engine", "other"], named=[], own_cases=["folder/file/one"]) == []
    )


def test_a_case_of_ones_own_that_none_could_run_is_told(verdict: Callable[..., Verdict]) -> None:
    """Whether adapters were named or not: nobody checked it. One without a verdict is told too."""
    tally = Tally(
        [
            verdict(status="unsupported", message="no groups"),
            verdict(case="folder/file/two", status="conforms"),
        ]
    )
    assert tally.unchecked(
        adapters=["engine"], named=["engine"], own_cases=["folder/file/one", "folder/file/three"]
    ) == [
        {"case": "folder/file/one", "reason": "engine: no groups"},
        {"case": "folder/file/three", "reason": "it concerns no adapter of the run"},
    ]


def test_a_run_that_checked_nothing_fails_and_says_so(tmp_path: Path) -> None:
    """The layer of the README on torch alone, which has no arguments for it."""
    root = corpus(tmp_path, MINE)
    done = command("run", root, "-a", "miniatures:Right", "-o", "out", "--jobs", 1, cwd=tmp_path)
    assert done.returncode == 1
    assert (
        "miniatures:Right: nothing was checked: On axis 0, the crop is 0 at the start and 1 "
        "at the end, and torch's padding" in done.stdout
    )
    assert "(0 run; 1 could not be run), nothing was checked on miniatures:Right" in done.stdout
    record = read_record(tmp_path / "out")
    assert not record.ok
    assert "nothing was checked: On axis 0" in (tmp_path / "out" / "index.html").read_text()


def test_who_means_it_says_so(tmp_path: Path) -> None:
    """--allow-unsupported passes, in the record too, and the count stays."""
    root = corpus(tmp_path, MINE)
    words = ("run", root, "-a", "miniatures:Right", "-o", "out", "--jobs", 1, "--allow-unsupported")
    done = command(*words, cwd=tmp_path)
    assert done.returncode == 0
    assert "(0 run; 1 could not be run), no new failures" in done.stdout
    assert read_record(tmp_path / "out").ok


def test_one_case_that_none_could_run_is_enough(tmp_path: Path) -> None:
    """The others conform: green would be said of a layer that nobody looked at."""
    done = command(
        "run",
        corpus(tmp_path, CUT, GAPS, MINE),
        "-a",
        "miniatures:Right",
        "-o",
        "out",
        "--jobs",
        1,
        cwd=tmp_path,
    )
    assert done.returncode == 1
    assert "tiny/decoder: nothing was checked: miniatures:Right: On axis 0" in done.stdout
