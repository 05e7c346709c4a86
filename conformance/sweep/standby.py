"""An engine whose process may die: the next one is started and greeted already."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor

from conformance.outcomes import Outcome
from conformance.workers.answers import Greeting
from conformance.workers.engine import MOST_FAILED_STARTS, Engine, close_all
from conformance.workers.spec import Spec


class LostError(Exception):
    """An engine that started before starts no more; the message says what came instead."""


class Standby:
    """One adapter with a spare process, so that losing the one at work costs no start."""

    def __init__(self, spec: Spec, *, timeout: float, environment: Mapping[str, str]) -> None:
        self.spec, self.timeout = spec, timeout
        self._environment = environment
        self._starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spare")
        self._engine = self._new()
        self._spare: tuple[Engine, Future[Greeting | Outcome]] | None = None
        self.lost = 0

    def start(self) -> Greeting | Outcome:
        """Start the first process; its spare follows where it greets."""
        answer = self._engine.start()
        if isinstance(answer, Greeting):
            self._prepare()
        return answer

    @property
    def running(self) -> bool:
        """Whether the process at work lives."""
        return self._engine.running

    def ready(self) -> Engine:
        """The engine with a process that waits for a request. Raises LostError."""
        if not self._engine.running:
            self.lost += 1
            self._take_spare()
        return self._engine

    def renew(self) -> None:
        """Go on with a process that nothing was asked of yet. Raises LostError."""
        self._engine.kill()
        self._take_spare()

    def close(self) -> None:
        """End both processes."""
        engines = [self._engine]
        if self._spare is not None:
            engine, started = self._spare
            engine.kill()  # one that is being greeted is given up
            started.cancel()
            self._starter.shutdown(wait=True)
            engines.append(engine)
        close_all(engines)

    def _new(self) -> Engine:
        return Engine(self.spec, timeout=self.timeout, environment=self._environment)

    def _prepare(self) -> None:
        engine = self._new()
        self._spare = (engine, self._starter.submit(engine.start))

    def _take_spare(self) -> None:
        answer: Greeting | Outcome | None = None
        for _ in range(MOST_FAILED_STARTS):
            assert self._spare is not None, "asked before it was started"
            engine, started = self._spare
            answer = started.result()
            self._prepare()
            if isinstance(answer, Greeting):
                self._engine = engine
                return
        raise LostError(f"{self.spec.label} does not start any more: {answer}")
