"""What an engine writes to stderr, shown as it comes: whole lines with its label, which steer
nothing.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import pytest
from helpers import CUT_OUTPUT, TORCH, eventually, miniature, small

from conformance.outcomes import Output
from conformance.printing import MOST_CHARACTERS
from conformance.workers.engine import Engine
from conformance.workers.stderr import Stderr


def shown(capsys: pytest.CaptureFixture[str], *pieces: bytes) -> list[str]:
    """The lines on our own stderr for these pieces, of which each is read at once."""
    end, start = os.pipe()
    with os.fdopen(end, "rb") as stream:
        stderr = Stderr(stream, label="mine")
        for piece in pieces:
            os.write(start, piece)
        os.close(start)
        stderr.join(5.0)
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err.splitlines()


def test_lines_come_with_the_label(capsys: pytest.CaptureFixture[str]) -> None:
    """Also what has no end when the engine ends."""
    assert shown(capsys, b"one\ntw", b"o\n\n\tthree") == [
        "mine| one",
        "mine| two",
        "mine| ",
        "mine|         three",
    ]


def test_a_line_is_shown_before_the_next_one_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    """Live: while the engine still runs."""
    end, start = os.pipe()
    Stderr(os.fdopen(end, "rb"), label="mine")
    os.write(start, b"here\n")
    said: list[str] = []
    assert eventually(lambda: said.append(capsys.readouterr().err) or "mine| here\n" in said)
    os.close(start)


def test_nothing_that_is_shown_steers(capsys: pytest.CaptureFixture[str]) -> None:
    """Escapes, marks of direction and the commands of a job's log are written out."""
    lines = shown(capsys, b"\x1b[2Jgone\r\n", "\u202eright\n".encode(), b"::error::x\n", b"\xff\n")
    assert lines == [
        "mine| \\x1b[2Jgone",
        "mine| \\u202eright",
        "mine| ::error::x",
        "mine| \ufffd",
    ]


def test_a_line_without_an_end_is_shown_in_pieces(capsys: pytest.CaptureFixture[str]) -> None:
    """It does not wait in memory."""
    lines = shown(capsys, *[b"x" * 5000] * 8, b"\n")
    assert sum(line.count("x") for line in lines) == 8 * 5000
    assert max(map(len, lines)) == len("mine| ") + MOST_CHARACTERS


@pytest.mark.slow
@pytest.mark.parametrize("name", ["PrintsFromPython", "PrintsFromC"])
def test_an_engine_that_prints_answers_all_the_same(
    capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Its stdout and stderr are shown, with its process before them, and its answer is right."""
    spec = replace(miniature(name, label="mine"), shown=True)
    engine: Any = Engine(spec, timeout=30.0)
    engine.start()
    outcome = engine.call(small(), TORCH, "cpu")
    pid = engine._process._process.number
    engine.kill()
    assert isinstance(outcome, Output)
    assert (outcome.y == CUT_OUTPUT).all()
    first, *lines = capsys.readouterr().err.splitlines()
    assert first == f"mine: process {pid}"
    assert lines == ["mine| miniature: here I stand and chatter"]
