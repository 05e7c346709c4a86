"""Writes `expected` from the oracle into case files.

The text is spliced at the places that the YAML parser names, so that comments and layout of
everything else stay byte for byte.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from conformance.corpus.case import Case, Expected, Guard
from conformance.corpus.expected import contradiction, expectation, lack
from conformance.corpus.strict_yaml import offset, parse, read
from conformance.corpus.truths import prepare
from conformance.errors import FileProblems, RecordError
from conformance.system.files import replace_file
from conformance.wording import counted

_Entries = dict[str, "str | _Entries"]
"""Entries of a mapping: YAML in the flow style, or entries of their own."""


Say = Callable[[str], None]


def write_expected(cases: Iterable[Case], *, say: Say = lambda text: None) -> list[str]:
    """Give every case that needs one an `expected`; a line for each that was written. `say` is told
    of each case before it is computed. Raises RecordError.
    """
    by_file: dict[Path, list[Case]] = {}
    for case in cases:
        by_file.setdefault(case.location.file, []).append(case)
    lines: list[str] = []
    for file, members in by_file.items():
        lines += _bless_file(file, members, say)
    return lines or ["nothing to change"]


def _bless_file(file: Path, cases: Sequence[Case], say: Say) -> list[str]:
    by_line: dict[int, _Edit] = {}
    lines = []
    for number, case in enumerate(cases, 1):
        if case.must_fail:
            continue
        say(f"{case.name}: what is expected of {number} of {counted(len(cases), 'case')}")
        prepared = prepare(case)
        assert prepared.truth is not None
        gradients = None if case.gradients is None else prepared.gradient_truths
        line = contradiction(case, prepared.truth, gradients)
        missing = lack(case)
        if line is None and missing is None and case.expected and case.expected.shape is not None:
            continue
        key = _key(case, line, missing)
        by_line[case.location.lines[""]] = _Edit(
            key=key, entries=_entries(case, expectation(prepared.truth, gradients))
        )
        had = "it had none" if (missing or "").endswith("missing") else "it did not say enough"
        why = had if line is None else line.partition(": ")[2]
        lines.append(f"{case.location.at('id')}: {case.name}: wrote {key} ({why})")
    if by_line:
        _rewrite(file, by_line)
    return lines


@dataclass(frozen=True, slots=True, kw_only=True)
class _Edit:
    """What to write into a case: all of `expected`, or `expected.gradients` alone."""

    key: str
    entries: _Entries


def _key(case: Case, wrong: str | None, missing: str | None) -> str:
    """The key to write: the output's part of `expected` stays as its author left it where only
    gradients are wrong or missing.
    """
    problem = missing if wrong is None else wrong.partition(": ")[2]
    of_gradients = problem is not None and problem.startswith("expected.gradients")
    whole = case.expected is None or case.expected.shape is None or not case.expected.complete
    return "expected.gradients" if of_gradients and not whole else "expected"


def _rewrite(file: Path, by_line: dict[int, _Edit]) -> None:
    """Make these edits in the cases that begin in these lines; every other byte of the file
    stays.
    """
    with file.open(encoding="utf-8", newline="") as stream:  # line ends as they are
        text = stream.read()
    cases = read(file).items()["cases"].entries()
    for item in reversed(
        list(cases)
    ):  # from the end, so that the places before stay where they are
        if item.line in by_line:
            text = _edited(text, item.mapping(), by_line[item.line])
    _check_splice(file, text)
    try:
        replace_file(file, text, through_links=True)
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


def _edited(text: str, case: yaml.MappingNode, edit: _Edit) -> str:
    """The text with the edit of a case; an `expected` that is an alias is another case's too, and
    is written anew.
    """
    key, value = {key.value: (key, value) for key, value in case.value}.get(
        "expected", (case, case)
    )
    if edit.key == "expected" or _is_alias(key, value) or not isinstance(value, yaml.MappingNode):
        return _spliced(text, case, "expected", edit.entries)
    return _spliced(text, value, "gradients", edit.entries["gradients"])


def _spliced(text: str, mapping: yaml.MappingNode, name: str, entries: _Entries | str) -> str:
    """The text with the value of a mapping's key replaced, or added behind its last key."""
    pairs = {key.value: (key, value) for key, value in mapping.value}
    if mapping.flow_style:
        inside = f"{name}: {_flow(entries)}"
        if name in pairs:
            key, value = pairs[name]
            return text[: offset(text, key.start_mark)] + inside + text[_end(text, key, value) :]
        end = _end(text, *mapping.value[-1])  # a comma or a comment may follow it
        return text[:end] + ", " + inside + text[end:]
    indent = " " * mapping.value[0][0].start_mark.column
    block = _block({name: entries}, indent)
    if "\r\n" in text:
        block = block.replace("\n", "\r\n")
    key, value = pairs.get(name, mapping.value[-1])
    end = _end_of_line(text, key, value)
    if name in pairs:
        return text[: offset(text, key.start_mark)] + block[len(indent) :] + text[end:]
    return text[:end] + ("" if text[:end].endswith("\n") else "\n") + block + text[end:]


def _block(entries: _Entries, indent: str) -> str:
    """Entries as lines of YAML's block style."""
    return "".join(
        f"{indent}{key}: {value}\n"
        if isinstance(value, str)
        else f"{indent}{key}:\n{_block(value, indent + '  ')}"
        for key, value in entries.items()
    )


def _flow(value: _Entries | str) -> str:
    if isinstance(value, str):
        return value
    return "{" + ", ".join(f"{key}: {_flow(inner)}" for key, inner in value.items()) + "}"


def _end_of_line(text: str, key: yaml.Node, node: yaml.Node) -> int:
    """Behind the line in which a value ends. A block's own end is told as the start of what
    follows: its last leaf knows.
    """
    if _is_alias(key, node):
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
    """Behind a value of a flow mapping, or behind the name of an alias."""
    if not _is_alias(key, value):
        return offset(text, value.end_mark)
    alias = re.compile(r"\s*:\s*\*[^\s,}\]]+").match(text, offset(text, key.end_mark))
    assert alias is not None, "a value before its key is an alias"
    return alias.end()


def _is_alias(key: yaml.Node, value: yaml.Node) -> bool:
    """Whether a value is an alias: its node is where its anchor is, before the key."""
    return (value.start_mark.line, value.start_mark.column) < (
        key.start_mark.line,
        key.start_mark.column,
    )


def _entries(case: Case, expected: Expected) -> _Entries:
    """The entries of `expected`, as YAML by key."""
    assert expected.shape is not None
    entries: _Entries = {"shape": str(list(expected.shape)), **_numbers(expected, expected.shape)}
    if expected.gradients is not None:
        entries["gradients"] = gradient_entries(case, expected.gradients)
    return entries


def gradient_entries(case: Case, gradients: Mapping[str, Guard]) -> _Entries:
    """The entries of `expected.gradients`, as YAML by operand."""
    sources = {"input": case.input, "kernel": case.kernel, "bias": case.bias}
    return {
        of: _flow(_numbers(gradients[of], source.shape))
        for of, source in sources.items()
        if source is not None
    }


def _numbers(guard: Guard, shape: Sequence[int]) -> _Entries:
    """What guards the numbers of one array of that shape."""
    entries: _Entries = {}
    if guard.numbers is not None:
        entries["values"] = _nested([_number(number) for number in guard.numbers], shape)
    if guard.sha256 is not None:
        entries["sha256"] = f'"{guard.sha256}"'
    if guard.sum_abs is not None:
        entries["sum_abs"] = _number(guard.sum_abs)
    return entries


def _nested(numbers: list[str], shape: Sequence[int]) -> str:
    """Numbers in C order as nested lists; the batch and channel axes are left out where both
    are 1.
    """
    if not numbers:
        return "[]"
    axes = list(shape[2:]) if len(shape) > 2 and shape[0] == shape[1] == 1 else list(shape)
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
