"""A program of somebody else's in a process of its own, beyond whose end nothing of it lives."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from conformance.system.keeper import PR_SET_CHILD_SUBREAPER, children, process_option

_KEEPER = Path(__file__).with_name("keeper.py")
_SECONDS = 10.0
"""How long a keeper may take to start its program, or to end everything."""
_SECONDS_OF_ORPHANS = 2.0

_keepers: set[int] = set()
"""The keepers of this process that have not been seen to end."""
_children_change = threading.Lock()
_others: set[int] = set()
_adopts = False


@contextlib.contextmanager
def adopting_orphans() -> Iterator[None]:
    """Have what a killed keeper leaves behind become this process's own, and end it: for a command,
    which starts nothing but keepers meanwhile. Children from before are left alone.
    """
    global _adopts
    _others.update(children(os.getpid()))
    set_option = process_option()
    set_option(PR_SET_CHILD_SUBREAPER, 1)
    _adopts = True
    try:
        yield
    finally:
        _adopts = False
        set_option(PR_SET_CHILD_SUBREAPER, 0)
        _others.clear()


def _end_orphans() -> bool:
    """End what was adopted; whether there was anything."""
    if not _adopts:
        return False
    with _children_change:
        orphans = set(children(os.getpid())) - _keepers - _others
        for orphan in orphans:
            with contextlib.suppress(ProcessLookupError, PermissionError, ChildProcessError):
                os.kill(orphan, signal.SIGKILL)
                os.waitpid(orphan, os.WNOHANG)
    return bool(orphans)


class ProcessTree:
    """A running program in a session of its own, and its keeper, which ends whatever it has started
    when it ends, when `end` is called, or when this process is gone, however it went.

    `memory` is the most that its processes may have together, in bytes; 0 is no limit. `stdin`,
    `stdout` and `stderr` are pipes, `life` a descriptor that can be read once the program has
    ended, None where the system has none. Raises OSError where the program cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        stdin: int = subprocess.PIPE,
        memory: int = 0,
    ) -> None:
        self._socket, far = socket.socketpair()
        with far:
            words = [sys.executable, "-I", "-S", str(_KEEPER), str(far.fileno()), str(memory)]
            with _children_change:
                self._keeper = subprocess.Popen(
                    [*words, *command],
                    stdin=stdin,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    env={**os.environ, **environment},
                    start_new_session=True,
                    pass_fds=[far.fileno()],
                )
                _keepers.add(self._keeper.pid)
        assert self._keeper.stdout is not None
        assert self._keeper.stderr is not None
        self.stdin, self.stdout, self.stderr = (
            self._keeper.stdin,
            self._keeper.stdout,
            self._keeper.stderr,
        )
        self._received = b""
        self._is_over = False
        self.life: int | None = None
        self.number = self._started()
        with contextlib.suppress(AttributeError, OSError):  # elsewhere than on Linux
            self.life = os.pidfd_open(self.number)

    def poll(self) -> int | None:
        """The exit code, None while it runs; -N is the signal N."""
        return self._keeper.poll()

    def wait(self, seconds: float | None = None) -> int:
        """The exit code, once it has ended. Raises TimeoutExpired."""
        return self._keeper.wait(seconds)

    def communicate(self, text: bytes, seconds: float) -> tuple[bytes, bytes, bool]:
        """What it wrote to stdout and stderr when given the text, until it ended; whether it was
        ended since it had not by then.
        """
        try:
            return *self._keeper.communicate(text, seconds), False
        except subprocess.TimeoutExpired:
            self.end()
            return *self._keeper.communicate(), True
        finally:
            self.end()
            self.forget()

    def used_beyond_limit(self) -> int | None:
        """The bytes for which the keeper has ended it; None if that was not the reason."""
        _, used = self._message("memory")
        return int(used) if used else None

    def end(self) -> None:
        """End the program and all that it has started, and wait for that. The pipes stay open."""
        if self._is_over:
            return
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)  # which its keeper takes for the end
        try:
            self._keeper.wait(_SECONDS)
        except subprocess.TimeoutExpired:  # somebody holds the keeper
            for group in (self.number, self._keeper.pid):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(group, signal.SIGKILL)
            self._keeper.wait()
        self._is_over = True
        _keepers.discard(self._keeper.pid)
        if self._message("ended") == ("", ""):  # somebody has killed the keeper
            self._end_without_keeper()

    def _end_without_keeper(self) -> None:
        """End the program's group, and what was left to this process if it is one that adopts."""
        until = time.monotonic() + _SECONDS_OF_ORPHANS
        left = True
        while left and time.monotonic() < until:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.number, signal.SIGKILL)
            ended = self._has_ended()  # asked first: what it leaves is ours from then on
            left = _end_orphans() or not ended
            time.sleep(0.01)

    def _has_ended(self) -> bool:
        return self.life is None or bool(select.select([self.life], [], [], 0)[0])

    def forget(self) -> None:
        """Close what is not a pipe, of a process that has ended."""
        self._socket.close()
        life, self.life = self.life, None
        if life is not None:
            os.close(life)

    def _started(self) -> int:
        """The program's process, as the keeper tells it. Raises OSError if there is none."""
        what, text = self._message("program", "absent")
        if what == "program":
            return int(text)
        self.number = self._keeper.pid
        self.end()
        for pipe in (self.stdin, self.stdout, self.stderr):
            if pipe is not None:
                pipe.close()
        self.forget()
        raise OSError(0, text or "it ended at once")

    def _message(self, *kinds: str) -> tuple[str, str]:
        """The first of these things that the keeper says, two empty texts if it ends without."""
        with contextlib.suppress(OSError):  # closed meanwhile, by who ends it too
            self._socket.settimeout(_SECONDS)
            while True:
                for line in self._received.decode().splitlines():
                    kind, _, rest = line.partition(" ")
                    if kind in kinds:
                        return kind, rest
                piece = self._socket.recv(256)
                if not piece:
                    break
                self._received += piece
        return "", ""
