"""The text of the changes between two records: for a terminal, as Markdown, as JSON. Each a pure
function of the changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from conformance.printing import text_of
from conformance.record.changes import Change, Changes, Fact, Only
from conformance.record.paces import Pace
from conformance.record.record import strict
from conformance.report.markdown import plain, table
from conformance.verdicts.facts import explanation
from conformance.verdicts.verdict import Key, Verdict
from conformance.wording import counted, milliseconds

MOST_LISTED = 50
"""The most rows of one list on the terminal and in Markdown; JSON has all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """One list: its title, what its columns are called, its rows, and lines that explain a row on a
    terminal.
    """

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    details: Sequence[Sequence[str]] = ()


def terminal(changes: Changes, limit: float | None) -> str:
    """Every list that is not empty, and one sentence at the end; with a limit, what is slower than
    it is told first.
    """
    lines = []
    for part in _parts(changes, limit):
        lines.append(f"{part.title} ({len(part.rows)})")
        for number, row in enumerate(part.rows[:MOST_LISTED]):
            lines.append("    " + _line(part.columns, row))
            lines += [f"        {line}" for line in (part.details[number] if part.details else ())]
        lines += _left_out(part)
    return text_of([*lines, *_remarks(changes), summary(changes, limit)])


def markdown(changes: Changes, limit: float | None) -> str:
    """The same as tables under headings, the sentence first."""
    lines = [f"**{plain(summary(changes, limit))}**"]
    for part in _parts(changes, limit):
        rows = (
            [(*row, "; ".join(part.details[number])) for number, row in enumerate(part.rows)]
            if part.details
            else part.rows
        )
        columns = (*part.columns, "now") if part.details else part.columns
        lines += [
            "",
            f"### {part.title} ({len(part.rows)})",
            "",
            *table(columns, rows[:MOST_LISTED]),
        ]
        lines += ["", *_left_out(part)] if len(part.rows) > MOST_LISTED else []
    for remark in _remarks(changes):
        lines += ["", plain(remark)]
    return "\n".join(lines)


def as_json(changes: Changes, limit: float | None) -> dict[str, Any]:
    """All that changed, as strict JSON takes it; `ok` is the gate."""
    lists = {
        name: [_change_line(change) for change in getattr(changes, name)]
        for name in ("newly_failing", "newly_passing", "changed")
    }
    times = {
        name: [_pace_line(pace) for pace in getattr(changes, name)] for name in ("slower", "faster")
    }
    too_slow = () if limit is None else changes.too_slow(limit)
    content = {
        "ok": passes(changes, limit),
        "compared": changes.compared,
        **lists,
        **times,
        "timed": len(changes.paces),
        "untimed": changes.untimed,
        "max_slowdown": limit,
        "too_slow": [_pace_line(pace) for pace in too_slow],
        **{
            name: [asdict(fact) for fact in getattr(changes, name)]
            for name in ("versions", "settings")
        },
        "problems": list(changes.problems),
        "redefined": list(changes.redefined),
        **{
            name: {
                "cases": only.cases,
                "adapters": only.adapters,
                "verdicts": [key._asdict() for key in only.verdicts],
            }
            for name, only in (("only_old", changes.only_old), ("only_new", changes.only_new))
        },
    }
    return dict(strict(content))


def passes(changes: Changes, limit: float | None) -> bool:
    """The gate: nothing newly failing, and nothing slower than the limit where there is one."""
    return not changes.fails and not (limit is not None and changes.too_slow(limit))


def summary(changes: Changes, limit: float | None) -> str:
    """The one sentence that it comes to."""
    counts = [
        counted(len(changes.newly_failing), "check fails that did not", "checks fail that did not"),
        counted(len(changes.newly_passing), "passes that did not", "pass that did not"),
        f"{len(changes.changed)} changed otherwise",
    ]
    if changes.problems:
        counts.insert(
            1,
            counted(
                len(changes.problems), "entry matches no case now", "entries match no case now"
            ),
        )
    if limit is not None:
        counts.append(f"{len(changes.too_slow(limit))} slower by more than {limit:g} times")
    verb = "No worse" if passes(changes, limit) else "Worse"
    return (
        f"{verb}: of {counted(changes.compared, 'check')} that both records have, "
        f"{', '.join(counts)}."
    )


def _parts(changes: Changes, limit: float | None) -> Iterable[_Part]:
    parts = [
        _changes_part("Newly failing", changes.newly_failing),
        _changes_part("Newly passing", changes.newly_passing),
        _changes_part("Changed", changes.changed),
        _Part(
            title="Known failures that match no case now",
            columns=("entry", "problem"),
            rows=[(problem["entry"], problem["problem"]) for problem in changes.problems],
        ),
        _paces_part(
            "Slower" if limit is None else f"Slower, also by less than {limit:g} times",
            changes.slower,
        ),
        _paces_part("Faster", changes.faster),
        _Part(
            title="Versions",
            columns=("adapter", "distribution", "change"),
            rows=[_fact(f) for f in changes.versions],
        ),
        _Part(
            title="Machine and settings",
            columns=("", "what", "change"),
            rows=[_fact(f) for f in changes.settings],
        ),
        _Part(
            title="One name, another call",
            columns=("case", "what"),
            rows=[(name, "is not the same call in both records") for name in changes.redefined],
        ),
    ]
    parts += _only_parts("OLD", changes.only_old) + _only_parts("NEW", changes.only_new)
    return [part for part in parts if part.rows]


def _only_parts(name: str, only: Only) -> list[_Part]:
    return [
        _Part(
            title=f"Adapters in {name} alone",
            columns=("adapter", ""),
            rows=[(label, "") for label in only.adapters],
        ),
        _Part(
            title=f"Cases in {name} alone",
            columns=("case", ""),
            rows=[(case, "") for case in only.cases],
        ),
        _Part(
            title=f"Verdicts in {name} alone",
            columns=("adapter", "device", "case", ""),
            rows=[(*_who(key), "") for key in only.verdicts],
        ),
    ]


def _changes_part(title: str, changes: Sequence[Change]) -> _Part:
    return _Part(
        title=title,
        columns=("adapter", "device", "case", "change"),
        rows=[(*_who(change.key), _description(change)) for change in changes],
        details=[explanation(change.new) for change in changes],
    )


def _paces_part(title: str, paces: Sequence[Pace]) -> _Part:
    return _Part(
        title=title,
        columns=("adapter", "device", "case", "time"),
        rows=[(*_who(pace.key), _pace(pace)) for pace in paces],
    )


def _who(key: Key) -> tuple[str, str, str]:
    quantity = "" if key.quantity == "output" else f", {key.quantity}"
    return key.adapter, key.device, key.case + quantity


def _line(columns: Sequence[str], row: Sequence[str]) -> str:
    """A row on a terminal: who (device) case, and behind a colon what of it."""
    shown = [
        f"({cell})" if name == "device" else cell for name, cell in zip(columns, row, strict=True)
    ]
    return ": ".join(filter(None, (" ".join(filter(None, shown[:-1])), shown[-1])))


def _description(change: Change) -> str:
    now = _state(change.new)
    if change.old is None:
        return f"{now}, was not in OLD"
    before = _state(change.old)
    if before != now:
        return f"{before} → {now}"
    return f"{now}, another {' and '.join(change.what)}"


def _state(verdict: Verdict) -> str:
    """Status, kind, diagnosis, precision and standing, in a few words."""
    kind, name = verdict.kind, verdict.mistake
    words = " ".join(str(word) for word in (verdict.status, kind, name) if word)
    if verdict.precision is not None:
        formats = " or ".join(verdict.precision["formats"])
        words += f" ({formats or str(verdict.precision['bits']) + ' bits'})"
    if verdict.known_problem is not None and verdict.fails:
        return f"{words}, which no longer fits {verdict.known_problem['entry']}"
    if verdict.known is None:
        return words
    return (
        f"{words}, known"
        if verdict.known_unconfirmed is None
        else f"{words}, known and unconfirmed"
    )


def _pace(pace: Pace) -> str:
    times = f"{milliseconds(pace.old)} → {milliseconds(pace.new)}"
    return f"{times}, {pace.ratio:.2f} times ({pace.low:.2f} to {pace.high:.2f})"


def _fact(fact: Fact) -> tuple[str, str, str]:
    return fact.adapter or "", fact.name, f"{fact.old or 'absent'} → {fact.new or 'absent'}"


def _left_out(part: _Part) -> list[str]:
    return (
        [f"    and {len(part.rows) - MOST_LISTED} more: --format json has all"]
        if len(part.rows) > MOST_LISTED
        else []
    )


def _remarks(changes: Changes) -> list[str]:
    if changes.untimed:
        return [f"Times are not compared: {changes.untimed}."]
    same = len(changes.paces) - len(changes.slower) - len(changes.faster)
    return (
        [f"No difference seen in {same} of {counted(len(changes.paces), 'time')}."]
        if changes.paces
        else []
    )


def _change_line(change: Change) -> dict[str, Any]:
    sides = {
        side: None
        if verdict is None
        else {
            name: value
            for name, value in asdict(verdict).items()
            if name not in ("got", *Key._fields)
        }
        for side, verdict in (("old", change.old), ("new", change.new))
    }
    return {**change.key._asdict(), "what": list(change.what), **sides}


def _pace_line(pace: Pace) -> dict[str, Any]:
    return {
        **pace.key._asdict(),
        **{name: getattr(pace, name) for name in ("old", "new", "ratio", "low", "high")},
    }
