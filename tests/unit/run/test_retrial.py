"""Calls that timed out are asked once more, when everything else is done."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers import CUT, GAPS, corpus, miniature, started
from test_runner import Watcher, request

from conformance.corpus.case import Case
from conformance.corpus.tensors import tensors_of
from conformance.outcomes import Outcome, TimedOut
from conformance.run.plan import Task
from conformance.run.retrial import Retrial
from conformance.run.runner import execute
from conformance.verdicts.verdict import Verdict
from conformance.workers.engine import MOST_LATE
from conformance.workers.request import CallRequest

pytestmark = pytest.mark.slow


def test_a_call_that_answers_the_second_time_conforms(tmp_path: Path) -> None:
    """What the machine was busy with is not charged to the engine; the verdict says that it was
    asked again.
    """
    log = str(tmp_path / "log")
    specs = [miniature("HangsOnce", MINIATURES_LOG=log), miniature("Right", MINIATURES_LOG=log)]
    record = execute(
        request(tmp_path, corpus(tmp_path, CUT, GAPS), *specs, timeout=1.0, jobs=2), Watcher()
    )
    assert {(v.adapter, v.status) for v in record.verdicts} == {
        ("HangsOnce", "conforms"),
        ("Right", "conforms"),
    }
    assert sum(bool(v.asked_again) for v in record.verdicts) == 1
    assert len(record.verdicts) == 4
    assert record.ok


def test_a_call_that_times_out_twice_says_what_the_time_went_into(tmp_path: Path) -> None:
    """Both times are told: the processor's, or only the clock's."""
    computed = {}
    for name in ("Hangs", "Computes"):
        record = execute(
            request(tmp_path / name, corpus(tmp_path, CUT), miniature(name), timeout=2.0), Watcher()
        )
        [verdict] = record.verdicts
        assert (verdict.status, verdict.asked_again) == ("timed-out", True)
        first, second = str(verdict.message).split("\nasked again alone, at the end: ")
        assert first.startswith("no answer within 2 s, of which its process computed ")
        found = re.match(
            (
                r"no answer within 2 s, of which its process computed (\S+) s(: it waits, or the "
                r"machine was busy)?"
            ),
            second,
        )
        assert found
        computed[name] = float(found[1])
        assert name == "Computes" or found[2]
    assert computed["Hangs"] < computed["Computes"]


def test_what_is_asked_again_has_a_process_of_its_own(tmp_path: Path) -> None:
    """Those that shared the machine are ended before."""
    log = tmp_path / "log"
    execute(
        request(
            tmp_path,
            corpus(tmp_path, CUT),
            miniature("Hangs", MINIATURES_LOG=str(log)),
            timeout=1.0,
        ),
        Watcher(),
    )
    assert len(started(log)) == 2


@pytest.fixture
def tasks(a_case: Callable[..., Case]) -> list[Task]:
    return [
        Task(case=a_case(name=f"a/b/{n}"), label="engine", device="cpu", quantity="output")
        for n in range(9)
    ]


def late(task: Task, verdict: Callable[..., Verdict], **changes: Any) -> Verdict:
    return verdict(
        case=task.case.name, status="timed-out", message="no answer within 1 s", **changes
    )


def retrial(verdict: Callable[..., Verdict], asked: list[str]) -> Retrial:
    """One whose engine never answers; who is asked goes into the list."""

    def call(task: Task) -> CallRequest:
        asked.append(task.case.name)
        return CallRequest(tensors=tensors_of(task.case), native={}, device="cpu")

    def ask(label: str, question: CallRequest) -> Outcome:
        return TimedOut(seconds=1.0)

    return Retrial(call, ask, lambda task, outcome: late(task, verdict))


def test_an_engine_that_hangs_does_not_double_the_time(
    tasks: list[Task], verdict: Callable[..., Verdict]
) -> None:
    """After some calls in a row that time out twice the rest stands as it was told, and says so."""
    asked: list[str] = []
    again = retrial(verdict, asked)
    assert all(again.takes(task, late(task, verdict)) for task in tasks)
    found = [one for _, one in again.answers()]
    assert len(found) == len(tasks)
    assert len(asked) == MOST_LATE
    assert [bool(one.asked_again) for one in found] == [True] * MOST_LATE + [False] * (
        9 - MOST_LATE
    )
    assert all("not asked again" in str(one.message) for one in found[MOST_LATE:])


def test_what_is_known_to_time_out_is_not_asked_again(
    tasks: list[Task], verdict: Callable[..., Verdict]
) -> None:
    """Nor is anything that failed otherwise."""
    again = retrial(verdict, [])
    assert not again.takes(tasks[0], late(tasks[0], verdict, known="a reason"))
    assert not again.takes(tasks[0], verdict(status="crashed"))
    assert list(again.answers()) == []
