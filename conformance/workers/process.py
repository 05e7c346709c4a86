"""The parent's handle of one engine process: started, asked with a time limit, ended as a group.

Writing counts against the limit as reading does: an engine that does not read must not hold up the
suite.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from io import BufferedReader
from typing import Any, cast

from conformance.corpus.tensors import Array
from conformance.printing import complain
from conformance.system.interpreter import package_command
from conformance.system.process_tree import ProcessTree
from conformance.workers import protocol
from conformance.workers.protocol import ProtocolError
from conformance.workers.stderr import Stderr

START_SECONDS = 120.0
_PIECE = 1 << 20
_SMALL = 1 << 16  # bytes, what a pipe takes at once
_PIPE_BYTES = (
    1 << 20
    # what a pipe should take, where that can be had: else both sides take turns every 64 KiB of a
    # large array
)

_LOOK_MILLISECONDS = 100.0
"""The time between two looks whether the engine lives, where the system does not tell."""


class Died(Exception):  # noqa: N818 - what happened, not a fault of this program
    """The process ended, or answered what is no answer; the message says how, with the end of its
    stderr. `frames` are those of Python in which it died, if it told.
    """

    def __init__(self, message: str, frames: str = "") -> None:
        super().__init__(message)
        self.frames = frames


class Late(Exception):  # noqa: N818 - likewise
    """No answer within the limit; the message is the end of its stderr.

    `computed` are the seconds that its process computed meanwhile, None where nothing tells.
    """

    def __init__(self, message: str, computed: float | None = None) -> None:
        super().__init__(message)
        self.computed = computed


def python_command(python: str, spec: str) -> list[str]:
    """How to start a Python adapter: the package is loaded by its folder, so that nothing beside it
    is on the path.
    """
    return package_command(python, "conformance.workers.child", spec)


def node_command(python: str, name: str) -> list[str]:
    """How to start an engine of the table that is a Node program."""
    return package_command(python, "conformance.workers.node", name)


class EngineProcess:
    """One engine with its keeper, which ends all that the engine has started with it.

    `memory` is the most that its processes may have, in bytes. With a `label` what it prints is
    shown as it comes. Raises OSError where the program cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        memory: int = 0,
        label: str | None = None,
    ) -> None:
        self._process = ProcessTree(command, environment, memory=memory)
        stdin, stdout, stderr = self._process.stdin, self._process.stdout, self._process.stderr
        assert stdin is not None
        self._in, self._out = stdin.fileno(), stdout.fileno()
        for pipe in (self._in, self._out):
            with contextlib.suppress(
                OSError, AttributeError
            ):  # beyond a user's share of pipes, and elsewhere than on Linux
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        os.set_blocking(self._in, False)
        os.set_blocking(self._out, False)
        self._writable, self._readable = select.poll(), select.poll()
        self._writable.register(self._in, select.POLLOUT)
        self._readable.register(self._out, select.POLLIN)
        if label is not None:
            complain(f"{label}: process {self._process.number}")
        self.stderr = Stderr(cast(BufferedReader, stderr), label=label)
        self._deadline = 0.0
        self._computed: float | None = None
        self._unread = bytearray()
        self._piece = memoryview(bytearray(_SMALL))
        self._asking = (
            threading.Lock()
        )  # held by the thread that uses the pipes: nobody else may close them
        self._life = self._process.life
        if self._life is not None:
            self._writable.register(self._life, select.POLLIN)
            self._readable.register(self._life, select.POLLIN)

    @property
    def waits(self) -> bool:
        """Whether it lives and has said nothing beyond its answers."""
        if self._process.poll() is not None or self._unread:
            return False
        return not self._readable.poll(0)

    def ask(
        self,
        header: Mapping[str, Any],
        tensors: Mapping[str, Array],
        seconds: float,
        most_bytes: int = protocol.MOST_BYTES,
    ) -> tuple[dict[str, Any], dict[str, Array]]:
        """The answer to a request, whose tensors have at most so many bytes each. Raises Died or
        Late, and the process is ended then.
        """
        self._deadline = time.monotonic() + seconds
        self._computed = _processor_seconds(self._process.number)
        try:
            with self._asking:
                return self._exchange(header, tensors, most_bytes)
        except BaseException:
            self.kill()
            raise

    def _exchange(
        self, header: Mapping[str, Any], tensors: Mapping[str, Array], most_bytes: int
    ) -> tuple[dict[str, Any], dict[str, Array]]:
        try:
            for part in _joined(protocol.encode(header, tensors)):
                self._write(memoryview(part))
            return protocol.decode(self, most_bytes)
        except TimeoutError:
            now = _processor_seconds(self._process.number)
            computed = None if now is None or self._computed is None else now - self._computed
            raise Late(self.stderr.tail(), computed) from None
        except (EOFError, OSError, ValueError):  # a closed pipe
            raise Died(self._exit_reason(), self.stderr.frames()) from None
        except ProtocolError as error:
            raise Died(f"{error}{self.stderr.tail()}") from None

    def line(self, limit: int) -> bytes:
        """Protocol source: the next line, within the deadline of the request."""
        searched = 0
        while (end := self._unread.find(b"\n", searched)) < 0:
            if len(self._unread) > limit:
                raise ProtocolError(
                    f"answered {bytes(self._unread[:80])!r} and on, should be one line of JSON"
                )
            searched = len(self._unread)
            count = self._read_into(self._piece)
            self._unread += self._piece[:count]
        line = bytes(self._unread[: end + 1])
        del self._unread[: end + 1]
        return line

    def fill(self, buffer: memoryview) -> None:
        """Protocol source: the next bytes, within the deadline of the request."""
        done = min(len(self._unread), len(buffer))
        buffer[:done] = self._unread[:done]
        del self._unread[:done]
        while done < len(buffer):
            done += self._read_into(buffer[done:])

    def close(self) -> None:
        """Say bye and let it go; `kill` ends what stays."""
        with contextlib.suppress(OSError):
            os.write(self._in, b'{"do": "bye"}\n')
        with contextlib.suppress(OSError):
            assert self._process.stdin
            self._process.stdin.close()

    def kill(self, grace: float = 0.0) -> None:
        """End the engine and all that it has started, after `grace` seconds in which it may go by
        itself.
        """
        if grace:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(grace)
        self._process.end()
        self.stderr.join(1.0)
        if not self._asking.acquire(blocking=False):
            # another thread is asking: it sees the end of the process, and comes here itself
            return
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                assert pipe is not None
                pipe.close()
        self._process.forget()
        self._asking.release()

    def _exit_reason(self) -> str:
        """How it died: the wait is short, since its end of the pipe is closed already."""
        try:
            code = self._process.wait(min(5.0, max(0.1, self._deadline - time.monotonic())))
        except subprocess.TimeoutExpired:
            return f"closed its output and went on running{self.stderr.tail()}"
        self.stderr.join(1.0)
        used = self._process.used_beyond_limit()
        if used is not None:
            return f"was ended with {used / 2**20:.0f} MiB of memory, above the limit of --memory"
        if code < 0:
            try:
                name = signal.Signals(-code).name
            except ValueError:
                name = "unknown"
            return f"died by signal {-code} ({name}){self.stderr.tail()}"
        return f"ended with exit code {code} before it answered{self.stderr.tail()}"

    def _write(self, data: memoryview) -> None:
        while data:
            try:
                data = data[os.write(self._in, data[:_PIECE]) :]
            except BlockingIOError:
                self._wait(self._writable)

    def _read_into(self, buffer: memoryview) -> int:
        while True:
            self._wait(self._readable)
            try:
                count = os.readv(self._out, [buffer])
            except BlockingIOError:
                continue
            if not count:
                raise EOFError
            return count

    def _wait(self, pipe: select.poll) -> None:
        """Wait until a pipe can be used. Raises EOFError when the engine is gone and has left
        nothing: what it has started may hold the pipe, and never use it.
        """
        while True:
            left = 1000 * max(0.0, self._deadline - time.monotonic())
            known = self._life is not None
            ready = pipe.poll(left if known else min(left, _LOOK_MILLISECONDS))
            if any(where != self._life for where, _ in ready):
                return
            if ready or not (known or self._process.poll() is None):
                raise EOFError
            if not left:
                raise TimeoutError


def _processor_seconds(pid: int) -> float | None:
    """The seconds that all threads of a process have computed so far; None where that cannot be
    asked.

    Linux has a clock for every process, whose number clock_getcpuclockid makes of its id.
    """
    try:
        return time.clock_gettime(~pid << 3 | 2)
    except (OSError, OverflowError):
        return None


def _joined(parts: Sequence[bytes | memoryview]) -> Sequence[bytes | memoryview]:
    """Small parts as one: every write may wake the engine, which would wait for the rest. Large
    ones are not copied.
    """
    return [b"".join(parts)] if sum(len(part) for part in parts) <= _SMALL else parts
