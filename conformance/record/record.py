"""The record of a run, `results.jsonl`: strict JSON, one object a line, written so that a cut one
is seen and can go on.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from conformance.errors import RecordError
from conformance.record.run_line import FORMAT, with_defaults
from conformance.verdicts.verdict import STATUSES, Verdict

RECORD = "results.jsonl"


_KEYS = tuple(entry.name for entry in fields(Verdict))
_CASE_DEFAULTS: dict[str, Any] = {"summary": "", "source": "", "tags": [], "expected": None}
_END_DEFAULTS: dict[str, Any] = {"counts": {}, "duration": 0.0, "problems": [], "unchecked": []}
"""The defaults of keys that a record of another version may lack and the page asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The content of a record: the run line, cases by full name, verdicts, and the end line, or
    None if it was cut.
    """

    run: Mapping[str, Any]
    cases: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    verdicts: tuple[Verdict, ...] = ()
    end: Mapping[str, Any] | None = None
    bytes_before_end: int = 0

    @property
    def ok(self) -> bool:
        """Whether the gate passes: it ran to its end, nothing in it is unexpected, and something
        was checked.
        """
        return (
            self.end is not None
            and not self.end["problems"]
            and not self.unchecked
            and not any(verdict.unexpected for verdict in self.verdicts)
        )

    @property
    def problems(self) -> Sequence[Mapping[str, str]]:
        """Entries of known differences that speak of nothing: the `entry`, and its `problem`."""
        return [] if self.end is None else self.end["problems"]

    def by_software(self, adapter: str, device: str) -> bool:
        """Whether the driver of an adapter's device computes on the processor, as its facts say:
        what that takes is no device's time.
        """
        facts = self.run["facts"].get(adapter, {})
        return device != "cpu" and facts.get("software_driver") is True

    @property
    def unchecked(self) -> Sequence[Mapping[str, str]]:
        """The `adapter` or the `case` of which nothing was checked, with the `reason`; none where
        that is allowed.
        """
        return (
            []
            if self.end is None or self.run.get("allow_unsupported")
            else self.end.get("unchecked", [])
        )


class Writer:
    """Appends whole lines; a line that does not go through leaves the file as it was before it."""

    def __init__(self, path: Path, *, keep: int | None = None) -> None:
        """Begin a new record, or go on behind the first `keep` bytes of one. Raises RecordError."""
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(
                path, os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if keep is None else 0), 0o666
            )
            self._size = keep or 0
            os.ftruncate(self._descriptor, self._size)
            os.lseek(self._descriptor, self._size, os.SEEK_SET)
        except OSError as error:
            raise RecordError(
                f"{path} cannot be written: {error.strerror}, should be a file in a folder with "
                "room"
            ) from None

    def write(self, kind: str, content: Mapping[str, Any]) -> None:
        """One line. Raises RecordError if it cannot be written; what was written before is kept."""
        line = _json({"type": kind, **content}).encode() + b"\n"
        try:
            done = 0
            while done < len(line):
                done += os.write(self._descriptor, line[done:])
            self._size += len(line)
        except OSError as error:
            os.ftruncate(self._descriptor, self._size)
            os.lseek(self._descriptor, self._size, os.SEEK_SET)
            raise RecordError(
                f"{self.path} cannot be written: {error.strerror}. What was recorded is kept: "
                "make room and add --resume"
            ) from None

    def close(self) -> None:
        os.close(self._descriptor)


def read_record(path: Path) -> Record:
    """The record at `path` (a file, or the folder of one). Raises RecordError; a torn last line is
    left out.
    """
    file = path / RECORD if path.is_dir() else path
    try:
        data = file.read_bytes()
    except OSError as error:
        raise RecordError(
            f"{file} cannot be read: {error.strerror}, should be a {RECORD}"
        ) from None
    lines = _Lines()
    for number, line in enumerate(_whole_lines(data), 1):
        try:
            lines.add(line)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise RecordError(
                f"{file}:{number}: is no line of a record, should be a {RECORD} as `conformance "
                "run` writes it"
            ) from None
    if lines.run is None:
        raise RecordError(
            f"{file} has no run line, should be a {RECORD} as `conformance run` writes it"
        )
    if lines.run.get("format") != FORMAT:
        raise RecordError(f"{file} has format {lines.run.get('format')!r}, should be {FORMAT}")
    return Record(
        run=lines.run,
        cases=lines.cases,
        verdicts=tuple(lines.verdicts),
        end=lines.end,
        bytes_before_end=lines.bytes_before_end,
    )


@dataclass(slots=True)
class _Lines:
    """A record's lines, as far as they are read."""

    run: Mapping[str, Any] | None = None
    cases: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)
    end: Mapping[str, Any] | None = None
    bytes_before_end: int = 0

    def add(self, line: bytes) -> None:
        """Take in the next line. Raises ValueError, KeyError, TypeError or AttributeError where it
        is none of a record.
        """
        content = json.loads(line, parse_constant=_refuse)
        kind = content.pop("type")
        if (kind == "run") != (self.run is None):
            raise ValueError
        match kind:
            case "run":
                self.run = with_defaults(content)
            case "case":
                self.cases[content["case"]] = _CASE_DEFAULTS | content
            case "verdict":
                verdict = verdict_from(content)
                if verdict.status not in STATUSES or verdict.case not in self.cases:
                    raise ValueError
                self.verdicts.append(verdict)
            case "end":
                self.end = _END_DEFAULTS | content
        self.bytes_before_end += len(line) if self.end is None else 0


def _refuse(constant: str) -> None:
    """NaN and infinities are strings in strict JSON."""
    raise ValueError(constant)


def has_lines(path: Path) -> bool:
    """Whether there is a record with at least one whole line."""
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.readline().endswith(b"\n")


def verdict_from(content: Mapping[str, Any]) -> Verdict:
    """A verdict line as a Verdict; keys of a later version are left out, missing ones get their
    default.
    """
    return Verdict(**{key: value for key, value in content.items() if key in _KEYS})


def verdict_line(verdict: Verdict) -> dict[str, Any]:
    return {key: getattr(verdict, key) for key in _KEYS}


def _json(content: Mapping[str, Any]) -> str:
    """One line of strict JSON. Most lines hold nothing that is not finite, and need no look at
    every number.
    """
    try:
        return json.dumps(content, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError):  # a mapping that is no dict, a number that is not finite
        return json.dumps(strict(content), allow_nan=False, separators=(",", ":"))


def strict(value: Any) -> Any:
    """The value with NaN and infinities as the strings "NaN", "Infinity", "-Infinity"."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping):
        return {key: strict(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [strict(entry) for entry in value]
    return value


def _whole_lines(data: bytes) -> Iterator[bytes]:
    """Lines with their end; a last one without it was cut and is left out."""
    for line in data.splitlines(keepends=True):
        if line.endswith(b"\n"):
            yield line
