"""The seal of a record: no change is read as something that a run has said."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.errors import RecordError
from conformance.record.reader import read_record, read_written
from conformance.record.record import RECORD, Record, verdict_line
from conformance.record.writer import Writer
from conformance.verdicts.verdict import Verdict

FLIPS = 3_000


@pytest.fixture
def write(
    tmp_path: Path, run_line: dict[str, Any], verdict: Callable[..., Verdict]
) -> Callable[..., Writer]:
    """Writes a record of a case and two verdicts, with or without its end; the writer is closed."""

    def build(*, end: bool = True) -> Writer:
        writer = Writer(tmp_path / RECORD)
        writer.write("run", run_line)
        shape = {"shape": [1, 1, 3], "values": [[[1.0, 2.0, -0.5]]]}
        writer.write("case", {"case": "folder/file/one", "summary": "One.", "input": shape})
        writer.write("verdict", verdict_line(verdict(error_over_bound=1.5)))
        writer.write("verdict", verdict_line(verdict(quantity="gradients", status="conforms")))
        if end:
            writer.write("end", {"counts": {}, "duration": 1.0, "problems": [], "unchecked": []})
        writer.close()
        return writer

    return build


def test_the_digests_are_those_that_anybody_can_compute(
    write: Callable[..., Writer], tmp_path: Path
) -> None:
    """`check` is of all bytes before the key, `sha256` of all lines before the last."""
    write()
    data = (tmp_path / RECORD).read_bytes()
    at = 0
    for line in data.splitlines(keepends=True):
        before = data[: at + line.rindex(b',"check":')]
        assert json.loads(line)["check"] == hashlib.sha256(before).hexdigest()[:16]
        at += len(line)
    *lines, last = data.splitlines(keepends=True)
    assert json.loads(last)["sha256"] == hashlib.sha256(b"".join(lines)).hexdigest()


@pytest.mark.parametrize("end", [True, False])
def test_no_bit_that_flips_is_read_as_something_else(
    write: Callable[..., Writer], tmp_path: Path, end: bool
) -> None:
    """It is refused, or the last line is no line any more, which is a cut."""
    write(end=end)
    path = tmp_path / RECORD
    data, whole = path.read_bytes(), read_record(path)
    last = len(data) - 1
    chance = random.Random(1)
    places = {(last, bit) for bit in range(8)}
    places |= {(chance.randrange(len(data)), chance.randrange(8)) for _ in range(FLIPS)}
    for at, bit in places:
        path.write_bytes(data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :])
        try:
            found = read_record(path)
        except RecordError:
            continue
        assert at == last, (at, bit, data[at : at + 20])
        assert found.end is None
        assert found.verdicts == whole.verdicts[: len(found.verdicts)]


@pytest.mark.parametrize("kept", [[0, 1, 3, 4], [0, 1, 3, 2, 4], [0, 1, 2, 2, 3, 4], [0, 1, 2, 4]])
def test_lines_that_are_lost_moved_or_doubled_are_noticed(
    write: Callable[..., Writer], tmp_path: Path, kept: list[int]
) -> None:
    """Each line alone is as it was written."""
    write()
    path = tmp_path / RECORD
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[number] for number in kept))
    with pytest.raises(RecordError, match=r"results\.jsonl:\d: was changed after it was written"):
        read_record(path)


def test_lines_behind_the_end_are_refused(
    write: Callable[..., Writer], tmp_path: Path, verdict: Callable[..., Verdict]
) -> None:
    """The end is the last line of a record without digests too."""
    write()
    path = tmp_path / RECORD
    with path.open("a") as stream:
        stream.write(json.dumps({"type": "verdict", **verdict_line(verdict())}) + "\n")
    with pytest.raises(RecordError, match=r"results\.jsonl:6: "):
        read_record(path)


def unseal(path: Path) -> None:
    """Make it a record of an earlier version."""
    contents = [json.loads(line) for line in path.read_text().splitlines()]
    for content in contents:
        for key in ("check", "sha256"):
            content.pop(key, None)
    path.write_text("".join(json.dumps(content) + "\n" for content in contents))


def test_a_record_without_digests_is_read_and_goes_on_with_them(
    write: Callable[..., Writer], tmp_path: Path, verdict: Callable[..., Verdict]
) -> None:
    """One of an earlier version; what is appended vouches for what was there."""
    path = tmp_path / RECORD
    write(end=False)
    sealed = read_record(path)
    unseal(path)
    before = read_record(path)
    assert (before.run, before.verdicts) == (sealed.run, sealed.verdicts)
    writer = Writer(path, after=before)
    writer.write("verdict", verdict_line(verdict(quantity="shape")))
    writer.close()
    assert len(read_written(path, writer.seal).verdicts) == 3
    path.write_bytes(path.read_bytes().replace(b"1.5", b"0.5"))
    with pytest.raises(RecordError, match=r"results\.jsonl:5: was changed"):
        read_record(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_bytes(path.read_bytes().replace(b"differs", b"conforms")),
        lambda path: path.write_bytes(path.read_bytes() + b'{"type":"verd'),
        lambda path: path.write_bytes(b"".join(path.read_bytes().splitlines(True)[:-1])),
        lambda path: path.write_bytes(b""),
        lambda path: path.unlink(),
        unseal,
    ],
)
def test_what_is_read_at_the_end_of_a_run_must_be_what_was_written(
    write: Callable[..., Writer], tmp_path: Path, change: Callable[[Path], object]
) -> None:
    """Whatever an engine did to the file, sealed anew or not."""
    writer = write()
    path = tmp_path / RECORD
    assert isinstance(read_written(path, writer.seal), Record)
    change(path)
    with pytest.raises(RecordError, match=r"results\.jsonl was changed while the run"):
        read_written(path, writer.seal)


def test_a_forger_who_seals_the_record_anew_is_noticed_at_the_end_of_the_run(
    write: Callable[..., Writer], tmp_path: Path, run_line: dict[str, Any]
) -> None:
    """A record that is whole in itself, and not the one that was written."""
    seal = write().seal
    forged = Writer(tmp_path / RECORD)
    forged.write("run", run_line)
    forged.write("end", {"counts": {}, "duration": 1.0, "problems": [], "unchecked": []})
    forged.close()
    assert read_record(tmp_path).ok
    with pytest.raises(RecordError, match="was changed while the run went on"):
        read_written(tmp_path / RECORD, seal)
