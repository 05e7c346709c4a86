"""An engine in a sandbox sees what it is made of and nothing of the suite's."""

from __future__ import annotations

import json
import os
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers import CUT, GAPS, TESTS, command, corpus, environment, foreign_argument

from conformance.errors import UsageError
from conformance.record.reader import read_record
from conformance.record.record import RECORD
from conformance.workers import sandbox

try:
    sandbox.check()
    ABSENT = ""
except UsageError as error:
    ABSENT = str(error)
in_a_sandbox = pytest.mark.skipif(bool(ABSENT), reason=ABSENT)

SPY = """
import glob, json, math, os, socket, sys
target = json.loads({target!r})

def tried(what):
    try:
        return repr(what())
    except BaseException as error:
        return f"{{type(error).__name__}}: {{error}}"

def connected(kind, address):
    with socket.socket(kind, socket.SOCK_STREAM) as one:
        one.settimeout(2)
        one.connect(address)
    return "connected"

def look():
    return {{
        "folders": [one for one in target["folders"] if os.path.isdir(one) and os.listdir(one)],
        "files": {{file: tried(lambda: open(file, "rb").read()) for file in target["files"]}},
        "append": tried(lambda: open(target["files"][-1], "a").write("x")),
        "forge": tried(lambda: open(target["record"] + ".new", "w").write("x")),
        "beside": tried(lambda: open("beside", "w").write("x")),
        "port": tried(lambda: connected(socket.AF_INET, ("127.0.0.1", target["port"]))),
        "socket": tried(lambda: connected(socket.AF_UNIX, target["socket"])),
        "abstract": tried(lambda: connected(socket.AF_UNIX, target["abstract"])),
        "processes": sum(name.isdigit() for name in os.listdir("/proc")),
        "kill": tried(lambda: os.kill(target["suite"], 0)),
    }}

for line in iter(sys.stdin.buffer.readline, b""):
    request = json.loads(line)
    for tensor in request.get("tensors", []):
        sys.stdin.buffer.read(4 * math.prod(tensor["shape"]))
    if request["do"] == "hello":
        answer = dict(protocol=1, convention="onnx", versions={{}}, devices=["cpu"])
    elif request["do"] == "bye":
        break
    else:
        answer = dict(id=request["id"], outcome="unsupported", reason=json.dumps(look()))
    print(json.dumps(answer), flush=True)
"""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """A corpus, a spy, and what it looks for: sockets of ours, a cache, a process of ours."""
    root = corpus(tmp_path, CUT)
    kept, out = tmp_path / "kept", tmp_path / "out"
    (kept / "bisect").mkdir(parents=True)
    (kept / "bisect" / "trial").write_text("kept")
    home = tmp_path.parent / f"home-{tmp_path.name}"
    (home / ".ssh").mkdir(parents=True)
    address = home / "socket"
    abstract = f"\0conformance-{os.getpid()}"
    with socket.create_server(("127.0.0.1", 0)) as port, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(address))
        listener.listen()
        other = socket.socket(socket.AF_UNIX)
        other.bind(abstract)
        other.listen()
        target = {
            "folders": [
                str(root),
                str(out),
                str(kept),
                str(home),
                str(TESTS.parent / "cases"),
            ],
            "files": [str(root / "tiny.yaml"), str(kept / "bisect" / "trial"), str(out / RECORD)],
            "record": str(out / RECORD),
            "port": port.getsockname()[1],
            "socket": str(address),
            "abstract": abstract,
            "suite": os.getpid(),
        }
        (tmp_path / "spy.py").write_text(SPY.format(target=json.dumps(target)))
        yield {"folder": tmp_path, "cache": kept, "home": home, **target}
        other.close()


def spied(place: dict[str, Any], *options: str) -> dict[str, Any]:
    """What the spy could do during a run with these options."""
    done = command(
        "run", "cases", "-a", f"spy=cmd:{sys.executable} spy.py", "-o", "out", *options,
        "--allow-unsupported", cwd=place["folder"],
        env=environment(CONFORMANCE_CACHE=str(place["cache"]), HOME=str(place["home"])),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    [verdict] = read_record(place["folder"] / "out").verdicts
    assert verdict.status == "unsupported", verdict
    return dict(json.loads(verdict.message or ""))


@in_a_sandbox
def test_what_a_spy_tries_fails_in_a_sandbox(place: dict[str, Any]) -> None:
    """It reads neither the case, the cache nor the record; it writes nothing; it reaches nobody;
    and it sees no process of ours.
    """
    found = spied(place, "--sandbox")
    assert found["folders"] == []
    assert all(
        text.startswith(("FileNotFoundError", "PermissionError"))
        for text in found["files"].values()
    )
    for act in ("port", "socket", "abstract", "kill", "beside"):
        assert found[act].startswith(
            ("ConnectionRefusedError", "FileNotFoundError", "OSError", "ProcessLookupError",
             "PermissionError", "NotADirectoryError")
        ), (act, found[act])  # fmt: skip
    assert found["processes"] < 5
    # what it writes where the record is, it writes for itself
    assert not (place["folder"] / "out" / f"{RECORD}.new").exists()
    assert not (place["folder"] / "beside").exists()


def test_what_a_spy_tries_succeeds_without_one(place: dict[str, Any]) -> None:
    """So that the test above tests something; SECURITY.md says so."""
    found = spied(place)
    assert {str(place["folder"] / "cases"), str(place["folder"] / "out")} <= set(found["folders"])
    assert all(text.startswith("b'") and text != "b''" for text in found["files"].values())
    assert (found["port"], found["socket"], found["abstract"]) == ("'connected'",) * 3
    assert (place["folder"] / "beside").exists()
    assert found["kill"] == "None"


@in_a_sandbox
@pytest.mark.parametrize(
    "adapter",
    [
        "miniatures:Right",
        "mine:Right",
        "onnx-reference",
        "mine=" + foreign_argument("right"),
    ],
    ids=["on PYTHONPATH", "in the working folder", "of the table", "a program"],
)
def test_an_engine_computes_in_a_sandbox(tmp_path: Path, adapter: str) -> None:
    """It has what it is made of, wherever that is installed."""
    root = corpus(tmp_path, CUT, GAPS)
    (tmp_path / "mine.py").write_text((TESTS / "miniatures.py").read_text())
    if adapter == "onnx-reference":
        pytest.importorskip("onnx")
    done = command("run", root, "-a", adapter, "-o", "out", "--sandbox", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(verdict.status == "conforms" for verdict in read_record(tmp_path / "out").verdicts)


@in_a_sandbox
def test_what_is_started_beside_is_in_the_sandbox_too(tmp_path: Path) -> None:
    """The processes of --invariance, and those that take the place of one that died."""
    root = corpus(tmp_path, CUT, GAPS)
    for adapter, options, code in (
        ("miniatures:Right", ("--invariance",), 0),
        ("miniatures:Aborts", (), 1),
    ):
        done = command("run", root, "-a", adapter, "-o", "out", "--sandbox", *options, cwd=tmp_path)
        assert done.returncode == code, done.stdout + done.stderr
        assert ("--sandbox" in done.stdout) == bool(code), "the command that shows it again says so"


@in_a_sandbox
def test_a_corpus_that_holds_the_working_folder_is_covered_file_by_file(tmp_path: Path) -> None:
    """An adapter beside the cases is found; the cases are not."""
    corpus(tmp_path, CUT)
    folder = tmp_path / "cases"
    (folder / "mine.py").write_text(
        (TESTS / "miniatures.py").read_text()
        + "\n\ntry:\n    open('tiny.yaml')\nexcept PermissionError:\n    pass\n"
        "else:\n    raise SystemExit('sees the cases')\n"
    )
    done = command("run", ".", "-a", "mine:Right", "-o", "out", "--sandbox", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr


@in_a_sandbox
def test_a_sweep_runs_in_a_sandbox(tmp_path: Path) -> None:
    """Its engine sees neither what was found before nor the network."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "found.yaml").write_text("found")
    (tmp_path / "mine.py").write_text(
        (TESTS / "miniatures.py").read_text()
        + "\n\nimport os\nassert os.listdir('out') == [], 'sees what was found'\n"
    )
    words = ("sweep", "-a", "mine:Right", "--count", 3, "-o", "out", "--no-gradients")
    done = command(*words, "--sandbox", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "sees what was found" in (lambda one: one.stdout + one.stderr)(
        command(*words, cwd=tmp_path)
    )


@in_a_sandbox
@pytest.mark.parametrize(
    ("output", "where", "complaint"),
    [
        (".", None, "holds the working folder"),
        ("out", Path.home(), "which engines do not see"),
        ("/proc/out", None, "cannot be made"),
    ],
)
def test_what_cannot_be_covered_is_refused(
    tmp_path: Path, output: str, where: Path | None, complaint: str
) -> None:
    """In one sentence, before anything runs."""
    words = ("run", corpus(tmp_path, CUT), "-a", "miniatures:Right", "-o", output, "--sandbox")
    done = command(*words, cwd=where or tmp_path)
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert complaint in line


def test_without_bubblewrap_it_is_refused(tmp_path: Path) -> None:
    """In one sentence that says what to install, by both commands."""
    root = corpus(tmp_path, CUT)
    (tmp_path / "bin").mkdir()
    for words in (("run", root), ("sweep", "--count", 1)):
        done = command(
            *words, "-a", "miniatures:Right", "-o", "out", "--sandbox",
            cwd=tmp_path, env=environment(PATH=str(tmp_path / "bin")),
        )  # fmt: skip
        assert done.returncode == 2
        [line] = done.stderr.splitlines()
        assert line == (
            "conformance: --sandbox: there is no bwrap on the PATH, should be installed: "
            "apt-get install bubblewrap"
        )
        assert not (tmp_path / "out").exists()


def test_where_it_may_not_it_is_refused(tmp_path: Path) -> None:
    """The first line of its own words is told."""
    program = tmp_path / "bin" / "bwrap"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'No permissions to create new namespace' >&2\nexit 1\n")
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    done = command(
        "run", corpus(tmp_path, CUT), "-a", "miniatures:Right", "--sandbox",
        cwd=tmp_path, env=environment(PATH=path),
    )  # fmt: skip
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert "(No permissions to create new namespace)" in line


def test_the_words_cover_what_is_hidden_and_keep_what_is_needed(tmp_path: Path) -> None:
    """Folders are empty, files have nothing; what is needed inside of either is put back, last."""
    folder, file, need = tmp_path / "hidden", tmp_path / "file", tmp_path / "hidden" / "needed"
    folder.mkdir()
    file.write_text("x")
    need.write_text("x")
    shown = shlex.join(
        sandbox.words(["engine", "word"], needs=[need], hidden=[folder, file], folder=tmp_path)
    )
    assert shown.endswith("-- engine word")
    assert f"--tmpfs {folder} " in shown
    assert f"--ro-bind {os.devnull} {file} " in shown
    assert shown.index(f"--ro-bind-try {need} {need}") > 0
    assert shown.rindex(f"--ro-bind-try {need} {need}") > shown.index(f"--tmpfs {folder} ")


@in_a_sandbox
def test_what_a_sandbox_costs_is_told_by_its_start() -> None:
    """Namespaces are made in milliseconds: a start takes no half second longer."""
    done = subprocess.run(
        sandbox.words(["true"], needs=[], hidden=[], folder=Path("/")),
        timeout=5,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
