"""Records of runs, made of a few lines of the committed one."""

from __future__ import annotations

import functools
import json
import random
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from conformance.record import messages
from conformance.record.changes import changes
from conformance.record.reader import read_record
from conformance.report import render
from conformance.report.changes import as_json, markdown, terminal
from fuzzing.reader import Reader
from fuzzing.trees import bytes_twisted, twisted

REFERENCE = Path(__file__).resolve().parents[3] / "reports" / "reference" / "results.jsonl"
_CASES = 40  # of the committed record that lines are chosen of
_SEALS = ("check", "sha256")  # keys that a changed line would not agree with


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="conformance-fuzz-")


@functools.cache
def _lines() -> tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]], dict[str, Any]]:
    """The run line, the lines of a few small cases and of verdicts on them, and the end line."""
    cases: dict[str, Any] = {}
    verdicts: list[dict[str, Any]] = []
    run = end = None
    with REFERENCE.open(encoding="utf-8") as stream:
        for number, text in enumerate(stream):
            line = json.loads(text)
            for key in _SEALS:
                line.pop(key, None)
            match line["type"]:
                case "run":
                    run = line
                case "case" if len(text) < 3000 and number % 30 == 1 and len(cases) < _CASES:
                    cases[line["case"]] = line
                case "verdict" if line["case"] in cases:
                    verdicts.append(line)
                case "end":
                    end = line
    assert run is not None
    assert end is not None
    assert verdicts
    return run, list(cases.values()), verdicts, {**end, "problems": [], "unchecked": []}


def _draw(draw: random.Random, twists: Sequence[random.Random]) -> bytes:
    run, cases, verdicts, end = _lines()
    chosen = draw.sample(cases, k=draw.choice([1, 2, 3]))
    names = {line["case"] for line in chosen}
    about = [line for line in verdicts if line["case"] in names]
    lines: list[Any] = [run, *chosen, *draw.sample(about, k=min(len(about), 12)), end]
    in_bytes = [twist for twist in twists if twist.random() < 0.1]
    for twist in twists:
        if twist not in in_bytes:
            number = twist.randrange(len(lines))
            lines[number] = twisted(lines[number], twist.choice(lines), twist)
    content = "".join(f"{json.dumps(line)}\n" for line in lines).encode()
    for twist in in_bytes:
        content = bytes_twisted(content, twist)
    return content


def _read(content: bytes) -> None:
    file = Path(_folder().name) / "results.jsonl"
    file.write_bytes(content)
    record = read_record(file)
    messages.summary(record)
    for told in (messages.unchecked, messages.timings, messages.variations, messages.news):
        told(record)
    comparison = changes(record, record)
    terminal(comparison, None)
    markdown(comparison, 2.0)
    as_json(comparison, None)
    if zlib.crc32(content) % 16 == 0:  # a page takes a hundred times as long
        render(record)


RECORDS = Reader(name="records", draw=_draw, read=_read)
