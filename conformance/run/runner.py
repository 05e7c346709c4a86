"""A run: cases through engines to verdicts, in a record that is whole at every moment."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from conformance import __version__
from conformance.conventions import Unrepresentable
from conformance.corpus.expected import check_guards
from conformance.corpus.files import load_cases, shipped_cases
from conformance.corpus.selection import Selection
from conformance.corpus.truth_store import kept_truths
from conformance.corpus.truths import Truths
from conformance.errors import UsageError
from conformance.outcomes import Outcome, Output, Raised, Unavailable, Unsupported
from conformance.record import record
from conformance.record.case_line import case_line, corpus_digest
from conformance.record.record import Record, Writer
from conformance.record.tally import Tally
from conformance.run.observer import Enough, Observer
from conformance.run.plan import Plan, Request, Task, asides_of, environment_of, plan_of
from conformance.run.retrial import Retrial
from conformance.system.machine import description, physical_cores
from conformance.verdicts.judge import Judge
from conformance.verdicts.known import Difference, lost_entries, untold_facts
from conformance.verdicts.known_reader import load_differences
from conformance.verdicts.verdict import Verdict
from conformance.workers import timing
from conformance.workers.engine import Greeting
from conformance.workers.pool import Pool
from conformance.workers.request import Asked


def execute(request: Request, observer: Observer) -> Record:
    """Run the cases, write `results.jsonl`, and return what it says.

    Raises UsageError, FileProblems and RecordError before anything runs, and RecordError when no
    more can be written.
    """
    truths = kept_truths()
    known = load_differences(request.selection.roots, request.known)
    lost = lost_entries(known, names_by_root(request.selection, known))
    pool: Pool[Task, Verdict] = Pool(
        request.specs,
        jobs=request.jobs,
        timeout=request.timeout,
        environment=environment_of(request),
        asides={spec.label: asides_of(spec, request) for spec in request.specs}
        if request.invariance
        else None,
    )
    try:
        greetings = pool.begin_greeting()
        check_guards(
            request.selection.cases, truths
        )  # meanwhile: importing a framework takes seconds
        plan = plan_of(request, greetings.result())
        if not any(plan.tasks(request.selection.cases).values()):
            raise UsageError(
                "no adapter runs any of the cases: each is one framework's own rule, should be "
                "run on that one"
            )
        return Run(request, observer, truths, known, plan).go(pool, lost)
    finally:
        pool.close()


RESUMED_WITH = {
    "corpus": "cases",
    "versions": "versions",
    "facts": "facts of the engines",
    "adapters": "adapters",
    "devices": "devices",
    "threads": "threads",
    "precision": "precision",
    "timing": "timing",
    "repeat": "number of repetitions",
    "invariance": "invariance",
}
"""What a record must have been begun with to go on: the key of its run line, and its name in words.
"""


def _unordered(value: Any) -> Any:
    return sorted(value, key=str) if isinstance(value, list) else value


class Run:
    """One run after everything has been checked."""

    def __init__(
        self,
        request: Request,
        observer: Observer,
        truths: Truths,
        known: Sequence[Difference],
        plan: Plan,
    ) -> None:
        self.request, self.observer, self.truths, self.known, self.plan = (
            request,
            observer,
            truths,
            known,
            plan,
        )
        self.cases = {case.name: case for case in request.selection.cases}
        self.adapters = {spec.label: spec.adapter for spec in request.specs}
        self.before: Record | None = None
        self.written: set[str] = set()
        self.tally = Tally()
        self.first_calls: dict[tuple[str, str, str], float] = {}
        self.versions = {
            label: dict(g.versions) if isinstance(g, Greeting) else {}
            for label, g in plan.greetings.items()
        }
        self.facts = {
            label: dict(g.facts) if isinstance(g, Greeting) else {}
            for label, g in plan.greetings.items()
        }
        self._verdict_on = Judge(
            truths, known, adapters=self.adapters, versions=self.versions, facts=self.facts
        )

    def go(self, pool: Pool[Task, Verdict], lost: list[dict[str, str]]) -> Record:
        began = time.monotonic()
        writer = self._open()
        try:
            tasks = self._left()
            left = {label: len(todo) for label, todo in tasks.items()}
            before = self.tally.unexpected
            self.observer.started(left, self.plan.absent, self.head())

            def handle(verdict: Verdict) -> None:
                self._record(writer, verdict)
                self.observer.verdict(verdict)
                left[verdict.adapter] -= 1
                if not left[verdict.adapter]:
                    self.observer.finished(verdict.adapter, time.monotonic() - began)
                if (
                    self.request.maxfail is not None
                    and self.tally.unexpected - before >= self.request.maxfail
                ):
                    raise Enough

            with threadpool_limits(
                max(1, physical_cores() // self.request.jobs), user_api="blas"
            ):  # the rest is the engines'
                self._work(pool, tasks, handle)
            writer.write("end", self._end_line(lost, time.monotonic() - began))
        except Enough:
            pass
        finally:
            writer.close()
        return record.read_record(writer.path)

    def _work(
        self,
        pool: Pool[Task, Verdict],
        tasks: Mapping[str, Sequence[Task]],
        handle: Callable[[Verdict], None],
    ) -> None:
        """Every task once, then again what timed out, then in turns what is timed."""
        again = Retrial(self.call, pool.ask_alone, self.judge)
        timed: list[Verdict] = []

        def sort(verdict: Verdict) -> None:
            if self._is_timed(verdict):
                timed.append(verdict)
            elif not again.takes(self._task(verdict), verdict):
                handle(verdict)

        pool.run(
            tasks,
            self.call,
            self.judge,
            sort,
            together=lambda task: task.is_costly,
            ends=self._ends,
        )
        for number, (_, verdict) in enumerate(again.answers(), 1):
            (timed.append if self._is_timed(verdict) else handle)(verdict)
            self.observer.phase("calls that timed out, asked again", number, len(again))
        by_case = {
            name: [verdict for verdict in timed if verdict.case == name] for name in self.cases
        }
        timed_cases = list(filter(None, by_case.values()))
        for number, verdicts in enumerate(timed_cases):
            self.observer.phase("layers, timed on all adapters in turn", number, len(timed_cases))
            for verdict in self._timed(pool, verdicts):
                handle(verdict)

    def _task(self, verdict: Verdict) -> Task:
        return Task(
            case=self.cases[verdict.case],
            label=verdict.adapter,
            device=verdict.device,
            quantity=verdict.quantity,
        )

    def _end_line(self, lost: list[dict[str, str]], seconds: float) -> dict[str, Any]:
        told = {label: (self.adapters[label], its) for label, its in self.facts.items()}
        shipped = shipped_cases().resolve()
        return {
            "counts": {adapter: dict(counter) for adapter, counter in self.tally.counts.items()},
            "duration": round(seconds, 3),
            "problems": [*lost, *untold_facts(self.known, told)],
            "known_unconfirmed": self.tally.unconfirmed,
            "unchecked": self.tally.unchecked(
                adapters=list(self.plan.greetings),
                named=[
                    spec.label
                    for spec in self.request.specs
                    if spec.by_name and spec.label in self.plan.greetings
                ],
                own_cases=[
                    name
                    for name, case in self.cases.items()
                    if shipped not in case.place.file.resolve().parents
                ],
            ),
        }

    def _open(self) -> Writer:
        """The record to write to: a new one, or with --resume the old one behind its last whole
        line.
        """
        path, head = self.request.folder / record.RECORD, self.head()
        if not self.request.resume or not record.has_lines(path):
            writer = Writer(path)
            writer.write("run", head)
            return writer
        self.before = record.read_record(path)
        for key, what in RESUMED_WITH.items():
            if _unordered(self.before.run.get(key, head[key])) != _unordered(head[key]):
                raise UsageError(
                    f"{path} was begun with other {what}, should be resumed with the same, or run "
                    "without --resume"
                )
        self.written = set(self.before.cases)
        self.tally = Tally(self.before.verdicts)
        return Writer(path, keep=self.before.bytes_before_end)

    def _left(self) -> dict[str, list[Task]]:
        """The tasks that the record does not hold yet."""
        done = (
            {(v.case, v.adapter, v.device, v.quantity) for v in self.before.verdicts}
            if self.before
            else set()
        )
        return {
            label: [
                task
                for task in todo
                if (task.case.name, label, task.device, task.quantity) not in done
            ]
            for label, todo in self.plan.tasks(self.request.selection.cases).items()
        }

    def call(self, task: Task) -> Asked | Outcome:
        """What to ask the engine; or the outcome, where it need not be asked."""
        greeting = self.plan.greetings[task.label]
        assert isinstance(greeting, Greeting), "an engine that did not start is not asked"
        if task.device not in greeting.devices:
            return Unavailable(
                reason=(
                    f"there is no device {task.device}, should be one of "
                    f"{', '.join(greeting.devices)}"
                )
            )
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
        prepared = self.truths(task.case)
        cotangent = prepared.cotangent if task.quantity == "gradients" else None
        return Asked(
            tensors=prepared.tensors,
            native=native,
            device=task.device,
            cotangent=cotangent,
            repeat=self.request.repeat,
        )

    def judge(self, task: Task, outcome: Outcome) -> Verdict:
        if (
            isinstance(outcome, Output)
            and outcome.seconds is not None
            and timing.TAG in task.case.tags
        ):
            self.first_calls[task.case.name, task.label, task.device] = outcome.seconds
        return self._verdict_on(
            task.case, outcome, adapter=task.label, device=task.device, quantity=task.quantity
        )

    def _ends(self, task: Task) -> bool:
        place = {"adapter": task.label, "device": task.device, "quantity": task.quantity}
        return self._verdict_on.is_known_to_crash(task.case, **place)

    def _is_timed(self, verdict: Verdict) -> bool:
        """A result that does not conform has no time."""
        return (
            self.request.timing != "off"
            and verdict.quantity == "output"
            and (self.request.timing == "full" or not self.plan.is_variant[verdict.adapter])
            and verdict.status == "conforms"
            and timing.TAG in self.cases[verdict.case].tags
            and not self.cases[verdict.case].must_fail
        )

    def _timed(self, pool: Pool[Task, Verdict], verdicts: Sequence[Verdict]) -> Iterator[Verdict]:
        """The verdicts of one case with their timings: all adapters in turn, round after round."""
        mode = self.request.timing
        rounds: dict[int, list[list[float]]] = {i: [] for i in range(len(verdicts))}
        failed: dict[int, Outcome] = {}
        for _ in range(timing.ROUNDS[mode]):
            for i, verdict in enumerate(verdicts):
                spent = sum(map(sum, rounds[i]))
                if i in failed or (mode == "quick" and spent > timing.SLICES[mode]):
                    continue
                durations = pool.time(
                    verdict.adapter, self._asked(verdict), timing.SLICES[mode] / timing.ROUNDS[mode]
                )
                if isinstance(durations, list):
                    rounds[i].append(durations)
                else:
                    failed[i] = durations
        for i, verdict in enumerate(verdicts):
            if i in failed:
                yield replace(verdict, message=f"{timing.FAILED}: {failed[i]}")
                continue
            first = self.first_calls.pop((verdict.case, verdict.adapter, verdict.device), None)
            figures = timing.summarise(
                rounds[i], first=first, mode=mode, threads=self.request.threads
            )
            yield replace(verdict, timing=asdict(figures))

    def _asked(self, verdict: Verdict) -> Asked:
        asked = self.call(self._task(verdict))
        assert isinstance(asked, Asked), "a verdict that conforms had something to ask"
        return asked

    def _record(self, writer: Writer, verdict: Verdict) -> None:
        if verdict.case not in self.written:
            writer.write("case", case_line(self.cases[verdict.case], self.truths))
            self.written.add(verdict.case)
        writer.write("verdict", record.verdict_line(verdict))
        self.tally.add(verdict)

    def head(self) -> dict[str, Any]:
        """The run line: everything that a result depends on."""
        greetings = self.plan.greetings
        return {
            "format": record.FORMAT,
            "conformance": __version__,
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            **description(),
            "timeout": self.request.timeout,
            "allow_unsupported": self.request.allow_unsupported,
            "threads": self.request.threads,
            "threads_told": {
                label: g.threads if isinstance(g, Greeting) else None
                for label, g in greetings.items()
            },
            "precision": self.request.precision,
            "timing": self.request.timing,
            "repeat": self.request.repeat,
            "invariance": self.request.invariance,
            "command": list(self.request.command),
            "paths": list(self.request.paths),
            "known": [str(file) for file in self.request.known],
            "corpus": corpus_digest(self.request.selection.cases, self.known),
            "adapters": [
                {
                    "label": label,
                    "asked": self.request.asked.get(label, label),
                    "python": self.request.pythons.get(label),
                    "adapter": self.adapters[label],
                    "convention": greeting.convention if isinstance(greeting, Greeting) else None,
                }
                for label, greeting in greetings.items()
            ],
            "versions": self.versions,
            "facts": self.facts,
            "devices": {label: list(self.plan.devices[label]) for label in greetings},
            "absent": dict(self.plan.absent),
        }


def names_by_root(selection: Selection, known: Sequence[Difference]) -> dict[Path, list[str]]:
    """Full names by corpus root: those loaded if all entries find a case among them, else all of
    the root's.
    """
    loaded = [case.name for case in selection.loaded]
    names = dict.fromkeys(selection.roots, loaded)
    for root in selection.roots:
        if lost_entries([entry for entry in known if entry.root in (root, None)], names):
            names[root] = [case.name for case in load_cases(root)]
    return names
