"""No command prints anything of a stranger that steers the terminal or the log of a job."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from helpers import command, environment
from unit.test_printing import commands, steers

pytestmark = pytest.mark.slow

HOSTILE = (
    "a\x1b]8;;https://example.org\x1b\\b\x9b31m\u202e\u2066c\u2028d\r\n::error::owned\n"
    "  ::stop-commands::token\n##[error]owned\nConforms: 1 check"
)

ENGINE = """
import json, math, sys
hostile = {hostile!r}
def say(**answer):
    print(json.dumps(answer), flush=True)
for line in iter(sys.stdin.buffer.readline, b""):
    request = json.loads(line)
    for tensor in request.get("tensors", []):
        sys.stdin.buffer.read(4 * math.prod(tensor["shape"]))
    if request["do"] == "hello":
        say(protocol=1, convention="onnx", versions={{hostile: hostile}}, devices=[hostile],
            facts={{hostile: hostile}})
    elif request["do"] == "bye":
        break
    elif request["do"] == "gradients" or {behaviour!r} == "unsupported":
        say(id=request["id"], outcome="unsupported", reason=hostile, type=hostile)
    elif {behaviour!r} == "crashes":
        sys.stderr.write(hostile + "\\n")
        sys.exit(3)
    elif {behaviour!r} == "other":
        say(id=request["id"], outcome=hostile)
    else:
        say(id=request["id"], outcome="raised", type=hostile, message=hostile, stage=hostile)
"""

CASES = """
format: 1
cases:
  - id: one
    summary: {hostile}
    source: {hostile}
    input: [[1, 2], [3, 4]]
    kernel: [[1, 2], [3, 4]]
    gradients: [[1, 1, 1], [1, 1, 1], [1, 1, 1]]
"""


def check(done: Any) -> str:
    """The output of a command, both streams, in which nothing steers."""
    assert "Traceback" not in done.stderr
    for text in (done.stdout, done.stderr):
        assert steers(text) == []
        assert commands(text) == []
        # a line of its own that claims something is a lie
        assert not [line for line in text.splitlines() if line.startswith("Conforms: 1 check")]
    return str(done.stdout + done.stderr)


def engine(folder: Path, behaviour: str) -> str:
    """What `-a` takes for an engine that says hostile things everywhere."""
    file = folder / f"{behaviour}.py"
    file.write_text(ENGINE.format(hostile=HOSTILE, behaviour=behaviour))
    return f"{behaviour}=cmd:{sys.executable} {file}"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with cases, a known failure that matches none of them, and a record."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "cases").mkdir()
    (folder / "cases" / "file.yaml").write_text(CASES.format(hostile=json.dumps(HOSTILE)))
    done = command(
        "run", "cases", "-a", engine(folder, "raises"), "-a", engine(folder, "crashes"),
        "-a", engine(folder, "other"), "-a", engine(folder, "unsupported"), "-o", "out",
        cwd=folder,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "owned" in check(done), "the hostile texts are shown, and so this tests something"
    return folder


@pytest.mark.parametrize(
    "words",
    [
        ["list", "cases"],
        ["show", "one", "--cases", "cases"],
        ["show", "file/one", "--cases", "cases", "--program", "torch"],
        ["lint", "cases", "--detects"],
        ["lint", "cases"],
        ["audit", "cases"],
        ["report", "out", "-o", "page"],
        ["diff", "out", "out"],
        ["confirm", "out"],
        ["conventions", "--record", "out"],
    ],
    ids=" ".join,
)
def test_a_command_shows_and_does_not_obey(place: Path, words: list[str]) -> None:
    """Whatever a case, a record or an engine is called and says."""
    done = command(*words, cwd=place)
    assert done.returncode in (0, 1, 2)
    check(done)


@pytest.mark.parametrize("form", ["terminal", "markdown", "json"])
def test_a_comparison_of_records_shows_and_does_not_obey(place: Path, form: str) -> None:
    """In every form; the JSON is JSON still."""
    done = command(
        "run", "cases", "-a", engine(place, "raises").replace("raises.py", "unsupported.py"),
        "-o", "other", "--device", HOSTILE.replace("\r", "\\r"), cwd=place,
    )  # fmt: skip
    check(done)
    done = command(
        "run", "cases", "-a", engine(place, "raises").replace("raises.py", "crashes.py"),
        "-o", "other", cwd=place,
    )  # fmt: skip
    check(done)
    done = command("diff", "out", "other", "--format", form, cwd=place)
    check(done)
    assert done.returncode in (0, 1)
    if form == "json":
        json.loads(done.stdout)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("id.yaml", "format: 1\ncases:\n  - id: {hostile}\n"),
        ("key.yaml", "format: 1\ncases:\n  - {hostile}: 1\n"),
        ("tag.yaml", "format: 1\ncases:\n  - id: a\n    tags: [{hostile}]\n"),
        ("top.yaml", "{hostile}: 1\n"),
        ("dtype.yaml", "format: 1\ncases:\n  - id: a\n    dtype: {hostile}\n"),
        ("a\x1b[31m\n::error::owned.yaml", "format: {hostile}\n"),
        ("control.yaml", "format: \x1b[31m\n::error::owned\n"),
    ],
)
def test_what_is_wrong_with_a_file_is_shown_and_not_obeyed(
    tmp_path: Path, file: str, text: str
) -> None:
    """Names of files, keys and values in messages of problems."""
    (tmp_path / file).write_text(text.format(hostile=json.dumps(HOSTILE)))
    done = command("list", file, cwd=tmp_path)
    assert done.returncode == 2
    check(done)


def test_words_of_the_command_line_are_shown_and_not_obeyed(tmp_path: Path) -> None:
    """A script may have them from somewhere else."""
    for words in (
        ["run", "-a", HOSTILE],
        ["run", "-k", HOSTILE],
        ["run", HOSTILE],
        ["list", "--tag", HOSTILE],
        ["run", "--timing", HOSTILE],
        ["run", "--jobs", HOSTILE],
        ["diff", HOSTILE, HOSTILE],
        ["show", HOSTILE],
        ["port", HOSTILE, "--from", "torch", "--to", "jax"],
        ["port", f"ConvTranspose2d({HOSTILE})", "--from", "torch", "--to", "jax"],
        ["capture", HOSTILE],
        [HOSTILE],
    ):
        done = command(*words, cwd=tmp_path)
        assert done.returncode == 2, words
        check(done)


def test_an_engine_that_cannot_greet_is_shown_and_not_obeyed(place: Path) -> None:
    """What stands on its standard error is told, a line of it a line, and no more."""
    (place / "dies.py").write_text(f"import sys; sys.stderr.write({HOSTILE!r}); sys.exit(1)")
    done = command("run", "cases", "-a", f"cmd:{sys.executable} dies.py", "-o", "dead", cwd=place)
    assert done.returncode == 1
    assert "owned" in check(done)


def test_pytest_shows_and_does_not_obey(place: Path) -> None:
    """Names of tests, reasons of skips and messages of failures."""
    words = [sys.executable, "-m", "pytest", "-v", "-ra", "-p", "no:cacheprovider"]
    words += ["--conformance", "cases"]
    for name in ("raises", "unsupported"):
        words += ["--conformance-adapter", engine(place, name)]
    done = subprocess.run(
        words,
        cwd=place,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "owned" in check(done)
