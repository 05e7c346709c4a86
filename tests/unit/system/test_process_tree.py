"""A program with its keeper: how it starts and ends, and that nothing of it stays."""

from __future__ import annotations

import select
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers import eventually

from conformance.system.process_tree import ProcessTree

pytestmark = pytest.mark.slow


def python(code: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", textwrap.dedent(code)]


@pytest.fixture
def keep() -> Iterator[Any]:
    """Starts programs, and ends what the test left."""
    kept: list[ProcessTree] = []

    def begin(command: list[str], **more: Any) -> ProcessTree:
        kept.append(ProcessTree(command, {}, **more))
        return kept[-1]

    yield begin
    for process in kept:
        process.end()
        process.forget()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def alive(number: int) -> bool:
    """Whether a process runs; one that has ended and is not waited for does not."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.mark.parametrize(
    ("code", "ended"),
    [
        ("pass", 0),
        ("raise SystemExit(7)", 7),
        ("import os; os.abort()", -signal.SIGABRT),
        ("import os; os.kill(os.getpid(), 9)", -signal.SIGKILL),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM),
    ],
)
def test_it_ends_as_the_program_does(keep: Any, code: str, ended: int) -> None:
    """With its exit code, or by its signal."""
    process = keep(python(code))
    assert process.wait(20) == ended
    assert select.select([process.life], [], [], 0)[0]


def test_a_program_that_cannot_be_executed_is_an_os_error(tmp_path: Path) -> None:
    """With the system's words, and no descriptor is left open."""
    before = len([*Path("/proc/self/fd").iterdir()])
    for command in (["/no/such/program"], [str(tmp_path)]):
        with pytest.raises(OSError, match=r"No such file|Permission denied"):
            ProcessTree(command, {})
    assert len([*Path("/proc/self/fd").iterdir()]) == before


@pytest.mark.parametrize("way", ["child", "session", "daemon"])
def test_what_it_started_ends_with_it(keep: Any, way: str) -> None:
    """By itself or by us; a session and a daemon of its own too."""
    started = """
        import os, sys, time
        way = sys.argv[1]
        if not os.fork():
            if way != "child": os.setsid()
            if way != "daemon" or not os.fork():
                print(os.getpid(), flush=True)
                time.sleep(3600)
            os._exit(0)
        time.sleep(float(sys.argv[2]))
    """
    for seconds, end in ((0.2, False), (3600, True)):
        process = keep([*python(started), way, str(seconds)])
        left = int(process.stdout.readline())
        assert alive(left)
        if end:
            process.end()
        assert eventually(lambda: not alive(left), 5)  # noqa: B023 - asked at once
        assert process.wait(5) == (-signal.SIGKILL if end else 0)


def test_it_ends_with_who_started_it() -> None:
    """However that ends: here by SIGKILL."""
    code = """
        import sys, time
        from conformance.system.process_tree import ProcessTree
        p = ProcessTree([sys.executable, "-I", "-S", "-c", "import time; time.sleep(3600)"], {})
        print(p.number, flush=True)
        time.sleep(3600)
    """
    words = [sys.executable, "-c", textwrap.dedent(code)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as suite:
        assert suite.stdout is not None
        number = int(suite.stdout.readline())
        assert alive(number)
        suite.kill()
        assert eventually(lambda: not alive(number), 5)


def test_memory_beyond_the_limit_ends_it(keep: Any) -> None:
    """That of its children counts, and what was used is told."""
    limit = 64 * 2**20
    code = "import os, time\nif os.fork(): time.sleep(60)\nx = b'1' * 2**28\ntime.sleep(60)"
    process = keep(python(code), memory=limit)
    assert process.wait(20) == -signal.SIGKILL
    assert process.used_beyond_limit() > limit
    assert keep(python("pass"), memory=limit).used_beyond_limit() is None


def test_what_it_prints_is_had_even_when_it_is_late() -> None:
    """What was written before the limit, and that it was reached."""
    code = "import sys, time; print(sys.stdin.read(), flush=True); time.sleep(3600)"
    began = time.monotonic()
    assert ProcessTree(python(code), {}).communicate(b"said", 2.0) == (b"said\n", b"", True)
    assert time.monotonic() - began < 10
    assert ProcessTree(python("print(1)"), {}).communicate(b"", 20.0) == (b"1\n", b"", False)
