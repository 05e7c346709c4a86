"""A file with a kernel, from its first call up the ladder."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance.errors import UsageError
from conformance.kernels import arrays, judgements
from conformance.kernels.call import KernelCall
from conformance.kernels.engine_bench import EngineBench
from conformance.kernels.judgements import Judgement
from conformance.kernels.ladder import climb
from conformance.kernels.options import Options
from conformance.kernels.own_call import own_call, rank_of
from conformance.kernels.process import Asked, Bench, LocalBench, NotAnsweredError, sentence
from conformance.kernels.program import program
from conformance.kernels.rungs import REQUIRED, Rung
from conformance.kernels.shrinking import smallest
from conformance.kernels.speed import Pace, race
from conformance.kernels.subject import Subject
from conformance.workers.specs import read_specs

DELEGATES = ("convolution, transposed", "convolution_backward", "conv_transpose")
"""Operators of torch that are what is judged."""

Tell = Callable[[Rung], None]


@dataclass(slots=True, kw_only=True)
class Report:
    """What came of it: `own` is the call that the candidate is made for."""

    options: Options
    facts: dict[str, Any]
    own: KernelCall
    is_plain: bool
    rungs: list[Rung] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    operators: list[str] = field(default_factory=list)
    smallest: Judgement | None = None
    program: str | None = None
    pace: Pace | None = None
    seconds: float = 0.0

    @property
    def required(self) -> tuple[str, ...]:
        return (*REQUIRED, *(each for each in self.options.require if each not in REQUIRED))

    @property
    def failing(self) -> list[Judgement]:
        """What is wrong on the rungs that must be right."""
        return [each for rung in self.rungs if rung.name in self.required for each in rung.wrong]

    @property
    def own_truth(self) -> str:
        """What the result of its own call was held against."""
        judged = next((r.judgements for r in self.rungs if r.name == "own"), [])
        return judged[-1].truth if judged else ""

    @property
    def delegates(self) -> list[str]:
        """The operators of torch that do what the kernel should."""
        return [each for each in self.operators if each.startswith(DELEGATES)]

    @property
    def verdict(self) -> str:
        """In a word: right, delegates, or what the first failure is."""
        first = next(iter(self.failing), None)
        if first is not None:
            return first.status
        missing = [
            r for r in self.rungs if r.name in self.required and r.status != judgements.RIGHT
        ]
        if missing:
            return missing[0].status
        return "delegates" if self.delegates else judgements.RIGHT

    @property
    def passes(self) -> bool:
        return self.verdict == judgements.RIGHT or (
            self.verdict == "delegates" and "own-work" not in self.options.require
        )


@contextmanager
def opened(options: Options) -> Iterator[tuple[Subject, KernelCall, dict[str, Any]]]:
    """The candidate and its reference at work, the candidate's own call, and the problem. Raises
    UsageError where the file holds no candidate.
    """
    problem = options.problem or (options.file if _is_problem(options.file) else None)
    benches: list[Asked] = []
    with arrays.temporary(1 << 33) as folder, arrays.temporary(1 << 33) as hidden:
        try:
            folders = Path(folder), Path(hidden)
            subject, own, description = _opened(options, problem, folders, benches)
            yield subject, own, description
        finally:
            for bench in benches:
                bench.end()


def _opened(
    options: Options, problem: Path | None, folders: tuple[Path, Path], benches: list[Asked]
) -> tuple[Subject, KernelCall, dict[str, Any]]:
    folder, hidden = folders
    candidate = _candidate(options, folder)
    benches.append(candidate)
    answers: list[dict[str, Any] | NotAnsweredError] = []
    loading = threading.Thread(target=lambda: answers.append(_described(candidate)))
    loading.start()  # while the reference is loaded too
    description = None
    reference = None if problem is None else _reference(options, {"problem": str(problem)}, hidden)
    if reference is not None:
        benches.append(reference)
        description = _described(reference)
    loading.join()
    [facts] = answers
    if isinstance(description, NotAnsweredError):
        raise UsageError(f"{problem} {sentence(description)}")
    if isinstance(facts, NotAnsweredError):
        raise UsageError(f"{options.file} {sentence(facts)}")
    if reference is None and facts["form"] == "module":
        rank = options.rank or rank_of(facts["name"])
        reference = _reference(options, {"rank": rank}, hidden)
        benches.append(reference)
        description = reference.ask("describe")
    subject = Subject(
        candidate=candidate, reference=reference, folder=folder, hidden=hidden, facts=facts,
        problem=description, notes=[],
    )  # fmt: skip
    return subject, own_call(options, subject), description or {"names": []}


def _candidate(options: Options, folder: Path) -> Asked:
    if options.engine is not None:
        [spec], _ = read_specs([options.engine], [])
        return EngineBench(spec, folder, timeout=options.timeout, device=options.device)
    role: dict[str, Any] = {
        "role": "candidate", "file": str(options.file), "name": options.name,
        "form": options.form, "folder": str(folder), "device": options.device,
    }  # fmt: skip
    if options.in_process:
        return LocalBench(role)
    return Bench(
        role, python=options.python, timeout=options.timeout, memory=options.memory,
        shown=options.shown,
    )  # fmt: skip


def _reference(options: Options, what: dict[str, Any], folder: Path) -> Bench:
    role = {"role": "reference", "folder": str(folder), **what}
    return Bench(role, python=options.python, timeout=options.timeout)


def _described(bench: Asked) -> dict[str, Any] | NotAnsweredError:
    """What a process tells of itself, or why it does not."""
    try:
        return bench.ask("describe")
    except NotAnsweredError as error:
        return error


def judge(options: Options, tell: Tell = lambda rung: None) -> Report:
    """Judge a candidate rung after rung; each is told when it is done. Raises UsageError."""
    began = time.monotonic()
    with opened(options) as (subject, own, description):
        report = Report(
            options=options, facts=subject.facts, own=own, is_plain=subject.is_plain,
            notes=subject.notes,
        )  # fmt: skip
        names = description["names"] or list(subject.facts["parameters"])
        defaults = subject.facts["parameters"]
        for rung in climb(subject, own, names, defaults, options.rungs):
            report.rungs.append(rung)
            tell(rung)
            if rung.name == "own" and rung.wrong:
                break
        report.operators = sorted(subject.operators)
        _look_into(report, subject)
    report.seconds = time.monotonic() - began
    return report


def _look_into(report: Report, subject: Subject) -> None:
    """The smallest failing call and its program; the pace of what passes."""
    if report.failing:
        report.smallest = smallest(subject, report.failing[0])
        call, facts = report.smallest.call, report.facts
        report.program = program(report.options.file, facts, call)
    elif report.passes and report.options.speed:
        try:
            report.pace = race(subject, report.own)
            if report.pace is None:
                report.notes.append("its speed was not measured: one call takes too long")
        except NotAnsweredError as error:
            report.notes.append(f"its speed could not be measured: {sentence(error)}")


def _is_problem(file: Path) -> bool:
    if file.suffix != ".py":
        return False
    text = file.read_text(encoding="utf-8", errors="replace")
    return all(
        f"{what}" in text for what in ("class Model(", "def get_inputs", "def get_init_inputs")
    )
