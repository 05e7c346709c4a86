"""Records that somebody twisted: one sentence says what is wrong, and what is accepted is laid out.

`seeds/` has a record of engines that are right, wrong and dead, and values that once were a
traceback. CONFORMANCE_FUZZ sets how many more are tried.
"""

from __future__ import annotations

import copy
import io
import json
import os
import random
import re
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from rich.console import Console
from schemas import schema
from typer.testing import CliRunner

from conformance.cli import app
from conformance.commands.summary import tell
from conformance.errors import RecordError
from conformance.record.accept import entries
from conformance.record.changes import changes
from conformance.record.confirm import findings
from conformance.record.reader import MOST_BYTES, read_record
from conformance.record.record import RECORD, Record
from conformance.record.schema import Wrong, check_of
from conformance.report import github, render
from conformance.report.atlas import measured_of
from conformance.report.changes import as_json, markdown, terminal

pytestmark = pytest.mark.slow

SEEDS = Path(__file__).parent / "seeds"
LINES = [json.loads(line) for line in (SEEDS / RECORD).read_text().splitlines()]
TWISTED = [json.loads(line) for line in (SEEDS / "twisted.jsonl").read_text().splitlines()]
EXAMPLES = int(os.environ.get("CONFORMANCE_FUZZ") or 200)
SENTENCE = re.compile(r"[^\n]*results\.jsonl(:\d+)?:? [^\n]+, should be [^\n]+")
ODD = [
    None, True, False, 0, 1, -1, 2, 7, -0.0, 0.5, 1e308, 5e-324, 2**31, 2**64, 10**30, 10**300, "",
    "x", "NaN", "Infinity", "\ud800", "\x1b[31m", "<b>", "../..", "output", "gradients", "conforms",
    "differs", "float32", "torch", [], [[]], {}, {"a": 1}, [0], [1, 2, 3], [[1.0, 2.0]], "a\n::b",
]  # fmt: skip
FREE = {"summary", "source", "message", "text", "reason", "started", "system", "facts", "duration"}
"""Keys whose values are anything of their type: most twists of those are harmless."""


def write(folder: Path, lines: list[Any]) -> Path:
    """A record of these lines, without digests."""
    path = folder / RECORD
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths to all values inside, the first four of long lists."""
    if path:
        yield path
    for key in value if isinstance(value, dict) else range(len(value[:4])):
        if isinstance(value[key], dict | list):
            yield from places(value[key], (*path, key))
        else:
            yield (*path, key)


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def twist(lines: list[Any], chance: random.Random) -> None:
    """One change: a value is another, moves, is gone or is there twice, or a line is."""
    number = chance.randrange(len(lines))
    every = list(places(lines[number]))
    mild = [path for path in every if FREE & {*path} and at(lines[number], path) is not None]
    *above, key = chance.choice(mild if mild and chance.random() < 0.7 else every)
    holder = at(lines[number], tuple(above))
    old = holder[key]
    match chance.randrange(8):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder[chance.choice(["later", "shape", "values", ""])] = chance.choice(ODD)
        case 2 if isinstance(old, int | float):
            holder[key] = chance.choice([old + 1, old - 1, -old, old * 1000, old * 10**10])
        case 3 | 4 if isinstance(old, str):
            holder[key] = chance.choice([f"{old}x", old[:-1], f"{old}\ud800", f"<b>{old}\n::x"])
        case 5:
            other = chance.choice(lines)
            holder[key] = copy.deepcopy(at(other, chance.choice(list(places(other)))))
        case 6 if number > 1:
            lines.insert(chance.randrange(1, len(lines)), lines.pop(number))
        case _:
            holder[key] = copy.deepcopy(chance.choice(ODD))


def read(path: Path) -> tuple[Record | None, str]:
    """The record, or why it is none."""
    try:
        return read_record(path), ""
    except RecordError as error:
        return None, str(error)


def lay_out(record: Record, before: Record) -> None:
    """Everything that is made of a record; compared with itself nothing has changed."""
    assert render(record, baseline=before, history=[before]).rstrip().endswith("</html>")
    same = as_json(changes(record, record), 1.5)
    assert same["ok"]
    assert not same["newly_failing"] + same["changed"] + same["versions"]
    for changed in (changes(before, record), changes(record, before)):
        assert terminal(changed, None)
        assert markdown(changed, 2.0)
        json.dumps(as_json(changed, None), allow_nan=False)
    assert github.summary(record).startswith("## ")
    with redirect_stdout(io.StringIO()):
        tell(Console(file=io.StringIO(), width=140), record, verbose=True)
    measured_of(record)
    findings(record, [])
    entries([v for v in record.verdicts if v.fails], record.run["versions"])


@pytest.fixture
def whole(tmp_path: Path) -> Record:
    """The record of the seeds."""
    return read_record(SEEDS)


def test_the_seed_is_read_and_laid_out(whole: Record) -> None:
    """Twisting begins with something that is right."""
    assert len(whole.verdicts) > 30
    assert {verdict.status for verdict in whole.verdicts} >= {"conforms", "differs", "crashed"}
    lay_out(whole, whole)


def test_what_is_twisted_is_refused_in_a_sentence_or_laid_out(
    tmp_path: Path, whole: Record
) -> None:
    """Types, sizes, keys, lines: a third and more are read, so that what is behind the reader is
    tried as well.
    """
    accepted = 0
    for seed in range(EXAMPLES):
        chance, lines = random.Random(seed), copy.deepcopy(LINES)
        for _ in range(chance.choice([1, 1, 1, 2])):
            twist(lines, chance)
        path = write(tmp_path, lines)
        record, refusal = read(path)
        if record is None:
            assert SENTENCE.fullmatch(refusal), (seed, refusal)
            continue
        accepted += 1
        lay_out(record, whole)
    assert accepted >= EXAMPLES / 3


def twisted(kind: str, path: list[Any], *value: Any) -> list[Any]:
    """The lines of the seed with a value at that path of the first line of a kind that has it."""
    lines = copy.deepcopy(LINES)
    for line in lines:
        try:
            holder = at(line, tuple(path[:-1]))
            if line["type"] != kind or (path[-1] not in holder and isinstance(holder, dict)):
                continue
            if value:
                holder[path[-1]] = value[0]
            else:
                del holder[path[-1]]
        except (TypeError, KeyError, IndexError):
            continue
        return lines
    raise AssertionError(f"no {kind} has {path}")


@pytest.mark.parametrize("change", TWISTED, ids=lambda change: f"{change[0]}-{change[1]}")
def test_what_was_a_traceback_is_a_sentence(tmp_path: Path, change: list[Any]) -> None:
    """By every command that reads a record, on either side."""
    path, good = str(write(tmp_path, twisted(*change))), str(SEEDS / RECORD)
    for words in (
        ["report", path, "-o", str(tmp_path / "page")],
        ["report", good, "-o", str(tmp_path / "page"), "--baseline", path],
        ["report", good, "-o", str(tmp_path / "page"), "--history", path],
        ["diff", path, good],
        ["diff", good, path],
        ["confirm", path],
        ["conventions", "--record", path],
        ["run", "-a", "torch", "--baseline", path],
    ):
        problem = CliRunner().invoke(app, words).exception
        assert isinstance(problem, RecordError), (words, problem)
        assert SENTENCE.fullmatch(str(problem)), str(problem)
    assert not (tmp_path / "page").exists()


@pytest.mark.parametrize(
    "line",
    [
        '{"type":' + "[" * 100_000,
        '{"type":"end","duration":' + "9" * 5_000 + "}",
        '{"type":"end","duration":1e999}',
        '{"type":"end","duration":NaN}',
        '{"type":"end","duration":' + "[" * 900 + "]" * 900 + "}",
        '{"type":{}}',
        '{"type":["case"]}',
        "\0" * 1_000,
        "\ufeff{}",
    ],
    ids=lambda line: line[:30],
)
def test_json_at_its_limits_is_refused(tmp_path: Path, line: str) -> None:
    """Nested beyond what can be read, digits beyond what is a number, bytes that are no text."""
    path = write(tmp_path, LINES[:-1])
    with path.open("a", encoding="utf-8") as stream:
        stream.write(line + "\n")
    with pytest.raises(RecordError, match=rf"results\.jsonl:{len(LINES)}: .*, should be"):
        read_record(path)


def test_a_cut_at_any_byte_is_no_traceback(tmp_path: Path) -> None:
    """What is whole is read, and nothing of it twice."""
    data = (SEEDS / RECORD).read_bytes()
    path = tmp_path / RECORD
    before = 0
    for end in range(0, len(data), 101):
        path.write_bytes(data[:end])
        found, refusal = read(path)
        if found is None:
            assert "has no run line" in refusal
            continue
        assert len(found.verdicts) >= before
        before = len(found.verdicts)
    assert before > 30


def as_read(part: Any) -> Any:
    """The schema without what only a new line keeps to: no other keys, and keys with a default."""
    if isinstance(part, list):
        return [as_read(entry) for entry in part]
    if not isinstance(part, dict):
        return part
    known = part.get("properties", {})
    kept = {key: as_read(value) for key, value in part.items() if value is not False}
    if isinstance(part.get("required"), list):
        kept["required"] = [key for key in part["required"] if "default" not in known.get(key, {})]
    return kept


def refused(kind: str, line: Any) -> Wrong | None:
    """What is wrong with a line, if so."""
    try:
        check_of(kind)(line)
    except Wrong as wrong:
        return wrong
    return None


def test_the_checks_are_those_of_the_schema() -> None:
    """Of twisted lines the same are refused as by jsonschema, and numbers of more than 128 bits
    and whole ones that are written with a point.
    """
    validator = Draft202012Validator(as_read(schema("record")))
    chance, agreed = random.Random(1), {True: 0, False: 0}
    while sum(agreed.values()) < 1_000:
        lines = [copy.deepcopy(chance.choice(LINES))]
        kind = lines[0]["type"]
        twist(lines, chance)
        if lines[0].get("type") != kind:
            continue
        errors = list(validator.iter_errors(lines[0]))
        found = refused(kind, lines[0])
        if found is None:
            assert errors == [], lines[0]
        else:
            assert errors or "bits" in found.should or "whole" in found.should, found.sentence
        agreed[not errors] += 1
    assert min(agreed.values()) > 200


def test_a_record_beyond_the_limit_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit is said, and can be set; a gibibyte of zeros is none of memory."""
    path = tmp_path / RECORD
    path.write_bytes((SEEDS / RECORD).read_bytes())
    os.truncate(path, 2**30)
    with pytest.raises(RecordError, match=f"has more than {MOST_BYTES} bytes, .*CONFORMANCE_MAX"):
        read_record(path)
    path.write_bytes((SEEDS / RECORD).read_bytes())
    monkeypatch.setenv("CONFORMANCE_MAX_RECORD", "1000")
    with pytest.raises(RecordError, match="has more than 1000 bytes"):
        read_record(path)
    monkeypatch.setenv("CONFORMANCE_MAX_RECORD", "many")
    with pytest.raises(RecordError, match="CONFORMANCE_MAX_RECORD=many: should be a number"):
        read_record(path)


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_what_is_no_file_is_not_waited_for(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """A pipe that nobody writes to, and a device without an end."""
    make(tmp_path / RECORD)
    with pytest.raises(
        RecordError, match=r"(has no run line|cannot be read: it is a device), should"
    ):
        read_record(tmp_path)
