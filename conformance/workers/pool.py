"""Many engines at work at once, each in a process of its own, the threads that ask them in ours."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from conformance.adapters import NOT_ALONE
from conformance.outcomes import (
    Again,
    Crashed,
    Gradients,
    Outcome,
    Output,
    Repeated,
    Unavailable,
    Varied,
)
from conformance.workers.answers import Greeting
from conformance.workers.engine import MOST_FAILED_STARTS, Engine, close_all
from conformance.workers.perturbations import Perturbations
from conformance.workers.request import CallRequest, EngineRequest
from conformance.workers.schedule import Claim, Lane, Schedule
from conformance.workers.spec import Spec
from conformance.workers.timing import SETTLE

Task = TypeVar("Task")
Result = TypeVar("Result")


class OutOfTime(Exception):  # noqa: N818 - what is the case, not a fault
    """The run has lasted as long as it may."""


class _NothingLeft:
    """The token that a thread hands on when it ends."""


class Pool(Generic[Task, Result]):
    """Engines by label, greeted once and then put to work.

    `perturbed` has, by label and aspect, who answers every call too.
    """

    def __init__(
        self,
        specs: Sequence[Spec],
        *,
        jobs: int,
        timeout: float,
        environment: Mapping[str, str] | None = None,
        perturbed: Mapping[str, Mapping[str, Spec]] | None = None,
    ) -> None:
        self._jobs, self._timeout, self._environment = jobs, timeout, environment or {}
        self._apart: dict[str, Engine] = {}
        self._perturbed = perturbed or {}
        self._perturbations: dict[Engine, Perturbations] = {}
        self._engines: list[Engine] = []
        self._schedule: Schedule[Task] = Schedule(specs, jobs=jobs, start=self._new_engine)

    def begin_greeting(self) -> Future[dict[str, Greeting | Outcome]]:
        """`greet` while something else is done. Its thread holds up nobody's end."""
        answers: Future[dict[str, Greeting | Outcome]] = Future()

        def work() -> None:
            try:
                answers.set_result(self.greet())
            except BaseException as error:  # told to whoever asks for the answers
                answers.set_exception(error)

        threading.Thread(target=work, daemon=True).start()
        return answers

    def greet(self) -> dict[str, Greeting | Outcome]:
        """Start every adapter; the processes that answered stay and will run the cases."""
        schedule, lanes = self._schedule, self._schedule.lanes
        labels = deque(lanes)
        answers: dict[str, Greeting | Outcome] = {}

        def work() -> None:
            while not schedule.stopped:
                with schedule.turn:
                    if not labels:
                        return
                    label = labels.popleft()
                    engine = self._new_engine(lanes[label].spec)
                answer = self._greeting_of(engine)
                if answer is not None:
                    with schedule.turn:
                        answers[label] = answer
                        self._settle(lanes[label], engine, answer)

        self._run_threads(work, min(self._jobs, len(lanes)))
        if schedule.stopped:
            return answers
        none = Crashed(message="was not greeted: its thread ended. This is a fault of conformance")
        return {label: answers.get(label, none) for label in lanes}

    def _greeting_of(self, engine: Engine) -> Greeting | Outcome | None:
        """The greeting of an engine, tried as often as a start may fail; None when stopped."""
        answer = engine.start()
        final = Greeting | Unavailable
        while not isinstance(answer, final) and engine.failed_starts < MOST_FAILED_STARTS:
            if self._schedule.stopped:
                return None
            answer = engine.start()
        return answer

    def _settle(self, lane: Lane[Task], engine: Engine, answer: Greeting | Outcome) -> None:
        lane.start_seconds = engine.start_seconds
        if isinstance(answer, Greeting):
            lane.idle.append(engine)
        else:
            lane.failure = answer

    def run(
        self,
        tasks: Mapping[str, Sequence[Task]],
        call: Callable[[Task], EngineRequest | Outcome],
        judge: Callable[[Task, Outcome], Result],
        handle: Callable[[Result], None],
        together: Callable[[Task], bool] = lambda task: False,
        ends: Callable[[Task], bool] = lambda task: False,
        until: float | None = None,
    ) -> None:
        """Call every task on its adapter and hand on what `judge` makes of the outcome, in the
        caller's own thread.

        `call` says what to ask, or gives the outcome where the engine need not be asked. It and
        `judge` run in the pool's threads. With more than one job, the tasks that are to be done
        `together` come first, all adapters keeping step, so that what they share need not be made
        again for each. `ends` says of which tasks it is known that they end the process. Raises
        OutOfTime when the monotonic clock is at `until`.
        """
        schedule = self._schedule
        for label, todo in tasks.items():
            schedule.add(label, todo, together, ends)
        results: SimpleQueue[Result | BaseException | _NothingLeft] = SimpleQueue()

        def work() -> None:
            lane: Lane[Task] | None = None
            try:
                while (claim := schedule.claim(lane)) is not None:
                    lane = claim.lane
                    outcome = self._perform(claim, call)
                    if not schedule.stopped:
                        results.put(judge(claim.task, outcome))
            except BaseException as error:  # a fault of ours: not lost in a thread
                results.put(error)
            finally:
                results.put(_NothingLeft())

        for _ in range(self._jobs):
            threading.Thread(target=work, daemon=True).start()
        _hand_on(results, handle, self._jobs, until)

    def time(self, label: str, request: CallRequest, seconds: float) -> list[float] | Outcome:
        """Durations of one call repeated on an adapter, with nothing else of the pool at work."""
        engine = self._alone(label)
        if not isinstance(engine, Engine):
            return engine
        time.sleep(SETTLE)
        return engine.time(request.tensors, request.native, request.device, seconds)

    def ask_alone(self, label: str, request: EngineRequest) -> Outcome:
        """The outcome of a call with nothing else of the pool at work."""
        engine = self._alone(label)
        return request.ask(engine) if isinstance(engine, Engine) else engine

    def _alone(self, label: str) -> Engine | Outcome:
        """A running process for an adapter that has the machine for itself; the outcome that stands
        for it if there is none.

        It is a process of its own, since others wait for work as those do that share the machine;
        those are ended first.
        """
        lane = self._schedule.lanes[label]
        if lane.failure is not None:
            return lane.failure
        if not self._apart:
            close_all(self._engines)
        if label not in self._apart:
            self._apart[label] = self._new_engine(lane.spec, alone=True)
        engine = self._apart[label]
        failed = self._restart(lane, engine)
        return engine if failed is None else failed

    def close(self) -> None:
        """End all processes, at once if they are at work."""
        working = self._schedule.stop()
        close_all(self._engines, 0.0 if working else 2.0, for_good=True)

    def _run_threads(self, work: Callable[[], None], count: int) -> None:
        threads = [threading.Thread(target=work, daemon=True) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():  # in pieces, so that Ctrl-C is seen
                thread.join(0.2)

    def _new_engine(self, spec: Spec, *, alone: bool = False) -> Engine:
        environment = self._environment if alone else {**self._environment, **NOT_ALONE}
        engine = Engine(spec, timeout=self._timeout, environment=environment)
        self._engines.append(engine)
        return engine

    def _perform(
        self, claim: Claim[Task], call: Callable[[Task], EngineRequest | Outcome]
    ) -> Outcome:
        """The outcome of a task, with the process that was claimed for it."""
        began = time.monotonic()
        lane, engine = claim.lane, claim.engine
        try:
            if engine is None:
                last = lane.failure or lane.hanging
                assert last is not None
                return last
            request = call(claim.task)
            if not isinstance(request, EngineRequest):
                return request
            outcome = self._ask(claim, engine, request)
            self._schedule.note(lane, outcome)
            return outcome
        finally:
            self._schedule.put_back(claim, time.monotonic() - began)

    def _ask(self, claim: Claim[Task], engine: Engine, request: EngineRequest) -> Outcome:
        """The outcome of a call. A process that had answered others and ends is no fault of this
        one: it is asked once more in a fresh one, and that counts.
        """
        failed = self._restart(claim.lane, engine)
        if failed is not None:
            return failed
        was_used = engine.answered > 0
        outcome = self._asked(claim.lane, engine, request)
        one = outcome.outcomes[0] if isinstance(outcome, Repeated) else outcome
        if not (was_used and isinstance(one, Crashed)) or claim.ends or self._schedule.stopped:
            return outcome
        failed = self._restart(claim.lane, engine)
        if failed is not None:
            return failed
        again = self._asked(claim.lane, engine, request)
        return again if isinstance(again, Crashed) else Again(outcome=again, first=one.message)

    def _asked(self, lane: Lane[Task], engine: Engine, request: EngineRequest) -> Outcome:
        """The outcome of a call, and of the same where something else changed that should not
        matter, if that is wanted.
        """
        outcome = request.ask(engine)
        first = outcome.outcomes[0] if isinstance(outcome, Repeated) else outcome
        specs = self._perturbed.get(lane.spec.label)
        if specs is None or not isinstance(first, Output | Gradients):
            return outcome
        assert isinstance(request, CallRequest), "arrays answer a call"
        if engine not in self._perturbations:
            self._perturbations[engine] = Perturbations(specs, self._new_engine)
        perturbed = self._perturbations[engine].outcomes(engine, request)
        return Varied(outcome=outcome, perturbed=perturbed)

    def _restart(self, lane: Lane[Task], engine: Engine) -> Outcome | None:
        """Start the process if it is gone; the outcome that stands for the call if that fails."""
        # In this order: it may die when it was looked at; one that `close` ended stays ended.
        while not engine.running:
            if self._schedule.stopped:
                return Crashed(message="ended, because the run was stopped")
            answer = engine.start()
            if isinstance(answer, Greeting):
                return None
            if engine.failed_starts >= MOST_FAILED_STARTS:
                with self._schedule.turn:
                    lane.failure = answer
                return answer
        return None


def _hand_on(
    results: SimpleQueue[Result | BaseException | _NothingLeft],
    handle: Callable[[Result], None],
    threads: int,
    until: float | None,
) -> None:
    """Give `handle` the results until all threads have ended; raise what one raised, OutOfTime."""
    while threads:
        try:
            left = None if until is None else max(0.0, until - time.monotonic())
            result = results.get(timeout=left)
        except Empty:
            raise OutOfTime from None
        if isinstance(result, _NothingLeft):
            threads -= 1
        elif isinstance(result, BaseException):
            raise result
        else:
            handle(result)
