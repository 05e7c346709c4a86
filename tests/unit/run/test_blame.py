"""Chains: at which stage an exception came up, and which stage made a wrong result."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from helpers import CUT, GAPS, TORCHS_RULE, corpus, miniature

from conformance.corpus.selection import select
from conformance.run.observer import Silent
from conformance.run.request import Request
from conformance.run.runner import execute
from conformance.verdicts.verdict import Verdict
from conformance.workers.spec import Spec

pytestmark = pytest.mark.slow


@pytest.fixture
def verdict_of(tmp_path: Path) -> Any:
    """The verdict on one case of a chain that answers as the first and ends with the second."""

    def verdict(first: str, last: str, case: str = CUT) -> Verdict:
        chain = replace(miniature(first, label="chain"), last=miniature(last, label="last"))
        [found] = _run(tmp_path, case, chain)
        return found

    return verdict


def _run(folder: Path, case: str, *specs: Spec) -> list[Verdict]:
    request = Request(
        selection=select([str(corpus(folder, case))]),
        specs=specs,
        texts_by_label={spec.label: spec.label for spec in specs},
        folder=folder / "out",
    )
    return list(execute(request, Silent()).verdicts)


def test_the_conversion_is_to_blame_where_the_runtime_is_right(verdict_of: Any) -> None:
    """The result is wrong, and the last runtime conforms on the same case."""
    verdict = verdict_of("OffByOne", "Right")
    assert (verdict.status, verdict.stage["name"]) == ("differs", "converting")
    assert "miniatures:Right itself conforms on this case" in verdict.stage["text"]


def test_the_runtime_is_to_blame_where_it_is_wrong_too(verdict_of: Any) -> None:
    """Its own status is told."""
    verdict = verdict_of("OffByOne", "OtherShape")
    assert verdict.stage["name"] == "running"
    assert verdict.stage["text"].endswith("itself does not conform on this case (differs)")


@pytest.mark.parametrize(
    ("last", "why"),
    [
        ("RaisesUnsupported", "cannot be asked this case natively"),
        ("Nobody", "cannot be asked this case natively: module miniatures has no Nobody"),
        ("Aborts", "itself does not conform on this case (crashed)"),
    ],
)
def test_whoever_cannot_tell_says_why(verdict_of: Any, last: str, why: str) -> None:
    """No stage is named where the runtime was not asked; one that dies is wrong."""
    verdict = verdict_of("OffByOne", last)
    assert verdict.stage["name"] == ("running" if last == "Aborts" else None)
    assert why in verdict.stage["text"]


def test_what_is_right_or_no_chain_is_not_asked_about(verdict_of: Any, tmp_path: Path) -> None:
    """There is no stage to blame."""
    assert verdict_of("Right", "OffByOne").stage is None
    [verdict] = _run(tmp_path / "other", GAPS, miniature("OffByOne"))
    assert (verdict.status, verdict.stage) == ("differs", None)


@pytest.mark.parametrize("stage", ["converting", "loading", "running"])
def test_an_exception_says_its_stage(tmp_path: Path, stage: str) -> None:
    """It is in the message and in the verdict; where the case must be refused, refusing at any
    stage is right.
    """
    [verdict] = _run(tmp_path, CUT, miniature("FailsAtAStage", STAGE=stage))
    assert (verdict.status, verdict.stage["name"]) == ("raised", stage)
    assert verdict.message == f"while {stage} ValueError: it cannot be had"
    [verdict] = _run(tmp_path / "other", TORCHS_RULE, miniature("FailsAtAStage", STAGE=stage))
    assert (verdict.status, verdict.stage) == ("conforms", None)
