"""The glossary: it has the words that the suite uses, and what they replaced is used nowhere."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import conformance
from conformance.verdicts.verdict import STATUSES

ROOT = Path(__file__).parents[2]
GLOSSARY = ROOT / "docs" / "glossary.md"
REPLACED = {
    "nothing unexpected": "no new failures",
    "unexpected difference": "new failure",
    "known difference": "known failure",
    "verdicts on": "checks on",
    "is no adapter": "unknown adapter",
    "is no path": "no such file or case",
    "is no call by a name": "cannot read",
    "nonsense was refused": "invalid input was rejected",
    "what is no answer": "a malformed reply",
    "it should have answered": "raised on valid input",
    "no trap there": "the obvious translation is correct",
    "trap:": "look-alike call:",
    "are not alike.": "are not comparable",
    "with several windows": "same shape, different crops",
    "round the ends": "rolled by",
    "precision of {": "about N significant bits",
    "more ways to fail": "more causes",
    "stands in for it": "replace the oracle call",
    "start loses": "crops N at the start",
    "end loses": "crops N at the end",
    "ends lose": "crops at both ends",
    "the end lose": "crops at both ends",
    "of which none": "none of which",
    "as far as can be told": "as far as is known",
    "again: conformance": "reproduce: conformance",
}
"""Phrases that people stumbled over, and the words that are used instead."""


def texts() -> Iterator[tuple[str, str]]:
    """(path, text) of all that a user reads: strings of the package, templates, scripts of the
    page, documents, cases and actions.
    """
    for path in sorted((ROOT / "conformance").rglob("*")):
        if path.suffix == ".py":
            tree = ast.parse(path.read_text(encoding="utf-8"))
            found = strings(tree, with_docstrings=path.parent.name == "cli")
            yield name_of(path), "\n".join(map(ast.unparse, found))
        elif path.suffix in (".j2", ".js", ".mjs", ".html") or path.name.endswith("schema.json"):
            yield name_of(path), path.read_text(encoding="utf-8")
    pages = [*(ROOT / "docs").rglob("*.md"), *ROOT.glob("action/**/*.yml"), ROOT / "action.yml"]
    pages += ROOT.glob("cases/**/*.yaml")
    for path in [*sorted(pages), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]:
        yield name_of(path), path.read_text(encoding="utf-8")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def strings(tree: ast.AST, *, with_docstrings: bool) -> Iterator[ast.expr]:
    """The strings of a module; docstrings are for readers of the code, but `--help` prints those of
    commands.
    """
    documented = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        is_text = is_text or isinstance(node, ast.JoinedStr)
        if is_text and (with_docstrings or id(node) not in documented):
            assert isinstance(node, ast.expr)
            yield node


@pytest.fixture(scope="module")
def read() -> dict[str, str]:
    return dict(texts())


@pytest.mark.parametrize("phrase", REPLACED)
def test_a_replaced_phrase_is_used_nowhere(read: dict[str, str], phrase: str) -> None:
    """In no message, page, help or document."""
    pattern = re.compile(re.sub(r"\\? ", r"\\s+", re.escape(phrase)), re.IGNORECASE)
    found = [name for name, text in read.items() if pattern.search(text)]
    assert found == [], f"should be {REPLACED[phrase]!r}"


def defined() -> dict[str, str]:
    """Term -> meaning, of all tables."""
    lines = GLOSSARY.read_text(encoding="utf-8").splitlines()
    cells = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")]
    terms = [(term, meaning) for term, meaning in cells if term not in ("term", "---")]
    assert len(dict(terms)) == len(terms), "a term is defined twice"
    return dict(terms)


def test_the_glossary_has_every_word_of_a_result() -> None:
    """All statuses, and what a column's checks fall into."""
    terms = defined()
    assert {name for name in STATUSES if f"`{name}`" not in terms["status"]} == set()
    assert {"known failure", "new failure", "unsupported", "check", "verdict"} <= terms.keys()
    assert all(len(meaning) <= 160 for meaning in terms.values())


def test_the_picture_is_the_oracle_s() -> None:
    """The full output, and the windows of both calls, dots where they crop."""
    (picture,) = re.findall(r"^```text\n(.*?)^```$", GLOSSARY.read_text(), re.DOTALL | re.MULTILINE)
    x = np.array([[1, 2], [3, 4]], float).reshape(1, 1, 2, 2)
    w = np.array([[1, 2, 3], [2, 2, 1], [3, 2, 1]], float).reshape(1, 1, 3, 3)
    full = conformance.conv_transpose(x, w, stride=2)[0, 0]
    rows = [re.split(r" {4,}", line.strip()) for line in picture.splitlines()[1:]]
    drawn = [[row[number].split() for row in rows] for number in range(3)]
    for crop, cells in zip(((0, 0), (1, 0), (0, 1)), drawn, strict=True):
        kept = range(crop[0], 5 - crop[1])
        assert cells == [
            [f"{full[i, j]:.0f}" if i in kept and j in kept else "." for j in range(5)]
            for i in range(5)
        ]


def test_readers_find_the_glossary() -> None:
    """README's table has it, and the pages that begin with its words."""
    for name in ("README.md", "docs/reports.md", "docs/commands.md", "docs/diagnosis.md"):
        assert "glossary.md" in (ROOT / name).read_text(encoding="utf-8"), name
