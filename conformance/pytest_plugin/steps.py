"""A run in pieces, without a record: for whoever has an order and a telling of its own, as pytest
has.

It takes the steps of `runner.execute` one by one, and so shares that module's parts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from conformance.corpus.case import Case
from conformance.corpus.expected import check_guards
from conformance.corpus.selection import Selection
from conformance.corpus.truths import Truths
from conformance.errors import CaseFileError
from conformance.outcomes import Outcome
from conformance.run.plan import Task, environment_of, plan_of
from conformance.run.request import Request
from conformance.run.retrial import Retrial
from conformance.run.session import Session, lost_in
from conformance.verdicts.known_reader import load_differences
from conformance.verdicts.verdict import Verdict
from conformance.workers.answers import Greeting
from conformance.workers.pool import Pool

Answer = Verdict | CaseFileError
"""The verdict of a task; an error where the `expected` of the case's file is not what the oracle
gives."""


class Steps:
    """Engines by label, greeted; then `settle` on the selection, and `work` as often as wanted."""

    def __init__(
        self, request: Request, answers: Mapping[str, Greeting | Outcome] | None = None
    ) -> None:
        """Greet every adapter, unless it is known what they answer. Raises UsageError.

        The request's selection may still be empty.
        """
        self._request = request
        self._pool: Pool[Task, tuple[Task, Answer]] = Pool(
            request.specs,
            jobs=request.jobs,
            timeout=request.timeout,
            environment=environment_of(request),
        )
        try:
            self.answers = self._pool.greet() if answers is None else dict(answers)
            self.plan = plan_of(request, self.answers)
        except BaseException:
            self.close()
            raise
        self.absent = self.plan.absent
        self.devices = self.plan.devices
        self.lost: list[dict[str, str]] = []
        self._guards: dict[str, CaseFileError | None] = {}

    def tasks(self, cases: Sequence[Case]) -> list[Task]:
        """Every verdict that is to be had of these cases, adapter by adapter."""
        return [task for tasks in self.plan.tasks(cases).values() for task in tasks]

    def settle(self, selection: Selection) -> None:
        """Read the known failures of what is run; `lost` then has those that match no case.
        Raises FileProblems.
        """
        known = load_differences(selection.roots, self._request.known)
        self.lost = lost_in(selection, known)
        self._truths = Truths()
        self._session = Session(
            replace(self._request, selection=selection), self._truths, known, self.plan
        )

    @cached_property
    def line(self) -> dict[str, Any]:
        """The run line that a record would have; messages need it."""
        return self._session.run_line()

    def work(self, tasks: Sequence[Task], handle: Callable[[Task, Answer], None]) -> None:
        """Do these tasks, several at once as far as jobs go, and hand on each answer as it
        comes.
        """
        lanes: dict[str, list[Task]] = {}
        for task in tasks:
            lanes.setdefault(task.label, []).append(task)

        def judge(task: Task, outcome: Outcome) -> tuple[Task, Answer]:
            return task, self._guarded(task.case) or self._session.judge(task, outcome)

        again = Retrial(self._session.call, self._pool.ask_alone, self._session.judge)

        def sort(answered: tuple[Task, Answer]) -> None:
            task, answer = answered
            if not (isinstance(answer, Verdict) and again.takes(task, answer)):
                handle(task, answer)

        self._pool.run(lanes, self._session.call, judge, sort)
        for task, verdict in again.answers():
            handle(task, verdict)

    def close(self) -> None:
        """End all processes, at once if they are at work."""
        self._pool.close()

    def _guarded(self, case: Case) -> CaseFileError | None:
        """The error of the case's own `expected`, if any, found once."""
        if case.name not in self._guards:
            try:
                check_guards([case], self._truths)
                self._guards[case.name] = None
            except CaseFileError as error:
                self._guards[case.name] = error
        return self._guards[case.name]
