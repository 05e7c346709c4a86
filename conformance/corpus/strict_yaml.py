"""YAML 1.2 scalars on composed nodes, with the line of every key: strict reading for files
that people write.

PyYAML alone lets a second key overwrite the first, reads `no` as false and `1e-5` as text; none of
that happens here. Nothing is constructed from tags.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from conformance.conventions.arguments import is_integer
from conformance.corpus.limits import LONGEST_NAME, LONGEST_TEXT, MOST_BYTES, MOST_LISTED
from conformance.corpus.nested import is_number
from conformance.corpus.yaml_nodes import RefusedError, compose
from conformance.errors import FileProblems
from conformance.system.reading import read_regular
from conformance.wording import instead, quoted

_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""The line breaks of libyaml."""
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **{
        sign + word: float(sign + "inf")
        for sign in ("", "+", "-")
        for word in (".inf", ".Inf", ".INF")
    },
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}


class Problems:
    """A collection of what is wrong in one file, so that all of it is told at once."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.lines: list[str] = []

    def add(self, line: int, key: str, text: str) -> None:
        self.lines.append(f"{self.file}:{line}: {_word(key)}: {text}")

    def check(self) -> None:
        """Raise FileProblems if there are any; of very many the first are told."""
        more = len(self.lines) - MOST_LISTED
        remainder = [f"{self.file}:1: (file): has {more} further problems"] if more > 0 else []
        if self.lines:
            raise FileProblems(self.lines[:MOST_LISTED] + remainder)


class Item:
    """A node of the file under its dotted key: `line` of the key, and ways to read the value."""

    __slots__ = ("key", "line", "node", "problems")

    def __init__(self, problems: Problems, key: str, line: int, node: yaml.Node) -> None:
        self.problems, self.key, self.line, self.node = problems, key, line, node

    def wrong(self, text: str) -> None:
        self.problems.add(self.line, self.key, text)

    def below(self, name: str) -> str:
        return f"{self.key}.{name}" if self.key else name

    def is_mapping(self) -> bool:
        return isinstance(self.node, yaml.MappingNode)

    def has(self, name: str) -> bool:
        """Whether it is a mapping with that key; nothing is checked."""
        pairs = self.node.value if isinstance(self.node, yaml.MappingNode) else ()
        return any(key.value == name for key, _ in pairs)

    def mapping(self) -> yaml.MappingNode:
        assert isinstance(self.node, yaml.MappingNode)
        return self.node

    def is_sequence(self) -> bool:
        return isinstance(self.node, yaml.SequenceNode)

    def items(self, known: Sequence[str] | None = None) -> dict[str, Item]:
        """The entries of a mapping; unknown and duplicate keys are noted as problems and left
        out.
        """
        entries: dict[str, Item] = {}
        for key_node, value_node in self.node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self.problems.add(
                    line, self.key or "(key)", "a key is a list or a mapping, should be a word"
                )
                continue
            name = key_node.value
            item = Item(self.problems, self.below(name), line, value_node)
            if name in entries:
                item.wrong(
                    f"duplicate key, first given in line {entries[name].line}, should stand once"
                )
            elif known is not None and name not in known:
                is_listed = (
                    len(self.problems.lines) < MOST_LISTED
                )  # comparing with names takes long
                item.wrong(f"unknown key, {instead(name, known)}" if is_listed else "unknown key")
            else:
                entries[name] = item
        return entries

    def entries(self) -> Iterator[Item]:
        """The entries of a sequence, under the sequence's own key, each at its own line."""
        for node in self.node.value:
            yield Item(self.problems, self.key, node.start_mark.line + 1, node)

    def value(self) -> Any:
        """The value as plain Python: numbers, text, None, bool, lists and dicts."""
        return _plain(self.node)

    def text(self, longest: int = LONGEST_TEXT) -> str | None:
        """The value as text; anything else is noted as a problem and gives None."""
        value = self.value()
        if not isinstance(value, str) or not value.strip():
            self.wrong(f"is {quoted(value)}, should be text")
        elif len(value) > longest:
            self.wrong(f"has {len(value)} characters, should have at most {longest}")
        else:
            return value
        return None

    def integer(self, least: int | None = None) -> int | None:
        value = self.value()
        if is_integer(value) and (least is None or value >= least):
            return int(value)
        self.wrong(
            f"is {quoted(value)}, should be a whole number"
            + (f" of at least {least}" if least is not None else "")
        )
        return None

    def number(self) -> float | None:
        value = self.value()
        if is_number(value):
            return float(value)
        self.wrong(f"is {quoted(value)}, should be a number")
        return None


def read(path: Path) -> Item:
    """The whole file as one item. Raises FileProblems if it cannot be read as one YAML document."""
    try:
        text = read_regular(path, MOST_BYTES).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = (
            error.strerror if isinstance(error, OSError) else f"byte {error.start} is not UTF-8"
        )
        problems = Problems(path)
        problems.add(1, "(file)", f"cannot be read: {reason}, should be a YAML file in UTF-8")
        raise FileProblems(problems.lines) from None
    return parse(path, text)


def parse(path: Path, text: str) -> Item:
    """The text of a file as one item; `path` is for messages. Raises FileProblems if it is not one
    YAML document, or goes beyond a limit.
    """
    problems = Problems(path)
    try:
        node = compose(text)
    except RefusedError as error:
        problems.add(error.line, "(YAML)", error.text)
    else:
        if node is not None:
            return Item(problems, "", 1, node)
        problems.add(1, "(file)", "is empty, should be a YAML document")
    raise FileProblems(problems.lines)


def offset(text: str, mark: yaml.Mark) -> int:
    """The position of a node's mark in the text; libyaml counts lines and columns in characters, as
    Python does.
    """
    starts = [0, *(line_break.end() for line_break in _BREAK.finditer(text))]
    return int(starts[mark.line] + mark.column)


def _plain(node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return scalar(node.value) if node.style is None or node.style == "" else node.value
    if isinstance(node, yaml.SequenceNode):
        return [_plain(child) for child in node.value]
    return {str(key.value): _plain(child) for key, child in node.value}


def scalar(text: str) -> Any:
    """A plain scalar by the core schema of YAML 1.2 (section 10.3.2)."""
    if text in _WORDS:
        return _WORDS[text]
    if len(text) > 400:  # longer than any float64 written out, and int() refuses 4,300 digits
        return text
    if _INTEGER.fullmatch(text):
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    if _FLOAT.fullmatch(text):
        number = float(text)
        return (
            text if math.isinf(number) else number
        )  # a number too large for float64 is not silently another
    return text


def _word(key: str) -> str:
    """A key as a message names it: the file may have anything in its place."""
    if key.isprintable() and len(key) <= LONGEST_NAME:
        return key
    return quoted(key, LONGEST_NAME)
