"""Which process takes which call next.

With one job everything is in order: adapter after adapter, each case by case. With more, a free
place takes the adapter that has most work left, so that the slowest is never the last to begin; an
adapter gets a second process only when the rest of its work is worth more than starting one. A call
that is known to end its process counts as a start besides.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from conformance.outcomes import Again, Outcome, TimedOut
from conformance.workers.engine import MOST_LATE, Engine
from conformance.workers.spec import Spec

Task = TypeVar("Task")

_FIRST_GUESS = 0.05
"""The seconds per call that are assumed until one was measured."""
_WORTH_A_CHANGE = 3.0
"""Seconds that another adapter has to have more of: going from one to the other finds the caches
cold."""


@dataclass(slots=True)
class Lane(Generic[Task]):
    """The work of one adapter.

    `first` of the pending tasks are to be done before anything else, and `ending` of them are known
    to end the process; `failure` is what comes of every call once starting has failed too often,
    and `hanging` once too many calls in a row, `late` of them so far, have timed out.
    """

    spec: Spec
    pending: deque[Task] = field(default_factory=deque)
    first: int = 0
    ending: int = 0
    idle: list[Engine] = field(default_factory=list)
    busy: int = 0
    calls: int = 0
    seconds: float = 0.0
    start_seconds: float = 0.0
    failure: Outcome | None = None
    hanging: Outcome | None = None
    late: int = 0

    def cost(self) -> float:
        """Seconds of work left, as far as can be told."""
        calls = len(self.pending) * (self.seconds / self.calls if self.calls else _FIRST_GUESS)
        return calls + self.ending * self.start_seconds

    @property
    def is_ready(self) -> bool:
        """Whether its next task needs no second process."""
        return bool(self.idle) or self.is_abandoned or not self.busy

    @property
    def is_abandoned(self) -> bool:
        """Whether it is asked nothing any more."""
        return self.failure is not None or self.hanging is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim(Generic[Task]):
    """A task that a thread is to do, and the process to do it with; `is_first` if it is one of
    those that come before anything else, `ends` if it is known to end the process.
    """

    lane: Lane[Task]
    engine: Engine | None
    task: Task
    is_first: bool
    ends: bool


class Schedule(Generic[Task]):
    """The lanes of a pool, and what its threads are to do next. `turn` is held while they look."""

    def __init__(
        self, specs: Sequence[Spec], *, jobs: int, start: Callable[[Spec], Engine]
    ) -> None:
        self.lanes: dict[str, Lane[Task]] = {spec.label: Lane(spec=spec) for spec in specs}
        self.turn = threading.Condition()
        self.stopped = False
        self._jobs, self._start = jobs, start
        self._ends: Callable[[Task], bool] = lambda task: False

    def add(
        self,
        label: str,
        tasks: Sequence[Task],
        together: Callable[[Task], bool],
        ends: Callable[[Task], bool],
    ) -> None:
        """Give an adapter its tasks; `together` and `ends` as for `Pool.run`."""
        self._ends = ends
        lane = self.lanes[label]
        lane.first = sum(map(together, tasks)) if self._jobs > 1 else 0
        lane.ending = sum(map(ends, tasks))
        lane.pending.extend(
            sorted(tasks, key=lambda task: not together(task)) if lane.first else tasks
        )

    def claim(self, last: Lane[Task] | None) -> Claim[Task] | None:
        """The next piece of work, for a thread that did something of `last`; waits while all is
        being done, and is None when nothing is left.
        """
        with self.turn:
            while not self.stopped:
                waiting = [lane for lane in self.lanes.values() if lane.pending]
                if not waiting:
                    return None
                lane = self._choose(waiting, last)
                if lane is not None:
                    return self._take(lane)
                self.turn.wait()
        return None

    def put_back(self, claim: Claim[Task], seconds: float) -> None:
        """The claim is done, and took so long. What comes first is larger, and says nothing of the
        rest.
        """
        lane = claim.lane
        with self.turn:
            lane.busy -= 1
            if not claim.is_first:
                lane.calls += 1
                lane.seconds += seconds
            if claim.engine is not None:
                lane.idle.append(claim.engine)
            self.turn.notify_all()

    def note(self, lane: Lane[Task], outcome: Outcome) -> None:
        """Give an adapter up once it hangs: as many calls as may time out in a row have done so."""
        last = outcome.outcome if isinstance(outcome, Again) else outcome
        with self.turn:
            lane.late = lane.late + 1 if isinstance(last, TimedOut) else 0
            if lane.late >= MOST_LATE and isinstance(last, TimedOut):
                text = f"\nnot asked: {lane.late} calls in a row timed out"
                lane.hanging = replace(last, message=text, computed=None)

    def stop(self) -> bool:
        """Give nobody anything any more; whether somebody is at work."""
        with self.turn:
            self.stopped = True
            self.turn.notify_all()
            return any(lane.busy for lane in self.lanes.values())

    def _take(self, lane: Lane[Task]) -> Claim[Task]:
        engine = None
        if not lane.is_abandoned:
            engine = lane.idle.pop() if lane.idle else self._start(lane.spec)
        lane.busy += 1
        is_first = lane.first > 0
        lane.first -= is_first
        task = lane.pending.popleft()
        ends = self._ends(task)
        lane.ending -= ends
        return Claim(lane=lane, engine=engine, task=task, is_first=is_first, ends=ends)

    def _choose(self, waiting: Sequence[Lane[Task]], last: Lane[Task] | None) -> Lane[Task] | None:
        ready = [lane for lane in waiting if lane.is_ready]
        if self._jobs == 1:
            return ready[0] if ready else None
        if ready:
            best = max(ready, key=lambda lane: (lane.first, lane.cost()))
            if last is None or last not in ready or best.first:
                return best
            return last if best.cost() - last.cost() < _WORTH_A_CHANGE else best
        worth = [
            lane for lane in waiting if lane.calls and lane.cost() > 2 * lane.start_seconds + 1
        ]
        return max(worth, key=Lane.cost) if worth else None
