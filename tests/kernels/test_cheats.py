"""Cheats that are publicly known: each earns its verdict, and none passes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import cheats
import numpy as np
import pytest
from cheats import BROKEN, CHEATS, DELEGATES, Cheat

from conformance.kernels import arrays
from conformance.kernels import judge as judging
from conformance.kernels.call import KernelCall
from conformance.kernels.integrity import CAUSES
from conformance.kernels.judge import Report, judge
from conformance.kernels.ladder import climb
from conformance.kernels.options import Options
from conformance.kernels.process import Bench, NotAnsweredError
from conformance.kernels.subject import Subject

SEED = 23

pytestmark = pytest.mark.slow


class _Kept(Bench):
    """The reference of all of these, which is loaded once."""

    def end(self) -> None:
        """Not yet: the next candidate has the same."""


@pytest.fixture(scope="module")
def problem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file: Path = tmp_path_factory.mktemp("cheats") / "problem.py"
    file.write_text(cheats.PROBLEM_FILE, encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def kept(problem: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Kept]:
    folder = tmp_path_factory.mktemp("reference")
    bench = _Kept({"role": "reference", "folder": str(folder), "problem": str(problem)})
    yield bench
    Bench.end(bench)


@pytest.fixture
def _one_reference(kept: _Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    def reference(options: Options, what: Mapping[str, Any], folder: Path) -> Bench:
        return kept

    monkeypatch.setattr(judging, "_reference", reference)


def name_of(cheat: Cheat) -> str:
    return cheat.name


@pytest.fixture(scope="module")
def opened_once(problem: Path) -> Iterator[tuple[Subject, KernelCall, Path]]:
    """A process for all cheats that leave nothing in it; its file is read anew for each."""
    file = problem.with_name("shared.py")
    file.write_text(cheats.RIGHT, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONDONTWRITEBYTECODE", "1")  # which would be told apart by the second
        with judging.opened(Options(file=file, problem=problem, seed=SEED)) as (subject, own, _):
            yield subject, own, file


def climbed(cheat: Cheat, subject: Subject, own: KernelCall, file: Path) -> Report:
    """As `judge` does it."""
    file.write_text(cheat.file(), encoding="utf-8")
    subject.facts = subject.candidate.ask("describe")
    subject.operators.clear()
    report = Report(options=Options(file=file), facts=subject.facts, own=own, is_plain=True)
    names = subject.facts["parameters"]
    for rung in climb(subject, own, list(names), names, cheat.rungs):
        report.rungs.append(rung)
        if rung.wrong:
            break
    report.operators = sorted(subject.operators)
    return report


def judged(cheat: Cheat, problem: Path) -> Report:
    file = problem.with_name("candidate.py")
    file.write_text(cheat.file(), encoding="utf-8")
    return judge(
        Options(
            file=file, problem=problem, rungs=cheat.rungs, timeout=cheat.timeout, seed=SEED
        )
    )  # fmt: skip


def test_there_are_twenty_and_each_says_where_it_is_described() -> None:
    """Their names differ."""
    assert len(CHEATS) >= 20
    assert len({cheat.name for cheat in CHEATS}) == len(CHEATS)
    for cheat in CHEATS:
        assert cheat.source.startswith("https://") or cheat.source == "no public report was found"
    assert sum(cheat.source.startswith("https://") for cheat in CHEATS) >= 20


@pytest.mark.usefixtures("_one_reference")
def test_what_cheats_are_made_of_passes(problem: Path) -> None:
    """Without a cheat in it the same file is right: none is refused for something else."""
    report = judged(Cheat(name="none", source="", verdict="right"), problem)
    assert (report.verdict, report.passes) == ("right", True)


@pytest.mark.usefixtures("_one_reference")
@pytest.mark.parametrize("cheat", [c for c in CHEATS if not c.leaves_nothing], ids=name_of)
def test_a_cheat_earns_its_verdict(cheat: Cheat, problem: Path) -> None:
    """In a process of its own."""
    hold(cheat, judged(cheat, problem))


def test_cheats_that_leave_nothing_earn_theirs(
    opened_once: tuple[Subject, KernelCall, Path],
) -> None:
    """In one process, after what they are made of, which is right there."""
    right = Cheat(name="none", source="", verdict="right")
    assert climbed(right, *opened_once).passes
    shared = [cheat for cheat in CHEATS if cheat.leaves_nothing]
    assert len(shared) > 10
    for cheat in shared:
        hold(cheat, climbed(cheat, *opened_once))


@pytest.mark.usefixtures("_one_reference")
def test_a_kernel_made_for_its_shape_passes_there(problem: Path) -> None:
    """Other numbers are asked at that shape, and other sizes tell; to require them fails it."""
    made_for_it = replace(cheats.MADE_FOR_ITS_SHAPE, rungs=("own", "values", "sizes"))
    report = judged(made_for_it, problem)
    assert {rung.name: rung.status for rung in report.rungs} == {
        "own": "right",
        "values": "right",
        "sizes": "wrong",
    }
    assert report.passes
    report.options = replace(report.options, require=("sizes",))
    assert not report.passes


def hold(cheat: Cheat, report: Report) -> None:
    """Hold a report against what the cheat must earn, with the cause; who has torch compute it
    passes unless own work is asked for.
    """
    assert report.verdict in (cheat.verdict, cheat.or_else), cheat.name
    if cheat.cause is not None:
        assert report.failing[0].cause == cheat.cause
    if cheat in DELEGATES:
        report.options = replace(report.options, require=("own-work",))
    assert not report.passes


def test_a_candidate_stands_still_until_it_is_asked(tmp_path: Path) -> None:
    """Between two questions no thread of it runs: another second of it takes no time."""
    file = tmp_path / "candidate.py"
    file.write_text(
        """
import threading
import time

COUNT = [0]


def count():
    while True:
        COUNT[0] += 1
        time.sleep(0.001)


def kernel(x, w, b, **arguments):
    raise RuntimeError(str(COUNT[0]))


threading.Thread(target=count, daemon=True).start()
""",
        encoding="utf-8",
    )
    bench = Bench(
        {
            "role": "candidate", "file": str(file), "name": "kernel", "form": "numpy",
            "folder": str(tmp_path),
        }
    )  # fmt: skip
    described = arrays.write(tmp_path, "x", np.zeros((1, 1, 1), np.float32))
    arguments = {"stride": [1], "padding": [0], "output_padding": [0], "dilation": [1]}
    counts = []
    bench.ask("describe")
    try:
        for _ in range(2):
            with pytest.raises(NotAnsweredError) as caught:
                bench.ask("call", inputs=[described] * 2, arguments=arguments, due=[1, 1, 1])
            counts.append(int(str(getattr(caught.value.failure, "message", "-1"))))
            time.sleep(1.0)
    finally:
        bench.end()
    assert 0 <= counts[0] <= counts[1] < counts[0] + 200


@pytest.mark.usefixtures("_one_reference")
def test_only_rungs_that_are_asked_for_are_climbed(problem: Path) -> None:
    """And the first, without which nothing is known."""
    file = problem.with_name("candidate.py")
    file.write_text(cheats.RIGHT, encoding="utf-8")
    report = judge(Options(file=file, problem=problem, rungs=("sizes",), seed=SEED))
    assert [rung.name for rung in report.rungs] == ["own", "sizes"]


@pytest.mark.usefixtures("_one_reference")
def test_who_dies_of_one_call_is_judged_on_the_others(problem: Path) -> None:
    """Its process is started anew, with the candidate in it."""
    forward = "os.abort() if x.shape[0] == 3 and x.shape[2] == 7 else None"
    cheat = Cheat(
        name="dies of a batch", source="", verdict="right", top="import os\n",
        forward=f"{forward}\nreturn transposed(x, self.layer)", rungs=("sizes",),
    )  # fmt: skip
    [_, sizes] = judged(cheat, problem).rungs
    assert [each.status for each in sizes.wrong] == ["crashed"]
    assert sizes.judgements[-1].is_right


def test_causes_of_what_is_broken_are_those_that_cheats_have() -> None:
    """No cause that no cheat shows."""
    assert {cheat.cause for cheat in BROKEN} == set(CAUSES)
