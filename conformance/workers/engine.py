"""One adapter as the suite meets it: its process greeted, asked, restarted when it is lost.

Whatever a process does becomes an outcome here; nothing that an engine does raises.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from functools import update_wrapper
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from conformance.conventions import Native
from conformance.corpus.tensors import Array, Tensors
from conformance.errors import fault
from conformance.outcomes import (
    Crashed,
    Outcome,
    Raised,
    TimedOut,
    Unavailable,
)
from conformance.workers import protocol
from conformance.workers.answers import (
    Greeting,
    duration,
    gradients_of,
    greeting_of,
    outcome_of,
    readable,
    shape_of,
)
from conformance.workers.process import START_SECONDS, Died, EngineProcess, Late
from conformance.workers.spec import Spec

MOST_FAILED_STARTS = 2
MOST_LATE = 3
"""The calls that may time out one after the other, before no more are asked: the engine hangs."""
_TIMES_DUE = 16
"""How many times the elements of the largest array of a call an answer's array may have: a wrong
shape is read, and told, as long as it fits."""
_SMALL_ANSWER = 2**20
"""Bytes that may be answered in any case."""
_WIDEST = 16
"""Bytes of the widest element of a result, complex128."""
_CLOCKS_APART = 0.1
"""The seconds by which an engine's clock may tell more than ours."""


P = ParamSpec("P")
Answer = TypeVar("Answer")


def _never_raises(
    ask: Callable[Concatenate[Engine, P], Answer],
) -> Callable[Concatenate[Engine, P], Answer | Outcome]:
    """The method with an outcome for whatever comes up in it: an answer that nobody foresaw must
    not end a run.
    """

    def asked(self: Engine, /, *arguments: P.args, **named: P.kwargs) -> Answer | Outcome:
        try:
            return ask(self, *arguments, **named)
        except Exception as error:
            self.kill()
            return Crashed(message=readable(fault(error, "reading its answer")))

    update_wrapper(asked, ask)
    return asked


class Asked(Protocol):
    """What an engine needs of its process, as EngineProcess has it."""

    @property
    def waits(self) -> bool: ...

    def ask(
        self,
        header: Mapping[str, Any],
        tensors: Mapping[str, Array],
        seconds: float,
        most_bytes: int = ...,
    ) -> tuple[dict[str, Any], dict[str, Array]]: ...

    def close(self) -> None: ...

    def kill(self, grace: float = ...) -> None: ...


class Engine:
    """One process of an adapter, now or again; `start` before the first call."""

    def __init__(
        self, spec: Spec, *, timeout: float, environment: Mapping[str, str] | None = None
    ) -> None:
        self.spec = spec
        self._timeout = timeout
        self._environment = {
            **(environment or {}),
            **spec.environment,
        }  # a row of the table knows better
        self._process: Asked | None = None
        self._retired = False
        self._number = 0
        self.failed_starts = 0
        self.start_seconds = 0.0
        self.answered = 0
        """The requests that the present process has answered."""

    def start(self) -> Greeting | Outcome:
        """Start the process and greet it; anything but a Greeting says why it is of no use."""
        began = time.monotonic()
        answer = self._greet()
        self.start_seconds = time.monotonic() - began
        if isinstance(answer, Greeting):
            self.failed_starts = 0
        else:
            self.failed_starts += 1
            self.kill()
        return answer

    @property
    def running(self) -> bool:
        """Whether a process is there and waits for a request; one that died, or said more than it
        was asked, is ended here.

        So that no case is charged with what happened after the one before it.
        """
        if self._process is not None and not self._process.waits:
            self.kill()
        return self._process is not None

    @_never_raises
    def call(self, tensors: Tensors, native: Native, device: str, *, due: int = 0) -> Outcome:
        """The outcome of one call, whose output has `due` elements; the process is gone after
        anything that it should not survive.
        """
        header = {"do": "call", "device": device, "native": native}
        answer, arrays, outcome = self._ask(header, tensors, self._timeout, due=due)
        return self._settle(outcome_of(answer, arrays) if outcome is None else outcome)

    @_never_raises
    def gradients(self, tensors: Tensors, cotangent: Array, native: Native, device: str) -> Outcome:
        """The outcome of the gradients of sum(output * cotangent); the cotangent has the output's
        shape.
        """
        header = {"do": "gradients", "device": device, "native": native}
        answer, arrays, outcome = self._ask(header, tensors, self._timeout, cotangent=cotangent)
        if outcome is not None:
            return outcome
        return self._settle(
            gradients_of(answer, arrays, tensors)
            if answer.get("outcome") == "gradients"
            else outcome_of(answer, arrays)
        )

    @_never_raises
    def shape(
        self,
        operands: Sequence[Mapping[str, Any]],
        native: Native,
        device: str,
        hidden: tuple[str, ...] = (),
    ) -> Outcome:
        """The outcome of asking for the output's shape: `operands` have name, dtype and shape, in
        which what is `hidden` is None.
        """
        self._number += 1
        header = {"do": "shape", "id": self._number, "device": device, "native": native}
        answer, arrays, outcome = self._ask({**header, "operands": operands}, None, self._timeout)
        if outcome is not None:
            return outcome
        return self._settle(
            shape_of(answer, hidden)
            if answer.get("outcome") == "shape"
            else outcome_of(answer, arrays)
        )

    @_never_raises
    def time(
        self, tensors: Tensors, native: Native, device: str, seconds: float
    ) -> list[float] | Outcome:
        """Durations of repeated calls within a slice of so many seconds, or what came instead."""
        header = {"do": "time", "device": device, "native": native, "seconds": seconds}
        began = time.monotonic()
        answer, _, outcome = self._ask(header, tensors, self._timeout + 2 * seconds)
        if outcome is not None:
            return outcome
        calls = answer.get("calls")
        if answer.get("outcome") != "timing":
            return outcome_of(answer, {})
        seconds_by_call = [duration(call) for call in calls] if isinstance(calls, list) else []
        durations = [one for one in seconds_by_call if one is not None]
        if not seconds_by_call or len(durations) < len(seconds_by_call):
            text = f"answered calls {calls!r:.80}, should be a list of durations in seconds"
            return self._settle(Crashed(message=text))
        passed = time.monotonic() - began
        if sum(durations) > passed + _CLOCKS_APART:
            text = f"answered calls of {sum(durations):.3g} s in all, in {passed:.3g} s that passed"
            return self._settle(Crashed(message=text))
        return durations

    def close(self) -> None:
        if self._process is not None:
            self._process.close()

    def retire(self) -> None:
        """Have no process outlive this, one that another thread is starting neither."""
        self._retired = True

    def kill(self, grace: float = 0.0) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill(grace)

    def _settle(self, outcome: Outcome) -> Outcome:
        """The outcome; the process is ended after one that it should not survive."""
        if isinstance(outcome, Crashed) or (isinstance(outcome, Raised) and outcome.out_of_memory):
            self.kill()
        return outcome

    @_never_raises
    def _greet(self) -> Greeting | Outcome:
        self.answered = 0
        try:
            self._process = self._open()
        except OSError as error:
            return Unavailable(reason=f"{self.spec.command[0]} cannot be started: {error.strerror}")
        if self._retired:  # while it was being started: who retired it found nothing to end
            self.kill()
            return Crashed(message="ended, because the run was stopped")
        answer, _, outcome = self._ask(
            {"do": "hello", "protocol": protocol.VERSION}, None, START_SECONDS
        )
        if outcome is not None:
            return outcome
        return greeting_of(answer)

    def _open(self) -> Asked:
        """The process, started. Raises OSError."""
        return EngineProcess(
            self.spec.command,
            self._environment,
            memory=self.spec.memory,
            label=self.spec.label if self.spec.shown else None,
        )

    def _ask(
        self,
        header: Mapping[str, Any],
        tensors: Tensors | None,
        seconds: float,
        *,
        cotangent: Array | None = None,
        due: int = 0,
    ) -> tuple[dict[str, Any], dict[str, Any], Outcome | None]:
        """The answer, or the outcome that stands for having none."""
        assert self._process is not None, "asked before it was started"
        named = {} if tensors is None else {"x": tensors.x, "kernel": tensors.kernel}
        if tensors is not None and tensors.bias is not None:
            named["bias"] = tensors.bias
        if cotangent is not None:
            named["cotangent"] = cotangent
        if tensors is not None:
            self._number += 1
            header = {**header, "id": self._number}
        try:
            largest = max([due, *(array.size for array in named.values())])
            most_bytes = _SMALL_ANSWER + _TIMES_DUE * _WIDEST * largest
            answer, arrays = self._process.ask(header, named, seconds, most_bytes)
        except Died as death:
            self._process = None
            dead = Crashed(message=readable(death), traceback=readable(death.frames))
            return {}, {}, dead
        except Late as late:
            self._process = None
            return {}, {}, TimedOut(seconds=seconds, message=readable(late), computed=late.computed)
        number = answer.get("id")
        if "id" in header and (number != self._number or isinstance(number, bool)):
            self.kill()
            message = f"answered request {number!r:.80}, should answer {self._number}"
            return {}, {}, Crashed(message=message)
        self.answered += "id" in header
        return answer, arrays, None


def close_all(engines: list[Engine], grace: float = 2.0, *, for_good: bool = False) -> None:
    """Let all processes go, and end those that have not gone after `grace` seconds; `for_good`:
    those too that are being started.
    """
    for engine in engines:
        if for_good:
            engine.retire()
        with contextlib.suppress(OSError):
            engine.close()
    end = time.monotonic() + grace
    for engine in engines:
        engine.kill(max(0.0, end - time.monotonic()))
