"""Writes `expected` from the oracle into case files, keeping their comments and layout."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from conformance.case import Case, Expected
from conformance.guards import contradiction, expectation
from conformance.results import RecordError
from conformance.truths import prepare


def bless(cases: Iterable[Case]) -> list[str]:
    """Give every case that needs one an `expected`; a line for each that was written. Raises RecordError."""
    by_file: dict[Path, list[Case]] = {}
    for case in cases:
        by_file.setdefault(case.place.file, []).append(case)
    told: list[str] = []
    for file, members in by_file.items():
        told += _bless_file(file, members)
    return told or ["nothing to change"]


def _bless_file(file: Path, cases: Sequence[Case]) -> list[str]:
    by_line: dict[int, Expected] = {}
    told = []
    for case in cases:
        if case.must_fail:
            continue
        truth = prepare(case).truth
        assert truth is not None
        line = contradiction(case, truth)
        if line is None and case.expected is not None and case.expected.complete and case.expected.shape is not None:
            continue
        by_line[case.place.lines[""]] = expectation(truth)
        why = "it had none" if line is None else line.partition(": ")[2]
        told.append(f"{case.place.at('id')}: {case.name}: wrote expected ({why})")
    if by_line:
        _rewrite(file, by_line)
    return told


def _rewrite(file: Path, by_line: dict[int, Expected]) -> None:
    """Replace `expected` of the cases that begin in these lines."""
    yaml = YAML(typ="rt")
    yaml.version = (1, 2)  # type: ignore[assignment]
    yaml.preserve_quotes = True
    yaml.width = 2**31
    yaml.indent(mapping=2, sequence=4, offset=2)
    text = file.read_text(encoding="utf-8")
    document = yaml.load(text)
    for entry in document["cases"]:
        if entry.lc.line + 1 in by_line:
            entry["expected"] = _yaml(by_line[entry.lc.line + 1])
    stream = io.StringIO()
    yaml.dump(document, stream)
    written = stream.getvalue()
    if not text.startswith("%YAML"):
        written = written.removeprefix("%YAML 1.2\n").removeprefix("---\n")
    try:
        file.write_text(written, encoding="utf-8")
    except OSError as error:
        raise RecordError(f"{file} cannot be written: {error.strerror}, should be a file that can be") from None


def _yaml(expected: Expected) -> CommentedMap:
    assert expected.shape is not None
    block = CommentedMap()
    block["shape"] = _flow(list(expected.shape))
    if expected.numbers is not None:
        block["values"] = _flow(_nest([_plain(number) for number in expected.numbers], expected.shape))
    if expected.sha256 is not None:
        from ruamel.yaml.scalarstring import DoubleQuotedScalarString

        block["sha256"] = DoubleQuotedScalarString(expected.sha256)
    if expected.sum_abs is not None:
        block["sum_abs"] = expected.sum_abs
    return block


def _nest(numbers: list[Any], shape: Sequence[int]) -> list[Any]:
    """Numbers in C order as nested lists; the batch and channel axes are left out where both are 1."""
    axes = list(shape[2:]) if shape[0] == shape[1] == 1 else list(shape)
    for size in reversed(axes[1:]):
        numbers = [numbers[start : start + size] for start in range(0, len(numbers), size)]
    return numbers


def _plain(number: float) -> float | int:
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _flow(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    sequence = CommentedSeq([_flow(entry) for entry in value])
    sequence.fa.set_flow_style()
    return sequence
