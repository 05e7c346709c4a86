"""A run whose engines are beside the workers of a cluster: pieces of it are asked and judged there,
and recorded here.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from conformance.cluster import Crew, Piece, engine_name
from conformance.cluster.home import Home, here, rehomed
from conformance.corpus.shards import PRODUCTS_OF_A_CALL, cost
from conformance.errors import UsageError
from conformance.outcomes import Outcome
from conformance.run.blame import Blame
from conformance.run.plan import Task, environment_of, perturbations_of
from conformance.run.request import Request
from conformance.run.session import Session
from conformance.system.machine import description
from conformance.verdicts.verdict import Verdict
from conformance.workers.answers import Greeting
from conformance.workers.pool import OutOfTime, Pool
from conformance.workers.request import EngineRequest

CALLS_OF_A_PIECE = 12
"""What a worker that dies costs, at most; a case with many products counts as several."""

MOST_ENGINES = 4
"""Those that a worker keeps for the pieces to come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What every piece of a run needs before there is a session; `mark` tells runs apart."""

    request: Request
    home: Home
    mark: str


class ClusterPool(Pool[Task, Verdict]):
    """A pool whose engines are beside the workers of a crew."""

    def __init__(self, crew: Crew, request: Request) -> None:
        super().__init__(request.specs, jobs=1, timeout=request.timeout)
        crew.check(engine_name(spec.adapter, spec.label) for spec in request.specs)
        self._crew = crew
        self._engine_of = {
            spec.label: engine_name(spec.adapter, spec.label) for spec in request.specs
        }
        self._order = crew.shared(Order(request=request, home=here(), mark=token_hex(8)))
        self._session: Any = None
        self.machine: Mapping[str, Any] = {}
        """The machine of the workers, for the record."""

    def greet(self) -> dict[str, Greeting | Outcome]:
        """The greeting of every adapter, by one of the workers that have it."""
        pieces = [
            self._piece(label, _greeting, self._order, label, name="greet")
            for label in self._engine_of
        ]
        answers: dict[str, Greeting | Outcome] = {}
        for label, (answer, machine) in self._crew.results(pieces):
            answers[label] = answer
            self.machine = self.machine or machine
        return {label: answers[label] for label in self._engine_of}

    def attach(self, session: Session) -> None:
        """Have pieces be parts of this session from now on."""
        self._session = self._crew.shared(pickle.dumps(session))

    def run(
        self,
        tasks: Mapping[str, Sequence[Task]],
        call: Callable[[Task], EngineRequest | Outcome],
        judge: Callable[[Task, Outcome], Verdict],
        handle: Callable[[Verdict], None],
        together: Callable[[Task], bool] = lambda task: False,
        ends: Callable[[Task], bool] = lambda task: False,
        until: float | None = None,
    ) -> None:
        """As the pool's; `call`, `judge` and `ends` are those of the session, on the workers."""
        pieces = (
            self._piece(part[0].label, _verdicts, self._order, self._session, _words(part))
            for part in _parts(tasks, together)
        )
        try:
            for _, verdicts in self._crew.results(pieces, until):
                for verdict in verdicts:
                    handle(verdict)
        except TimeoutError:
            raise OutOfTime from None

    def ask_alone(self, label: str, request: EngineRequest) -> Outcome:
        """The outcome of a call in a new process, on a worker that does nothing else meanwhile."""
        outcome: Outcome = self._crew.result(
            self._piece(label, _alone, self._order, label, request, name="again")
        )
        return outcome

    def close(self) -> None:
        """Have the workers end the engines of this run."""
        self._crew.everywhere(_ended)

    def _piece(
        self, label: str, function: Callable[..., Any], *arguments: Any, name: str = ""
    ) -> Piece[str]:
        return Piece(
            tag=label,
            function=function,
            arguments=arguments,
            engine=self._engine_of[label],
            name=name or label,
        )


def _parts(
    tasks: Mapping[str, Sequence[Task]], together: Callable[[Task], bool]
) -> Iterator[list[Task]]:
    """The tasks of a run in pieces of one adapter that take about as long as one another. What is
    to be done together comes first, case by case.
    """
    first = [task for todo in tasks.values() for task in todo if together(task)]
    cases = {task.case.name: position for position, task in enumerate(first)}
    for task in sorted(first, key=lambda task: cases[task.case.name]):
        yield [task]
    for todo in tasks.values():
        part: list[Task] = []
        for task in todo:
            if not together(task):
                part.append(task)
            if sum(cost(one.case) for one in part) >= CALLS_OF_A_PIECE * PRODUCTS_OF_A_CALL:
                yield part
                part = []
        if part:
            yield part


def _words(tasks: Iterable[Task]) -> list[tuple[str, str, str, str]]:
    """Tasks without their cases, which the session has."""
    return [(task.case.name, task.label, task.device, task.quantity) for task in tasks]


# What follows is called on the workers.

_pools: dict[tuple[str, str], tuple[Pool[Task, Verdict], Greeting | Outcome]] = {}
"""By run and label: the engines at work beside this process, and their greetings."""

_sessions: dict[str, Session] = {}


def _pool(order: Order, label: str) -> tuple[Pool[Task, Verdict], Greeting | Outcome]:
    """The pool of one adapter, greeted; those that were not used for longest make room."""
    key = (order.mark, label)
    if key not in _pools:
        for old in [*_pools][: max(0, len(_pools) - MOST_ENGINES + 1)]:
            _pools.pop(old)[0].close()
        request = order.request
        (spec,) = (rehomed(spec, order.home) for spec in request.specs if spec.label == label)
        pool: Pool[Task, Verdict] = Pool(
            [spec],
            jobs=1,
            timeout=request.timeout,
            environment=environment_of(request),
            perturbed={label: perturbations_of(spec, request)} if request.invariance else None,
        )
        _pools[key] = (pool, pool.greet()[label])
    _pools[key] = _pools.pop(key)  # the last that was used
    return _pools[key]


def _greeting(order: Order, label: str) -> tuple[Greeting | Outcome, Mapping[str, Any]]:
    return _pool(order, label)[1], description()


def _verdicts(
    order: Order, session: bytes, words: Sequence[tuple[str, str, str, str]]
) -> list[Verdict]:
    """The verdicts of a piece. Raises UsageError where the engine here is not the run's."""
    label = words[0][1]
    if order.mark not in _sessions:
        _sessions.clear()
        _sessions[order.mark] = pickle.loads(session)
    here_run = _sessions[order.mark]
    pool, answer = _pool(order, label)
    _check(label, here_run.plan.greetings[label], answer)
    tasks = [
        Task(case=here_run.cases[name], label=label, device=device, quantity=quantity)
        for name, label, device, quantity in words
    ]
    blame = Blame(here_run, here_run.request.specs, environment_of(order.request))
    verdicts: list[Verdict] = []

    def sort(verdict: Verdict) -> None:
        if not blame.takes(verdict):
            verdicts.append(verdict)

    pool.run({label: tasks}, here_run.call, here_run.judge, sort, ends=here_run.ends)
    return [*verdicts, *blame.verdicts()]


def _check(label: str, reported: Greeting | Outcome, own: Greeting | Outcome) -> None:
    """Raise UsageError where workers have other engines under one label."""
    if not (isinstance(reported, Greeting) and isinstance(own, Greeting)):
        return
    for what in ("versions", "facts", "devices"):
        one, other = getattr(reported, what), getattr(own, what)
        if one != other:
            raise UsageError(
                f"--dask: {label} has {what} {other} on one worker and {one} on another, should "
                "have the same on all: choose by --needs, and merge the records of each kind"
            )


def _alone(order: Order, label: str, request: EngineRequest) -> Outcome:
    return _pool(order, label)[0].ask_alone(label, request)


def _ended() -> None:
    """End all engines beside this process."""
    while _pools:
        _pools.popitem()[1][0].close()
    _sessions.clear()
