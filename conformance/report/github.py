"""A record in GitHub's own forms: the summary of a job, and annotations at the lines of cases.
Nothing is sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from conformance.corpus.files import load_cases
from conformance.errors import CaseFileError
from conformance.printing import printable
from conformance.record import messages as record_messages
from conformance.record.record import Record
from conformance.record.signatures import Group, extent, groups_of
from conformance.report.markdown import plain, table
from conformance.verdicts import messages
from conformance.verdicts.facts import explanation
from conformance.verdicts.verdict import STATUSES
from conformance.wording import counted

MOST_ANNOTATIONS = 10
"""The most errors of one step that GitHub shows."""

MOST_ROWS = 50

MOST_BYTES = 2**20
"""The most bytes of one step's summary: of a larger one GitHub shows nothing."""

SIZE_REASON = "GitHub shows 1 MiB of a summary"


def summary(record: Record) -> str:
    """The sentence, a table of adapters and statuses, and a row for every way in which something
    fails, in Markdown.
    """
    groups = groups_of(record)
    lines = [f"## {plain(record_messages.summary(record))}", "", *_counts(record)]
    if groups:
        rows = [
            (g.smallest.adapter, g.smallest.case, g.smallest.status, "; ".join(_what(g)))
            for g in groups[:MOST_ROWS]
        ]
        lines += ["", "### New failures", "", *table(("adapter", "case", "status", "what"), rows)]
    if len(groups) > MOST_ROWS:
        lines += [
            "",
            f"and {counted(len(groups) - MOST_ROWS, 'more cause')}, in the record and on the page",
        ]
    if record.unchecked:
        lines += ["", *(f"- {plain(line)}" for line in record_messages.unchecked(record))]
    problems = record.problems
    if problems:
        rows_of_entries = [(problem["entry"], problem["problem"]) for problem in problems]
        lines += [
            "",
            "### Known failures that match no case",
            "",
            *table(("entry", "problem"), rows_of_entries),
        ]
    return "\n".join(lines)


def fitting(text: str, most: int = MOST_BYTES, why: str = SIZE_REASON) -> str:
    """The summary as far as GitHub shows it: whole, or its first lines, how many are left out, and
    why.

    All lines that are left out are behind the last one that is kept, so that tables stay tables.
    """
    if len(text.encode()) < most:
        return text
    lines = text.split("\n")
    left = most - len(_left_out(len(lines), why).encode())
    count = 0
    while count < len(lines) and (left := left - len(lines[count].encode()) - 1) >= 0:
        count += 1
    return "\n".join(lines[:count]) + _left_out(len(lines) - count, why)


def _left_out(count: int, why: str) -> str:
    lines = counted(count, "more line is", "more lines are")
    return f"\n\n{lines} in the record and on the page: {why}.\n"


def _what(group: Group) -> list[str]:
    """The explanation of the smallest case of a group, and how many others fail so."""
    return [*filter(None, [extent(group)]), *explanation(group.smallest)]


def failure(message: str) -> str:
    """The summary of a run that did not come about."""
    return "\n".join(
        ["## It could not run", "", *(f"- {plain(line)}" for line in message.strip().splitlines())]
    )


def annotation_lines(record: Record) -> Iterator[str]:
    """An error for each way to fail, at its smallest case where that lies in a file of the run, and
    for each lost entry.
    """
    locations = _case_locations(record)
    groups = sorted(
        groups_of(record), key=lambda group: _in_order(locations.get(group.smallest.case, ""))
    )
    problems = [(problem["entry"], problem["problem"]) for problem in record.problems]
    lines = [_annotation(group, record, locations) for group in groups]
    lines += [error(text, at=at) for at, text in problems]
    most = MOST_ANNOTATIONS if len(lines) <= MOST_ANNOTATIONS else MOST_ANNOTATIONS - 1
    yield from lines[:most]
    if lines[most:]:
        yield error(f"and {len(lines) - most} more: the summary of the job and the page have them")


def _in_order(at: str) -> tuple[str, int]:
    """FILE:LINE as it sorts; engines at work at once end in any order."""
    file, _, line = at.rpartition(":")
    return file, int(line or 0)


def error(text: str, *, at: str | None = None, title: str = "conformance") -> str:
    """The runner's command for an error; `at` is FILE:LINE."""
    file, _, line = (at or "").rpartition(":")
    where = f"file={_property(file)},line={_property(line)}," if file else ""
    return f"::error {where}title={_property(title)}::{_data(text)}"


def _counts(record: Record) -> list[str]:
    counts: dict[str, Counter[str]] = {
        entry["label"]: Counter() for entry in record.run["adapters"]
    }
    for verdict in record.verdicts:
        row = counts.setdefault(verdict.adapter, Counter())
        row.update(
            [
                verdict.status,
                *(["known"] if verdict.known is not None else []),
                *(["new"] if verdict.unexpected else []),
            ]
        )
    used = [status for status in STATUSES if any(row[status] for row in counts.values())]
    columns = [*used, "known", "new"]
    rows = [
        (label, _versions(record, label), *(str(row[name] or "") for name in columns))
        for label, row in counts.items()
    ]
    return table(("adapter", "versions", *columns), rows, numbers=range(2, 2 + len(columns)))


def _versions(record: Record, label: str) -> str:
    return ", ".join(
        f"{name} {version}" for name, version in record.run["versions"].get(label, {}).items()
    )


def _annotation(group: Group, record: Record, locations: dict[str, str]) -> str:
    verdict = group.smallest
    text = "\n".join([*_what(group), f"reproduce: {messages.reproduction(verdict, record.run)}"])
    return error(text, at=locations.get(verdict.case), title=messages.headline(verdict))


def _case_locations(record: Record) -> dict[str, str]:
    """FILE:LINE of the cases of the paths that were given; the shipped ones are nobody's file
    here.
    """
    try:
        return (
            {case.name: case.location.at("id") for case in load_cases(record.run["paths"])}
            if record.run["paths"]
            else {}
        )
    except CaseFileError:  # changed since, or another folder: then without places
        return {}


def _data(text: str) -> str:
    return printable(text).replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
