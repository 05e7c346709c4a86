"""Verdicts for whoever asks for one at a time: worked out in the background for all, or one by one.

One by one is for a process among others that share the work, as a worker of pytest-xdist is: it has
one process of each adapter that it needs. What the adapters answered to their greeting travels to
it as plain values.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from conformance import outcomes
from conformance.corpus.case import Case
from conformance.corpus.selection import Selection
from conformance.outcomes import Outcome
from conformance.pytest_plugin.steps import Answer, Steps
from conformance.run.plan import Task
from conformance.verdicts.verdict import Key, Verdict
from conformance.workers.answers import Greeting


class Awaited:
    """The cases found so far, the engines, and the answers to come."""

    def __init__(self, trial: Steps, *, one_by_one: bool) -> None:
        self.trial, self.one_by_one = trial, one_by_one
        self.cases: dict[str, Case] = {}
        self.roots: dict[Path, None] = {}
        self._answers: dict[Key, Answer] = {}
        self._turn = threading.Condition()
        self._fault: BaseException | None = None
        self._settled = self._begun = False

    def add(self, cases: Iterable[Case], root: Path) -> list[str]:
        """Cases of one file of the corpus at `root`; a line for each whose full name is taken."""
        self.roots[root] = None
        taken = []
        for case in cases:
            other = self.cases.setdefault(case.name, case)
            if other.location.file.resolve() != case.location.file.resolve():
                at, other_at = case.location.at("id"), other.location.at("id")
                taken.append(
                    f"{at}: id: full name {case.name} is taken by {other_at}, should be unique"
                )
        return taken

    def settle(self) -> None:
        """Read the known failures, once all cases are there. Raises FileProblems."""
        if not self._settled:
            cases = tuple(self.cases.values())
            self.trial.settle(Selection(cases=cases, loaded=cases, roots=tuple(self.roots)))
            self._settled = True

    def verdict(self, task: Task, everything: Callable[[], Sequence[Task]]) -> Verdict:
        """The verdict of a task; the first that is asked for sets `everything` going. Raises
        FileProblems and what went wrong.
        """
        self.settle()
        key = _key(task)
        if self.one_by_one and key not in self._answers:
            self.trial.work([task], self._keep)
        elif not self._begun:
            self._begun = True
            threading.Thread(target=self._work, args=(everything(),), daemon=True).start()
        with self._turn:
            self._turn.wait_for(lambda: key in self._answers or self._fault is not None)
        if key not in self._answers:
            assert self._fault is not None
            raise self._fault
        answer = self._answers[key]
        if isinstance(answer, Verdict):
            return answer
        raise answer

    def _work(self, tasks: Sequence[Task]) -> None:
        """In a thread of its own."""
        try:
            self.trial.work(tasks, self._keep)
            ended: BaseException = RuntimeError("the engines were stopped before this")
        except BaseException as error:  # told to whoever waits, not lost in a thread
            ended = error
        with self._turn:
            self._fault = ended
            self._turn.notify_all()

    def _keep(self, task: Task, answer: Answer) -> None:
        with self._turn:
            self._answers[_key(task)] = answer
            self._turn.notify_all()


def _key(task: Task) -> Key:
    return Key(case=task.case.name, adapter=task.label, device=task.device, quantity=task.quantity)


def encoded_answers(answers: Mapping[str, Greeting | Outcome]) -> dict[str, Any]:
    """The answers of the adapters, in dictionaries, lists, text and numbers alone."""
    encoded = {}
    for label, answer in answers.items():
        fields = asdict(answer)
        if isinstance(answer, Greeting):
            fields = {
                **fields,
                "versions": dict(answer.versions),
                "devices": list(answer.devices),
                "facts": dict(answer.facts),
            }
        encoded[label] = {"kind": type(answer).__name__, "fields": fields}
    return encoded


def decoded_answers(encoded: Mapping[str, Mapping[str, Any]]) -> dict[str, Greeting | Outcome]:
    """The answers that `encoded_answers` encoded."""
    answers: dict[str, Greeting | Outcome] = {}
    for label, answer in encoded.items():
        fields = answer["fields"]
        if answer["kind"] == "Greeting":
            answers[label] = Greeting(**{**fields, "devices": tuple(fields["devices"])})
        else:
            answers[label] = getattr(outcomes, answer["kind"])(**fields)
    return answers
