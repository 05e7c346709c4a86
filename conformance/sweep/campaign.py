"""A sweep: random calls through one engine after the other, every distinct failure shrunk and
written as a case.

The earliest call of a kind speaks for it: whether it is declared, and by which case it is shown.
So the same failures come of any split of the calls, in whatever order they are made.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from conformance.sweep.attempt import Attempt
from conformance.sweep.desk import Desk
from conformance.sweep.kinds import Failure, Kind, Known, kind_of
from conformance.sweep.request import Request
from conformance.sweep.standby import LostError

MOST_WRITTEN = 60  # distinct failures of an adapter that are shrunk; the others are counted


@dataclass(slots=True, kw_only=True)
class Swept:
    """The result of one adapter: `seconds` is the whole, `shrinking` the part for shrinking and
    writing; `engine` says which one it was: adapter, versions, device and facts.
    """

    label: str
    engine: dict[str, Any]
    calls: int = 0
    seconds: float = 0.0
    shrinking: float = 0.0
    lost: int = 0
    failures: dict[Kind, Failure] = field(default_factory=dict)
    known: dict[Kind, Known] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    redrawn: Counter[str] = field(default_factory=Counter)
    has_gradients: bool = True
    stop_reason: str | None = None

    @property
    def rate(self) -> float:
        """Calls a second, without what failures took."""
        return self.calls / max(self.seconds - self.shrinking, 1e-9)

    @property
    def reasons(self) -> Counter[str]:
        """How many failures are declared, by the reason."""
        counts: Counter[str] = Counter()
        for one in self.known.values():
            counts[one.reason] += one.count
        return counts

    @property
    def fails(self) -> bool:
        return bool(self.failures) or self.stop_reason is not None


def sweep(request: Request, report_line: Callable[[str], None] = lambda line: None) -> list[Swept]:
    """Sweep every adapter; `report_line` gets a line for each distinct failure when it is found.

    Raises UsageError for an adapter that does not start, before anything runs, and RecordError
    where nothing can be written.
    """
    desks = [Desk(request, spec) for spec in request.specs]
    try:
        for desk in desks:
            desk.start()
        swept = []
        for desk in desks:
            swept.append(_Sweep(desk, report_line).go())
            desk.close()
        return swept
    finally:
        for desk in desks:
            desk.close()


def engine_of(desk: Desk) -> dict[str, Any]:
    """Which engine it is, as `failures.json` says it."""
    return {
        "adapter": desk.standby.spec.adapter,
        "versions": dict(desk.greeting.versions),
        "device": desk.device,
        "facts": dict(desk.greeting.facts),
    }


class _Sweep:
    """The sweep of one adapter."""

    def __init__(self, desk: Desk, report_line: Callable[[str], None]) -> None:
        self.desk, self.request, self.report_line = desk, desk.request, report_line
        self.investigation = desk.investigation(self.request.folder)
        self.swept = Swept(label=desk.standby.spec.label, engine=engine_of(desk))

    def go(self) -> Swept:
        swept, desk = self.swept, self.desk
        began = time.monotonic()
        try:
            for number in self.request.numbers:
                for attempt in desk.failing(number):
                    since = time.monotonic()
                    self._failed(number, attempt, kind_of(attempt))
                    swept.shrinking += time.monotonic() - since
        except LostError as error:
            swept.stop_reason = str(error)
        swept.seconds = time.monotonic() - began
        swept.lost = desk.standby.lost
        swept.calls, swept.refused, swept.redrawn = desk.calls, desk.refused, desk.redrawn
        swept.has_gradients = desk.has_gradients
        return swept

    def _failed(self, number: int, attempt: Attempt, kind: Kind) -> None:
        """Count a failure, and look into it if it is the first of its kind and not declared."""
        before = self.swept.failures.get(kind) or self.swept.known.get(kind)
        if before is not None:
            before.count += 1
            return
        reason = self.desk.declared.reason(attempt)
        if reason is not None:
            self.swept.known[kind] = Known(kind=kind, call=number, reason=reason)
            return
        failure = self.swept.failures[kind] = Failure(kind=kind, call=number)
        address = self.request.address(number)
        if len(self.swept.failures) <= MOST_WRITTEN:
            self.investigation.write(attempt, failure, seed=self.request.seed, address=address)
        often = "" if failure.repeats else ", not every time"
        self.report_line(f"{self.swept.label} {address}: {kind}{often}")
