"""The parent's handle of one engine process: time limits, deaths, and that nothing is left."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from helpers import CUT_OUTPUT, ONNX, TESTS, TORCH, eventually, foreign_words, gone, members, small

from conformance.workers.process import Died, EngineProcess, Late, python_command
from conformance.workers.stderr import LONGEST_LINE, TAIL_BYTES, TAIL_LINES

pytestmark = pytest.mark.slow

HELLO = {"do": "hello", "protocol": 1}


def call(process: Any, native: Any, seconds: Any = 20.0, tensors: Any = None) -> Any:
    x, kernel, bias = tensors or small()
    request = {"do": "call", "id": 1, "device": "cpu", "native": native}
    return process.ask(request, {"x": x, "kernel": kernel, "bias": bias}, seconds)


@pytest.fixture
def start() -> Iterator[Any]:
    """Starts engines and ends what the test left."""
    processes = []

    def begin(command: Any) -> Any:
        processes.append(EngineProcess(command, {"PYTHONPATH": str(TESTS)}))
        processes[-1].ask(HELLO, {}, 60.0)
        return processes[-1]

    yield begin
    for process in processes:
        process.kill()


@pytest.fixture
def miniature(start: Any) -> Any:
    return lambda name: start(python_command(sys.executable, f"miniatures:{name}"))


@pytest.fixture
def foreign(start: Any) -> Any:
    return lambda behaviour: start(foreign_words(behaviour))


def group(process: Any) -> Any:
    return process._process.number


@pytest.mark.parametrize(
    "asked", [("miniature", "Right", TORCH), ("foreign", "right", ONNX)], ids=["python", "foreign"]
)
def test_an_engine_answers(request: pytest.FixtureRequest, asked: Any) -> None:
    """An adapter in Python and a program of its own answer alike."""
    kind, name, native = asked
    header, tensors = call(request.getfixturevalue(kind)(name), native)
    assert header["outcome"] == "output"
    assert (tensors["y"] == CUT_OUTPUT).all()


def test_large_tensors_go_through_both_pipes(miniature: Any) -> None:
    """Arrays far larger than a pipe's buffer arrive whole in both directions."""
    x = (
        np.random.RandomState(1).randint(-4, 5, (40_000, 1, 4, 4)).astype(np.float32)
    )  # many items, few positions to scatter
    native = {
        "stride": [1, 1],
        "padding": [0, 0],
        "output_padding": [0, 0],
        "dilation": [1, 1],
        "groups": 1,
    }
    _, tensors = call(
        miniature("Right"),
        native,
        tensors=(x, np.full((1, 1, 1, 1), 2, np.float32), np.zeros(1, np.float32)),
    )
    assert x.nbytes > 2**21
    assert (tensors["y"] == 2 * x).all()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Aborts", "died by signal 6 (SIGABRT)"),
        ("Segfaults", "died by signal 11 (SIGSEGV)"),
        ("ExitsAtOnce", "ended with exit code 3 before it answered"),
    ],
)
def test_a_death_says_how(miniature: Any, name: Any, message: Any) -> None:
    """The signal by number and name, or the exit code."""
    process = miniature(name)
    with pytest.raises(Died, match=re.escape(message)):
        call(process, TORCH)
    assert gone(group(process))


@pytest.mark.parametrize("name", ["Aborts", "Segfaults", "DividesByZero"])
def test_a_death_by_signal_says_where_in_the_engine(miniature: Any, name: Any) -> None:
    """File, line and function of the engine's own Python, none of the suite's, and beside the
    message, which says only that it died.
    """
    with pytest.raises(Died) as caught:
        call(miniature(name), TORCH)
    frames = caught.value.frames.splitlines()
    line = (TESTS / "miniatures.py").read_text().splitlines().index(f"class {name}(Right):")
    at = re.fullmatch(
        r'File "(.*miniatures.py)", line (\d+), in call', frames[-1 - (name == "Segfaults")]
    )
    assert at is not None, frames
    assert line < int(at[2]) < line + 12
    assert "workers" not in caught.value.frames
    assert "most recent call first" not in str(caught.value)


def test_the_end_of_stderr_is_in_the_message_and_so_is_the_reason_above_the_trace(
    miniature: Any,
) -> None:
    """The last lines are kept, and before them the line that says why it died; what lies between is
    left out.
    """
    with pytest.raises(Died) as caught:
        call(miniature("Aborts"), TORCH)
    first, reason, dots, *tail = str(caught.value).splitlines()
    assert first.startswith("died by signal")
    assert reason == "miniature: Check failed: the moon is full"
    assert dots == "..."
    assert len(tail) == TAIL_LINES
    assert tail[-1] == "miniature: this is the end"


def test_a_long_line_of_stderr_is_cut(start: Any) -> None:
    """A message stays readable whatever an engine says."""
    shout = (
        "import sys; sys.stdin.readline(); print('{}'); sys.stdout.flush(); "
        "sys.stderr.write('x' * 10**6); sys.exit(1)"
    )
    process = start([sys.executable, "-c", shout])
    with pytest.raises(Died) as caught:
        call(process, TORCH)
    assert len(str(caught.value)) < 2 * LONGEST_LINE


def test_the_framework_reads_an_empty_stdin(miniature: Any) -> None:
    """The protocol's pipe stays open, and the framework neither waits on it nor gets at the next
    request.
    """
    header, _ = call(miniature("ReadsStdin"), TORCH, 10.0)
    assert header["outcome"] == "output"


def test_a_flood_on_stderr_does_not_block_an_engine(start: Any) -> None:
    """What an engine says is drained while it works: more than a pipe holds does not stop it."""
    flood = (
        "import sys\nfor line in sys.stdin.buffer:\n    sys.stderr.write('x' * 10**6)\n    "
        "sys.stderr.flush()\n"
        "    print('{}', flush=True)"
    )
    process = start([sys.executable, "-c", flood])
    assert process.ask(HELLO, {}, 20.0) == ({}, {})
    assert eventually(lambda: 0 < len(process.stderr._tail) <= TAIL_BYTES)
    assert len(process.stderr.tail()) <= 2 * LONGEST_LINE


def test_a_hanging_engine_is_late_and_gone(miniature: Any) -> None:
    """The limit holds, and the process does not outlive it."""
    process = miniature("Hangs")
    began = time.monotonic()
    with pytest.raises(Late):
        call(process, TORCH, 0.5)
    assert 0.4 < time.monotonic() - began < 5
    assert gone(group(process))


def test_writing_counts_against_the_limit(foreign: Any) -> None:
    """An engine that does not read is late too: a large tensor does not fit into the pipe."""
    large = np.zeros((1, 1, 1024, 1024), np.float32)
    process = foreign("never-reads")
    with pytest.raises(Late):
        call(process, ONNX, 0.5, tensors=(large, large, np.zeros(1, np.float32)))
    assert gone(group(process))


@pytest.mark.parametrize(
    ("behaviour", "message"),
    [
        ("garbage", "answered b'ready.\\n', should be one line of JSON"),
        ("endless-line", "and on, should be one line of JSON"),
        ("unknown-dtype", "tensor y has dtype 'posit16', should be one of float32"),
        ("dies-half-way", "ended with exit code 0 before it answered"),
        ("closes-stdout", "closed its output and went on running"),
    ],
)
def test_an_answer_that_is_none_ends_the_engine(foreign: Any, behaviour: Any, message: Any) -> None:
    """Whatever breaks the protocol is told as such, and the process is ended."""
    process = foreign(behaviour)
    with pytest.raises(Died, match=re.escape(message)):
        call(process, ONNX)
    assert gone(group(process))


def test_a_grandchild_ends_with_the_group(foreign: Any) -> None:
    """What an engine started itself is ended with it."""
    process = foreign("grandchild")
    with pytest.raises(Late, match="grandchild") as caught:
        call(process, ONNX, 2.0)
    assert re.search(r"grandchild \d+", str(caught.value))
    assert gone(group(process))


@pytest.mark.parametrize("kind", ["miniature", "foreign"])
def test_an_interrupt_is_ignored(request: pytest.FixtureRequest, kind: Any) -> None:
    """Ctrl-C reaches the whole terminal; engines leave it to the parent and go on answering."""
    process = request.getfixturevalue(kind)("Right" if kind == "miniature" else "right")
    os.kill(process._process.number, signal.SIGINT)
    time.sleep(0.1)
    header, _ = call(process, TORCH if kind == "miniature" else ONNX)
    assert header["outcome"] == "output"


def test_an_engine_has_its_own_session(miniature: Any) -> None:
    """The terminal's signals do not reach it, and its group can be ended without ending ours."""
    process = miniature("Right")
    assert members(group(process)) == [group(process)]


def test_closing_lets_it_go_by_itself(miniature: Any) -> None:
    """Bye is said: the process ends with exit code 0 and need not be killed."""
    process = miniature("Right")
    process.close()
    assert eventually(lambda: process._process.poll() is not None)
    assert process._process.poll() == 0


def test_kill_can_be_repeated(miniature: Any) -> None:
    """Ending what has ended is no error."""
    process = miniature("Right")
    process.kill()
    process.kill()
    assert gone(group(process))


def test_the_standard_streams_of_a_killed_engine_are_closed() -> None:
    """Nothing keeps a pipe open: a suite of thousands of restarts must not run out of
    descriptors.
    """
    code = (
        "import os, sys\nfrom conformance.workers.process import EngineProcess\n"
        "def once():\n    p = EngineProcess(['sleep', '60'], {}); p.kill()\n"
        "once(); before = len(os.listdir('/proc/self/fd'))\n"
        "for _ in range(5): once()\n"
        "print(len(os.listdir('/proc/self/fd')) - before)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert (done.stdout.strip(), done.stderr) == ("0", "")
