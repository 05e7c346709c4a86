"""Engines that write to the record of their own run, and runs that want the same folder."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers import CUT, EMPTY, GAPS, command, corpus, environment

from conformance.record.reader import read_record
from conformance.record.record import RECORD

pytestmark = pytest.mark.slow

ENGINE = '''\
import os, pathlib, time
import miniatures

RECORD = pathlib.Path("out/results.jsonl")


class Liar(miniatures.OffByOne):
    """Is wrong, and says in the record that it was right."""

    calls = 0

    def call(self, *words, **named):
        self.calls += 1
        if self.calls == 2:
            # the command may ask for this call before it has written the verdict on the first
            until = time.monotonic() + 60
            while b'"differs"' not in (data := RECORD.read_bytes()) and time.monotonic() < until:
                time.sleep(0.01)
            RECORD.write_bytes(data.replace(b'"differs"', b'"conforms"'))
        return super().call(*words, **named)


class Forger(miniatures.OffByOne):
    """Puts a record of its own there, sealed as one is."""

    def call(self, *words, **named):
        from conformance.record.seal import Seal
        seal = Seal()
        lines = RECORD.read_bytes().replace(b'"differs"', b'"conforms"').splitlines()
        bare = [line.rpartition(b',"check":')[0] + b"}" for line in lines]
        sealed = b"".join(map(seal.sealed, bare))
        RECORD.unlink()
        RECORD.write_bytes(sealed)
        return super().call(*words, **named)


class Waiter(miniatures.Right):
    """Waits until it is let go."""

    def call(self, *words, **named):
        while pathlib.Path("wait").exists():
            time.sleep(0.01)
        return super().call(*words, **named)
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with three cases and the engines."""
    corpus(tmp_path, CUT, GAPS, EMPTY)
    (tmp_path / "engines.py").write_text(ENGINE)
    return tmp_path


def words(engine: str) -> list[str]:
    return ["run", "cases", "-a", f"engines:{engine}", "--jobs", "1", "-o", "out"]


def run(folder: Path, engine: str, *more: str) -> Any:
    return command(*words(engine), *more, cwd=folder)


@pytest.mark.parametrize("engine", ["Liar", "Forger"])
def test_an_engine_that_changes_the_record_is_found_out(folder: Path, engine: str) -> None:
    """No verdict is taken from what it wrote: exit 2 and a sentence, and no page."""
    done = run(folder, engine)
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.splitlines() == [
        f"conformance: out/{RECORD} was changed while the run went on, should be written by the "
        "run alone: nothing in it can be relied on"
    ]
    assert not (folder / "out" / "index.html").exists()


def awaited(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("more", [[], ["--resume"]])
def test_a_second_run_into_a_folder_names_the_first(folder: Path, more: list[str]) -> None:
    """It is refused, and spoils nothing; when the first is gone, in whatever way, another runs."""
    (folder / "wait").touch()
    record = folder / "out" / RECORD
    first = subprocess.Popen(
        [sys.executable, "-m", "conformance", *words("Waiter")],
        cwd=folder,
        env=environment(),
        stdout=subprocess.DEVNULL,
    )
    try:
        awaited(record.is_file)
        awaited(lambda: b'"run"' in record.read_bytes())
        before = record.read_bytes()
        second = run(folder, "Waiter", *more)
        assert second.returncode == 2
        told = f"conformance: out/{RECORD} cannot be written: process {first.pid} is writing there"
        assert second.stderr.startswith(told)
        assert record.read_bytes() == before
        (folder / "wait").unlink()
        assert first.wait(60) == 0
        assert len(read_record(record).verdicts) == 3
    finally:
        first.kill()
        first.wait()
    assert run(folder, "Waiter", "--resume").returncode == 0


def test_a_record_that_was_damaged_is_not_resumed(folder: Path) -> None:
    """Nor compared with; what is wrong is one sentence."""
    (folder / "wait").unlink(missing_ok=True)
    assert run(folder, "Waiter").returncode == 0
    record = folder / "out" / RECORD
    record.write_bytes(record.read_bytes().replace(b'"conforms"', b'"differs" ', 1))
    for more in (["--resume"], ["--baseline", "out"]):
        done = run(folder, "Waiter", *more)
        assert done.returncode == 2
        [line] = done.stderr.splitlines()
        assert f"{RECORD}:" in line
        assert ": was changed after it was written, should be" in line
