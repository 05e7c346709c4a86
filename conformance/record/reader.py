"""A record, read: every line is checked before anything is made of it, and a change is noticed."""

from __future__ import annotations

import gzip
import json
import os
import stat
import sys
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, cast

from conformance.errors import RecordError
from conformance.record.consistency import check_case, check_run, check_verdict
from conformance.record.record import COMPRESSED, RECORD, Record, verdict_from
from conformance.record.run_line import FORMAT, with_defaults
from conformance.record.schema import Missing, Wrong, check_of
from conformance.record.seal import KEYS, Seal
from conformance.verdicts.verdict import Verdict

VARIABLE = "CONFORMANCE_MAX_RECORD"
"""The environment variable that sets another limit, in bytes."""

MOST_BYTES = 2**27
"""Of a record that is read: six times as much memory holds it. One of the whole corpus on all
adapters has 2**25."""

_NO_LIMIT = 2**62

_CASE_DEFAULTS: dict[str, Any] = {"summary": "", "source": "", "tags": [], "expected": None}
_END_DEFAULTS: dict[str, Any] = {"counts": {}, "duration": 0.0, "problems": [], "unchecked": []}
"""The defaults of keys that a record of another version may lack and the page asks for."""

_check_run_line = partial(check_of, "run", ("platform", "machine", "adapters"))
_check_case_line = partial(check_of, "case", ("case",))
_check_verdict_line = partial(
    check_of,
    "verdict",
    ("case", "adapter", "device", "quantity", "status", "exact", "error_over_bound"),
)
_check_end_line = partial(check_of, "end", ())
"""The keys that no version has done without; there is no reading a record that lacks them."""


def read_record(path: Path) -> Record:
    """The record at `path`: a file, which gzip may have compressed, or the folder of one. Raises
    RecordError; a torn last line is left out.
    """
    return _read(path, _limit()).record()


def read_written(path: Path, seal: Seal) -> Record:
    """The record that was just written, from its file. Raises RecordError where that is not what
    was written, as its seal says: engines are processes of the same user, and can write there too.
    """
    try:
        lines = _read(path, _NO_LIMIT)
    except RecordError:
        lines = None
    if lines is None or lines.torn or lines.seal.digest != seal.digest:
        raise RecordError(
            f"{path} was changed while the run went on, should be written by the run alone: "
            "nothing in it can be relied on"
        )
    return lines.record()


def has_lines(path: Path) -> bool:
    """Whether there is a record with at least one whole line."""
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.readline(MOST_BYTES).endswith(b"\n")


def _limit() -> int:
    text = os.environ.get(VARIABLE, "")
    if not text:
        return MOST_BYTES
    if not (text.isascii() and text.isdigit()):
        raise RecordError(f"{VARIABLE}={text}: should be a number of bytes")
    return int(text)


def _read(path: Path, limit: int) -> _Lines:
    file = file_of(path)
    lines = _Lines()
    try:
        with _opened(file) as stream:
            for number, line in enumerate(_lines(stream, file, limit), 1):
                problem = lines.problem(line)
                if problem is not None:
                    raise RecordError(f"{file}:{number}: {problem}")
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise RecordError(f"{file} is not a whole file of gzip, should be a {RECORD}.gz") from None
    except OSError as error:
        raise RecordError(
            f"{file} cannot be read: {error.strerror}, should be a {RECORD}"
        ) from None
    if lines.run is None:
        raise RecordError(
            f"{file} has no run line, should be a {RECORD} as `conformance run` writes it"
        )
    return lines


def file_of(path: Path) -> Path:
    """The file of a record, of which the folder may be named."""
    if not path.is_dir():
        return path
    return next(
        (path / name for name in (RECORD, COMPRESSED) if (path / name).exists()), path / RECORD
    )


def _opened(file: Path) -> BinaryIO:
    """The file for reading. A pipe that nobody writes to is empty, and is not waited for."""
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(descriptor, True)
    if stat.S_ISCHR(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(0, "it is a device")
    stream = os.fdopen(descriptor, "rb")
    return cast(BinaryIO, _Compressed(stream)) if file.suffix == ".gz" else stream


class _Compressed(gzip.GzipFile):
    """What a file holds; the file is closed with it."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__(fileobj=stream, mode="rb")
        self._stream = stream

    def close(self) -> None:
        super().close()
        self._stream.close()


def _lines(stream: BinaryIO, file: Path, limit: int) -> Iterator[bytes]:
    """Lines with their end, which the last one may lack. A file is refused before it is read."""
    size, whole = 0, os.fstat(stream.fileno()).st_size
    while line := stream.readline(limit - size + 1):
        size += len(line)
        if max(size, whole) > limit:
            raise RecordError(
                f"{file} has more than {limit} bytes, should have no more: it is held in memory; "
                f"{VARIABLE} sets another limit"
            )
        yield line


@dataclass(slots=True)
class _Lines:
    """A record's lines, as far as they are read."""

    run: Mapping[str, Any] | None = None
    cases: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)
    end: Mapping[str, Any] | None = None
    bytes_before_end: int = 0
    seal: Seal = field(default_factory=Seal)
    seal_before_end: Seal = field(default_factory=Seal)
    sealed: bool = False
    torn: bool = False

    def record(self) -> Record:
        """The record of all lines; its seal is that of the lines before the end."""
        assert self.run is not None, "a record without a run line is refused"
        return Record(
            run=self.run,
            cases=self.cases,
            verdicts=tuple(self.verdicts),
            end=self.end,
            bytes_before_end=self.bytes_before_end,
            seal=self.seal if self.end is None else self.seal_before_end,
        )

    def problem(self, line: bytes) -> str | None:
        """Take in the next line, unless there is something wrong with it; one without an end was
        cut, and is left out.
        """
        if not line.endswith(b"\n"):
            self.torn = True
            return None
        before = self.seal.copy()
        holds = self.seal.holds(line)
        try:
            content = _DECODER.decode(line.decode("utf-8", "surrogatepass"))
            kind = content.pop("type")
            keys = [key for key in KEYS if content.pop(key, None) is not None]
            if holds is False or (holds is None and ("check" in keys or self.sealed)):
                return "was changed after it was written, should be as `conformance run` wrote it"
            self.sealed = holds is True
            if (
                not isinstance(kind, str)
                or (kind == "run") != (self.run is None)
                or self.end is not None
            ):
                raise ValueError
            return self._take(kind, content, line, before)
        except Wrong as wrong:
            return wrong.sentence
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return f"is not a line of a record, should be a {RECORD} as `conformance run` writes it"

    def _take(self, kind: str, content: dict[str, Any], line: bytes, before: Seal) -> str | None:
        match kind:
            case "run":
                _check_format(content)
                _check_run_line()(content)
                self.run = with_defaults(content)
                check_run(self.run)
            case "case":
                _check_case_line()(content)
                check_case(content)
                self.cases[content["case"]] = _CASE_DEFAULTS | content
            case "verdict":
                _check_verdict_line()(content)
                check_verdict(content, self.run or {}, self.cases)
                self.verdicts.append(verdict_from(_shared(content)))
            case "end":
                _check_end_line()(content)
                self.end, self.seal_before_end = _END_DEFAULTS | content, before
        self.bytes_before_end += len(line) if self.end is None else 0
        return None


def _check_format(content: Mapping[str, Any]) -> None:
    """Before all else: what other keys mean follows from it. Raises Wrong."""
    if "format" not in content:
        raise Missing("format", str(FORMAT))
    if content["format"] != FORMAT or isinstance(content["format"], bool | float):
        raise Wrong(content["format"], str(FORMAT)).below("format")


def _shared(content: dict[str, Any]) -> dict[str, Any]:
    """The same with words that stand in thousands of lines held in memory once."""
    words = ("case", "adapter", "device", "quantity", "status")
    return content | {key: sys.intern(content[key]) for key in words}


def _refuse(constant: str) -> None:
    """NaN and infinities are strings in strict JSON."""
    raise ValueError(constant)


_DECODER = json.JSONDecoder(parse_constant=_refuse)
