"""The keeper of a program of somebody else's: a process between the suite and the program, beyond
whose end nothing lives that the program has started.

It is run as a file by an interpreter without site packages, so that it is there at once:
`python -I -S keeper.py CONTROL MOST_MEMORY PROGRAM ARGS...`. CONTROL is the number of an open
socket. The keeper says there which process the program is, or why there is none, later that it was
ended for its memory, and at last that all has ended. That the socket is closed, by the suite or by
the suite's own end, ends all. It imports little: it is started for every engine.

Linux gives the keeper whatever its descendants leave behind (PR_SET_CHILD_SUBREAPER, prctl(2)):
a session or a daemon of a program's own does not escape. Elsewhere the program's group is ended.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Callable

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
_PAGE = resource.getpagesize()
_LOOK_SECONDS = 1.0
"""The time between two looks for what the program's processes left behind."""
_LOOK_AT_MEMORY_SECONDS = 0.05
_END_SECONDS = 5.0
"""How long processes that were killed are waited for."""
_CANNOT_EXECUTE = 127


def main(control: int, most_memory: int, words: list[str]) -> None:
    """Start the program, end with it and as it does; `most_memory` is in bytes, 0 for no limit."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the suite's business
    os.set_inheritable(control, False)
    set_option = process_option()
    set_option(PR_SET_CHILD_SUBREAPER, 1)
    try:
        program = _started(words, set_option)
    except OSError as error:
        _tell(control, f"absent {error.strerror}")
        return
    _tell(control, f"program {program}")
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1):  # the pipes are the program's alone, which is how its end is seen
        os.dup2(null, stream)
    status = _exit_status(program, control, most_memory)
    _tell(control, "ended")
    _end_as(status)


def _tell(suite: int, line: str) -> None:
    with contextlib.suppress(OSError):  # a suite that is gone
        os.write(suite, f"{line}\n".encode())


def process_option() -> Callable[[int, int], object]:
    """prctl(2) with an option and its value; nothing where there is none."""
    if not sys.platform.startswith("linux"):
        return lambda option, value: None
    prctl = ctypes.CDLL(None).prctl
    return lambda option, value: prctl(option, value, 0, 0, 0)


def _started(words: list[str], set_option: Callable[[int, int], object]) -> int:
    """The process of the program, in a session of its own. Raises OSError where it cannot be
    executed.
    """
    reader, writer = os.pipe()  # closed by the execution of the program
    program = os.fork()
    if not program:
        os.setsid()
        set_option(PR_SET_PDEATHSIG, signal.SIGKILL)
        for ignored in (signal.SIGPIPE, signal.SIGXFSZ):  # by Python, which others need not
            signal.signal(ignored, signal.SIG_DFL)
        try:
            os.execvp(words[0], words)
        except OSError as error:
            os.write(writer, str(error.errno).encode())
        os._exit(_CANNOT_EXECUTE)
    os.close(writer)
    code = os.read(reader, 16)
    os.close(reader)
    if code:
        os.waitpid(program, 0)
        raise OSError(int(code), os.strerror(int(code)))
    return program


def _exit_status(program: int, suite: int, most_memory: int) -> int:
    """The status with which the program ended; its descendants are ended then, and it when the
    suite hangs up or its memory is beyond the limit.
    """
    waiting = select.poll()
    waiting.register(suite, select.POLLIN)
    seconds = _LOOK_AT_MEMORY_SECONDS if most_memory else _LOOK_SECONDS
    try:
        waiting.register(os.pidfd_open(program), select.POLLIN)
    except (AttributeError, OSError):  # elsewhere than on Linux
        seconds = min(seconds, _LOOK_AT_MEMORY_SECONDS)
    status: int | None = None
    while status is None:
        ready = [where for where, _ in waiting.poll(1000 * seconds)]
        if suite in ready:
            break
        if most_memory and (used := _memory()) > most_memory:
            _tell(suite, f"memory {used}")
            break
        status = _reaped(program)
    ended = _end_all(program, ended=status is not None)
    return signal.SIGKILL if status is None and ended is None else status or ended or 0


def _reaped(program: int) -> int | None:
    """The status of the program, if it has ended; whoever else has ended goes too."""
    status = None
    with contextlib.suppress(ChildProcessError):
        while True:
            process, ended = os.waitpid(-1, os.WNOHANG)
            if process == program:
                status = ended
            if not process:
                break
    return status


def _end_all(program: int, *, ended: bool) -> int | None:
    """End the program with its group and all descendants, generation by generation: those of a
    process that has ended are the keeper's own then. The status of the program, if it ended here.
    """
    status = None
    until = time.monotonic() + _END_SECONDS
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(program, signal.SIGKILL)
    while True:
        left = children(os.getpid())
        if not ended:
            left = [*left, program]
        for process in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        reaped_status = _reaped(program)
        if reaped_status is not None:
            status, ended = reaped_status, True
        if (ended and not children(os.getpid())) or time.monotonic() > until:
            return status
        time.sleep(0.001)


def children(process: int) -> list[int]:
    """The children of all threads of a process; none where the system does not list them."""
    processes: list[int] = []
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{process}/task"):
            processes += map(int, _text(f"/proc/{process}/task/{thread}/children").split())
    return processes


def _memory() -> int:
    """The bytes in memory of all descendants; what several share counts for each."""
    used, processes = 0, [os.getpid()]
    while processes:
        for child in children(processes.pop()):
            processes.append(child)
            sizes = _text(f"/proc/{child}/statm").split()  # in pages: all, in memory, ...
            used += int(sizes[1]) * _PAGE if sizes else 0
    return used


def _text(path: str) -> str:
    """The text of a file of the system's; empty once its process is gone."""
    try:
        with open(path, encoding="ascii") as file:
            return file.read()
    except OSError:
        return ""


def _end_as(status: int) -> None:
    """End this process with the status of the program's."""
    if os.WIFSIGNALED(status):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        number = os.WTERMSIG(status)
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
