"""The summary of a run for a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from conformance.printing import say, text_of
from conformance.record import messages as record_messages
from conformance.record import signatures
from conformance.record.record import Record
from conformance.verdicts import messages
from conformance.verdicts.verdict import STATUSES
from conformance.wording import counted
from conformance.workers import timing

MOST_TOLD = 50
NEXT = (
    "What next: reproduce one, pin the release that conforms, report it upstream (conformance "
    "show CASE --program ADAPTER), or declare it with --accept FILE."
)


def tell(console: Console, record: Record, *, verbose: bool = False) -> None:
    """The table adapters x statuses, then every cause of unexpected verdicts once, then the
    sentence that sums up.
    """
    console.print(_table(record))
    groups = signatures.groups_of(record)
    for group in groups[:MOST_TOLD]:
        say(*_cause(group, record, verbose=verbose))
    if len(groups) > MOST_TOLD:
        say(f"and {len(groups) - MOST_TOLD} more ways to fail, in the record and on the page")
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
            f"{counted(untimed, 'verdict')} that conform{'s' if untimed == 1 else ''} "
            f"{timing.FAILED}: see the record"
        )
    say(record_messages.summary(record))


def _cause(group: signatures.Group, record: Record, *, verbose: bool) -> list[str]:
    """One way to fail: the number of its cases, their common traits, and the smallest case
    in full.
    """
    extent = signatures.told(group)
    lines = [f"{extent}; the smallest:"] if extent else []
    lines += messages.message_lines(
        group.smallest, record.run, record.cases.get(group.smallest.case)
    )
    if verbose and extent:
        lines += [f"    also: {verdict.case}" for verdict in group.verdicts[1:]]
    return lines


def _table(record: Record) -> Table:
    counts: dict[str, dict[str, int]] = {entry["label"]: {} for entry in record.run["adapters"]}
    for verdict in record.verdicts:
        row = counts.setdefault(verdict.adapter, {})
        marks = {
            "known": verdict.known,
            "unconfirmed": verdict.known_unconfirmed,
            "unexpected": verdict.unexpected,
        }
        for key in (verdict.status, *(name for name, holds in marks.items() if holds)):
            row[key] = row.get(key, 0) + 1
    used = [status for status in STATUSES if any(status in row for row in counts.values())]
    table = Table(box=None, pad_edge=False)
    labels = {label: text_of([label]) for label in counts}
    widest = max(map(len, labels.values()), default=0)
    table.add_column("adapter", no_wrap=True, min_width=widest)
    for name in used:
        table.add_column(name, justify="right", style=STATUSES[name].style, min_width=len(name))
    table.add_column("known", justify="right", min_width=5)
    newer = ["unconfirmed"] if any("unconfirmed" in row for row in counts.values()) else []
    for name in newer:
        table.add_column(name, justify="right", min_width=len(name))
    table.add_column("unexpected", justify="right", style="red", min_width=10)
    for label, row in counts.items():
        table.add_row(
            Text(labels[label]),
            *(str(row.get(name, "")) for name in (*used, "known", *newer, "unexpected")),
        )
    return table
