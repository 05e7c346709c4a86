"""Writes `expected` from the oracle into case files.

The text is spliced at the places that the YAML parser names, so that comments and layout of
everything else stay byte for byte.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import yaml

from conformance.corpus.case import Case, Expected
from conformance.corpus.expected import contradiction, expectation
from conformance.corpus.strict_yaml import offset, parse, read
from conformance.corpus.truths import prepare
from conformance.errors import FileProblems, RecordError
from conformance.system.files import replace_file


def write_expected(cases: Iterable[Case]) -> list[str]:
    """Give every case that needs one an `expected`; a line for each that was written. Raises
    RecordError.
    """
    by_file: dict[Path, list[Case]] = {}
    for case in cases:
        by_file.setdefault(case.place.file, []).append(case)
    lines: list[str] = []
    for file, members in by_file.items():
        lines += _bless_file(file, members)
    return lines or ["nothing to change"]


def _bless_file(file: Path, cases: Sequence[Case]) -> list[str]:
    by_line: dict[int, Expected] = {}
    lines = []
    for case in cases:
        if case.must_fail:
            continue
        truth = prepare(case).truth
        assert truth is not None
        line = contradiction(case, truth)
        if (
            line is None
            and case.expected is not None
            and case.expected.complete
            and case.expected.shape is not None
        ):
            continue
        by_line[case.place.lines[""]] = expectation(truth)
        had = "it had none" if case.expected is None else "it did not say enough"
        why = had if line is None else line.partition(": ")[2]
        lines.append(f"{case.place.at('id')}: {case.name}: wrote expected ({why})")
    if by_line:
        _rewrite(file, by_line)
    return lines


def _rewrite(file: Path, by_line: dict[int, Expected]) -> None:
    """Put `expected` into the cases that begin in these lines; every other byte of the file
    stays.
    """
    with file.open(encoding="utf-8", newline="") as stream:  # line ends as they are
        text = stream.read()
    cases = read(file).items()["cases"].entries()
    for item in reversed(
        list(cases)
    ):  # from the end, so that the places before stay where they are
        if item.line in by_line:
            text = _spliced(text, item.mapping(), by_line[item.line])
    _check_splice(file, text)
    try:
        replace_file(file, text)
    except OSError as error:
        raise RecordError(
            f"{file} cannot be written: {error.strerror}, should be a file that can be"
        ) from None


def _check_splice(file: Path, text: str) -> None:
    """Raise FileProblems if the new text is no YAML: where an anchor went with the value that bore
    it.
    """
    try:
        parse(file, text)
    except FileProblems as error:
        raise FileProblems(
            [
                f"{error.lines[0]}: bless left the file as it was, since others refer to what it "
                "would replace"
            ]
        ) from None


def _spliced(text: str, case: yaml.MappingNode, expected: Expected) -> str:
    """The text with the case's `expected` replaced, or added behind its last key."""
    pairs = {key.value: (key, value) for key, value in case.value}
    lines = _lines(expected)
    if case.flow_style:
        inside = f"expected: {{{', '.join(lines)}}}"
        if "expected" in pairs:
            key, value = pairs["expected"]
            return text[: offset(text, key.start_mark)] + inside + text[_end(text, key, value) :]
        end = _end(text, *case.value[-1])  # a comma or a comment may follow it
        return text[:end] + ", " + inside + text[end:]
    indent = " " * case.value[0][0].start_mark.column
    block = f"{indent}expected:\n" + "".join(f"{indent}  {line}\n" for line in lines)
    if "\r\n" in text:
        block = block.replace("\n", "\r\n")
    key, value = pairs.get("expected", case.value[-1])
    end = _end_of_line(text, key, value)
    if "expected" in pairs:
        return text[: offset(text, key.start_mark)] + block[len(indent) :] + text[end:]
    return text[:end] + ("" if text[:end].endswith("\n") else "\n") + block + text[end:]


def _end_of_line(text: str, key: yaml.Node, node: yaml.Node) -> int:
    """Behind the line in which a value ends. A block's own end is told as the start of what
    follows: its last leaf knows.
    """
    if node.start_mark.line < key.start_mark.line:  # an alias: the node is where its anchor is
        node = key
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    end = offset(text, node.end_mark)
    if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
        end = len(text[:end].rstrip())
    stop = text.find("\n", end)
    return len(text) if stop < 0 else stop + 1


def _end(text: str, key: yaml.Node, value: yaml.Node) -> int:
    """Behind a value of a flow mapping; behind the name of an alias, whose node is where its anchor
    is.
    """
    if (value.start_mark.line, value.start_mark.column) > (
        key.start_mark.line,
        key.start_mark.column,
    ):
        return offset(text, value.end_mark)
    alias = re.compile(r"\s*:\s*\*[^\s,}\]]+").match(text, offset(text, key.end_mark))
    assert alias is not None, "a value before its key is an alias"
    return alias.end()


def _lines(expected: Expected) -> list[str]:
    """The entries of `expected`, one line of YAML each."""
    assert expected.shape is not None
    lines = [f"shape: {list(expected.shape)}"]
    if expected.numbers is not None:
        lines.append(
            f"values: {_nested([_number(number) for number in expected.numbers], expected.shape)}"
        )
    if expected.sha256 is not None:
        lines.append(f'sha256: "{expected.sha256}"')
    if expected.sum_abs is not None:
        lines.append(f"sum_abs: {_number(expected.sum_abs)}")
    return lines


def _nested(numbers: list[str], shape: Sequence[int]) -> str:
    """Numbers in C order as nested lists; the batch and channel axes are left out where both
    are 1.
    """
    if not numbers:
        return "[]"
    axes = list(shape[2:]) if shape[0] == shape[1] == 1 else list(shape)
    for size in reversed(axes):
        numbers = [
            f"[{', '.join(numbers[start : start + size])}]"
            for start in range(0, len(numbers), size)
        ]
    return numbers[0]


def _number(number: float) -> str:
    """A number as YAML writes it: whole ones without a point, as many digits as float64 needs."""
    if math.isnan(number):
        return ".nan"
    if math.isinf(number):
        return ".inf" if number > 0 else "-.inf"
    return str(int(number)) if number.is_integer() and abs(number) < 2**53 else repr(number)
