"""The process of a candidate or of the reference, asked one thing at a time."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from typing import IO, Any, Protocol

from conformance.kernels.bench.child import answer, serve
from conformance.outcomes import Crashed, Raised, TimedOut
from conformance.printing import printable
from conformance.system.interpreter import package_command
from conformance.system.process_tree import ProcessTree

MODULE = "conformance.kernels.bench.child"
MOST_ANSWER = 1 << 20
"""Bytes of an answer; arrays are not in it."""
LEAST_TO_START = 60.0
"""Seconds that a process has to load what it needs, however short a call must be."""
_TAIL = 64 * 1024
_QUIET = {"GLOG_minloglevel": "2", "PYTHONHASHSEED": "0"}

Failure = Raised | Crashed | TimedOut


class NotAnsweredError(Exception):
    """The process of a role raised, died or hung: `failure` says which; `frames` are of its own
    code.
    """

    def __init__(self, role: str, failure: Failure, frames: tuple[str, ...] = ()) -> None:
        super().__init__(str(failure))
        self.role, self.failure, self.frames = role, failure, frames


class Asked(Protocol):
    """Whoever stands for a candidate or a reference."""

    def ask(self, do: str, **what: Any) -> dict[str, Any]:
        """The answer. Raises NotAnsweredError."""

    def end(self) -> None:
        """End it."""


class LocalBench:
    """A role in this very process: `breakpoint()`, prints and debuggers work, and nothing is kept
    apart.
    """

    def __init__(self, role: Mapping[str, Any]) -> None:
        self._role, self._server = dict(role), serve(dict(role))

    def ask(self, do: str, **what: Any) -> dict[str, Any]:
        """The answer. Raises NotAnsweredError."""
        request = json.loads(json.dumps({"do": do, **what}))
        return _checked(answer(self._server, request), self._role["role"])

    def end(self) -> None:
        """Nothing is to be ended."""


class Bench:
    """A process with a role; started anew when it is gone. A candidate's runs only while it is
    asked: no thread of it looks on while what is right is computed.
    """

    def __init__(
        self,
        role: Mapping[str, Any],
        *,
        python: str = sys.executable,
        timeout: float = 300.0,
        memory: int = 0,
        shown: bool = False,
    ) -> None:
        self._role, self._python, self._timeout = dict(role), python, timeout
        self._memory, self._shown = memory, shown
        self._process: ProcessTree | None = None
        self._buffer = b""
        self._tail = bytearray()
        self.starts = 0

    def ask(self, do: str, **what: Any) -> dict[str, Any]:
        """The answer. Raises NotAnsweredError."""
        if self._process is None:
            self._start()
            if do != "describe":  # it died: what it was is loaded again
                self.ask("describe")
        process = self._process
        assert process is not None
        assert process.stdin is not None
        number = secrets.token_hex(16)  # who writes to every descriptor does not know it
        line = json.dumps({"do": do, "number": number, **what}) + "\n"
        self._signal(signal.SIGCONT)
        try:
            process.stdin.write(line.encode())
            process.stdin.flush()
        except OSError:
            raise self._error(self._died()) from None
        seconds = max(self._timeout, LEAST_TO_START) if do == "describe" else self._timeout
        answered = self._answer(process, number, seconds)
        self._signal(signal.SIGSTOP)
        return _checked(answered, self._role["role"])

    def _signal(self, number: signal.Signals) -> None:
        if self._role["role"] == "candidate" and self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.number, number)

    def _error(self, failure: Failure, frames: tuple[str, ...] = ()) -> NotAnsweredError:
        return NotAnsweredError(self._role["role"], failure, frames)

    def end(self) -> None:
        """End it, whatever it does."""
        if self._process is not None:
            self._process.end()
            self._drain.join(1.0)
            for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
                with contextlib.suppress(OSError):
                    if stream is not None:
                        stream.close()
            self._process.forget()
            self._process = None

    def _start(self) -> None:
        self.starts += 1
        command = package_command(self._python, MODULE, json.dumps(self._role))
        self._process = ProcessTree(command, _QUIET, memory=self._memory)
        self._buffer, self._tail = b"", bytearray()
        self._drain = threading.Thread(
            target=self._hear, args=(self._process.stderr, self._tail), daemon=True
        )
        self._drain.start()

    def _hear(self, stream: IO[bytes], tail: bytearray) -> None:
        with contextlib.suppress(ValueError, OSError):
            while piece := os.read(stream.fileno(), 1 << 16):
                tail += piece
                del tail[:-_TAIL]
                if self._shown:
                    for line in piece.decode(errors="replace").splitlines():
                        print(f"candidate: {printable(line)}", file=sys.stderr, flush=True)

    def _answer(self, process: ProcessTree, number: str, seconds: float) -> dict[str, Any]:
        """The next line, as an object. Raises NotAnsweredError, also where it does not repeat the
        number of the question: then somebody else has written it.
        """
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            if process.life is not None:
                selector.register(process.life, selectors.EVENT_READ)
            while b"\n" not in self._buffer:
                ready = selector.select(max(0.0, deadline - time.monotonic()))
                if not ready:
                    self.end()
                    raise self._error(TimedOut(seconds=seconds))
                readable = any(key.fileobj is process.stdout for key, _ in ready)
                piece = os.read(process.stdout.fileno(), 1 << 16) if readable else b""
                self._buffer += piece
                if not piece or len(self._buffer) > MOST_ANSWER:
                    raise self._error(self._died())
        line, _, self._buffer = self._buffer.partition(b"\n")
        try:
            answered = json.loads(line)
        except ValueError:
            answered = None
        if not isinstance(answered, dict) or answered.pop("number", None) != number:
            raise self._error(self._died("something else than its answer was written to its pipe"))
        return answered

    def _died(self, how: str | None = None) -> Crashed:
        process = self._process
        assert process is not None
        used, code = None, None
        if how is None:  # else it is still there
            used = process.used_beyond_limit()
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = process.wait(2.0)
        self.end()
        if used is not None:
            how = f"used more memory than it may: {used / 2**20:.0f} MiB"
        return Crashed(message=f"{how or _end(code)}{_stack(bytes(self._tail))}")


def _checked(answer: dict[str, Any], role: str) -> dict[str, Any]:
    """An answer that is no exception. Raises NotAnsweredError."""
    if "raised" not in answer:
        return answer
    raised = answer["raised"]
    frames = tuple(printable(frame) for frame in raised["frames"])
    failure = Raised(type=printable(raised["type"]), message=printable(raised["message"]))
    raise NotAnsweredError(role, failure, frames)


def _end(code: int | None) -> str:
    if code is None:
        return "gave no answer and was ended"
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
        return f"died by {name}"
    return f"ended with exit code {code}"


def _stack(tail: bytes) -> str:
    """The stack that faulthandler wrote, or the last line that was printed."""
    lines = [line.strip() for line in tail.decode(errors="replace").splitlines() if line.strip()]
    frames = [line for line in lines if line.startswith("File ")]
    if any("most recent call first" in line for line in lines) and frames:
        return "; " + "; ".join(printable(line) for line in frames[:4])
    return f": {printable(lines[-1])[:500]}" if lines else ""


def sentence(error: NotAnsweredError) -> str:
    """A failure to load, as the end of a sentence."""
    failure = error.failure
    text = getattr(failure, "message", "") or "cannot be loaded"
    if getattr(failure, "type", "") == "LoadingError":
        return text
    kind = getattr(failure, "type", type(failure).__name__)
    at = f" ({error.frames[-1]})" if error.frames else ""
    return f"cannot be loaded: {kind}: {text}{at}"
