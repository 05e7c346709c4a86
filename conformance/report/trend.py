"""The data of the drawing of several records in turn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from conformance.record.record import Record
from conformance.report.accuracy import distribution, width
from conformance.report.figures import ColumnKey, columns, geometric_mean, named
from conformance.verdicts.verdict import STATUSES, Verdict


def trend(records: Sequence[Record]) -> dict[str, Any]:
    """The changes over several records, in the order given.

    Returns {"records": [{started, conformance, corpus, cases}], "statuses": {name: sign},
    "columns": [{adapter, device, steps}], "changes": [...]}. A step (None where the column took no
    part) has `versions`, `counts` (status: number), `unexpected`, `known`, `timed` and `ratio` (how
    many layers the first step timed too, and the geometric mean of the medians' ratios to it; None
    without any), and `precision` (dtype: [fewest bits, largest error over bound] of outputs). A
    change is {record, adapter, device, case, quantity, was, now}: a status that is another one than
    in the column's step before, on the same case.
    """
    keys = list(dict.fromkeys(column for record in records for column in columns(record)))
    by_column = [_by_column(record) for record in records]
    lines, changes = [], []
    for column in keys:
        by_record = [
            verdicts.get(column) if column in columns(record) else None
            for record, verdicts in zip(records, by_column, strict=True)
        ]
        lines.append({**named([column])[0], "steps": _steps(records, column, by_record)})
        changes += [{**change, **named([column])[0]} for change in _changes(by_record)]
    return {
        "records": [
            {
                **{key: record.run[key] for key in ("started", "conformance", "corpus")},
                "cases": len(record.cases),
            }
            for record in records
        ],
        "statuses": {name: status.sign for name, status in STATUSES.items()},
        "columns": lines,
        "changes": changes,
    }


def _by_column(record: Record) -> dict[ColumnKey, dict[tuple[str, str], Verdict]]:
    """Verdicts by column, then by (case, quantity)."""
    by_column: dict[ColumnKey, dict[tuple[str, str], Verdict]] = {
        column: {} for column in columns(record)
    }
    for verdict in record.verdicts:
        by_column.setdefault((verdict.adapter, verdict.device), {})[
            verdict.case, verdict.quantity
        ] = verdict
    return by_column


ColumnVerdicts = Mapping[tuple[str, str], Verdict]


def _steps(
    records: Sequence[Record], column: ColumnKey, by_record: Sequence[ColumnVerdicts | None]
) -> list[dict[str, Any] | None]:
    first = next((verdicts for verdicts in by_record if verdicts is not None), {})
    return [
        None if verdicts is None else _step(record, column, verdicts, first)
        for record, verdicts in zip(records, by_record, strict=True)
    ]


def _step(
    record: Record, column: ColumnKey, verdicts: ColumnVerdicts, first: ColumnVerdicts
) -> dict[str, Any]:
    ratios = [
        verdict.timing["median"] / before.timing["median"]
        for key, verdict in verdicts.items()
        if verdict.timing
        and (before := first.get(key)) is not None
        and before.timing
        and before.timing["median"] > 0
    ]
    versions = record.run["versions"].get(column[0], {})
    by_dtype: dict[str, list[Verdict]] = {}
    for verdict in verdicts.values():
        if verdict.quantity == "output" and verdict.error_over_bound is not None:
            by_dtype.setdefault(str(record.cases[verdict.case].get("dtype", "?")), []).append(
                verdict
            )
    distributions = {dtype: distribution(by_dtype[dtype]) for dtype in sorted(by_dtype, key=width)}
    return {
        "versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
        "counts": dict(Counter(verdict.status for verdict in verdicts.values())),
        "unexpected": sum(verdict.unexpected for verdict in verdicts.values()),
        "known": sum(verdict.known is not None for verdict in verdicts.values()),
        "timed": len(ratios),
        "ratio": geometric_mean(ratios),
        "precision": {
            dtype: [entry["precision"][-1][0] if entry["precision"] else None, entry["largest"]]
            for dtype, entry in distributions.items()
        },
    }


def _changes(by_record: Sequence[ColumnVerdicts | None]) -> list[dict[str, Any]]:
    changes: list[dict[str, Any]] = []
    before: ColumnVerdicts | None = None
    for number, verdicts in enumerate(by_record):
        if verdicts is None:
            continue
        for (case, quantity), verdict in verdicts.items():
            was = None if before is None else before.get((case, quantity))
            if was is not None and was.status != verdict.status:
                changes.append(
                    {
                        "record": number,
                        "case": case,
                        "quantity": quantity,
                        "was": was.status,
                        "now": verdict.status,
                    }
                )
        before = verdicts
    return changes
