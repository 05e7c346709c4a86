"""What an implementer sees of an engine from inside: what docs/implementer.md tells works."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from helpers import CHECKOUT, CUT, GAPS, TESTS, command, corpus, environment, foreign_argument

from conformance.record.reader import read_record

pytestmark = pytest.mark.slow


@pytest.mark.skipif(shutil.which("gdb") is None, reason="gdb is not installed")
@pytest.mark.parametrize(("behaviour", "code"), [("right", 0), ("aborts", 1)])
def test_a_program_runs_in_gdb_as_the_page_says(tmp_path: Path, behaviour: Any, code: int) -> None:
    """The protocol goes past gdb, whose output is shown: where a native engine dies."""
    page = (CHECKOUT / "docs" / "implementer.md").read_text(encoding="utf-8")
    found = re.search(r"^    # under-gdb.sh\n(?:    .*\n)+", page, re.MULTILINE)
    assert found is not None
    (tmp_path / "under-gdb.sh").write_text(textwrap.dedent(found[0]))
    python, program = Path(sys.executable).resolve(), TESTS / "foreign_engine.py"
    engine = f"mine=cmd:sh under-gdb.sh {python} {program} {behaviour}"
    done = command("run", corpus(tmp_path, CUT), "-a", engine, "-s", cwd=tmp_path)
    assert done.returncode == code, done.stdout + done.stderr
    assert ("mine| Program received signal SIGABRT" in done.stderr) is (code == 1)
    assert ("abort ()" in done.stderr) is (code == 1)


@pytest.fixture
def here(tmp_path: Path) -> Any:
    """`conformance run CASE --in-process WORDS`, with what a user types."""

    def run(*words: Any, typed: str = "", case: str = "tiny/cut", **more: Any) -> Any:
        root = corpus(tmp_path, CUT, GAPS)
        return command(
            *("run", root, case, "--in-process", "-o", "out", *words),
            cwd=tmp_path,
            input=typed,
            env=environment(**more),
        )

    return run


def test_the_case_of_a_shard_is_one(here: Any) -> None:
    """What is asked is what the shard has, of all that is selected."""
    words = ("-a", "miniatures:Right", "--shard")
    done = here(*words, "1/2", case="tiny/*")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Conforms: 1 check on 1 case" in done.stdout
    assert "2 cases are selected" in here(*words, "1/1", case="tiny/*").stderr


def test_a_breakpoint_stops_in_the_adapter(here: Any, tmp_path: Path) -> None:
    """In the main thread, on the user's own stdin and stdout, with the case's arrays; then the
    verdict is told and recorded as ever.
    """
    done = here("-a", "miniatures:Stops", typed="p x.shape\np native['stride']\nc\n")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "(Pdb) (1, 1, 2, 2)" in done.stdout
    assert "(Pdb) [2, 2]" in done.stdout
    assert "\x1b[1mhere\x1b[0m True" in done.stdout
    assert "Conforms: 1 check on 1 case" in done.stdout
    assert done.stderr == ""
    [verdict] = read_record(tmp_path / "out").verdicts
    assert verdict.status == "conforms"


def test_who_leaves_the_debugger_leaves_the_run(here: Any) -> None:
    """It is no exception of the engine."""
    done = here("-a", "miniatures:Stops", typed="q\n")
    assert done.returncode == 130
    assert "BdbQuit" not in done.stdout + done.stderr
    assert "Interrupted" in done.stderr


def test_it_is_asked_in_this_very_process(tmp_path: Path) -> None:
    """Once, and no other process is started: a profiler of the command sees the adapter."""
    root, log = corpus(tmp_path, CUT), tmp_path / "log"
    words = ["run", str(root), "-a", "miniatures:Right", "--in-process", "-o", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "cProfile", "-m", "conformance", *words],
        env=environment(MINIATURES_LOG=str(log)),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Conforms: 1 check on 1 case" in done.stdout, done.stdout + done.stderr
    assert len(log.read_text().splitlines()) == 1
    assert re.search(r"miniatures.py:\d+\(scatter\)", done.stdout)


def test_what_goes_wrong_in_this_process_is_the_verdict_that_it_is_elsewhere(
    here: Any, tmp_path: Path
) -> None:
    """A wrong result differs, an exception is told with its frames, nonsense is a crash."""
    for name, status in (("OffByOne", "differs"), ("RaisesDeep", "raised"), ("ReturnsList", "")):
        done = here("-a", f"miniatures:{name}")
        [verdict] = read_record(tmp_path / "out").verdicts
        elsewhere = command("run", "cases", "tiny/cut", "-a", f"miniatures:{name}", cwd=tmp_path)
        [other] = read_record(tmp_path / "reports/latest").verdicts
        assert (verdict.status, verdict.message) == (other.status, other.message)
        assert verdict.traceback == other.traceback
        assert done.returncode == elsewhere.returncode
        assert verdict.status == status or not status


def test_an_adapter_of_the_table_runs_in_this_process(here: Any) -> None:
    """With the gradients, if the case has some."""
    pytest.importorskip("onnx")
    done = here("-a", "onnx-reference")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "engines are asked for, should be one, by -a"),
        (("-a", "miniatures:Right", "-a", "miniatures:Stops"), "2 engines are asked for"),
        (("-a", foreign_argument("right")), "is another process whoever starts it: -s shows"),
        (("-a", "tfjs"), "is another process whoever starts it: -s shows"),
        (("-a", "miniatures:Right", "--invariance"), "--invariance is about another process"),
        (("-a", "miniatures:Right", "--memory", "1G"), "--memory is about another process"),
        (("-a", "miniatures:Right", "-s"), "-s is about another process"),
        (("-a", "miniatures:Right", "--python", "miniatures:Right=/bin/sh"), "/bin/sh, and cannot"),
    ],
    ids=lambda value: None if isinstance(value, tuple) else value[:20],
)
def test_what_cannot_be_asked_in_this_process_is_refused(here: Any, words: Any, told: str) -> None:
    """One sentence that says what to do instead, and exit 2."""
    done = here(*words)
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert line.startswith("conformance: --in-process: ")
    assert told in line


def test_one_case_is_asked_in_this_process(here: Any) -> None:
    """Not two."""
    done = here("-a", "miniatures:Right", case="tiny/*")
    assert (done.returncode, done.stdout) == (2, "")
    assert "2 cases are selected, should be the full name of one" in done.stderr
