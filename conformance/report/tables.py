"""The data of `figures.py` as plain tables of text, for readers without JavaScript, without eyes,
or with a spreadsheet.

A table is {"caption": str, "head": [str], "numbers": [bool], "rows": [[str]]}; the first cell of a
row is its heading, `numbers` says which columns are aligned as numbers. Nothing is escaped here:
templates do that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from conformance.wording import counted

Table = dict[str, Any]
MOST_CHANGES = 200  # rows of a table of changed verdicts; a new dtype can change thousands


def timings_table(data: Mapping[str, Any]) -> Table:
    """A row per layer: every column's median with its ratio to the fastest, quartiles and the first
    call.
    """
    return _table(
        (
            "Median of steady calls and its ratio to the fastest with its interval, the quartiles, "
            "and the first call"
        ),
        ["layer", *_column_names(data["columns"])],
        [[layer["case"], *map(_timing, layer["cells"])] for layer in data["layers"]],
    )


def standing_table(data: Mapping[str, Any]) -> Table:
    """A row per column: how many layers it was timed on, how many it was the fastest of, and its
    mean ratio to the fastest.
    """
    rows = [
        [name, str(entry["layers"]), str(entry["fastest"]), _ratio(entry["ratio"])]
        for name, entry in zip(_column_names(data["columns"]), data["standing"], strict=True)
        if entry["layers"]
    ]
    return _table(
        "Geometric mean, over the layers that it was timed on, of the ratio to the fastest",
        ["adapter", "layers", "fastest of", "mean ratio"],
        rows,
    )


def work_table(data: Mapping[str, Any]) -> Table:
    """A row per case: its multiply-adds, and every column's GFLOP/s, a multiply-add being two
    operations.
    """
    speeds: dict[int, dict[int, float]] = {}
    for case, column, seconds in data["points"]:
        speeds.setdefault(case, {})[column] = (
            data["cases"][case]["work"] / seconds if seconds else float("inf")
        )
    order = sorted(speeds, key=lambda case: data["cases"][case]["work"])
    rows = [
        [
            data["cases"][case]["case"],
            f"{data['cases'][case]['work']:,}",
            *(
                f"{2 * speeds[case][i] / 1e9:.3g}" if i in speeds[case] else ""
                for i in range(len(data["columns"]))
            ),
        ]
        for case in order
    ]
    return _table(
        "Multiply-adds of a case, and GFLOP/s (a multiply-add is two operations)",
        ["case", "multiply-adds", *_column_names(data["columns"])],
        rows,
    )


def accuracy_table(data: Mapping[str, Any]) -> Table:
    """A row per column, quantity and dtype: its errors as multiples of the bound, and the precision
    found.
    """
    head = [
        "adapter",
        "dtype",
        "compared",
        "without error",
        "median of errors",
        "largest",
        "above the bound",
        "effective precision",
    ]
    rows = [
        [
            _name(row),
            row["dtype"] + ("" if row["quantity"] == "output" else f", {row['quantity']}"),
            str(row["compared"]),
            str(row["without_error"]),
            _short(row["median"]),
            _short(row["largest"]),
            str(row["over"]),
            "; ".join(
                f"{bits} bits ({' or '.join(formats) or 'no standard format'}): {count}"
                for bits, formats, count in row["precision"]
            ),
        ]
        for row in data["rows"]
    ]
    return _table(
        "Errors as multiples of the bound; at most 1 conforms", head, rows, text=(0, 1, 7)
    )


def trend_table(data: Mapping[str, Any]) -> Table:
    """A row per column and record: its versions, verdicts, mean ratio of timings to the first, and
    precision by dtype.
    """
    head = [
        "adapter",
        "record",
        "versions",
        *data["statuses"],
        "new",
        "time to the first",
        "fewest bits, largest error / bound",
    ]
    rows = []
    for column in data["columns"]:
        for number, step in enumerate(column["steps"]):
            if step is None:
                continue
            counts = [str(step["counts"].get(status, "")) for status in data["statuses"]]
            time = (
                f"{_ratio(step['ratio'])} ({counted(step['timed'], 'layer')})"
                if step["timed"]
                else ""
            )
            rows.append(
                [
                    _name(column),
                    str(number + 1),
                    step["versions"],
                    *counts,
                    str(step["unexpected"]),
                    time,
                    _precision(step["precision"]),
                ]
            )
    return _table("Every record, oldest first", head, rows, text=(0, 2, len(head) - 1))


def changes_table(data: Mapping[str, Any]) -> Table:
    """A row per verdict that changed from one record to the next; the first 200, and the caption
    says of how many.
    """
    shown = data["changes"][:MOST_CHANGES]
    what = (
        counted(len(data["changes"]), "check")
        + " changed"
        + ("" if len(shown) == len(data["changes"]) else f"; the first {len(shown)}")
    )
    rows = [
        [
            _name(change),
            change["case"] + ("" if change["quantity"] == "output" else f", {change['quantity']}"),
            str(change["record"] + 1),
            change["was"],
            change["now"],
        ]
        for change in shown
    ]
    return _table(what, ["adapter", "case", "in record", "was", "is"], rows, text=(0, 1, 3, 4))


def changes_counted(data: Mapping[str, Any]) -> list[str]:
    """The kinds of changes with their numbers, the most frequent first: `conforms to differs:
    12`.
    """
    counts = Counter(f"{change['was']} to {change['now']}" for change in data["changes"])
    return [f"{what}: {count}" for what, count in counts.most_common()]


def _table(
    caption: str, head: list[str], rows: list[list[str]], *, text: Sequence[int] = (0,)
) -> Table:
    return {
        "caption": caption,
        "head": head,
        "numbers": [i not in text for i in range(len(head))],
        "rows": rows,
    }


def _name(row: Mapping[str, str]) -> str:
    return row["adapter"] if row["device"] == "cpu" else f"{row['adapter']} ({row['device']})"


def _column_names(columns: Sequence[Mapping[str, str]]) -> list[str]:
    return [_name(column) for column in columns]


def _timing(cell: Mapping[str, Any] | None) -> str:
    if cell is None:
        return ""
    first = "" if cell["first"] is None else f"; first {duration(cell['first'])}"
    quartiles = f"{duration(cell['lower'])} to {duration(cell['upper'])}"
    return (
        f"{duration(cell['median'])} {_ratio(cell['ratio'])}{_sure(cell)} ({quartiles}, "
        f"n={cell['count']}{first})"
    )


def _sure(cell: Mapping[str, Any]) -> str:
    """The interval of the ratio, or that it leaves open which of the two is faster."""
    if cell["low"] is None:
        return ""
    if cell["low"] <= 1 <= cell["high"]:
        return ", no difference seen"
    return f", {_ratio(cell['low'])} to {_ratio(cell['high'])}"


def duration(seconds: float) -> str:
    """Seconds with three significant digits and the unit that fits."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def _ratio(ratio: float | None) -> str:
    return "" if ratio is None else f"×{ratio:.3g}" if ratio < 100 else f"×{ratio:.0f}"


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def _precision(by_dtype: Mapping[str, Sequence[Any]]) -> str:
    return "; ".join(
        f"{dtype}: {'∞' if largest is None else _short(largest)}"
        + ("" if bits is None else f", {counted(bits, 'bit')}")
        for dtype, (bits, largest) in by_dtype.items()
    )
