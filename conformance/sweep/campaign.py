"""A sweep: random calls through one engine after the other, every distinct failure shrunk and
written as a case.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from conformance.adapters import thread_environment
from conformance.corpus.shards import Shard
from conformance.errors import UsageError
from conformance.outcomes import Unsupported
from conformance.sweep.attempt import Caller, Tried, skeleton
from conformance.sweep.call import Drawn
from conformance.sweep.declared import Declared
from conformance.sweep.draw import Drawer, Wish
from conformance.sweep.investigation import Investigation
from conformance.sweep.kinds import Failure, Kind, kind_of
from conformance.sweep.standby import LostError, Standby
from conformance.workers.answers import Greeting
from conformance.workers.protocol import NO_GRADIENTS
from conformance.workers.spec import Spec

TIMEOUT = 30.0  # seconds of a call: they are small, and a compiler may be part of one
MOST_WRITTEN = 60  # distinct failures of an adapter that are shrunk; the others are counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The calls to draw, the engines to sweep, and the folder of the failures."""

    seed: int
    count: int
    wish: Wish
    specs: Sequence[Spec]
    folder: Path
    threads: int = 1
    timeout: float = TIMEOUT
    device: str | None = None
    """The device to run on; an engine's first where none is given."""
    indices: Sequence[int] = ()
    """The numbers of the calls to make; the first `count` where there are none."""
    shard: Shard | None = None
    """Of N, the one that makes every N-th of these calls; all of them if there is none."""
    corpora: Sequence[Path] = ()
    """The corpora whose known differences are told and not shrunk."""

    @property
    def numbers(self) -> Sequence[int]:
        numbers = self.indices or range(1, self.count + 1)
        if self.shard is None:
            return numbers
        return [one for one in numbers if (one - self.shard.number) % self.shard.of == 0]

    def address(self, number: int) -> str:
        """The options with which the command makes this one call again."""
        return " ".join(("--seed", str(self.seed), "--index", str(number), *self.wish.words))


@dataclass(slots=True, kw_only=True)
class Swept:
    """The result of one adapter: `seconds` is the whole, `shrinking` the part for shrinking and
    writing. `known` counts failures by the declared reason.
    """

    label: str
    calls: int = 0
    seconds: float = 0.0
    shrinking: float = 0.0
    lost: int = 0
    failures: dict[Kind, Failure] = field(default_factory=dict)
    known: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    redrawn: Counter[str] = field(default_factory=Counter)
    given_up: str | None = None

    @property
    def rate(self) -> float:
        """Calls a second, without what failures took."""
        return self.calls / max(self.seconds - self.shrinking, 1e-9)

    @property
    def fails(self) -> bool:
        return bool(self.failures) or self.given_up is not None


def sweep(request: Request, report_line: Callable[[str], None] = lambda line: None) -> list[Swept]:
    """Sweep every adapter; `report_line` gets a line for each distinct failure when it is found.

    Raises UsageError for an adapter that does not start, before anything runs, and RecordError
    where nothing can be written.
    """
    environment = thread_environment(request.threads)
    standbys = [
        Standby(spec, timeout=request.timeout, environment=environment) for spec in request.specs
    ]
    try:
        greetings = [_greeted(standby, request.device) for standby in standbys]
        swept = []
        for standby, greeting in zip(standbys, greetings, strict=True):
            swept.append(_Sweep(request, standby, greeting, report_line).go())
            standby.close()
        return swept
    finally:
        for standby in standbys:
            standby.close()


def _greeted(standby: Standby, device: str | None) -> Greeting:
    answer = standby.start()
    if not isinstance(answer, Greeting):
        why = getattr(answer, "reason", None) or getattr(answer, "message", answer)
        raise UsageError(f"{standby.spec.label} does not start: {why}")
    if device is not None and device not in answer.devices:
        available = ", ".join(answer.devices)
        raise UsageError(
            f"{standby.spec.label} has no device {device}, should be one of {available}"
        )
    return answer


class _Sweep:
    """The sweep of one adapter."""

    def __init__(
        self,
        request: Request,
        standby: Standby,
        greeting: Greeting,
        report_line: Callable[[str], None],
    ) -> None:
        self.request, self.report_line, self.standby = request, report_line, standby
        self.caller = Caller(
            standby,
            convention=greeting.convention,
            device=request.device or greeting.devices[0],
            hidden=greeting.unknown,
        )
        self.quantity = greeting.quantities[0]
        self.drawer = Drawer(
            request.seed, greeting.convention, request.wish, quantity=self.quantity
        )
        self.declared = Declared(caller=self.caller, greeting=greeting, corpora=request.corpora)
        self.investigation = Investigation(
            self.caller, greeting, folder=request.folder, threads=request.threads
        )
        self.swept = Swept(label=standby.spec.label, redrawn=self.drawer.redrawn)
        self.explained: dict[Kind, str] = {}
        self.has_gradients = True

    def go(self) -> Swept:
        began = time.monotonic()
        try:
            for number in self.request.numbers:
                self._draw(number)
        except LostError as error:
            self.swept.given_up = str(error)
        self.swept.seconds = time.monotonic() - began
        self.swept.lost = self.standby.lost
        return self.swept

    def _draw(self, number: int) -> None:
        """One drawn call; what gives no output for its arguments' sake has no gradients either."""
        drawn = self.drawer.draw(number)
        output = self._call(number, drawn, self.quantity)
        answered = output.verdict.status in ("conforms", "differs")
        if drawn.gradients and self.has_gradients and answered:
            outcome = self._call(number, drawn, "gradients").outcome
            if outcome == Unsupported(reason=NO_GRADIENTS):
                self.has_gradients = False

    def _call(self, number: int, drawn: Drawn, quantity: str) -> Tried:
        tried = self.caller.tried(drawn, quantity)
        self.swept.calls += 1
        if isinstance(tried.outcome, Unsupported):
            self.swept.refused[skeleton(tried.outcome.reason)] += 1
        if tried.way is not None:
            began = time.monotonic()
            self._failed(number, tried, kind_of(tried))
            self.swept.shrinking += time.monotonic() - began
        return tried

    def _failed(self, number: int, tried: Tried, kind: Kind) -> None:
        """Count a failure, and look into it if it is the first of its kind and not declared."""
        if kind in self.swept.failures:
            self.swept.failures[kind].count += 1
            return
        reason = self.explained.get(kind) or self.declared.reason(tried)
        if reason is not None:
            self.explained[kind] = reason
            self.swept.known[reason] += 1
            return
        failure = self.swept.failures[kind] = Failure(kind=kind, call=number)
        address = self.request.address(number)
        if len(self.swept.failures) <= MOST_WRITTEN:
            self.investigation.write(tried, failure, seed=self.request.seed, address=address)
        often = "" if failure.repeats else ", not every time"
        self.report_line(f"{self.swept.label} {address}: {kind}{often}")
