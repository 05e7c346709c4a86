"""The data of the drawing of how far results are from the truth."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any

from conformance.record.record import Record
from conformance.report.figures import columns
from conformance.verdicts.verdict import Verdict

BINS_PER_DECADE = 4


def accuracy(record: Record) -> dict[str, Any]:
    """How far results are from the truth, in multiples of the error bound, by column, quantity and
    dtype.

    Returns {"bins_per_decade": n, "rows": [{adapter, device, quantity, dtype, compared,
    without_error, infinite, over, median, largest, worst, bins, precision}]}: `bins` are [k, count]
    for errors in [10^(k/n), 10^((k+1)/n)); median is over the finite errors above 0, largest over
    all finite ones, with `worst`, its case; `over` counts what is above the bound; `precision` is a
    list of [bits, formats, count]. Rows without a compared result are left out.
    """
    by_row: dict[tuple[str, ...], list[Verdict]] = {}
    for verdict in record.verdicts:
        if verdict.error_over_bound is not None:
            dtype = str(record.cases[verdict.case].get("dtype", "?"))
            by_row.setdefault(
                (verdict.adapter, verdict.device, verdict.quantity, dtype), []
            ).append(verdict)
    order = {column: i for i, column in enumerate(columns(record))}
    keys = sorted(
        by_row,
        key=lambda key: (
            order.get((key[0], key[1]), len(order)),
            key[2] != "output",
            width(key[3]),
        ),
    )
    rows = [
        dict(zip(("adapter", "device", "quantity", "dtype"), key, strict=True))
        | distribution(by_row[key])
        for key in keys
    ]
    return {"bins_per_decade": BINS_PER_DECADE, "rows": rows}


def distribution(verdicts: Sequence[Verdict]) -> dict[str, Any]:
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
    counts = Counter(
        (v.precision["bits"], tuple(v.precision["formats"]))
        for v in verdicts
        if v.precision is not None
    )
    return [
        [bits, list(formats), count]
        for (bits, formats), count in sorted(counts.items(), reverse=True)
    ]


def width(dtype: str) -> int:
    widths = ("float64", "float32", "float16", "bfloat16")
    return widths.index(dtype) if dtype in widths else len(widths)
