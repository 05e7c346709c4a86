"""A sweep on the workers of a cluster: what fails is found by all of them, then looked into once.

The earliest call of a kind speaks for it, as in `campaign`, so that the failures are the same.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from conformance.cluster import Crew, Piece, engine_name
from conformance.cluster.home import Home, here, rehomed
from conformance.errors import RecordError
from conformance.sweep.attempt import Attempt
from conformance.sweep.campaign import MOST_WRITTEN, Swept, engine_of
from conformance.sweep.desk import Desk
from conformance.sweep.kinds import Failure, Kind, Known, kind_of
from conformance.sweep.request import Request
from conformance.sweep.standby import LostError
from conformance.sweep.write import write_text
from conformance.workers.spec import Spec

CALLS_OF_A_PIECE = 500
"""About a second of work: what a worker that dies costs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What every piece of a sweep needs: `number` is the engine's place in the request."""

    request: Request
    home: Home
    number: int

    @property
    def spec(self) -> Spec:
        return rehomed(self.request.specs[self.number], self.home)


@dataclass(slots=True, kw_only=True)
class Survey:
    """What some calls of one engine came to: of each kind of failure the first, with the number of
    its call, and how many there are.
    """

    engine: dict[str, Any]
    calls: int = 0
    seconds: float = 0.0
    refused: Counter[str] = field(default_factory=Counter)
    redrawn: Counter[str] = field(default_factory=Counter)
    first: dict[Kind, tuple[int, Attempt]] = field(default_factory=dict)
    counts: Counter[Kind] = field(default_factory=Counter)
    has_gradients: bool = True
    stop_reason: str | None = None

    def add(self, other: Survey) -> None:
        """Take in another one of the same engine."""
        self.calls += other.calls
        self.seconds += other.seconds
        self.refused += other.refused
        self.redrawn += other.redrawn
        self.counts += other.counts
        self.has_gradients &= other.has_gradients
        self.stop_reason = self.stop_reason or other.stop_reason
        for kind, (number, attempt) in other.first.items():
            if kind not in self.first or number < self.first[kind][0]:
                self.first[kind] = (number, attempt)


def sweep_on(
    crew: Crew, request: Request, report_line: Callable[[str], None] = lambda line: None
) -> list[Swept]:
    """Sweep every adapter on a crew; otherwise as `sweep`."""
    crew.check(engine_name(spec.adapter, spec.label) for spec in request.specs)
    return [_Sweep(crew, request, number, report_line).go() for number in range(len(request.specs))]


class _Sweep:
    """The sweep of one adapter."""

    def __init__(
        self, crew: Crew, request: Request, number: int, report_line: Callable[[str], None]
    ) -> None:
        self.crew, self.request, self.report_line = crew, request, report_line
        spec = request.specs[number]
        self.label, self.engine = spec.label, engine_name(spec.adapter, spec.label)
        self.order = crew.shared(Order(request=request, home=here(), number=number))

    def go(self) -> Swept:
        began = time.monotonic()
        survey = self._survey()
        swept = Swept(
            label=self.label,
            engine=survey.engine,
            calls=survey.calls,
            refused=survey.refused,
            redrawn=survey.redrawn,
            has_gradients=survey.has_gradients,
            stop_reason=survey.stop_reason,
        )
        since = time.monotonic()
        self._sort(survey, swept)
        self._write(survey, swept)
        swept.shrinking = time.monotonic() - since
        swept.seconds = time.monotonic() - began
        return swept

    def _survey(self) -> Survey:
        numbers = self.request.numbers
        pieces = (
            self._piece(at, _survey, numbers[at : at + CALLS_OF_A_PIECE])
            for at in range(0, len(numbers), CALLS_OF_A_PIECE)
        )
        whole: Survey | None = None
        for _, survey in self.crew.results(pieces):
            if whole is None:
                whole = survey
            elif survey.engine != whole.engine:
                raise RecordError(
                    f"{self.label}: is {survey.engine} on one worker and {whole.engine} on "
                    "another, should be the same on all: choose by --needs, and merge what each "
                    "kind found"
                )
            else:
                whole.add(survey)
            if survey.stop_reason is not None:
                break
        assert whole is not None, "at least one call"
        return whole

    def _sort(self, survey: Survey, swept: Swept) -> None:
        """Tell what is declared from what is not, by the first of each kind, in their order."""
        firsts = sorted(
            survey.first.items(),
            key=lambda one: (one[1][0], one[0].signature.quantity == "gradients"),
        )
        if not firsts:
            return
        reasons = self.crew.result(
            self._piece(0, _reasons, [attempt for _, (_, attempt) in firsts], name="declared")
        )
        for (kind, (number, _)), reason in zip(firsts, reasons, strict=True):
            count = survey.counts[kind]
            if reason is None:
                swept.failures[kind] = Failure(kind=kind, call=number, count=count)
            else:
                swept.known[kind] = Known(kind=kind, call=number, reason=reason, count=count)

    def _write(self, survey: Survey, swept: Swept) -> None:
        """Have the first failures looked into, all at a time."""
        pieces = [
            self._piece(kind, _looked_into, failure, survey.first[kind][1], name="shrink")
            for kind, failure in list(swept.failures.items())[:MOST_WRITTEN]
        ]
        for kind, (failure, text) in self.crew.results(pieces):
            file = self.request.folder / failure.file.name
            write_text(file, text)
            swept.failures[kind] = replace(failure, file=file)
        for kind, failure in swept.failures.items():
            often = "" if failure.repeats else ", not every time"
            address = self.request.address(failure.call)
            self.report_line(f"{self.label} {address}: {kind}{often}")

    def _piece(
        self, tag: Any, function: Callable[..., Any], *arguments: Any, name: str = ""
    ) -> Piece[Any]:
        return Piece(
            tag=tag,
            function=function,
            arguments=(self.order, *arguments),
            engine=self.engine,
            name=name or self.label,
        )


_desks: dict[str, Desk] = {}
"""The engines that are at work in this process, one for each order that it had."""


def _desk(order: Order) -> Desk:
    """The engine of an order, started if this process has not had it yet. Only one works here at a
    time: those of other orders are ended.
    """
    key = repr(order)
    if key not in _desks:
        _ended()
        desk = Desk(order.request, order.spec)
        desk.start()
        _desks[key] = desk
    return _desks[key]


def _survey(order: Order, numbers: Sequence[int]) -> Survey:
    """Make these calls, on a worker."""
    began = time.monotonic()
    desk = _desk(order)
    desk.forget()
    survey = Survey(engine=engine_of(desk))
    try:
        for number in numbers:
            for attempt in desk.failing(number):
                kind = kind_of(attempt)
                survey.counts[kind] += 1
                survey.first.setdefault(kind, (number, attempt))
    except LostError as error:
        survey.stop_reason = str(error)
        del _desks[repr(order)]
    survey.calls, survey.refused, survey.redrawn = desk.calls, desk.refused, desk.redrawn
    survey.has_gradients = desk.has_gradients
    survey.seconds = time.monotonic() - began
    return survey


def _reasons(order: Order, firsts: Sequence[Attempt]) -> list[str | None]:
    """Why each of these failures is declared, on a worker."""
    return [_desk(order).declared.reason(attempt) for attempt in firsts]


def _looked_into(order: Order, failure: Failure, first: Attempt) -> tuple[Failure, str]:
    """A failure with its smallest call, and the text of its file, on a worker."""
    request = order.request
    with tempfile.TemporaryDirectory() as folder:
        _desk(order).investigation(Path(folder)).write(
            first, failure, seed=request.seed, address=request.address(failure.call)
        )
        assert failure.file is not None, "was just written"
        return failure, failure.file.read_text(encoding="utf-8")


def _ended() -> None:
    """End the engine beside this process."""
    while _desks:
        _desks.popitem()[1].close()
