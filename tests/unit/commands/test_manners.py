"""The command line's manners: help on a line, colour where a person looks, tables that fit."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
import typer
from helpers import CUT, GAPS, command, corpus, environment
from rich.console import Console

from conformance import __version__
from conformance.adapters import REGISTRY
from conformance.cli import app
from conformance.commands.adapters import COLUMNS
from conformance.commands.console import entry, table
from conformance.commands.summary import tables
from conformance.record.record import Record
from conformance.verdicts.verdict import STATUSES, Verdict

ESCAPE = "\x1b["
MOVING = re.compile(r"\x1b\[\d*[AK]|\x1b\[\?25|\r(?!\n)")
"""The cursor goes up, a line is cleared, the cursor is hidden: what a bar does."""
RIGHT, OFF_BY_ONE = "right=miniatures:Right", "wrong=miniatures:OffByOne"


def on_a_terminal(*words: Any, cwd: Path, **variables: str) -> str:
    """What a command prints on a pseudo-terminal of 80 columns."""
    leader, follower = os.openpty()
    variables = {"TERM": "xterm-256color", "COLUMNS": "80", **variables}
    kept = {name: value for name, value in environment().items() if name not in {"NO_COLOR", "CI"}}
    process = subprocess.Popen(
        [sys.executable, "-m", "conformance", *map(str, words)],
        cwd=cwd,
        env={**kept, **variables},
        stdin=subprocess.DEVNULL,
        stdout=follower,
        stderr=subprocess.DEVNULL,
        close_fds=True,
    )
    os.close(follower)
    text = b""
    while True:
        try:
            piece = os.read(leader, 65536)
        except OSError:  # EIO: nobody holds the other end
            break
        if not piece:
            break
        text += piece
    process.wait(60)
    os.close(leader)
    return text.decode()


def commands() -> dict[str, click.Command]:
    """Every command by its words, those of groups too."""
    program = typer.main.get_command(app)
    found: dict[str, Any] = {}
    for name, one in program.commands.items():  # type: ignore[attr-defined]
        found[name] = one
        found |= {f"{name} {below}": it for below, it in getattr(one, "commands", {}).items()}
    return found


def test_the_version_is_one_line(tmp_path: Path) -> None:
    """The name and the version, on stdout."""
    done = command("--version", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"conformance {__version__}\n", "")


@pytest.mark.parametrize("words", [[], ["engines"]])
def test_the_help_of_every_command_fits_its_line(tmp_path: Path, words: list[str]) -> None:
    """At 80 columns nothing is cut."""
    done = command(*words, "--help", cwd=tmp_path, env=environment(COLUMNS="80"))
    assert done.returncode == 0
    assert "Commands:" in done.stdout
    assert [line for line in done.stdout.splitlines() if "..." in line and "ARGS" not in line] == []
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.parametrize("name", commands())
def test_the_help_of_every_option_is_a_sentence(name: str) -> None:
    """It begins with a capital letter, a value or a name, ends with a full stop, and abbreviates
    nothing.
    """
    one = commands()[name]
    assert one.help
    for option in one.params:
        told = getattr(option, "help", None)
        assert told, f"{name}: {option.name} has no help"
        assert told.endswith((".", ".]")), f"{name}: {option.name}: {told}"
        assert not re.search(r"\b(e\.g|i\.e|etc|max|min|dir|num|config|approx)\b", told), told


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["rnu"], "'run'"),
        (["run", "--adaptor", "x"], "--adapter"),
        (["engines", "instal"], "'install'"),
    ],
)
def test_commands_and_options_are_suggested(tmp_path: Path, words: list[str], meant: str) -> None:
    """What was mistyped is answered with what may be meant, and exit 2."""
    done = command(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert meant in done.stderr


@pytest.mark.slow
def test_colour_is_for_terminals(tmp_path: Path) -> None:
    """A terminal has colours and a bar; NO_COLOR takes the colours, and TERM=dumb both."""
    words = ("run", corpus(tmp_path, CUT), "-a", OFF_BY_ONE, "-o", "out", "--jobs", 1)
    shown = on_a_terminal(*words, cwd=tmp_path)
    assert f"{ESCAPE}31mDoes not conform" in shown
    assert MOVING.search(shown)
    plain = on_a_terminal(*words, cwd=tmp_path, NO_COLOR="1")
    assert "Does not conform" in plain
    assert not re.search(r"\x1b\[[\d;]*3\dm", plain)
    dumb = on_a_terminal(*words, cwd=tmp_path, TERM="dumb")
    assert "Does not conform" in dumb
    assert "\x1b" not in dumb
    assert not MOVING.search(dumb)


@pytest.mark.slow
def test_a_pipe_has_colours_only_if_they_are_forced_and_no_bar(tmp_path: Path) -> None:
    """FORCE_COLOR is for logs: colours, no line that is drawn over."""
    words = ("run", corpus(tmp_path, CUT, GAPS), "-a", RIGHT, "-o", "out", "--jobs", 1)
    done = command(*words, cwd=tmp_path)
    assert "\x1b" not in done.stdout
    forced = command(*words, cwd=tmp_path, env=environment(FORCE_COLOR="1"))
    assert forced.returncode == 0
    assert f"{ESCAPE}32mConforms" in forced.stdout
    assert not MOVING.search(forced.stdout)
    assert "right: 2 checks, no new failures, after " in forced.stdout


@pytest.mark.slow
@pytest.mark.parametrize("words", [["list"], ["engines", "list"]])
def test_lists_are_unbroken_on_a_terminal(tmp_path: Path, words: list[str]) -> None:
    """Lines break between words; one that is longer than a line stands alone."""
    piped = command(*words, cwd=tmp_path).stdout
    shown = on_a_terminal(*words, cwd=tmp_path)
    assert shown.split() == piped.split()
    for line in shown.replace("\r", "").splitlines():
        assert len(line) <= 80 or len(line.split()) <= 2


def test_a_table_fits_or_its_rows_are_parted_between_words() -> None:
    """The widest adapters of all that there are, each with what may be told of it."""
    rows = [
        [name, "torch", "torch 2.13.0, numpy 2.4.1, onnxruntime 1.31.0", "cpu, cuda", "isa avx512"]
        for name in REGISTRY
    ]
    lines = table(COLUMNS, rows, 80)
    assert max(map(len, lines)) <= 80
    assert {word for row in rows for cell in row for word in cell.split()} <= {
        word for line in lines for word in line.split()
    }
    wide = table(COLUMNS, rows, None)
    assert len(wide) == len(rows) + 1
    assert wide[0].split()[:2] == ["adapter", "convention"]
    assert table(("a", "b"), [("c", "dd")], 80) == ["a  b", "c  dd"]
    assert entry("name", "a summary", 80) == ["name: a summary"]
    assert entry("name", "word " * 20, 40) == [
        "name:",
        *["    " + "word " * 6 + "word"] * 2,
        ("    " + "word " * 5 + "word"),
    ]


@pytest.mark.parametrize("width", [80, 140])
def test_the_summary_of_a_run_loses_no_column(
    verdict: Callable[..., Verdict], run_line: dict[str, Any], width: int
) -> None:
    """Every status and mark on the longest adapter of the table: names and numbers are whole."""
    longest = max(REGISTRY, key=len)
    verdicts = [
        verdict(adapter=longest, status=status, known=known, known_unconfirmed=unconfirmed)
        for status in STATUSES
        for known, unconfirmed in ((None, None), ("so", None), (None, {"entry": "a", "text": "b"}))
    ]
    record = Record(run=run_line, cases={}, verdicts=tuple(verdicts), end=None)
    screen = io.StringIO()
    console = Console(file=screen, width=width)
    for part in tables(record, width):
        console.print(part)
    shown = screen.getvalue()
    assert max(map(len, shown.splitlines())) <= width
    words = shown.split()
    assert {longest, *STATUSES, "known", "unconfirmed", "new"} <= set(words)
    assert words.count("3") == len(STATUSES)
    assert (words.count(longest) > 1) == (width == 80)
