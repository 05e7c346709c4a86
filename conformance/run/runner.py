"""A run: cases through engines to verdicts, in a record that is whole at every moment."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from threadpoolctl import threadpool_limits

from conformance.cluster import Crew
from conformance.corpus.expected import check_guards
from conformance.corpus.files import is_shipped
from conformance.corpus.truths import Truths
from conformance.errors import UsageError
from conformance.outcomes import Outcome
from conformance.record.case_line import case_line
from conformance.record.reader import has_lines, read_record, read_written
from conformance.record.record import RECORD, Record, verdict_line
from conformance.record.run_line import obstacle
from conformance.record.tally import Tally
from conformance.record.writer import Writer
from conformance.run.blame import Blame
from conformance.run.distributed import ClusterPool
from conformance.run.dump import dump
from conformance.run.measurement import Measurement
from conformance.run.observer import Enough, Observer
from conformance.run.plan import Answers, Task, environment_of, perturbations_of, plan_of
from conformance.run.request import Request
from conformance.run.retrial import Retrial
from conformance.run.session import Session, lost_in
from conformance.system.machine import physical_cores
from conformance.verdicts.known import untold_facts
from conformance.verdicts.known_reader import load_differences
from conformance.verdicts.verdict import Verdict
from conformance.workers.answers import Greeting
from conformance.workers.in_process import OwnPool
from conformance.workers.pool import OutOfTime, Pool


def execute(request: Request, observer: Observer, crew: Crew | None = None) -> Record:
    """Run the cases, here or on a crew, write `results.jsonl`, and return what it says.

    Raises UsageError, FileProblems and RecordError before anything runs, and RecordError when no
    more can be written.
    """
    until = None if request.deadline is None else time.monotonic() + request.deadline
    truths = Truths()
    cases = request.cases
    known = load_differences(request.selection.roots, request.known)
    lost = lost_in(request.selection, known)
    pool = _pool_of(request, crew)
    try:
        greetings = pool.begin_greeting()
        check_guards(cases, truths)  # meanwhile: importing a framework takes seconds
        plan = plan_of(request, _in_time(greetings, until))
        if not any(plan.tasks(request.selection.cases).values()):
            raise UsageError(
                "no adapter runs any of the cases: each is one framework's own rule, should be "
                "run on that one"
            )
        if isinstance(pool, ClusterPool):
            session = Session(request, truths, known, plan, pool.machine)
            pool.attach(session)
        else:
            session = Session(request, truths, known, plan)
        if request.dump is not None:
            dump(session, request.dump)
        return Run(session, observer, until).go(pool, lost)
    finally:
        pool.close()


def _pool_of(request: Request, crew: Crew | None) -> Pool[Task, Verdict]:
    """The engines of a run, none of which is started yet."""
    if crew is not None:
        return ClusterPool(crew, request)
    if request.in_process:
        [spec] = request.specs
        return OwnPool(spec, {**environment_of(request), **spec.environment})
    perturbed = {spec.label: perturbations_of(spec, request) for spec in request.specs}
    return Pool(
        request.specs,
        jobs=request.jobs,
        timeout=request.timeout,
        environment=environment_of(request),
        perturbed=perturbed if request.invariance else None,
    )


def _in_time(greetings: Future[dict[str, Greeting | Outcome]], until: float | None) -> Answers:
    """The answers of all engines. Raises UsageError when it is time and some are missing."""
    try:
        return greetings.result(None if until is None else max(0.0, until - time.monotonic()))
    except TimeoutError:
        raise UsageError("--deadline: has passed before all engines had started") from None


class Run:
    """One run that is recorded, and told to an observer as it goes, until the monotonic clock says
    `until`.
    """

    def __init__(self, session: Session, observer: Observer, until: float | None = None) -> None:
        self.until = until
        self.session, self.observer, self.request = session, observer, session.request
        self.before: Record | None = None
        self.written: set[str] = set()
        self.tally = Tally()

    def go(self, pool: Pool[Task, Verdict], lost: list[dict[str, str]]) -> Record:
        """Do what is left to do, and read the record again, which must be what was written."""
        began = time.monotonic()
        writer = self._open()
        # the other threads are the engines'
        threads = max(1, physical_cores() // self.request.jobs)
        try:
            tasks = self._left()
            handle = self._handler(writer, tasks, began)
            with threadpool_limits(threads, user_api="blas"):
                self._work(pool, tasks, handle)
            writer.write("end", self._end_line(lost, time.monotonic() - began))
        except (Enough, OutOfTime):
            pass  # a record without an end
        finally:
            writer.close()
        return read_written(writer.path, writer.seal)

    def _handler(
        self, writer: Writer, tasks: Mapping[str, Sequence[Task]], began: float
    ) -> Callable[[Verdict], None]:
        """The function that handles every verdict: it is recorded, shown, and counted against
        --maxfail.
        """
        left = {label: len(todo) for label, todo in tasks.items()}
        before, most = self.tally.unexpected, self.request.maxfail
        self.observer.started(left, self.session.plan.absent, self.session.run_line())

        def handle(verdict: Verdict) -> None:
            self._record(writer, verdict)
            self.observer.verdict(verdict)
            left[verdict.adapter] -= 1
            if not left[verdict.adapter]:
                self.observer.finished(verdict.adapter, time.monotonic() - began)
            if most is not None and self.tally.unexpected - before >= most:
                raise Enough
            if self.until is not None and time.monotonic() > self.until:
                raise OutOfTime

        return handle

    def _work(
        self,
        pool: Pool[Task, Verdict],
        tasks: Mapping[str, Sequence[Task]],
        handle: Callable[[Verdict], None],
    ) -> None:
        """Every task once, then again what timed out, natively what chains got wrong, and in turns
        what is timed.
        """
        session = self.session
        again = Retrial(session.call, pool.ask_alone, session.judge)
        measurement = Measurement(session)
        blame = Blame(session, self.request.specs, environment_of(self.request))

        def sort(verdict: Verdict) -> None:
            late = (
                measurement.takes(verdict)
                or blame.takes(verdict)
                or again.takes(session.task_of(verdict), verdict)
            )
            if not late:
                handle(verdict)

        pool.run(
            tasks,
            session.call,
            session.judge,
            sort,
            together=lambda task: task.is_costly,
            ends=session.ends,
            until=self.until,
        )
        self._work_late(pool, again, blame, measurement, handle)

    def _work_late(
        self,
        pool: Pool[Task, Verdict],
        again: Retrial,
        blame: Blame,
        measurement: Measurement,
        handle: Callable[[Verdict], None],
    ) -> None:
        """What was put off until all comparing is done, with nothing else at work."""
        for number, (_, verdict) in enumerate(again.answers(), 1):
            if not measurement.takes(verdict) and not blame.takes(verdict):
                handle(verdict)
            self.observer.phase("calls that timed out, asked again", number, len(again))
        for number, verdict in enumerate(blame.verdicts(), 1):
            handle(verdict)
            self.observer.phase("wrong results of chains, asked natively", number, len(blame))
        cases = measurement.cases()
        for number, verdicts in enumerate(cases):
            self.observer.phase("layers, timed on every adapter", number, len(cases))
            for verdict in measurement.timed(pool, verdicts):
                handle(verdict)

    def _open(self) -> Writer:
        """The record to write to: a new one, or with --resume the old one behind its last whole
        line.
        """
        path, line = self.request.folder / RECORD, self.session.run_line()
        if not self.request.resume or not has_lines(path):
            writer = Writer(path)
            writer.write("run", line)
            return writer
        self.before = read_record(path)
        other = obstacle(self.before.run, line)
        if other is not None:
            raise UsageError(
                f"{path} was begun with other {other}, should be resumed with the same, or run "
                "without --resume"
            )
        self.written = set(self.before.cases)
        self.tally = Tally(self.before.verdicts)
        return Writer(path, after=self.before)

    def _left(self) -> dict[str, list[Task]]:
        """The tasks that the record does not hold yet."""
        verdicts = self.before.verdicts if self.before else ()
        done = {(v.case, v.adapter, v.device, v.quantity) for v in verdicts}
        return {
            label: [
                task
                for task in todo
                if (task.case.name, label, task.device, task.quantity) not in done
            ]
            for label, todo in self.session.plan.tasks(list(self.session.cases.values())).items()
        }

    def _record(self, writer: Writer, verdict: Verdict) -> None:
        if verdict.case not in self.written:
            case = self.session.cases[verdict.case]
            writer.write("case", case_line(case, self.session.truths))
            self.written.add(verdict.case)
        writer.write("verdict", verdict_line(verdict))
        self.tally.add(verdict)

    def _end_line(self, lost: list[dict[str, str]], seconds: float) -> dict[str, Any]:
        session = self.session
        present = session.plan.greetings
        facts = {label: (session.adapters[label], its) for label, its in session.facts.items()}
        return {
            "counts": {adapter: dict(counts) for adapter, counts in self.tally.counts.items()},
            "duration": round(seconds, 3),
            "problems": [*lost, *untold_facts(session.known, facts)],
            "known_unconfirmed": self.tally.unconfirmed,
            "unchecked": self.tally.unchecked(
                adapters=list(present),
                named=[s.label for s in self.request.specs if s.by_name and s.label in present],
                own_cases=[name for name, case in session.cases.items() if not is_shipped(case)],
                in_shard=self.request.shard is not None,
            ),
        }
