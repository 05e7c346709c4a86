"""A sweep: random calls through one engine after the other, every distinct failure shrunk and
written as a case.
"""

from __future__ import annotations

import shlex
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from conformance.adapters import thread_environment
from conformance.errors import UsageError
from conformance.outcomes import Unsupported
from conformance.sweep.attempt import Caller, Tried, Way, skeleton
from conformance.sweep.call import Drawn
from conformance.sweep.draw import Drawer, Wish
from conformance.sweep.shrink import shrunk
from conformance.sweep.standby import LostError, Standby
from conformance.sweep.write import write_case
from conformance.workers.answers import Greeting
from conformance.workers.engine import Spec

TIMEOUT = 30.0  # seconds of a call: they are small, and a compiler may be part of one
MOST_SHRINKING_CALLS = 400  # of one failure
MOST_LOST = {"crashed": 24, "timed-out": 4}  # processes that shrinking one failure may cost
ATTEMPTS = 3  # of a call that is wrong now and then
LONGEST_SHOWN = 120  # of a kind, on a terminal
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """The kind of a failure: two failures of one kind count as the same."""

    way: Way
    diagnosis: str | None
    dtype: str
    rank: int
    grouped: bool

    def __str__(self) -> str:
        diagnosis = f" ({self.diagnosis})" if self.diagnosis else ""
        groups = ", groups" if self.grouped else ""
        kind = self.way.kind
        if len(kind) > LONGEST_SHOWN:  # the end of a message often says more than its beginning
            kind = f"{kind[: LONGEST_SHOWN // 3]} ... {kind[-2 * LONGEST_SHOWN // 3 :]}"
        return (
            f"{self.way.quantity} {self.way.status}: {kind}{diagnosis}, {self.dtype}, "
            f"{self.rank}-D{groups}"
        )


@dataclass(slots=True, kw_only=True)
class Failure:
    """The first failure of its kind, where it was written (None where there were too many), and how
    many there are.
    """

    kind: Kind
    call: int
    file: Path | None = None
    count: int = 1


@dataclass(slots=True, kw_only=True)
class Swept:
    """The result of one adapter: `seconds` is the whole, `shrinking` the part for shrinking and
    writing.
    """

    label: str
    calls: int = 0
    seconds: float = 0.0
    shrinking: float = 0.0
    lost: int = 0
    failures: dict[Kind, Failure] = field(default_factory=dict)
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
        greetings = [_greeted(standby) for standby in standbys]
        swept = []
        for standby, greeting in zip(standbys, greetings, strict=True):
            swept.append(_Sweep(request, standby, greeting, report_line).go())
            standby.close()
        return swept
    finally:
        for standby in standbys:
            standby.close()


def _greeted(standby: Standby) -> Greeting:
    answer = standby.start()
    if not isinstance(answer, Greeting):
        why = getattr(answer, "reason", None) or getattr(answer, "message", answer)
        raise UsageError(f"{standby.spec.label} does not start: {why}")
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
        self.request, self.standby, self.report_line = request, standby, report_line
        self.versions = ", ".join(
            f"{name} {version}" for name, version in greeting.versions.items()
        )
        self.caller = Caller(standby, convention=greeting.convention, device=greeting.devices[0])
        self.drawer = Drawer(request.seed, greeting.convention, request.wish)
        self.swept = Swept(label=standby.spec.label, redrawn=self.drawer.redrawn)
        self.files: dict[tuple[Way, Drawn], Path] = {}

    def go(self) -> Swept:
        began = time.monotonic()
        try:
            for number in range(1, self.request.count + 1):
                drawn = self.drawer.draw()
                for quantity in ("output", "gradients")[: 1 + drawn.gradients]:
                    self._call(number, drawn, quantity)
        except LostError as error:
            self.swept.given_up = str(error)
        self.swept.seconds = time.monotonic() - began
        self.swept.lost = self.standby.lost
        return self.swept

    def _call(self, number: int, drawn: Drawn, quantity: str) -> None:
        tried = self.caller.tried(drawn, quantity)
        self.swept.calls += 1
        if isinstance(tried.outcome, Unsupported):
            self.swept.refused[skeleton(tried.outcome.reason)] += 1
        if tried.way is None:
            return
        began = time.monotonic()
        kind = _kind(tried)
        if kind in self.swept.failures:
            self.swept.failures[kind].count += 1
        else:
            failure = self.swept.failures[kind] = Failure(kind=kind, call=number)
            if len(self.swept.failures) <= MOST_WRITTEN:
                failure.file = self._written(tried, failure)
            self.report_line(f"{self.swept.label}: call {number}: {kind}")
        self.swept.shrinking += time.monotonic() - began

    def _written(self, first: Tried, failure: Failure) -> Path:
        """The file of the smallest call that fails so; two failures may turn out to be one."""
        smallest, starts = self._smallest(first, failure.kind)
        way = failure.kind.way
        known = self.files.get((way, smallest.drawn))
        if known is not None:
            return known
        label = _plain(self.swept.label)
        name = f"{label}-{self.request.seed}-{len(self.files) + 1:02}-{way.status}"
        file = self.files[way, smallest.drawn] = self.request.folder / f"{name}.yaml"
        source = f"conformance sweep --seed {self.request.seed}, call {failure.call} on {label}"
        write_case(
            file,
            smallest.drawn,
            identity=name,
            source=source,
            remarks=self._remarks(smallest, starts, file.name),
        )
        return file

    def _remarks(self, tried: Tried, starts: int | None, name: str) -> Iterator[str]:
        """The failure, what would be right, and how to reproduce it."""
        verdict = tried.diagnosed()
        mismatch = (verdict.mismatch or {}).get("text") or verdict.message or ""
        yield (
            f"{self.swept.label} ({self.versions}): {verdict.quantity} {verdict.status}: {mismatch}"
        )
        if verdict.diagnosis is not None:
            yield f"{verdict.diagnosis['name']}: {verdict.diagnosis['text']}"
        if starts is None:
            yield (
                "It did not fail again as the first call of a process: it depends on what went "
                "before, or on chance."
            )
        elif starts > 1:
            yield f"It depends on chance: it failed in one of {starts} processes."
        threads = self.request.threads
        yield (
            f"Again: conformance run {name} -a {shlex.quote(self.standby.spec.adapter)} "
            f"--threads {threads}"
        )

    def _smallest(self, first: Tried, kind: Kind) -> tuple[Tried, int | None]:
        """The smallest call that fails as the first did, and which new process it did so in first;
        None if it did in none.
        """
        way = kind.way
        drawn = replace(first.drawn, gradients=way.quantity == "gradients")
        again = self._alone(drawn, way)
        if again is None:
            return first, None
        last, lost, calls = again[0], self.standby.lost, self.caller.calls

        def fails(candidate: Drawn) -> bool | None:
            nonlocal last
            gone = self.standby.lost - lost >= MOST_LOST.get(way.status, MOST_SHRINKING_CALLS)
            if gone or self.caller.calls - calls >= MOST_SHRINKING_CALLS:
                return None
            tried = self.caller.tried(candidate, way.quantity)
            same = way.like(tried.way) and kind.diagnosis in (None, _diagnosis(tried))
            last = tried if same else last
            return same

        shrunk(drawn, self.caller.convention, fails)
        return self._alone(last.drawn, way) or again

    def _alone(self, drawn: Drawn, way: Way) -> tuple[Tried, int] | None:
        """The call, made again as `run` makes it in a new process, if it fails in the same way
        there; and in which of several.
        """
        for start in range(1, ATTEMPTS + 1):
            if (
                way.status == "differs"
            ):  # what raises does not depend on the past, and a crash has ended it
                self.standby.renew()
            if way.quantity == "gradients":
                self.caller.tried(drawn, "output")
            tried = self.caller.tried(drawn, way.quantity)
            if way.like(tried.way):
                return tried, start
        return None


def _kind(tried: Tried) -> Kind:
    assert tried.way is not None
    return Kind(
        way=tried.way,
        diagnosis=_diagnosis(tried),
        dtype=tried.drawn.dtype,
        rank=tried.drawn.geometry.rank,
        grouped=tried.drawn.geometry.groups > 1,
    )


def _diagnosis(tried: Tried) -> str | None:
    diagnosis = tried.diagnosed().diagnosis
    return None if diagnosis is None else str(diagnosis["name"])


def _plain(label: str) -> str:
    """A label as part of a file's name."""
    return "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in label).strip(
        "-"
    )[:60]
