"""Files that announce much more than they are: one line, exit 2, little memory and little time."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import limited

MEMORY = 1 << 30
SECONDS = 20.0


def case(extra: str = "", **arrays: str) -> str:
    """A case file of one case whose arrays are as given."""
    of = {"input": "[[1, 2], [3, 4]]", "kernel": "[[1]]"} | arrays
    lines = [f"    {key}: {value}\n" for key, value in of.items()]
    return "format: 1\ncases:\n  - id: a\n    summary: s\n    source: s\n" + "".join(lines) + extra


def laughs() -> str:
    """Nine aliases of nine aliases, nine times over: 9^9 values in 400 bytes."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    return "\n".join(lines)


def hostile() -> Iterator[tuple[str, str, str]]:
    """A name, the file, and what is told of it."""
    must_fail = "    expected: {error: true}\n"
    yield "aliases", laughs(), "an alias counted as what it stands for, should hold at most"
    yield "30-mb", case(input=f"{{shape: [{'1,' * 15_000_000}1]}}"), "more than 16777216"
    yield "values", case(input=f"{{shape: [{'1,' * 1_100_000}1]}}"), "holds more than 1048576"
    yield "nan", case(input=f"{{shape: [{'.nan,' * 100_000}1]}}"), "is [nan, nan,"
    yield "flow", "[" * 100_000, "is nested more than 50 deep"
    yield "block", "- " * 100_000, "is nested more than 50 deep"
    yield "keys", "? " * 100_000, "is nested more than 50 deep"
    empty = "{shape: [16777216, 1, 0, 1], values: ones}"
    yield "empty-axes", case(must_fail, input=empty), "has no elements, and axes that come to"
    bias = f"    bias: {{values: ones}}\n    groups: 1000000000\n{must_fail}"
    yield "bias", case(bias), "bias: has 1000000000 elements"
    large = "{shape: [1, 1, 16384, 8192], values: ones}"
    padded = f"    padding: [[8192, 24574], [4096, 12286]]\n{must_fail}"
    yield "products", case(padded, input=large, kernel=large), "products with the kernel"


HOSTILE = list(hostile())


def run(path: Path, *words: str) -> tuple[int, str]:
    """`conformance WORDS PATH` in a GiB of memory: the exit code, and what is on stderr."""
    done = subprocess.run(
        [*limited(MEMORY, "DATA"), "-m", "conformance", *words, str(path)],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(("name", "text", "told"), HOSTILE, ids=[name for name, *_ in HOSTILE])
def test_a_file_that_announces_much_is_refused(
    tmp_path: Path, name: str, text: str, told: str
) -> None:
    """What is announced is not built."""
    path = tmp_path / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    code, stderr = run(path, "list")
    assert code == 2
    (line,) = stderr.splitlines()
    assert line.startswith(f"{path}:")
    assert told in line
    assert len(line) < len(str(path)) + 400


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """A case file, known failures or a model that is a pipe is refused at once."""
    pipe = tmp_path / "pipe.yaml"
    os.mkfifo(pipe)
    assert run(pipe, "list") == (
        2,
        f"{pipe}:1: (file): is a pipe or a device, should be a case file or a folder of them\n",
    )
    code, stderr = run(pipe, "lint", "textbook/cs231n/*", "--known")
    assert code == 2
    assert "cannot be read: it is a pipe or a device, no regular file" in stderr
