"""Many engines at work at once: which process takes which call next.

With one job everything is in order: adapter after adapter, each case by case. With more, a free
place takes the adapter that has most work left, so that the slowest is never the last to begin; an
adapter gets a second process only when the rest of its work is worth more than starting one. A call
that is known to end its process counts as a start besides.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Generic, TypeVar

from conformance.adapters import NOT_ALONE
from conformance.outcomes import Crashed, Gradients, Outcome, Output, Repeated, Unavailable, Varied
from conformance.workers.engine import MOST_FAILED_STARTS, Engine, Greeting, Spec, close_all
from conformance.workers.perturbations import Companions
from conformance.workers.request import Asked
from conformance.workers.timing import SETTLE

Task = TypeVar("Task")
Result = TypeVar("Result")

_FIRST_GUESS = 0.05  # seconds per call, until one was measured
# seconds that another adapter has to have more of: going from one to the other finds the caches
# cold
_WORTH_A_CHANGE = 3.0


@dataclass(slots=True)
class _Lane(Generic[Task]):
    """The work of one adapter."""

    spec: Spec
    pending: deque[Task] = field(default_factory=deque)
    first: int = 0  # how many of these are to be done before anything else
    ending: int = 0  # how many of these are known to end the process
    idle: list[Engine] = field(default_factory=list)
    busy: int = 0
    calls: int = 0
    seconds: float = 0.0
    start_seconds: float = 0.0
    verdict: Outcome | None = None  # of every call, once starting it has failed too often

    def cost(self) -> float:
        """Seconds of work left, as far as can be told."""
        calls = len(self.pending) * (self.seconds / self.calls if self.calls else _FIRST_GUESS)
        return calls + self.ending * self.start_seconds


class _NothingLeft:
    """What a thread hands on when it ends."""


class Pool(Generic[Task, Result]):
    """Engines by label, greeted once and then put to work."""

    def __init__(
        self,
        specs: Sequence[Spec],
        *,
        jobs: int,
        timeout: float,
        environment: Mapping[str, str] | None = None,
        asides: Mapping[str, Mapping[str, Spec]] | None = None,
    ) -> None:
        self._jobs, self._timeout, self._environment = jobs, timeout, environment or {}
        self._apart: dict[str, Engine] = {}
        self._ends: Callable[[Task], bool] = lambda task: False
        self._asides = asides or {}  # by label and aspect: who answers every call too
        self._companions: dict[Engine, Companions] = {}
        self._lanes: dict[str, _Lane[Task]] = {spec.label: _Lane(spec=spec) for spec in specs}
        self._engines: list[Engine] = []
        self._turn = threading.Condition()
        self._stopped = False

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
        labels = deque(self._lanes)
        answers: dict[str, Greeting | Outcome] = {}

        def work() -> None:
            while not self._stopped:
                with self._turn:
                    if not labels:
                        return
                    label = labels.popleft()
                    engine = self._new_engine(self._lanes[label].spec)
                answer = engine.start()
                while (
                    not isinstance(answer, Greeting | Unavailable)
                    and engine.failed_starts < MOST_FAILED_STARTS
                ):
                    if self._stopped:
                        return
                    answer = engine.start()
                with self._turn:
                    answers[label] = answer
                    self._lanes[label].start_seconds = engine.start_seconds
                    if isinstance(answer, Greeting):
                        self._lanes[label].idle.append(engine)
                    else:
                        self._lanes[label].verdict = answer

        self._run_threads(work, min(self._jobs, len(self._lanes)))
        return {label: answers[label] for label in self._lanes if label in answers}

    def run(
        self,
        tasks: Mapping[str, Sequence[Task]],
        call: Callable[[Task], Asked | Outcome],
        judge: Callable[[Task, Outcome], Result],
        handle: Callable[[Result], None],
        together: Callable[[Task], bool] = lambda task: False,
        ends: Callable[[Task], bool] = lambda task: False,
    ) -> None:
        """Call every task on its adapter and hand on what `judge` makes of the outcome, in the
        caller's own thread.

        `call` says what to ask, or gives the outcome where the engine need not be asked. It and
        `judge` run in the pool's threads. With more than one job, the tasks that are to be done
        `together` come first, all adapters keeping step, so that what they share need not be made
        again for each. `ends` says of which tasks it is known that they end the process.
        """
        self._ends = ends
        for label, todo in tasks.items():
            lane = self._lanes[label]
            lane.first = sum(map(together, todo)) if self._jobs > 1 else 0
            lane.ending = sum(map(ends, todo))
            lane.pending.extend(
                sorted(todo, key=lambda task: not together(task)) if lane.first else todo
            )
        results: SimpleQueue[Result | BaseException | _NothingLeft] = SimpleQueue()

        def work() -> None:
            lane: _Lane[Task] | None = None
            try:
                while (claimed := self._claim(lane)) is not None:
                    lane, engine, task, is_first = claimed
                    outcome = self._perform(lane, engine, task, call, counts=not is_first)
                    if not self._stopped:
                        results.put(judge(task, outcome))
            except (
                BaseException
            ) as error:  # a fault of ours: told to the caller, not lost in a thread
                results.put(error)
            finally:
                results.put(_NothingLeft())

        threads = [threading.Thread(target=work, daemon=True) for _ in range(self._jobs)]
        for thread in threads:
            thread.start()
        running = len(threads)
        while running:
            result = results.get()
            if isinstance(result, _NothingLeft):
                running -= 1
            elif isinstance(result, BaseException):
                raise result
            else:
                handle(result)

    def time(self, label: str, asked: Asked, seconds: float) -> list[float] | Outcome:
        """Durations of one call repeated on an adapter, with nothing else of the pool at work."""
        engine = self._alone(label)
        if not isinstance(engine, Engine):
            return engine
        time.sleep(SETTLE)
        return engine.time(asked.tensors, asked.native, asked.device, seconds)

    def ask_alone(self, label: str, asked: Asked) -> Outcome:
        """What comes of a call with nothing else of the pool at work."""
        engine = self._alone(label)
        return asked.ask(engine) if isinstance(engine, Engine) else engine

    def _alone(self, label: str) -> Engine | Outcome:
        """A running process for an adapter that has the machine for itself; the outcome that stands
        for it if there is none.

        It is a process of its own, since others wait for work as those do that share the machine;
        those are ended first.
        """
        lane = self._lanes[label]
        if lane.verdict is not None:
            return lane.verdict
        if not self._apart:
            close_all(self._engines)
        if label not in self._apart:
            self._apart[label] = self._new_engine(lane.spec, alone=True)
        engine = self._apart[label]
        failed = self._restart(lane, engine)
        return engine if failed is None else failed

    def close(self) -> None:
        """End all processes, at once if they are at work."""
        with self._turn:
            self._stopped = True
            working = any(lane.busy for lane in self._lanes.values())
            self._turn.notify_all()
        close_all(self._engines, 0.0 if working else 2.0)

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

    def _asked(self, lane: _Lane[Task], engine: Engine, asked: Asked) -> Outcome:
        outcome = asked.ask(engine)
        first = outcome.outcomes[0] if isinstance(outcome, Repeated) else outcome
        if lane.spec.label not in self._asides or not isinstance(first, Output | Gradients):
            return outcome
        if engine not in self._companions:
            self._companions[engine] = Companions(self._asides[lane.spec.label], self._new_engine)
        return Varied(outcome=outcome, asides=self._companions[engine].aside(engine, asked))

    def _claim(
        self, last: _Lane[Task] | None
    ) -> tuple[_Lane[Task], Engine | None, Task, bool] | None:
        """The next piece of work, the process to do it, and whether it is of what comes first;
        waits while all is being done.
        """
        with self._turn:
            while not self._stopped:
                waiting = [lane for lane in self._lanes.values() if lane.pending]
                if not waiting:
                    return None
                lane = self._choose(waiting, last)
                if lane is not None:
                    engine = None
                    if lane.verdict is None:
                        engine = lane.idle.pop() if lane.idle else self._new_engine(lane.spec)
                    lane.busy += 1
                    is_first = lane.first > 0
                    lane.first -= is_first
                    task = lane.pending.popleft()
                    lane.ending -= self._ends(task)
                    return lane, engine, task, is_first
                self._turn.wait()
        return None

    def _choose(
        self, waiting: Sequence[_Lane[Task]], last: _Lane[Task] | None
    ) -> _Lane[Task] | None:
        ready = [lane for lane in waiting if lane.idle or lane.verdict is not None or not lane.busy]
        if self._jobs == 1:
            return ready[0] if ready else None
        if ready:
            best = max(ready, key=lambda lane: (lane.first, lane.cost()))
            stays = last in ready and not best.first and best.cost() - last.cost() < _WORTH_A_CHANGE
            return last if stays else best
        worth = [
            lane for lane in waiting if lane.cost() > 2 * lane.start_seconds + 1 and lane.calls
        ]
        return max(worth, key=_Lane.cost) if worth else None

    def _perform(
        self,
        lane: _Lane[Task],
        engine: Engine | None,
        task: Task,
        call: Callable[[Task], Asked | Outcome],
        *,
        counts: bool,
    ) -> Outcome:
        """The outcome of a task; what it took `counts` for what is expected of the rest."""
        began = time.monotonic()
        try:
            if engine is None:
                assert lane.verdict is not None
                return lane.verdict
            asked = call(task)
            if not isinstance(asked, Asked):
                return asked
            failed = self._restart(lane, engine)
            return self._asked(lane, engine, asked) if failed is None else failed
        finally:
            with self._turn:
                lane.busy -= 1
                if counts:  # what comes first is larger, and says nothing of the rest
                    lane.calls += 1
                    lane.seconds += time.monotonic() - began
                if engine is not None:
                    lane.idle.append(engine)
                self._turn.notify_all()

    def _restart(self, lane: _Lane[Task], engine: Engine) -> Outcome | None:
        """Start the process if it is gone; the outcome that stands for the call if that fails."""
        while not engine.running and not self._stopped:
            answer = engine.start()
            if isinstance(answer, Greeting):
                return None
            if engine.failed_starts >= MOST_FAILED_STARTS:
                with self._turn:
                    lane.verdict = answer
                return answer
        return None if engine.running else Crashed(message="ended, because the run was stopped")
