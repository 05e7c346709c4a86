"""How a run is told while it goes on: as a bar on a terminal, else in lines, at least one in every
15 seconds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from conformance.printing import say, text_of
from conformance.run.observer import Observer
from conformance.verdicts import messages
from conformance.verdicts.verdict import Verdict
from conformance.wording import counted, duration

LONGEST_SILENCE = 10.0
"""Seconds without a line, where the output is no terminal: fewer than the 15 that are promised, for
a busy machine's sake."""


def _new(count: int) -> str:
    return counted(count, "new failure") if count else "no new failures"


class Lines(Observer):
    """A line when an adapter has finished, when the first failure comes, and at least every so many
    seconds.
    """

    def __init__(
        self,
        *,
        every_failure: bool = False,
        silence: float = LONGEST_SILENCE,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        self._every_failure, self._silence = every_failure, silence
        self._print = tell or (lambda text: say(*text.split("\n"), flush=True))
        self._totals: Mapping[str, int] = {}
        self._failing: dict[str, int] = {}
        self._run: Mapping[str, Any] = {}
        self._done = 0
        self._doing = "starting the engines"
        self._began = self._last = time.monotonic()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._heart = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> None:
        self._heart.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._heart.join()

    def started(
        self, counts: Mapping[str, int], absent: Mapping[str, str], run: Mapping[str, Any]
    ) -> None:
        self._totals, self._run, self._doing = dict(counts), run, ""
        self._began = time.monotonic()
        for label, reason in absent.items():
            self._tell(text_of([f"{label}: not run: {reason}"]))

    def phase(self, name: str, done: int, total: int) -> None:
        self._doing = f"{done} of {total} {name}"

    def writing(self, what: str) -> None:
        """Show which file is being written after all checks."""
        self._doing = f"writing {what}"

    def verdict(self, verdict: Verdict) -> None:
        self._done += 1
        before = sum(self._failing.values())
        self._failing[verdict.adapter] = self._failing.get(verdict.adapter, 0) + verdict.unexpected
        if verdict.unexpected and (self._every_failure or not before):
            self._tell(messages.alert(verdict, self._run))

    def finished(self, adapter: str, seconds: float) -> None:
        count, failing = self._totals[adapter], self._failing[adapter]
        self._tell(
            f"{text_of([adapter])}: {counted(count, 'check')}, {_new(failing)}, after "
            f"{duration(seconds)}"
        )

    def _tell(self, line: str) -> None:
        with self._lock:
            self._last = time.monotonic()
            self._print(line)

    def _beat(self) -> None:
        while not self._over.wait(max(0.01, self._last + self._silence - time.monotonic())):
            if time.monotonic() - self._last >= self._silence:
                self._tell(self._standing())

    def _standing(self) -> str:
        total = sum(self._totals.values())
        if not total:
            return f"{self._doing}, {duration(time.monotonic() - self._began)}"
        parts = [
            f"{self._done:,} of {counted(total, 'check')}, {_new(sum(self._failing.values()))}"
        ]
        return ", ".join([*parts, *filter(None, [self._doing or self._left(total)])])

    def _left(self, total: int) -> str:
        """How long the rest takes if it goes on as it did; large cases come first, so that it is
        rather less.
        """
        if not self._done:
            return ""
        spent = time.monotonic() - self._began
        return f"about {duration(spent * (total - self._done) / self._done)} left"


class Bar(Observer):
    """A progress bar; failures are printed above it."""

    def __init__(self, console: Console, *, every_failure: bool = False) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        self._console, self._every_failure = console, every_failure
        self._progress = Progress(*columns, console=console, transient=True)
        self._task: TaskID | None = None
        self._unexpected = 0
        self._run: Mapping[str, Any] = {}

    def __enter__(self) -> None:
        self._progress.start()
        self._task = self._progress.add_task("starting the engines", total=None)

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def started(
        self, counts: Mapping[str, int], absent: Mapping[str, str], run: Mapping[str, Any]
    ) -> None:
        self._run = run
        self._update(total=sum(counts.values()), description="checks")
        for label, reason in absent.items():
            self._console.print(
                text_of([f"{label}: not run: {reason}"]), style="dim", markup=False, highlight=False
            )

    def phase(self, name: str, done: int, total: int) -> None:
        self._update(description=f"{done} of {total} {name}")

    def writing(self, what: str) -> None:
        """Show which file is being written after all checks."""
        self._update(description=f"writing {what}")

    def verdict(self, verdict: Verdict) -> None:
        if verdict.unexpected and (self._every_failure or not self._unexpected):
            line = messages.alert(verdict, self._run)
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)
        self._unexpected += verdict.unexpected
        self._update(advance=1, description=f"checks, {_new(self._unexpected)}")

    def finished(self, adapter: str, seconds: float) -> None:
        return None

    def _update(self, **changes: Any) -> None:
        assert self._task is not None
        self._progress.update(self._task, **changes)
