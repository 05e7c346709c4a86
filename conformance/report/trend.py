"""The data of the drawing of several records in turn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from conformance.record.record import Record
from conformance.report.accuracy import distribution, width
from conformance.report.figures import Place, columns, geometric_mean, named
from conformance.verdicts.verdict import STATUSES, Verdict


def trend(records: Sequence[Record]) -> dict[str, Any]:
    """What changed over several records, in the order given.

    Returns {"records": [{started, conformance, corpus, cases}], "statuses": {name: sign},
    "columns": [{adapter, device, steps}], "changes": [...]}. A step (None where the column took no
    part) has `versions`, `counts` (status: number), `unexpected`, `known`, `timed` and `ratio` (how
    many layers the first step timed too, and the geometric mean of the medians' ratios to it; None
    without any), and `precision` (dtype: [fewest bits, largest error over bound] of outputs). A
    change is {record, adapter, device, case, quantity, was, now}: a status that is another one than
    in the column's step before, on the same case.
    """
    places = list(dict.fromkeys(place for record in records for place in columns(record)))
    by_place = [_by_place(record) for record in records]
    made, changes = [], []
    for place in places:
        held = [
            found.get(place) if place in columns(record) else None
            for record, found in zip(records, by_place, strict=True)
        ]
        made.append({**named([place])[0], "steps": _steps(records, place, held)})
        changes += [{**change, **named([place])[0]} for change in _changes(held)]
    return {
        "records": [
            {
                **{key: record.run[key] for key in ("started", "conformance", "corpus")},
                "cases": len(record.cases),
            }
            for record in records
        ],
        "statuses": {name: status.sign for name, status in STATUSES.items()},
        "columns": made,
        "changes": changes,
    }


def _by_place(record: Record) -> dict[Place, dict[tuple[str, str], Verdict]]:
    """Verdicts by column, then by (case, quantity)."""
    found: dict[Place, dict[tuple[str, str], Verdict]] = {place: {} for place in columns(record)}
    for verdict in record.verdicts:
        found.setdefault((verdict.adapter, verdict.device), {})[verdict.case, verdict.quantity] = (
            verdict
        )
    return found


Held = Mapping[tuple[str, str], Verdict]


def _steps(
    records: Sequence[Record], place: Place, held: Sequence[Held | None]
) -> list[dict[str, Any] | None]:
    first = next((verdicts for verdicts in held if verdicts is not None), {})
    return [
        None if verdicts is None else _step(record, place, verdicts, first)
        for record, verdicts in zip(records, held, strict=True)
    ]


def _step(record: Record, place: Place, verdicts: Held, first: Held) -> dict[str, Any]:
    ratios = [
        verdict.timing["median"] / before.timing["median"]
        for key, verdict in verdicts.items()
        if verdict.timing
        and (before := first.get(key)) is not None
        and before.timing
        and before.timing["median"] > 0
    ]
    versions = record.run["versions"].get(place[0], {})
    by_dtype: dict[str, list[Verdict]] = {}
    for verdict in verdicts.values():
        if verdict.quantity == "output" and verdict.error_over_bound is not None:
            by_dtype.setdefault(str(record.cases[verdict.case].get("dtype", "?")), []).append(
                verdict
            )
    found = {dtype: distribution(by_dtype[dtype]) for dtype in sorted(by_dtype, key=width)}
    return {
        "versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
        "counts": dict(Counter(verdict.status for verdict in verdicts.values())),
        "unexpected": sum(verdict.unexpected for verdict in verdicts.values()),
        "known": sum(verdict.known is not None for verdict in verdicts.values()),
        "timed": len(ratios),
        "ratio": geometric_mean(ratios),
        "precision": {
            dtype: [entry["precision"][-1][0] if entry["precision"] else None, entry["largest"]]
            for dtype, entry in found.items()
        },
    }


def _changes(held: Sequence[Held | None]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    before: Held | None = None
    for number, verdicts in enumerate(held):
        if verdicts is None:
            continue
        for (case, quantity), verdict in verdicts.items():
            was = None if before is None else before.get((case, quantity))
            if was is not None and was.status != verdict.status:
                found.append(
                    {
                        "record": number,
                        "case": case,
                        "quantity": quantity,
                        "was": was.status,
                        "now": verdict.status,
                    }
                )
        before = verdicts
    return found
