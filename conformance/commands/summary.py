"""The summary of a run for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from conformance.commands.console import coloured
from conformance.printing import parts_of_table, say, text_of
from conformance.record import messages as record_messages
from conformance.record import signatures
from conformance.record.record import Record
from conformance.verdicts import messages
from conformance.verdicts.verdict import STATUSES
from conformance.wording import counted
from conformance.workers import timing

MOST_LISTED = 50
NEW = "new"
"""The column of failures that nothing declares, and of entries that no longer hold."""
NEXT = (
    "What next: reproduce one, pin the release that conforms, report it upstream (conformance "
    "show CASE --program ADAPTER), or declare it with --accept FILE."
)


def tell(console: Console, record: Record, *, verbose: bool = False) -> None:
    """The table adapters x statuses, then every cause of new failures once, then the
    sentence that sums up.
    """
    for table in tables(record, console.width):
        console.print(table)
    groups = signatures.groups_of(record)
    for group in groups[:MOST_LISTED]:
        first, *others = _cause(group, record, verbose=verbose)
        coloured(console, first, "red")
        say(*others)
    if len(groups) > MOST_LISTED:
        say(
            f"and {counted(len(groups) - MOST_LISTED, 'more cause')}, in the record and on the page"
        )
    if groups:
        say(NEXT)
    for problem in record.problems:
        say(f"{problem['entry']}: {problem['problem']}")
    for line in [
        *record_messages.timings(record),
        *record_messages.variations(record),
        *record_messages.news(record),
        *record_messages.unchecked(record),
    ]:
        say(line)
    untimed = sum(
        verdict.message is not None and verdict.message.startswith(timing.FAILED)
        for verdict in record.verdicts
    )
    if untimed:
        say(
            f"{counted(untimed, 'check')} that conform{'s' if untimed == 1 else ''} "
            f"{timing.FAILED}: see the record"
        )
    coloured(console, record_messages.summary(record), "green" if record.ok else "red")


def _cause(group: signatures.Group, record: Record, *, verbose: bool) -> list[str]:
    """One cause: the number of its cases, their common traits, and the smallest case
    in full.
    """
    extent = signatures.extent(group)
    lines = [f"{extent}; the smallest:"] if extent else []
    lines += messages.message_lines(
        group.smallest, record.run, record.cases.get(group.smallest.case)
    )
    if verbose and extent:
        lines += [f"    also: {verdict.case}" for verdict in group.verdicts[1:]]
    return lines


def tables(record: Record, width: int) -> Iterator[Table]:
    """The table, in parts that fit the width: each has the adapters."""
    counts = _counts(record)
    marks = [
        "known",
        *(["unconfirmed"] if any("unconfirmed" in r for r in counts.values()) else []),
    ]
    used = [status for status in STATUSES if any(status in row for row in counts.values())]
    columns = [*used, *marks, NEW]
    labels = {label: text_of([label]) for label in counts}
    widest = max(map(len, ["adapter", *labels.values()]))
    first = min(widest, max(width // 2, 10))
    sizes = [
        max(len(name), *(len(str(row.get(name, ""))) for row in counts.values()), 0)
        for name in columns
    ]
    for part in parts_of_table([first, *sizes], width):
        table = Table(box=None, pad_edge=False)
        table.add_column("adapter", min_width=first, overflow="fold", no_wrap=first == widest)
        for number in part:
            name = columns[number - 1]
            style = STATUSES[name].style if name in used else "red" if name == NEW else ""
            table.add_column(name, justify="right", style=style, min_width=sizes[number - 1])
        for label, row in counts.items():
            cells = (str(row.get(columns[number - 1], "")) for number in part)
            table.add_row(Text(labels[label]), *cells)
        yield table


def _counts(record: Record) -> dict[str, dict[str, int]]:
    """By label how many verdicts have each status and each mark."""
    counts: dict[str, dict[str, int]] = {one["label"]: {} for one in record.run["adapters"]}
    for verdict in record.verdicts:
        row = counts.setdefault(verdict.adapter, {})
        marks = {
            "known": verdict.known,
            "unconfirmed": verdict.known_unconfirmed,
            NEW: verdict.unexpected,
        }
        for key in (verdict.status, *(name for name, holds in marks.items() if holds)):
            row[key] = row.get(key, 0) + 1
    return counts
