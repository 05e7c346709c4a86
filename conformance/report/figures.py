"""The data of the drawings that look at a whole record: timings, time against work, accuracy, and
several records in turn.

Pure functions of records. What they return is JSON-able: numbers are finite, seconds are seconds,
and columns stand for an adapter on a device, in the order of the run. `tables.py` makes plain
tables of the same data.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from conformance.record.case_line import axis_from
from conformance.record.record import Record
from conformance.record.timing import interval

ColumnKey = tuple[str, str]  # adapter, device


def columns(record: Record) -> list[ColumnKey]:
    """(adapter, device) of every column, in the order of the run."""
    run = record.run
    return [
        (entry["label"], device)
        for entry in run["adapters"]
        for device in run["devices"].get(entry["label"], [])
    ]


def timings(record: Record) -> dict[str, Any]:
    """The timings of every timed layer on every column.

    Returns {"columns": [{adapter, device}], "threads", "mode", "layers": [{case, network, summary,
    cells}], "standing": [...]}: a cell is None or {first, minimum, lower, median, upper (seconds;
    first may be None), count, ratio, low, high}. The ratio is to the layer's least median: the mean
    over the rounds, from low to high (None of the least itself). `standing` has for every column
    its number of layers, how many it was the fastest of, and the geometric mean of its ratios (None
    without layers). Devices with a software driver are left out: what they take is no device's.
    """
    keys = columns(record)
    layers = [
        _layer(record.cases[case], case, timed, keys) for case, timed in _timed(record).items()
    ]
    ratios = [
        [
            cells[i]["ratio"]
            for cells in (layer["cells"] for layer in layers)
            if cells[i] is not None
        ]
        for i in range(len(keys))
    ]
    return {
        "columns": named(keys),
        "threads": record.run["threads"],
        "mode": record.run["timing"],
        "layers": layers,
        "standing": [
            {
                "layers": len(column_ratios),
                "fastest": sum(ratio == 1 for ratio in column_ratios),
                "ratio": geometric_mean(column_ratios),
            }
            for column_ratios in ratios
        ],
    }


def work(record: Record) -> dict[str, Any]:
    """Time against work of every timed case.

    Returns {"columns": [{adapter, device}], "cases": [{case, work}], "points": [[case number,
    column number, seconds]]}; the work is the number of multiply-adds that reach the output. Cases
    without any are left out: no time per product can be told.
    """
    keys = columns(record)
    number = {key: i for i, key in enumerate(keys)}
    cases: list[dict[str, Any]] = []
    points: list[list[float]] = []
    for name, timed in _timed(record).items():
        products = multiply_adds(record.cases[name])
        if not products:
            continue
        points += [
            [len(cases), number[key], timing["median"]]
            for key, timing in timed.items()
            if key in number
        ]
        cases.append({"case": name, "work": products})
    return {"columns": named(keys), "cases": cases, "points": points}


def multiply_adds(case: Mapping[str, Any]) -> int:
    """How many products of a case reach its output: of the case's line in a record. 0 where it has
    no geometry.
    """
    if case.get("geometry") is None:
        return 0
    batch = case["input"]["shape"][0]
    c_in, c_out_per_group = case["kernel"]["shape"][:2]
    pairs = (
        sum(len(inputs) for _, inputs, _ in axis_from(axis).taps())
        for axis in case["geometry"]["axes"]
    )
    return int(batch * c_in * c_out_per_group * math.prod(pairs))


def geometric_mean(ratios: Iterable[float]) -> float | None:
    """exp of the mean logarithm of what is above 0; None where nothing is."""
    logarithms = [math.log(ratio) for ratio in ratios if ratio > 0]
    return math.exp(sum(logarithms) / len(logarithms)) if logarithms else None


def named(keys: Iterable[ColumnKey]) -> list[dict[str, str]]:
    return [{"adapter": adapter, "device": device} for adapter, device in keys]


def _timed(record: Record) -> dict[str, dict[ColumnKey, Mapping[str, Any]]]:
    """The timings of a record by case and column, without those on software drivers."""
    by_case: dict[str, dict[ColumnKey, Mapping[str, Any]]] = {}
    for verdict in record.verdicts:
        if verdict.timing is not None and not record.by_software(verdict.adapter, verdict.device):
            by_case.setdefault(verdict.case, {})[verdict.adapter, verdict.device] = verdict.timing
    return by_case


def _layer(
    case: Mapping[str, Any],
    name: str,
    timed: Mapping[ColumnKey, Mapping[str, Any]],
    keys: Sequence[ColumnKey],
) -> dict[str, Any]:
    best = min(timed.values(), key=lambda timing: float(timing["median"]))
    return {
        "case": name,
        "network": name.rpartition("/")[0],
        "summary": case.get("summary", ""),
        "cells": [None if key not in timed else _cell(timed[key], best) for key in keys],
    }


def _cell(timing: Mapping[str, Any], best: Mapping[str, Any]) -> dict[str, Any]:
    """A timing with its ratio to the best one, and the interval of that ratio where there are
    rounds to tell it from.
    """
    ratio_interval = (
        None if timing is best else interval(timing.get("rounds") or (), best.get("rounds") or ())
    )
    of_medians = timing["median"] / best["median"] if best["median"] else 1.0
    return {
        **{
            key: timing.get(key)
            for key in ("first", "minimum", "lower", "median", "upper", "count")
        },
        "ratio": of_medians if ratio_interval is None else ratio_interval.ratio,
        "low": None if ratio_interval is None else ratio_interval.low,
        "high": None if ratio_interval is None else ratio_interval.high,
    }
