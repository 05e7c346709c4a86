"""How long a function and a file may be, which no linter says. There is no exception."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import CHECKOUT

MOST_LINES = {"__init__": 60, "file": 300, "function": 40}
FOLDERS = ("conformance", "tools", "action", "benchmarks")
FILES = sorted(file for folder in FOLDERS for file in (CHECKOUT / folder).rglob("*.py"))


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
    """Files, `__init__`s and functions."""
    lines = len(file.read_text(encoding="utf-8").splitlines())
    assert lines <= MOST_LINES["__init__" if file.stem == "__init__" else "file"]
    assert [name for name, length in functions(file) if length > MOST_LINES["function"]] == []
