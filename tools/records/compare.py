"""Says whether two records of `conformance run` are the same but for times.

    python tools/records/compare.py OLD NEW

OLD and NEW are each a results.jsonl or the folder of one: of a run before a change and after it,
when the change should have no effect. Cases and verdicts may come in any order. What depends on
when and where a run was made is left out: when it began and how long it took, its command line,
timings, which programs were compiled anew, and in messages how long a process computed. Each
difference is a line, of 50 at most. Exit 0 where there is none, 1 where there is one, 2 where a
record cannot be read.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import zip_longest
from pathlib import Path
from typing import Any

from conformance.errors import RecordError
from conformance.record.reader import read_record
from conformance.record.record import Record

MOST_LINES = 50
MOST_LETTERS = 60
"""The most letters of one value that is shown."""

OF_THE_RUN = {"started", "command", "paths", "known"}
"""The keys of the run line that are left out: what was asked for is in the digest of the corpus."""

OF_THE_END = {"duration"}
OF_A_VERDICT = {"timing", "compiled"}
COMPUTED = re.compile(
    r", of which its process computed \S+ s"
    r"(?:: it waits, or the machine was busy with something else)?"
)
"""The part of a message of a call without an answer that gives its time; that on the limit is the
same in every run."""

Content = Mapping[str, Any]
Key = tuple[str, ...]


def differences(old: Record, new: Record) -> Iterator[str]:
    """A line for everything that the records do not agree in."""
    for difference in _between(_without(old.run, OF_THE_RUN), _without(new.run, OF_THE_RUN)):
        yield f"run: {difference}"
    for name in dict.fromkeys([*old.cases, *new.cases]):
        yield from _line(f"case {name}", old.cases.get(name), new.cases.get(name))
    before, after = _verdicts(old), _verdicts(new)
    for key in dict.fromkeys([*before, *after]):
        for one, other in zip_longest(before.get(key, []), after.get(key, [])):
            yield from _line(f"verdict {', '.join(key)}", one, other)
    yield from _line("end", _end(old), _end(new))


def _verdicts(record: Record) -> dict[Key, list[Content]]:
    """The content of verdicts by case, adapter, device and quantity; a list, for nothing forbids
    two.
    """
    by_key: dict[Key, list[Content]] = {}
    for verdict in record.verdicts:
        content = _without(asdict(verdict), OF_A_VERDICT)
        if verdict.message is not None:
            content["message"] = COMPUTED.sub("", verdict.message)
        key = (verdict.case, verdict.adapter, verdict.device, verdict.quantity)
        by_key.setdefault(key, []).append(content)
    return {key: sorted(contents, key=_text) for key, contents in by_key.items()}


def _end(record: Record) -> Content | None:
    """The end line; its lists follow the order in which engines answered."""
    if record.end is None:
        return None
    return {
        key: sorted(value, key=_text) if isinstance(value, list) else value
        for key, value in _without(record.end, OF_THE_END).items()
    }


def _without(content: Content, keys: set[str]) -> dict[str, Any]:
    return {key: value for key, value in content.items() if key not in keys}


def _line(what: str, old: Content | None, new: Content | None) -> Iterator[str]:
    """The differences between two lines of records, as one line; None stands for one that is
    missing.
    """
    if old is None or new is None:
        if old is not new:
            yield f"{what}: only in {'NEW' if old is None else 'OLD'}"
        return
    text = "; ".join(_between(old, new))
    if text:
        yield f"{what}: {text}"


def _between(old: Content, new: Content, path: str = "") -> Iterator[str]:
    """Each key that differs, with both its values; keys of inner mappings behind dots."""
    for key in dict.fromkeys([*old, *new]):
        if key not in old or key not in new:
            yield f"{path}{key} is only in {'OLD' if key in old else 'NEW'}"
        elif old[key] != new[key]:
            if isinstance(old[key], Mapping) and isinstance(new[key], Mapping):
                yield from _between(old[key], new[key], f"{path}{key}.")
            else:
                yield f"{path}{key} is {_short(new[key])}, was {_short(old[key])}"


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _short(value: Any) -> str:
    text = _text(value)
    return text if len(text) <= MOST_LETTERS else f"{text[: MOST_LETTERS - 1]}…"


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        description="Say whether two records of `conformance run` are the same but for times."
    )
    for name in ("old", "new"):
        parser.add_argument(
            name, type=Path, metavar=name.upper(), help="a results.jsonl or its folder"
        )
    arguments = parser.parse_args(words)
    try:
        old, new = read_record(arguments.old), read_record(arguments.new)
    except RecordError as error:
        print(error, file=sys.stderr)
        return 2
    lines = list(differences(old, new))
    for line in lines[:MOST_LINES]:
        print(line)
    if len(lines) > MOST_LINES:
        print(f"and {len(lines) - MOST_LINES} more")
    if not lines:
        print(f"the same but for times: {len(new.cases)} cases, {len(new.verdicts)} verdicts")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
