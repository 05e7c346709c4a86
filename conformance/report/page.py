"""One self-contained HTML page, a pure function of a record."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from conformance import messages
from conformance.atlas import KERNELS, STRIDES, measured_of, picture, windows
from conformance.results import Record, RecordError, replace_file
from conformance.verdict import STATUSES, Verdict

PAGE = "index.html"


def write_page(record: Record, folder: Path) -> Path:
    """Write the page into the folder; raises RecordError if that cannot be done."""
    page = folder / PAGE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        replace_file(page, render(record))
    except OSError as error:
        raise RecordError(
            f"{page} cannot be written: {error.strerror}. The record is whole: make room and use `conformance report`"
        ) from None
    return page


def render(record: Record) -> str:
    """The page as text. Everything that comes from the record is escaped."""
    environment = Environment(
        loader=PackageLoader("conformance.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["shown"] = _shown
    environment.filters["milliseconds"] = messages.milliseconds
    columns = _columns(record)
    failing = [verdict for verdict in record.verdicts if verdict.fails or verdict.unexpected]
    return environment.get_template("index.html.j2").render(
        record=record,
        summary=messages.summary(record),
        statuses=STATUSES,
        columns=columns,
        counts=_counts(record, columns),
        timings=_timings(record, columns),
        atlas=_atlas(record),
        groups=_groups(record, columns),
        failures=[_failure(record, verdict) for verdict in failing],
    )


def anchor(verdict: Verdict) -> str:
    """The fragment of a verdict on the page."""
    quantity = "" if verdict.quantity == "output" else f"@{verdict.quantity}"
    return f"{verdict.case}@{verdict.adapter}@{verdict.device}{quantity}"


def _columns(record: Record) -> list[dict[str, Any]]:
    return [
        {
            "label": entry["label"],
            "device": device,
            "versions": ", ".join(f"{name} {version}" for name, version in record.run["versions"][entry["label"]].items()),
        }
        for entry in record.run["adapters"]
        for device in record.run["devices"][entry["label"]]
    ]


def _counts(record: Record, columns: list[dict[str, Any]]) -> dict[tuple[str, str], Counter[str]]:
    counts: dict[tuple[str, str], Counter[str]] = {(column["label"], column["device"]): Counter() for column in columns}
    for verdict in record.verdicts:
        counts[verdict.adapter, verdict.device][verdict.status] += 1
    return counts


def _timings(record: Record, columns: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row per timed case: every column's figures in milliseconds, and their ratio to the fastest median."""
    rows: dict[str, dict[tuple[str, str], dict[str, Any]]] = {}
    for verdict in record.verdicts:
        if verdict.timing is not None:
            rows.setdefault(verdict.case, {})[verdict.adapter, verdict.device] = dict(verdict.timing)
    made = []
    for case, timed in rows.items():
        fastest = min(timing["median"] for timing in timed.values())
        cells = [timed.get((column["label"], column["device"])) for column in columns]
        made.append(
            {"case": case, "cells": [None if cell is None else {**cell, "ratio": cell["median"] / fastest} for cell in cells]}
        )
    return made


def _atlas(record: Record) -> list[dict[str, Any]]:
    """The windows of every kernel and stride, drawn, with what this record has measured; empty without native cases."""
    measured = measured_of(record)
    if not measured:
        return []
    return [
        {
            "kernel": kernel,
            "stride": stride,
            "windows": [{"window": window, "picture": picture(window.axis)} for window in windows(kernel, stride, measured)],
        }
        for kernel in KERNELS
        for stride in STRIDES
    ]


def _groups(record: Record, columns: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of the matrix by the folder and file of their case, one for each quantity of it."""
    by_place = {(verdict.case, verdict.quantity, verdict.adapter, verdict.device): verdict for verdict in record.verdicts}
    quantities: dict[str, list[str]] = {}
    for case_name, quantity, *_ in by_place:
        if quantity not in quantities.setdefault(case_name, []):
            quantities[case_name].append(quantity)
    groups: dict[str, list[dict[str, Any]]] = {}
    for name, case in record.cases.items():
        for quantity in sorted(quantities.get(name, ["output"]), reverse=True):
            cells = []
            for column in columns:
                verdict = by_place.get((name, quantity, column["label"], column["device"]))
                cells.append(None if verdict is None else {"verdict": verdict, "anchor": anchor(verdict)})
            file, _, short = name.rpartition("/")
            shown = short if quantity == "output" else f"{short}, {quantity}"
            groups.setdefault(file, []).append({"name": shown, "full": name, "case": case, "cells": cells})
    return [{"file": file, "rows": rows} for file, rows in groups.items()]


def _failure(record: Record, verdict: Verdict) -> dict[str, Any]:
    return {
        "anchor": anchor(verdict),
        "verdict": verdict,
        "headline": messages.headline(verdict),
        "details": messages.details(verdict),
        "again": messages.again(verdict, record.run),
        "slices": _slices(record.cases[verdict.case].get("expected") if verdict.quantity == "output" else None, verdict),
    }


def _slices(expected: dict[str, Any] | None, verdict: Verdict) -> list[dict[str, Any]]:
    """Expected, got and difference side by side for the 2-D slice round the first mismatch; empty where there is none."""
    got = verdict.got
    if got is None or 0 in got["shape"]:
        return []
    if expected is None or expected["shape"] != got["shape"] or "values" not in expected or "start" in got:
        return [{"title": "got", "start": got.get("start"), "rows": _plane(got["values"], _at(verdict, got))}]
    at = _at(verdict, got)
    wanted, came = _plane(expected["values"], at), _plane(got["values"], at)
    gap = [[_gap(a, b) for a, b in zip(row, other, strict=True)] for row, other in zip(came, wanted, strict=True)]
    start = at[: max(0, len(got["shape"]) - 2)]
    return [
        {"title": title, "start": start, "rows": rows}
        for title, rows in (("expected", wanted), ("got", came), ("difference", gap))
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


def _shown(value: Any) -> str:
    """A number as short as it can be told from its neighbours."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
