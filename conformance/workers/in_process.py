"""One adapter that is asked in this very process, in the thread that asks: a debugger, a profiler
and what the adapter prints are the user's.
"""

from __future__ import annotations

import faulthandler
import io
import os
import sys
from bdb import BdbQuit
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from conformance.corpus.tensors import Array
from conformance.outcomes import Outcome
from conformance.printing import unguarded_streams
from conformance.workers import protocol
from conformance.workers.answers import Greeting
from conformance.workers.child import Pipe
from conformance.workers.engine import Engine
from conformance.workers.pool import Pool, Result, Task
from conformance.workers.process import Died
from conformance.workers.request import EngineRequest
from conformance.workers.server import Server
from conformance.workers.spec import Spec


class OwnProcess:
    """This process in the place of an engine's: there is no limit of time, and nothing to end.

    The messages are those of the protocol, so that the adapter gets what it gets in a worker.
    """

    waits = True

    def __init__(self, adapter: str, environment: Mapping[str, str]) -> None:
        os.environ.update(environment)
        if "" not in sys.path:
            sys.path.insert(0, "")  # the working folder, as in a worker
        faulthandler.enable(file=2)
        self._server = Server(adapter)

    def ask(
        self,
        header: Mapping[str, Any],
        tensors: Mapping[str, Array],
        seconds: float,
        most_bytes: int = protocol.MOST_BYTES,
    ) -> tuple[dict[str, Any], dict[str, Array]]:
        """The answer to a request. Raises Died where it cannot be sent, and KeyboardInterrupt where
        the user has left the debugger.
        """
        with unguarded_streams():
            answer = self._server.answer(*_sent(header, tensors))
        if answer[0].get("type") == BdbQuit.__name__:
            raise KeyboardInterrupt
        try:
            return _sent(*answer, most_bytes)
        except protocol.ProtocolError as error:
            raise Died(str(error)) from None

    def close(self) -> None:
        return

    def kill(self, grace: float = 0.0) -> None:
        return


def _sent(
    header: Mapping[str, Any], tensors: Mapping[str, Array], most_bytes: int = protocol.MOST_BYTES
) -> tuple[dict[str, Any], dict[str, Array]]:
    """A message as its reader gets it."""
    data = b"".join(map(bytes, protocol.encode(header, tensors)))
    return protocol.decode(Pipe(io.BufferedReader(io.BytesIO(data))), most_bytes)


class _OwnEngine(Engine):
    """An engine whose process is this one."""

    def _open(self) -> OwnProcess:
        return OwnProcess(self.spec.adapter, self._environment)


class OwnPool(Pool[Task, Result]):
    """A pool of one engine, which is no process, and is asked in the caller's thread."""

    def __init__(self, spec: Spec, environment: Mapping[str, str]) -> None:
        super().__init__([spec], jobs=1, timeout=0.0, environment=environment)
        self._own = _OwnEngine(spec, timeout=0.0, environment=environment)
        self._greeting: Greeting | Outcome | None = None

    def begin_greeting(self) -> Future[dict[str, Greeting | Outcome]]:
        self._greeting = self._own.start()
        answers: Future[dict[str, Greeting | Outcome]] = Future()
        answers.set_result({self._own.spec.label: self._greeting})
        return answers

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
        for task in tasks[self._own.spec.label]:
            handle(judge(task, self._outcome(call, task)))

    def _outcome(self, call: Callable[[Task], EngineRequest | Outcome], task: Task) -> Outcome:
        if not isinstance(self._greeting, Greeting):
            assert self._greeting is not None, "asked before it was greeted"
            return self._greeting
        request = call(task)
        if not isinstance(request, EngineRequest):
            return request
        if not self._own.running:  # it was given up after an answer that was none
            self._own.start()
        return request.ask(self._own)
