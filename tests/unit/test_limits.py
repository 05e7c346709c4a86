"""How long a function and a file may be, which no linter says. What is longer stands here by name,
and is taken out when it has been split.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import CHECKOUT

MOST_LINES = {"__init__": 60, "file": 300, "function": 40}
FOLDERS = ("conformance", "tools", "action", "benchmarks")
FILES = sorted(file for folder in FOLDERS for file in (CHECKOUT / folder).rglob("*.py"))
LONG_FILES = {
    "conformance/record/changes.py",
    "conformance/report/figures.py",
    "conformance/verdicts/diagnosis/arguments.py",
    "conformance/verdicts/diagnosis/search.py",
    "conformance/workers/child.py",
    "conformance/workers/engine.py",
}
LONG_FUNCTIONS = {
    "conformance/adapters/onnxruntime.py prepare",
    "conformance/porting/code/writer.py _program",
    "conformance/porting/ports.py port_layer",
    "conformance/record/record.py read_record",
    "conformance/report/changes.py _parts",
    "conformance/report/page.py render",
    "conformance/verdicts/diagnosis/arguments.py _exchanged",
    "conformance/verdicts/diagnosis/arguments.py _window_mistakes",
    "conformance/verdicts/diagnosis/outputs.py moved_results",
    "conformance/verdicts/diagnosis/rounding.py rounding",
    "conformance/verdicts/diagnosis/search.py _explained",
    "conformance/verdicts/diagnosis/windows.py shifted_windows",
    "conformance/verdicts/known_reader.py _entry",
    "conformance/workers/engine.py _greet",
}


def name_of(file: Path) -> str:
    return file.relative_to(CHECKOUT).as_posix()


def functions(file: Path) -> Iterator[tuple[str, int]]:
    """Name and lines, from `def` to the last, of every function of a file."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield node.name, node.end_lineno - node.lineno + 1


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_nothing_is_longer_than_it_may_be(file: Path) -> None:
    """Files, `__init__`s and functions; those that are named as longer still are."""
    lines = len(file.read_text(encoding="utf-8").splitlines())
    most = MOST_LINES["__init__" if file.stem == "__init__" else "file"]
    assert (lines > most) == (name_of(file) in LONG_FILES)
    long = {name for name, length in functions(file) if length > MOST_LINES["function"]}
    named = {entry.split()[1] for entry in LONG_FUNCTIONS if entry.split()[0] == name_of(file)}
    assert long == named


def test_what_is_named_as_long_exists() -> None:
    """A file that has gone is taken out."""
    named = LONG_FILES | {entry.split()[0] for entry in LONG_FUNCTIONS}
    assert named <= set(map(name_of, FILES))
