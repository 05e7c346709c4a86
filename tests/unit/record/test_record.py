"""The record: strict JSON, whole lines whatever happens, and what can be read again."""

from __future__ import annotations

import json
import math
import os
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from conformance.errors import RecordError
from conformance.record.reader import read_record
from conformance.record.record import RECORD, Record, strict, verdict_from, verdict_line
from conformance.record.seal import KEYS
from conformance.record.writer import Writer
from conformance.verdicts.verdict import Verdict


def refuse_constants(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


@pytest.fixture
def record(tmp_path: Path, run_line: dict[str, Any], verdict: Callable[..., Verdict]) -> Path:
    """A whole record of one case and one verdict."""
    path = tmp_path / RECORD
    writer = Writer(path)
    writer.write("run", run_line)
    writer.write("case", {"case": "folder/file/one", "summary": "One."})
    writer.write("verdict", verdict_line(verdict(error_over_bound=1.5)))
    writer.write("end", {"counts": {}, "duration": 1.0, "problems": []})
    writer.close()
    return path


def unsealed(record: Path) -> list[str]:
    """The lines as an earlier version wrote them, or whoever writes a record by hand."""
    contents = map(json.loads, record.read_text().splitlines())
    return [
        json.dumps({key: value for key, value in content.items() if key not in KEYS})
        for content in contents
    ]


def test_what_is_written_is_read_again(
    record: Path, run_line: dict[str, Any], verdict: Callable[..., Verdict]
) -> None:
    """The run line, the cases by name, the verdicts and the end come back; a folder stands for its
    record.
    """
    found = read_record(record)
    assert found.run == run_line
    assert list(found.cases) == ["folder/file/one"]
    assert found.verdicts == (verdict(error_over_bound=1.5),)
    assert found.end == {"counts": {}, "duration": 1.0, "problems": [], "unchecked": []}
    assert read_record(record.parent) == found


def test_every_line_is_one_object_of_strict_json(record: Path) -> None:
    """Each line is an object with a type, ends with a newline, and has no NaN or Infinity of
    JavaScript's.
    """
    lines = record.read_bytes().split(b"\n")
    assert lines.pop() == b""
    contents = [json.loads(line, parse_constant=refuse_constants) for line in lines]
    assert [content["type"] for content in contents] == ["run", "case", "verdict", "end"]


def test_non_finite_numbers_are_strings(tmp_path: Path) -> None:
    """NaN and the infinities are the strings that JavaScript calls them, at any depth; -0.0 stays a
    number.
    """
    nested = {
        "a": [math.nan, (math.inf, {"b": -math.inf})],
        "c": -0.0,
        "d": "NaN",
        "e": None,
        "f": True,
    }
    plain = {
        "a": ["NaN", ["Infinity", {"b": "-Infinity"}]],
        "c": -0.0,
        "d": "NaN",
        "e": None,
        "f": True,
    }
    assert strict(nested) == plain
    writer = Writer(tmp_path / RECORD)
    writer.write("run", nested)
    writer.close()
    line = json.loads((tmp_path / RECORD).read_text(), parse_constant=refuse_constants)
    assert line.pop("check")
    assert line == {"type": "run", **plain}


def test_text_of_any_language_is_read_again(tmp_path: Path, run_line: dict[str, Any]) -> None:
    """Line separators of Unicode, quotes and lone surrogates in a message do not break a line."""
    message = 'a\u2028b\u0085c\r\nd"e\\f\ud800'
    writer = Writer(tmp_path / RECORD)
    writer.write("run", {**run_line, "system": message})
    writer.close()
    assert read_record(tmp_path).run["system"] == message


@pytest.mark.parametrize("cut", [1, 5, 40])
def test_a_torn_last_line_is_left_out(record: Path, run_line: dict[str, Any], cut: int) -> None:
    """A record that was cut within its last line has all before, no end, and says how far it is
    whole.
    """
    data = record.read_bytes()
    record.write_bytes(data[:-cut])
    found = read_record(record)
    assert (len(found.verdicts), found.end, found.ok) == (1, None, False)
    whole = data[: data.rindex(b"\n", 0, len(data) - 1) + 1]
    assert found.bytes_before_end == len(whole)


def test_writing_goes_on_behind_the_last_whole_line(
    record: Path, verdict: Callable[..., Verdict]
) -> None:
    """A writer that keeps what is whole drops a torn line, and an end line that is there
    already.
    """
    record.write_bytes(record.read_bytes() + b'{"type": "verd')
    writer = Writer(record, after=read_record(record))
    writer.write("verdict", verdict_line(verdict(quantity="gradients")))
    writer.close()
    found = read_record(record)
    assert [entry.quantity for entry in found.verdicts] == ["output", "gradients"]
    assert found.end is None


def test_a_new_writer_begins_anew(record: Path, run_line: dict[str, Any]) -> None:
    """Without `after` the old record is gone, and folders on the way are made."""
    for path in (record, record.parent / "deep" / "er" / RECORD):
        writer = Writer(path)
        writer.write("run", run_line)
        writer.close()
        assert read_record(path) == Record(run=run_line, bytes_before_end=path.stat().st_size)


@pytest.mark.parametrize(
    "line",
    [
        "garbage",
        "[1]",
        "3",
        "null",
        "{}",
        '{"type": "run"}',
        '{"type": "case"}',
        '{"type": "verdict"}',
        '{"type": "verdict", "case": 1}',
        "",
    ],
)
def test_a_line_that_is_none_of_a_record_is_named_by_its_number(record: Path, line: str) -> None:
    """Garbage that is a whole line is no cut, and is not passed over."""
    lines = unsealed(record)
    record.write_text("\n".join([*lines[:2], line, *lines[2:]]) + "\n")
    with pytest.raises(
        RecordError, match=f"{RECORD}:3: (is not a line of a record|(case|adapter): is missing)"
    ):
        read_record(record)


def test_bytes_that_are_no_text_are_named_by_their_line(record: Path) -> None:
    """Binary garbage in the middle is told like any other."""
    lines = record.read_bytes().splitlines(keepends=True)
    record.write_bytes(b"".join([*lines[:2], b"\xff\x00\n", *lines[2:]]))
    with pytest.raises(RecordError, match=f"{RECORD}:3: is not a line of a record"):
        read_record(record)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "has no run line, should be"),
        ('{"type": "run"', "has no run line, should be"),
        ('{"type": "case", "case": "a"}\n', ":1: is not a line of a record"),
        ('{"type": "run", "format": 2}\n', ":1: format: is 2, should be 1"),
        ('{"type": "run"}\n', ":1: format: is missing, should be 1"),
        ('{"type": "run", "format": 1}\n', ":1: platform: is missing, should be there"),
    ],
)
def test_a_file_that_is_no_record_is_refused(tmp_path: Path, text: str, told: str) -> None:
    """A record begins with its run line, of a known format."""
    (tmp_path / RECORD).write_text(text)
    with pytest.raises(RecordError, match=told):
        read_record(tmp_path)


def test_a_record_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """The file that was looked for is named."""
    with pytest.raises(
        RecordError, match=f"none cannot be read: {os.strerror(2)}, should be a {RECORD}"
    ):
        read_record(tmp_path / "none")


def test_keys_and_lines_of_a_later_version_are_left_out(
    record: Path, verdict: Callable[..., Verdict]
) -> None:
    """Additions keep records readable, and keys that an older record lacks have their default."""
    assert verdict_from({**verdict_line(verdict()), "added": 1}) == verdict()
    old = {
        key: value
        for key, value in verdict_line(verdict()).items()
        if key not in ("timing", "got", "precision")
    }
    assert verdict_from(old) == verdict()
    lines = unsealed(record)
    record.write_text("\n".join([*lines[:2], '{"type": "later", "x": 1}', *lines[2:]]) + "\n")
    assert len(read_record(record).verdicts) == 1


@pytest.mark.parametrize(
    ("end", "changes", "ok"),
    [
        ({"problems": []}, {"status": "conforms"}, True),
        ({"problems": []}, {"known": "because"}, True),
        ({"problems": []}, {}, False),
        (
            {"problems": []},
            {"status": "conforms", "known_problem": {"entry": "a:1", "problem": "stale"}},
            False,
        ),
        ({"problems": [{"entry": "a:1", "problem": "lost"}]}, {"status": "conforms"}, False),
        (None, {"status": "conforms"}, False),
    ],
)
def test_the_gate_is_read_from_the_record(
    run_line: dict[str, Any],
    verdict: Callable[..., Verdict],
    end: dict[str, Any] | None,
    changes: dict[str, Any],
    ok: bool,
) -> None:
    """It passes where the run ended, no verdict is unexpected and no entry is lost."""
    assert Record(run=run_line, verdicts=(verdict(**changes),), end=end).ok is ok


@contextmanager
def full_disk(most: int) -> Iterator[None]:
    """Files cannot grow beyond so many bytes, as on a disk without room."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_keeps_whole_lines_and_the_run_can_go_on(
    tmp_path: Path, run_line: dict[str, Any], verdict: Callable[..., Verdict]
) -> None:
    """The line that finds no room is taken back whole, the error says what to do, and later lines
    follow the last whole one.
    """
    path = tmp_path / RECORD
    writer = Writer(path)
    writer.write("run", run_line)
    before = path.read_bytes()
    with (
        full_disk(len(before) + 50),
        pytest.raises(RecordError, match="What was recorded is kept: make room"),
    ):
        writer.write("verdict", verdict_line(verdict()))
    assert path.read_bytes() == before
    writer.write("case", {"case": verdict().case})
    writer.write("verdict", verdict_line(verdict()))
    writer.close()
    assert read_record(path).verdicts == (verdict(),)


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """A folder where the file should be is told before anything runs."""
    (tmp_path / RECORD).mkdir()
    with pytest.raises(
        RecordError, match=r"cannot be written: .*should be a file in a folder with room"
    ):
        Writer(tmp_path / RECORD)
