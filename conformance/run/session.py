"""The questions to the engines of one run, and the meaning of their answers; nothing is recorded
here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from conformance import __version__
from conformance.conventions import Unrepresentable
from conformance.corpus.files import case_files, load_cases, shipped_cases
from conformance.corpus.selection import Selection
from conformance.corpus.truths import Truths
from conformance.errors import fault
from conformance.outcomes import Again, Crashed, Outcome, Output, Raised, Unavailable, Unsupported
from conformance.record.case_line import corpus_digest
from conformance.record.run_line import FORMAT, RunLine
from conformance.run.plan import Plan, Task
from conformance.run.request import Request
from conformance.system.machine import description
from conformance.verdicts.judge import Judge
from conformance.verdicts.known import Difference, lost_entries
from conformance.verdicts.verdict import Verdict, unjudged
from conformance.wording import instead
from conformance.workers import timing
from conformance.workers.answers import Greeting, readable
from conformance.workers.request import CallRequest, EngineRequest, shape_request


class Session:
    """One run after everything has been checked. `first_calls` has the seconds of those of the
    cases that may be timed, by case, label and device.
    """

    def __init__(
        self,
        request: Request,
        truths: Truths,
        known: Sequence[Difference],
        plan: Plan,
        machine: Mapping[str, Any] | None = None,
    ) -> None:
        self.request, self.truths, self.known, self.plan = request, truths, known, plan
        self.machine = machine or description()
        self.cases = {case.name: case for case in request.cases}
        self.adapters = {spec.label: spec.adapter for spec in request.specs}
        self.first_calls: dict[tuple[str, str, str], float] = {}
        self.versions: dict[str, Mapping[str, str]] = {}
        self.facts: dict[str, Mapping[str, Any]] = {}
        for label, answer in plan.greetings.items():
            self.versions[label] = dict(answer.versions) if isinstance(answer, Greeting) else {}
            self.facts[label] = dict(answer.facts) if isinstance(answer, Greeting) else {}
        self._verdict_on = Judge(
            truths, known, adapters=self.adapters, versions=self.versions, facts=self.facts
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """Elsewhere it is made again, and computes its own truths."""
        return _again, (self.request, self.known, self.plan, self.machine)

    def call(self, task: Task) -> EngineRequest | Outcome:
        """The request to the engine; or the outcome, where it need not be asked, or nobody foresaw
        what came up.
        """
        try:
            return self._request(task)
        except Exception as error:
            return Crashed(message=readable(fault(error, "preparing the call")))

    def _request(self, task: Task) -> EngineRequest | Outcome:
        greeting = self.plan.greetings[task.label]
        assert isinstance(greeting, Greeting), "an engine that did not start is not asked"
        if task.device not in greeting.devices:
            known = instead(task.device, greeting.devices)
            return Unavailable(reason=f"there is no device {task.device}, {known}")
        try:
            native = task.case.arguments(greeting.convention)
        except (ArithmeticError, ValueError) as error:  # of arguments that make no sense
            return Raised(
                type=type(error).__name__,
                message=str(error),
                stage="while translating the arguments",
            )
        if isinstance(native, Unrepresentable):
            return Unsupported(reason=native.reason)
        if task.quantity == "shape":
            return shape_request(task.case, native, task.device, greeting.unknown)
        prepared = self.truths(task.case)
        return CallRequest(
            tensors=prepared.tensors,
            native=native,
            device=task.device,
            cotangent=prepared.cotangent if task.quantity == "gradients" else None,
            repeat=self.request.repeat,
            due=0 if prepared.truth is None else prepared.truth.y.size,
        )

    def judge(self, task: Task, outcome: Outcome) -> Verdict:
        """The verdict on an answer to `call`, whatever it is: one that cannot be judged ends no
        run.
        """
        try:
            return self._judged(task, outcome)
        except Exception as error:
            return unjudged(
                error,
                case=task.case.name,
                adapter=task.label,
                device=task.device,
                quantity=task.quantity,
            )

    def _judged(self, task: Task, outcome: Outcome) -> Verdict:
        answer = outcome.outcome if isinstance(outcome, Again) else outcome
        took = answer.seconds if isinstance(answer, Output) else None
        if took is not None and timing.TAG in task.case.tags:
            self.first_calls[task.case.name, task.label, task.device] = took
        return self._verdict_on(
            task.case, outcome, adapter=task.label, device=task.device, quantity=task.quantity
        )

    def ends(self, task: Task) -> bool:
        """Whether a known failure says that the call ends the engine's process."""
        return self._verdict_on.is_known_to_crash(
            task.case, adapter=task.label, device=task.device, quantity=task.quantity
        )

    def task_of(self, verdict: Verdict) -> Task:
        """The task that a verdict came of."""
        return Task(
            case=self.cases[verdict.case],
            label=verdict.adapter,
            device=verdict.device,
            quantity=verdict.quantity,
        )

    def run_line(self) -> dict[str, Any]:
        """The run line of a record of this run; messages need it too."""
        request, greetings = self.request, self.plan.greetings
        line = RunLine(
            format=FORMAT,
            conformance=__version__,
            started=datetime.now(UTC).isoformat(timespec="seconds"),
            **self.machine,
            timeout=request.timeout,
            allow_unsupported=request.allow_unsupported,
            threads=request.threads,
            threads_told={
                label: answer.threads if isinstance(answer, Greeting) else None
                for label, answer in greetings.items()
            },
            precision=request.precision,
            timing=request.timing,
            repeat=request.repeat,
            invariance=request.invariance,
            command=list(request.command),
            paths=list(request.paths),
            known=[str(file) for file in request.known],
            corpus=corpus_digest(request.selection.cases, self.known),
            shard=None if request.shard is None else request.shard.line(request.selection.cases),
            adapters=[self._adapter(label) for label in greetings],
            versions=self.versions,
            facts=self.facts,
            devices={label: list(self.plan.devices[label]) for label in greetings},
            absent=dict(self.plan.absent),
        )
        return line.content()

    def _adapter(self, label: str) -> dict[str, Any]:
        greeting = self.plan.greetings[label]
        return {
            "label": label,
            "asked": self.request.texts_by_label.get(label, label),
            "python": self.request.pythons.get(label),
            "adapter": self.adapters[label],
            "convention": greeting.convention if isinstance(greeting, Greeting) else None,
        }


def _again(
    request: Request, known: Sequence[Difference], plan: Plan, machine: Mapping[str, Any]
) -> Session:
    return Session(request, Truths(), known, plan, machine)


def lost_in(selection: Selection, known: Sequence[Difference]) -> list[dict[str, str]]:
    """The entries that match no case of their corpus, whose other files are read if need be.

    Reading all of the corpus that came with the package takes longer than a case: its own entries
    are judged when it is run whole, and by `conformance lint`.
    """
    files = {case.location.file.resolve() for case in selection.loaded}
    names = {root: [case.name for case in selection.loaded] for root in selection.roots}
    for root in selection.roots:
        if files.issuperset(file.resolve() for file, _ in case_files([root])):
            continue
        if root == shipped_cases().resolve():
            known = [entry for entry in known if entry.root != root]
        if lost_entries([entry for entry in known if entry.root in (root, None)], names):
            names[root] = [case.name for case in load_cases(root)]
    return lost_entries(known, names)
