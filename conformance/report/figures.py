"""The data of the drawings that look at a whole record: timings, time against work, accuracy, and
several records in turn.

Pure functions of records. What they return is JSON-able: numbers are finite, seconds are seconds,
and columns stand for an adapter on a device, in the order of the run. `tables.py` makes plain
tables of the same data.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from conformance.geometry import Axis
from conformance.record.record import Record
from conformance.record.timing import interval
from conformance.verdicts.verdict import STATUSES, Verdict

BINS_PER_DECADE = 4
Place = tuple[str, str]  # adapter, device


def columns(record: Record) -> list[Place]:
    """(adapter, device) of every column, in the order of the run."""
    run = record.run
    return [
        (entry["label"], device)
        for entry in run["adapters"]
        for device in run["devices"].get(entry["label"], [])
    ]


def timings(record: Record) -> dict[str, Any]:
    """What every timed layer took on every column.

    Returns {"columns": [{adapter, device}], "threads", "mode", "layers": [{case, network, summary,
    cells}], "standing": [...]}: a cell is None or {first, minimum, lower, median, upper (seconds;
    first may be None), count, ratio, low, high}. The ratio is to the layer's least median: the mean
    over the rounds, from low to high (None of the least itself). `standing` has for every column
    its number of layers, how many it was the fastest of, and the geometric mean of its ratios (None
    without layers).
    """
    places = columns(record)
    layers = [
        _layer(record.cases[case], case, timed, places) for case, timed in _timed(record).items()
    ]
    ratios = [
        [
            cells[i]["ratio"]
            for cells in (layer["cells"] for layer in layers)
            if cells[i] is not None
        ]
        for i in range(len(places))
    ]
    return {
        "columns": _named(places),
        "threads": record.run["threads"],
        "mode": record.run["timing"],
        "layers": layers,
        "standing": [
            {
                "layers": len(found),
                "fastest": sum(ratio == 1 for ratio in found),
                "ratio": geometric_mean(found),
            }
            for found in ratios
        ],
    }


def work(record: Record) -> dict[str, Any]:
    """Time against work of every timed case.

    Returns {"columns": [{adapter, device}], "cases": [{case, work}], "points": [[case number,
    column number, seconds]]}; the work is the number of multiply-adds that reach the output. Cases
    without any are left out: no time per product can be told.
    """
    places = columns(record)
    number = {place: i for i, place in enumerate(places)}
    cases: list[dict[str, Any]] = []
    points: list[list[float]] = []
    for name, timed in _timed(record).items():
        products = multiply_adds(record.cases[name])
        if not products:
            continue
        points += [
            [len(cases), number[place], timing["median"]]
            for place, timing in timed.items()
            if place in number
        ]
        cases.append({"case": name, "work": products})
    return {"columns": _named(places), "cases": cases, "points": points}


def accuracy(record: Record) -> dict[str, Any]:
    """How far results are from the truth, in multiples of the error bound, by column, quantity and
    dtype.

    Returns {"bins_per_decade": n, "rows": [{adapter, device, quantity, dtype, compared,
    without_error, infinite, over, median, largest, worst, bins, precision}]}: `bins` are [k, count]
    for errors in [10^(k/n), 10^((k+1)/n)); median is over the finite errors above 0, largest over
    all finite ones, with `worst`, its case; `over` counts what is above the bound; `precision` is a
    list of [bits, formats, count]. Rows without a compared result are left out.
    """
    found: dict[tuple[str, ...], list[Verdict]] = {}
    for verdict in record.verdicts:
        if verdict.error_over_bound is not None:
            dtype = str(record.cases[verdict.case].get("dtype", "?"))
            found.setdefault((verdict.adapter, verdict.device, verdict.quantity, dtype), []).append(
                verdict
            )
    order = {place: i for i, place in enumerate(columns(record))}
    keys = sorted(
        found,
        key=lambda key: (
            order.get((key[0], key[1]), len(order)),
            key[2] != "output",
            _width(key[3]),
        ),
    )
    rows = [
        dict(zip(("adapter", "device", "quantity", "dtype"), key, strict=True))
        | _distribution(found[key])
        for key in keys
    ]
    return {"bins_per_decade": BINS_PER_DECADE, "rows": rows}


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
        made.append({**_named([place])[0], "steps": _steps(records, place, held)})
        changes += [{**change, **_named([place])[0]} for change in _changes(held)]
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


def multiply_adds(case: Mapping[str, Any]) -> int:
    """How many products of a case reach its output: of the case's line in a record. 0 where it has
    no geometry.
    """
    if case.get("geometry") is None:
        return 0
    batch = case["input"]["shape"][0]
    c_in, c_out_per_group = case["kernel"]["shape"][:2]
    pairs = (
        sum(len(inputs) for _, inputs, _ in Axis(**axis).taps())
        for axis in case["geometry"]["axes"]
    )
    return int(batch * c_in * c_out_per_group * math.prod(pairs))


def geometric_mean(ratios: Iterable[float]) -> float | None:
    """exp of the mean logarithm of what is above 0; None where nothing is."""
    logarithms = [math.log(ratio) for ratio in ratios if ratio > 0]
    return math.exp(sum(logarithms) / len(logarithms)) if logarithms else None


def _named(places: Iterable[Place]) -> list[dict[str, str]]:
    return [{"adapter": adapter, "device": device} for adapter, device in places]


def _timed(record: Record) -> dict[str, dict[Place, Mapping[str, Any]]]:
    """The timings of a record by case and column."""
    found: dict[str, dict[Place, Mapping[str, Any]]] = {}
    for verdict in record.verdicts:
        if verdict.timing is not None:
            found.setdefault(verdict.case, {})[verdict.adapter, verdict.device] = verdict.timing
    return found


def _layer(
    case: Mapping[str, Any],
    name: str,
    timed: Mapping[Place, Mapping[str, Any]],
    places: Sequence[Place],
) -> dict[str, Any]:
    best = min(timed.values(), key=lambda timing: float(timing["median"]))
    return {
        "case": name,
        "network": name.rpartition("/")[0],
        "summary": case.get("summary", ""),
        "cells": [None if place not in timed else _cell(timed[place], best) for place in places],
    }


def _cell(timing: Mapping[str, Any], best: Mapping[str, Any]) -> dict[str, Any]:
    """A timing with its ratio to the best one, and the interval of that ratio where there are
    rounds to tell it from.
    """
    found = (
        None if timing is best else interval(timing.get("rounds") or (), best.get("rounds") or ())
    )
    of_medians = timing["median"] / best["median"] if best["median"] else 1.0
    return {
        **{
            key: timing.get(key)
            for key in ("first", "minimum", "lower", "median", "upper", "count")
        },
        "ratio": of_medians if found is None else found.ratio,
        "low": None if found is None else found.low,
        "high": None if found is None else found.high,
    }


def _width(dtype: str) -> int:
    widths = ("float64", "float32", "float16", "bfloat16")
    return widths.index(dtype) if dtype in widths else len(widths)


def _distribution(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """The errors of one row of `accuracy`."""
    errors = [
        (float(verdict.error_over_bound or 0.0), verdict.case) for verdict in verdicts
    ]  # "Infinity" is a string in a record
    finite = [(error, case) for error, case in errors if math.isfinite(error)]
    above = [error for error, _ in finite if error > 0]
    bins = Counter(math.floor(BINS_PER_DECADE * math.log10(error)) for error in above)
    largest, worst = max(finite, default=(None, None))
    return {
        "compared": len(errors),
        "without_error": sum(error == 0 for error, _ in finite),
        "infinite": len(errors) - len(finite),
        "over": sum(not error <= 1 for error, _ in errors),
        "median": median(above) if above else None,
        "largest": largest,
        "worst": worst if largest else None,
        "bins": [list(entry) for entry in sorted(bins.items())],
        "precision": _precision(verdicts),
    }


def _precision(verdicts: Iterable[Verdict]) -> list[list[Any]]:
    """[bits, formats, count] of what precision was found, the most bits first."""
    found = Counter(
        (v.precision["bits"], tuple(v.precision["formats"]))
        for v in verdicts
        if v.precision is not None
    )
    return [
        [bits, list(formats), count]
        for (bits, formats), count in sorted(found.items(), reverse=True)
    ]


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
    found = {dtype: _distribution(by_dtype[dtype]) for dtype in sorted(by_dtype, key=_width)}
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
