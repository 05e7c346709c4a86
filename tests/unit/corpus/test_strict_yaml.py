"""Strict reading of YAML: the scalars of version 1.2, lines of keys, and files that are no plain
document.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.corpus.strict_yaml import Problems, read, scalar
from conformance.errors import FileProblems


def problems_of(path: Path) -> list[str]:
    """What `read` says about the file, without its path."""
    with pytest.raises(FileProblems) as caught:
        read(path)
    assert all(line.startswith(f"{path}:") for line in caught.value.lines)
    assert str(caught.value) == "\n".join(caught.value.lines)
    return [line.removeprefix(f"{path}:") for line in caught.value.lines]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0), ("-12", -12), ("+3", 3), ("007", 7), ("0o17", 15), ("0xfF", 255), ("1_000",
        "1_000"),
        ("0b1", "0b1"), ("1:30", "1:30"),
        ("1e-5", 1e-5), ("1E5", 1e5), (".5", 0.5), ("5.", 5.0), ("-0.0", -0.0), ("+1.5e+3", 1500.0),
        ("1e", "1e"), (".", "."),
        ("e5", "e5"),
        (".inf", math.inf), ("-.Inf", -math.inf), ("+.INF", math.inf), ("inf", "inf"), ("nan",
        "nan"), ("Infinity", "Infinity"),
        ("true", True), ("False", False), ("TRUE", True), ("yes", "yes"), ("no", "no"), ("on",
        "on"), ("off", "off"),
        ("y", "y"), ("tRue", "tRue"),
        ("", None), ("~", None), ("null", None), ("NULL", None), ("none", "none"), ("None", "None"),
        ("2026-01-02", "2026-01-02"), ("9" * 401, "9" * 401), ("9" * 400, int("9" * 400)),
    ],
)  # fmt: skip
def test_scalars_are_those_of_yaml_1_2(text: str, value: Any) -> None:
    """A plain scalar is a number, a truth value or nothing by the core schema of YAML 1.2, and else
    text.
    """
    read_as = scalar(text)
    assert type(read_as) is type(value)
    assert read_as == value
    assert not isinstance(value, float) or math.copysign(1, read_as) == math.copysign(1, value)


@pytest.mark.parametrize("text", [".nan", ".NaN", ".NAN"])
def test_not_a_number_is_a_number(text: str) -> None:
    """The three spellings of NaN are a float that is not equal to itself."""
    assert math.isnan(scalar(text))


def test_quoted_scalars_are_text(corpus: Callable[[str, str], Path]) -> None:
    """Quotes and blocks keep their text whatever it looks like."""
    file = corpus("a.yaml", "[1, '1', \"true\", 'null']")
    assert read(file).value() == [1, "1", "true", "null"]
    assert read(corpus("b.yaml", "|\n  1\n")).value() == "1\n"


def test_items_know_the_line_of_their_key(corpus: Callable[[str, str], Path]) -> None:
    """Each entry has the line of its key and its dotted name, also where the value begins below."""
    file = corpus("a.yaml", "# comment\none: 1\n\ntwo:\n  three: 3\n  four:\n    - 4\n    - 5\n")
    entries = read(file).items()
    assert {key: (item.key, item.line) for key, item in entries.items()} == {
        "one": ("one", 2),
        "two": ("two", 4),
    }
    below = entries["two"].items()
    assert {key: (item.key, item.line) for key, item in below.items()} == {
        "three": ("two.three", 5),
        "four": ("two.four", 6),
    }
    assert [(item.key, item.line, item.value()) for item in below["four"].entries()] == [
        ("two.four", 7, 4),
        ("two.four", 8, 5),
    ]


def test_anchors_and_aliases_are_values(corpus: Callable[[str, str], Path]) -> None:
    """An alias is what its anchor says, however often it is used."""
    assert read(corpus("a.yaml", "a: &x [1, 2]\nb: [*x, *x]\n")).value() == {
        "a": [1, 2],
        "b": [[1, 2], [1, 2]],
    }


def test_duplicate_keys_are_a_problem_and_the_first_stays(
    corpus: Callable[[str, str], Path],
) -> None:
    """A key that is given twice is told at its second line."""
    item = read(corpus("a.yaml", "a: 1\nb: 2\na: 3\n"))
    assert item.items()["a"].value() == 1
    assert item.problems.lines == [
        f"{item.problems.file}:3: a: duplicate key, first given in line 1, should stand once"
    ]


def test_unknown_keys_are_a_problem_where_keys_are_known(
    corpus: Callable[[str, str], Path],
) -> None:
    """A key that is not known is told with those that are, and left out."""
    item = read(corpus("a.yaml", "a: 1\nc: 2\n"))
    assert list(item.items(("a", "b"))) == ["a"]
    assert item.problems.lines == [f"{item.problems.file}:2: c: unknown key, should be one of a, b"]


def test_a_key_that_is_a_list_is_a_problem(corpus: Callable[[str, str], Path]) -> None:
    """Keys are words."""
    item = read(corpus("a.yaml", "? [1, 2]\n: 3\nb: 4\n"))
    assert list(item.items()) == ["b"]
    assert item.problems.lines == [
        f"{item.problems.file}:1: (key): a key is a list or a mapping, should be a word"
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "1: (file): is empty, should be a YAML document"),
        ("# nothing\n", "1: (file): is empty, should be a YAML document"),
        ("a: [1\nb: 2\n", "2: (YAML): "),
        ("a: 1\n---\nb: 2\n", "2: (YAML): "),
        ("a: *b\n", "1: (YAML): "),
        ("a: 1\nb: !!python/name:os.system\n", ("2: (YAML): tag "
            "tag:yaml.org,2002:python/name:os.system, should be")),
        ("a: 1\nb: !thing {c: 1}\n", "2: (YAML): tag !thing, should be plain YAML without tags"),
        ("a: &x\n  - *x\n", "1: (YAML): an alias refers to what contains it, should be a value"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_plain_document_is_refused(
    corpus: Callable[[str, str], Path], text: str, line: str
) -> None:
    """Syntax errors, second documents, tags and cycles are told with the line they are in."""
    (told,) = problems_of(corpus("a.yaml", text))
    assert told.startswith(line)
    assert "should be" in told


def test_a_tower_of_lists_is_refused(corpus: Callable[[str, str], Path]) -> None:
    """Nesting beyond what can be read is a problem of the file, not an exception of the reader."""
    assert problems_of(corpus("a.yaml", "[" * 3000 + "]" * 3000)) == [
        "1: (YAML): is nested more than 50 deep, should be a case file"
    ]


def test_bytes_that_are_no_utf_8_are_refused(tmp_path: Path) -> None:
    """The first such byte is named."""
    path = tmp_path / "a.yaml"
    path.write_bytes(b"a: \xff")
    assert problems_of(path) == [
        "1: (file): cannot be read: byte 3 is not UTF-8, should be a YAML file in UTF-8"
    ]


def test_a_file_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    """The operating system's reason is given."""
    reason = os.strerror(2)
    assert problems_of(tmp_path / "none.yaml") == [
        f"1: (file): cannot be read: {reason}, should be a YAML file in UTF-8"
    ]


@pytest.mark.parametrize(
    ("reader", "text", "line"),
    [
        ("text", "[1]", "is [1], should be text"),
        ("text", "12", "is 12, should be text"),
        ("text", "' '", "is ' ', should be text"),
        ("text", "", "is None, should be text"),
        ("integer", "1.0", "is 1.0, should be a whole number"),
        ("integer", "true", "is True, should be a whole number"),
        ("integer", "'1'", "is '1', should be a whole number"),
        ("number", "x", "is 'x', should be a number"),
        ("number", "true", "is True, should be a number"),
        ("text", "[" + "1, " * 40 + "1]", ("is [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, "
            "1, 1,..., should be text")),
    ],
)  # fmt: skip
def test_values_of_another_type_are_a_problem(
    corpus: Callable[[str, str], Path], reader: str, text: str, line: str
) -> None:
    """A reader gives None and notes what the value is and should be, shortened where it is long."""
    item = read(corpus("a.yaml", f"\nkey: {text}\n")).items()["key"]
    assert getattr(item, reader)() is None
    assert item.problems.lines == [f"{item.problems.file}:2: key: {line}"]


def test_integers_may_have_a_least_value(corpus: Callable[[str, str], Path]) -> None:
    """A number below the least is told with that limit; the limit itself is fine."""
    item = read(corpus("a.yaml", "key: 0\n")).items()["key"]
    assert item.integer(0) == 0
    assert item.integer(1) is None
    assert item.problems.lines == [
        f"{item.problems.file}:1: key: is 0, should be a whole number of at least 1"
    ]


def test_values_of_the_right_type_are_returned(corpus: Callable[[str, str], Path]) -> None:
    """Text, whole numbers and numbers come as they are, and leave no problem."""
    entries = read(corpus("a.yaml", "a: word\nb: 3\nc: 4\nd: .5\n")).items()
    assert (
        entries["a"].text(),
        entries["b"].integer(),
        entries["c"].number(),
        entries["d"].number(),
    ) == ("word", 3, 4.0, 0.5)
    assert entries["a"].problems.lines == []


def test_problems_are_raised_together() -> None:
    """`check` raises all that was noted, and nothing where there is nothing."""
    problems = Problems(Path("a.yaml"))
    problems.check()
    problems.add(1, "a", "one")
    problems.add(2, "b", "two")
    with pytest.raises(FileProblems) as caught:
        problems.check()
    assert caught.value.lines == ("a.yaml:1: a: one", "a.yaml:2: b: two")
