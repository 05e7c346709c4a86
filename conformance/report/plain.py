"""The page without JavaScript: the cells of the whole matrix, and every new failure in words and
numbers.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from conformance.printing import printable
from conformance.record.record import Record
from conformance.report.matrix import Row
from conformance.support.shipped import sources_of
from conformance.verdicts import messages
from conformance.verdicts.facts import explanation
from conformance.verdicts.verdict import STATUSES, Verdict

_NONE = Markup("<td></td>")


def anchor(verdict: Verdict) -> str:
    """The fragment of a verdict on the page."""
    quantity = "" if verdict.quantity == "output" else f"@{verdict.quantity}"
    return f"{verdict.case}@{verdict.adapter}@{verdict.device}{quantity}"


class PlainCells:
    """The cells of a row as HTML; a new failure leads to its section. Those that say the same are
    made once.
    """

    def __init__(self) -> None:
        self._passing = {
            name: Markup('<td class="{}">{}</td>').format(name, status.sign)
            for name, status in STATUSES.items()
            if not status.fails
        }
        self._known = {
            name: Markup('<td class="{} known">{}</td>').format(name, status.sign)
            for name, status in STATUSES.items()
            if status.fails
        }

    def of(self, row: Row) -> Markup:
        return Markup("").join(map(self._cell, row.verdicts))

    def _cell(self, verdict: Verdict | None) -> Markup:
        if verdict is None:
            return _NONE
        if not verdict.unexpected:
            return (self._known if verdict.fails else self._passing)[verdict.status]
        words = printable(f"{verdict.adapter} {verdict.status}, new")
        return Markup('<td class="{} unexpected"><a href="#{}" aria-label="{}">{}</a></td>').format(
            verdict.status,
            quote(anchor(verdict), errors="replace"),
            words,
            STATUSES[verdict.status].sign,
        )


def failures(record: Record) -> list[dict[str, Any]]:
    """Every new failure: in words, and with the numbers round the first mismatch."""
    return [
        {
            "anchor": anchor(verdict),
            "verdict": verdict,
            "headline": messages.headline(verdict),
            "details": explanation(verdict),
            "reproduce": messages.reproduction(verdict, record.run),
            "slices": _slices(_expected(record, verdict), verdict),
        }
        for verdict in record.verdicts
        if verdict.unexpected
    ]


def known_failures(
    record: Record,
) -> dict[tuple[str, str], list[tuple[list[Verdict], str, str | None]]]:
    """(adapter, device) -> the verdicts of every reason of a known failure, the reason, and where
    it is published.
    """
    verdicts: dict[tuple[str, str], dict[str, list[Verdict]]] = {}
    for verdict in record.verdicts:
        if verdict.known is not None and not verdict.unexpected:
            reasons = verdicts.setdefault((verdict.adapter, verdict.device), {})
            reasons.setdefault(verdict.known, []).append(verdict)
    sources = sources_of(record)
    return {
        column: [(those, reason, sources.get(reason)) for reason, those in reasons.items()]
        for column, reasons in verdicts.items()
    }


def _expected(record: Record, verdict: Verdict) -> dict[str, Any] | None:
    return record.cases[verdict.case].get("expected") if verdict.quantity == "output" else None


def _slices(expected: dict[str, Any] | None, verdict: Verdict) -> list[dict[str, Any]]:
    """Expected, got and difference side by side for the 2-D slice round the first mismatch; empty
    where there is none.
    """
    got = verdict.got
    if got is None or 0 in got["shape"]:
        return []
    if (
        expected is None
        or expected["shape"] != got["shape"]
        or "values" not in expected
        or "start" in got
    ):
        return [
            {
                "title": "got",
                "start": got.get("start"),
                "rows": _plane(got["values"], _at(verdict, got)),
            }
        ]
    at = _at(verdict, got)
    expected_plane, got_plane = _plane(expected["values"], at), _plane(got["values"], at)
    gap = [
        [_gap(a, b) for a, b in zip(row, other, strict=True)]
        for row, other in zip(got_plane, expected_plane, strict=True)
    ]
    start = at[: max(0, len(got["shape"]) - 2)]
    return [
        {"title": title, "start": start, "rows": rows}
        for title, rows in (("expected", expected_plane), ("got", got_plane), ("difference", gap))
    ]


def _at(verdict: Verdict, got: dict[str, Any]) -> list[int]:
    """The index in the values held: of the first mismatch, less where a window starts."""
    index = (verdict.mismatch or {}).get("index") or [0] * len(got["shape"])
    return [i - s for i, s in zip(index, got["start"], strict=True)] if "start" in got else index


def _plane(values: Any, at: list[int]) -> list[list[Any]]:
    """The last two axes at the index, or the last one as a single row."""
    depth = len(at)
    if depth == 0:
        return [[values]]
    for i in at[: max(0, depth - 2)]:
        values = values[i]
    return [values] if depth == 1 or not values or not isinstance(values[0], list) else values


def _gap(got: Any, expected: Any) -> Any:
    if isinstance(got, str) or isinstance(expected, str):
        return "" if got == expected else "≠"
    return got - expected
