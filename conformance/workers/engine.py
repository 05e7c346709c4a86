"""One adapter as the suite meets it: its process greeted, asked, restarted when it is lost.

Whatever a process does becomes an outcome here; nothing that an engine does raises.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from conformance.adapters import REGISTRY
from conformance.conventions import Native
from conformance.corpus.tensors import Array, Tensors
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
from conformance.workers.process import (
    START_SECONDS,
    Died,
    EngineProcess,
    Late,
    node_command,
    python_command,
)

MOST_FAILED_STARTS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """The specification of an engine: the label in the record, the adapter, how its process is
    started, and which of the shipped cases it runs: those with the tag, of names that a glob takes.
    """

    label: str
    adapter: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    tag: str | None = None
    cases: tuple[str, ...] = ("*",)
    is_variant: bool = False
    by_name: bool = True
    last: Spec | None = None
    """The engine that a chain ends with, asked by itself."""

    def takes(self, name: str, tags: Collection[str]) -> bool:
        """Whether it runs a shipped case of that full name."""
        return (self.tag is None or self.tag in tags) and any(
            fnmatchcase(name, pattern) for pattern in self.cases
        )

    @staticmethod
    def of(
        adapter: str,
        *,
        label: str,
        python: str,
        by_name: bool = True,
        words: tuple[str, ...] | None = None,
    ) -> Spec:
        """A registry name or package.module:Class for an interpreter, or the words of a program of
        its own.
        """
        entry = REGISTRY.get(adapter)
        if words is not None:
            command = [*words]
        elif entry is not None and entry.node:
            command = node_command(python, adapter)
        else:
            command = python_command(python, adapter)
        return Spec(
            label=label,
            adapter=adapter,
            command=tuple(command),
            environment={} if entry is None else entry.environment,
            tag=None if entry is None else entry.tag,
            cases=("*",) if entry is None else entry.cases,
            is_variant=entry is not None and entry.variant_of is not None,
            by_name=by_name,
            last=None
            if entry is None or entry.last is None
            else Spec.of(entry.last, label=f"{label}, natively", python=python),
        )


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
        self._process: EngineProcess | None = None
        self._number = 0
        self.failed_starts = 0
        self.start_seconds = 0.0

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

    def call(self, tensors: Tensors, native: Native, device: str) -> Outcome:
        """The outcome of one call; the process is gone after anything that it should not
        survive.
        """
        header = {"do": "call", "device": device, "native": native}
        answer, arrays, outcome = self._ask(header, tensors, self._timeout)
        if outcome is not None:
            return outcome
        outcome = outcome_of(answer, arrays)
        if isinstance(outcome, Crashed) or (isinstance(outcome, Raised) and outcome.out_of_memory):
            self.kill()
        return outcome

    def gradients(self, tensors: Tensors, cotangent: Array, native: Native, device: str) -> Outcome:
        """The outcome of the gradients of sum(output * cotangent); the cotangent has the output's
        shape.
        """
        header = {"do": "gradients", "device": device, "native": native}
        answer, arrays, outcome = self._ask(header, tensors, self._timeout, cotangent=cotangent)
        if outcome is not None:
            return outcome
        outcome = (
            gradients_of(answer, arrays, tensors)
            if answer.get("outcome") == "gradients"
            else outcome_of(answer, arrays)
        )
        if isinstance(outcome, Crashed) or (isinstance(outcome, Raised) and outcome.out_of_memory):
            self.kill()
        return outcome

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
        outcome = (
            shape_of(answer, hidden)
            if answer.get("outcome") == "shape"
            else outcome_of(answer, arrays)
        )
        if isinstance(outcome, Crashed) or (isinstance(outcome, Raised) and outcome.out_of_memory):
            self.kill()
        return outcome

    def time(
        self, tensors: Tensors, native: Native, device: str, seconds: float
    ) -> list[float] | Outcome:
        """Durations of repeated calls within a slice of so many seconds, or what came instead."""
        header = {"do": "time", "device": device, "native": native, "seconds": seconds}
        answer, _, outcome = self._ask(header, tensors, self._timeout + 2 * seconds)
        if outcome is not None:
            return outcome
        calls = answer.get("calls")
        if answer.get("outcome") != "timing":
            return outcome_of(answer, {})
        if (
            not isinstance(calls, list)
            or not calls
            or any(duration(call) is None for call in calls)
        ):
            self.kill()
            return Crashed(
                message=f"answered calls {calls!r:.80}, should be a list of durations in seconds"
            )
        return [float(call) for call in calls]

    def close(self) -> None:
        if self._process is not None:
            self._process.close()

    def kill(self, grace: float = 0.0) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill(grace)

    def _greet(self) -> Greeting | Outcome:
        try:
            self._process = EngineProcess(self.spec.command, self._environment)
        except OSError as error:
            return Unavailable(reason=f"{self.spec.command[0]} cannot be started: {error.strerror}")
        answer, _, outcome = self._ask(
            {"do": "hello", "protocol": protocol.VERSION}, None, START_SECONDS
        )
        if outcome is not None:
            return outcome
        return greeting_of(answer)

    def _ask(
        self,
        header: Mapping[str, Any],
        tensors: Tensors | None,
        seconds: float,
        *,
        cotangent: Array | None = None,
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
            answer, arrays = self._process.ask(header, named, seconds)
        except Died as death:
            self._process = None
            return {}, {}, Crashed(message=readable(death))
        except Late as late:
            self._process = None
            return {}, {}, TimedOut(seconds=seconds, message=readable(late), computed=late.computed)
        if "id" in header and answer.get("id") != self._number:
            self.kill()
            message = f"answered request {answer.get('id')!r}, should answer {self._number}"
            return {}, {}, Crashed(message=message)
        return answer, arrays, None


def close_all(engines: list[Engine], grace: float = 2.0) -> None:
    """Let all processes go, and end those that have not gone after `grace` seconds."""
    for engine in engines:
        with contextlib.suppress(OSError):
            engine.close()
    end = time.monotonic() + grace
    for engine in engines:
        engine.kill(max(0.0, end - time.monotonic()))
