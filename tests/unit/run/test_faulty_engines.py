"""Whatever an engine does at one call, that call gets the verdict that it earns, all others
conform, and nothing of the engine is left.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from faulty_engine import FAULTS, HARMLESS_GREETINGS, IN_THE_GREETING
from helpers import CUT, GAPS, TESTS, corpus, eventually
from test_runner import run

from conformance.printing import MOST_CHARACTERS
from conformance.workers.spec import Spec

pytestmark = pytest.mark.slow

TWO = GAPS + CUT + GAPS.replace("id: gaps", "id: gaps-again")


MARK = f"OF_THE_FAULTY_ENGINES={os.getpid()}"
"""In the environment of every engine here, and of what it starts."""


def faulty(fault: str, **more: Any) -> Spec:
    words = (sys.executable, str(TESTS / "faulty_engine.py"), fault)
    spec = Spec.of("cmd:", label="faulty", python=sys.executable, words=words)
    name, _, value = MARK.partition("=")
    return replace(spec, environment={**spec.environment, name: value}, **more)


def left_behind() -> list[str]:
    """The command lines of the processes of this test's engines, and of what they started, that
    still run.
    """
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            of_this = f"{MARK}\0".encode() in (folder / "environ").read_bytes()
            words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if of_this and ("left behind" in words or any("faulty_engine.py" in w for w in words)):
            found.append(" ".join(words))
    return found


def marked() -> dict[str, str]:
    """The environment of a command whose engines are these."""
    name, _, value = MARK.partition("=")
    return {**os.environ, name: value}


def statuses(tmp_path: Path, spec: Spec, **more: Any) -> dict[str, str]:
    root = corpus(tmp_path / "cases", TWO)
    record = run(tmp_path, root, spec, **{"timeout": 1.0, **more})
    assert all(len(v.message or "") < 2 * MOST_CHARACTERS for v in record.verdicts)
    return {v.case.rpartition("/")[2]: v.status for v in record.verdicts}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_costs_the_call_at_which_it_happens(fault: str, tmp_path: Path) -> None:
    """One case has a bias, at which the engine goes wrong; the one after it conforms."""
    timeout = 1.5 if FAULTS[fault] == "timed-out" or fault == "closes-stdout" else 20.0
    came = statuses(tmp_path, faulty(fault, memory=200 * 2**20), timeout=timeout)
    assert came == {"gaps": "conforms", "cut": FAULTS[fault], "gaps-again": "conforms"}
    assert eventually(lambda: not left_behind())


def test_what_was_used_beyond_the_limit_is_told(tmp_path: Path) -> None:
    """The verdict says that it was the memory, and names the option."""
    record = run(
        tmp_path, corpus(tmp_path / "cases", CUT), faulty("fills-memory", memory=200 * 2**20)
    )
    [verdict] = record.verdicts
    said = re.fullmatch(
        r"was ended with (\d+) MiB of memory, above the limit of --memory", verdict.message or ""
    )
    assert said
    assert 200 <= int(said[1]) < 4000


def test_three_time_outs_in_a_row_are_enough(tmp_path: Path) -> None:
    """Of an engine that hangs every case is told, and only some are waited for; at the end each is
    asked once more, as often.
    """
    cases = "".join(CUT.replace("id: cut", f"id: cut-{number}") for number in range(40))
    root = corpus(tmp_path / "cases", cases)
    began = time.monotonic()
    record = run(tmp_path, root, faulty("hangs"), timeout=0.3)
    assert [verdict.status for verdict in record.verdicts] == ["timed-out"] * 40
    assert time.monotonic() - began < 40 * 0.3
    assert sum("not asked: 3 calls in a row" in (v.message or "") for v in record.verdicts) > 30


def test_a_run_ends_at_its_deadline(tmp_path: Path) -> None:
    """Whatever waits is ended, what was recorded stays, and the run is no success."""
    root = corpus(tmp_path / "cases", TWO)
    record = run(tmp_path, root, faulty("hangs"), timeout=60.0, deadline=2.0)
    assert record.end is None
    assert not record.ok
    assert {verdict.status for verdict in record.verdicts} <= {"conforms"}
    assert eventually(lambda: not left_behind())


@pytest.mark.parametrize("fault", IN_THE_GREETING)
def test_a_greeting_that_is_none_fails_every_verdict(fault: str, tmp_path: Path) -> None:
    """No run is green without the engine that it was to ask."""
    assert set(statuses(tmp_path, faulty(fault)).values()) == {"crashed"}


@pytest.mark.parametrize("fault", HARMLESS_GREETINGS)
def test_what_a_greeting_adds_matters_to_nobody(fault: str, tmp_path: Path) -> None:
    """What is odd and means nothing is left out, or cut to a length that can be kept."""
    assert set(statuses(tmp_path, faulty(fault)).values()) == {"conforms"}


def test_nothing_outlives_a_suite_that_is_killed(tmp_path: Path) -> None:
    """SIGKILL leaves the suite no time; its keepers end what the engines have started."""
    root = corpus(tmp_path / "cases", TWO)
    engine = f"{sys.executable} {TESTS / 'faulty_engine.py'}"
    for fault in ("leaves-a-daemon", "leaves-a-session", "hangs"):
        log = tmp_path / fault
        words = [sys.executable, "-m", "conformance", "run", str(root), "-a", f"cmd:{engine} hangs"]
        words += ["-a", f"other=cmd:{engine} {fault}", "-o", str(log), "--jobs", "2"]
        suite = subprocess.Popen(
            words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=marked()
        )
        assert eventually(lambda: len(left_behind()) > 3)
        time.sleep(0.5)
        os.kill(suite.pid, signal.SIGKILL)
        suite.wait()
        assert eventually(lambda: not left_behind()), left_behind()


def test_a_killed_keeper_leaves_nothing_to_a_command(tmp_path: Path) -> None:
    """An engine that leaves a daemon and then kills its keeper: the command is who adopts it."""
    cases = "".join(CUT.replace("id: cut", f"id: {name}") for name in ("one", "two"))
    root = corpus(tmp_path / "cases", cases)
    engine = f"{sys.executable} {TESTS / 'faulty_engine.py'} leaves-a-daemon-then-kills-its-parent"
    words = [sys.executable, "-m", "conformance", "run", str(root), "-a", f"cmd:{engine}"]
    done = subprocess.run(
        [*words, "-o", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        check=False,
        env=marked(),
    )
    assert done.returncode == 1, done.stderr
    assert not left_behind()
