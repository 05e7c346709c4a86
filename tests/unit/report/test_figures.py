"""The data of the drawings over a whole record, and the same as plain tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from conformance import conv_transpose
from conformance.record import messages
from conformance.record.record import Record
from conformance.report import accuracy, figures, tables, trend
from conformance.report.matrix import columns_of
from conformance.verdicts.verdict import Verdict


def case_line(
    name: str, *, dtype: str = "float32", axes: Sequence[dict[str, int]] | None = None
) -> dict[str, Any]:
    """A case's line as far as the figures read it: one image of 2 channels to 3."""
    axes = (
        axes
        or [{"size": 4, "kernel": 3, "stride": 2, "dilation": 1, "crop_low": 1, "crop_high": 0}] * 2
    )
    return {
        "case": name,
        "summary": f"About {name}.",
        "dtype": dtype,
        "geometry": {"axes": list(axes), "groups": 1},
        "input": {"shape": [1, 2, *(axis["size"] for axis in axes)]},
        "kernel": {"shape": [2, 3, *(axis["kernel"] for axis in axes)]},
        "native": None,
    }


def timing(median: float, first: float | None = 1.0) -> dict[str, Any]:
    return {
        "first": first,
        "minimum": median / 2,
        "lower": median * 0.9,
        "median": median,
        "upper": median * 1.1,
        "count": 7,
    }


@pytest.fixture
def record(run_line: dict[str, Any]) -> Callable[..., Record]:
    """A record of two engines, `one` and `two`: record(verdicts, cases=..., versions=...)."""

    def build(
        verdicts: Sequence[Verdict],
        *,
        cases: Sequence[dict[str, Any]] = (),
        version: str = "1.0",
        **run: Any,
    ) -> Record:
        labels = ("one", "two")
        lines = {verdict.case: case_line(verdict.case) for verdict in verdicts} | {
            case["case"]: case for case in cases
        }
        changes = {
            "adapters": [
                {"label": label, "asked": label, "adapter": label, "convention": "keras"}
                for label in labels
            ],
            "devices": {label: ["cpu"] for label in labels},
            "versions": {label: {label: version} for label in labels},
        }
        return Record(
            run={**run_line, **changes, **run}, cases=lines, verdicts=tuple(verdicts), end=None
        )

    return build


@pytest.mark.parametrize(
    ("crops", "stride", "dilation", "groups"),
    [
        ((0, 0), 1, 1, 1),
        ((1, 0), 2, 1, 2),
        ((-2, -3), 2, 1, 1),
        ((2, 2), 3, 2, 1),
        ((0, 0), 4, 1, 2),
    ],
)
def test_the_work_is_the_number_of_products_that_reach_the_output(
    crops: tuple[int, int], stride: int, dilation: int, groups: int
) -> None:
    """Counted by the oracle on ones, where every product is 1."""
    x, kernel = np.ones((2, 4, 5, 3)), np.ones((4, 3, 3, 2))
    low, high = crops
    padding, extra = [(low, max(high, 0))] * 2, max(-high, 0)
    y = conv_transpose(
        x,
        kernel,
        stride=stride,
        padding=padding,
        output_padding=extra,
        dilation=dilation,
        groups=groups,
    )
    axes = [
        {
            "size": n,
            "kernel": k,
            "stride": stride,
            "dilation": dilation,
            "crop_low": low,
            "crop_high": high,
        }
        for n, k in zip(x.shape[2:], kernel.shape[2:], strict=True)
    ]
    case = {
        "geometry": {"axes": axes},
        "input": {"shape": list(x.shape)},
        "kernel": {"shape": list(kernel.shape)},
    }
    assert figures.multiply_adds(case) == y.sum()


def test_timings_are_told_apart_by_layer_with_their_ratio_to_the_fastest(
    record: Callable[..., Record], verdict: Callable[..., Verdict]
) -> None:
    """Two layers, one of which a column was not timed on; first calls may be unknown."""
    data = figures.timings(
        record(
            [
                verdict(
                    case="networks/a/first", adapter="one", status="conforms", timing=timing(2e-3)
                ),
                verdict(
                    case="networks/a/first",
                    adapter="two",
                    status="conforms",
                    timing=timing(8e-3, None),
                ),
                verdict(
                    case="networks/b/last", adapter="two", status="conforms", timing=timing(1e-3)
                ),
                verdict(case="networks/b/last", adapter="one", status="unsupported"),
            ]
        )
    )
    first, last = data["layers"]
    assert (first["network"], first["summary"]) == ("networks/a", "About networks/a/first.")
    assert [cell["ratio"] for cell in first["cells"]] == [1.0, 4.0]
    assert first["cells"][1]["first"] is None
    assert last["cells"][0] is None
    assert data["standing"] == [
        {"layers": 1, "fastest": 1, "ratio": 1.0},
        {"layers": 2, "fastest": 1, "ratio": pytest.approx(2.0)},
    ]


def test_a_software_driver_is_not_ranked(
    record: Callable[..., Record], verdict: Callable[..., Verdict]
) -> None:
    """What it takes is no device's time: it has no place among the others, the terminal marks it
    and puts it last, and the page says what computes.
    """
    where = {"devices": {"one": ["cpu"], "two": ["cpu", "vulkan"]}}
    facts = {"two": {"gpu": "llvmpipe", "software_driver": True}}
    network = {"case": "networks/a/first", "status": "conforms"}
    made = record(
        [
            verdict(**network, adapter="one", timing=timing(4e-3)),
            verdict(**network, adapter="two", timing=timing(8e-3)),
            verdict(**network, adapter="two", device="vulkan", timing=timing(1e-3)),
        ],
        facts=facts,
        **where,
    )
    [layer] = figures.timings(made)["layers"]
    assert [cell and cell["ratio"] for cell in layer["cells"]] == [1.0, 2.0, None]
    assert [point[1] for point in figures.work(made)["points"]] == [0, 1]
    [line] = messages.timings(made)
    assert line.endswith("one 4 ms, two 8 ms, two 1 ms (software driver)")
    assert [column.by_software for column in columns_of(made)] == [False, False, True]


def test_cases_without_a_product_have_no_speed(
    record: Callable[..., Record], verdict: Callable[..., Verdict]
) -> None:
    """An empty input is timed too, but has no place on an axis of work."""
    empty = case_line(
        "edge/empty",
        axes=[
            {"size": 0, "kernel": 2, "stride": 2, "dilation": 1, "crop_low": -1, "crop_high": -1}
        ],
    )
    verdicts = [
        verdict(case=name, adapter="one", status="conforms", timing=timing(1e-3))
        for name in ("edge/empty", "networks/a/first")
    ]
    data = figures.work(record(verdicts, cases=[empty]))
    assert [entry["case"] for entry in data["cases"]] == ["networks/a/first"]
    assert data["points"] == [[0, 0, 1e-3]]


def test_errors_are_counted_by_the_decade_and_infinite_ones_apart(
    record: Callable[..., Record], verdict: Callable[..., Verdict]
) -> None:
    """Bins are closed below; zero has no logarithm; the record spells infinity as a string."""
    errors = [0.0, 0.1, 0.2, 1.0, 40.0, "Infinity"]
    found = {"bits": 11, "formats": ["TF32", "float16"]}
    verdicts = [
        verdict(
            case=f"a/b/{i}",
            adapter="one",
            error_over_bound=error,
            precision=found if error == 40.0 else None,
        )
        for i, error in enumerate(errors)
    ]
    (row,) = accuracy.accuracy(record(verdicts))["rows"]
    assert row["bins"] == [[-4, 1], [-3, 1], [0, 1], [6, 1]]
    assert (row["compared"], row["without_error"], row["infinite"], row["over"]) == (6, 1, 1, 2)
    assert (row["median"], row["largest"], row["worst"]) == (0.6, 40.0, "a/b/4")
    assert row["precision"] == [[11, ["TF32", "float16"], 1]]


def test_accuracy_has_a_row_for_each_dtype_and_quantity(
    record: Callable[..., Record], verdict: Callable[..., Verdict]
) -> None:
    """In the order of the columns, outputs before gradients, wide dtypes before narrow ones."""
    cases = [case_line("a/b/half", dtype="float16")]
    verdicts = [
        verdict(case="a/b/half", adapter="two", error_over_bound=0.5),
        verdict(case="a/b/half", adapter="one", error_over_bound=0.5),
        verdict(case="a/b/one", adapter="one", quantity="gradients", error_over_bound=0.5),
        verdict(case="a/b/one", adapter="one", error_over_bound=0.5),
        verdict(case="a/b/one", adapter="two"),
    ]
    rows = accuracy.accuracy(record(verdicts, cases=cases))["rows"]
    assert [(row["adapter"], row["quantity"], row["dtype"]) for row in rows] == [
        ("one", "output", "float32"),
        ("one", "output", "float16"),
        ("one", "gradients", "float32"),
        ("two", "output", "float16"),
    ]


def test_the_trend_compares_what_both_records_have(
    record: Callable[..., Record], verdict: Callable[..., Verdict]
) -> None:
    """Statuses that changed on the same case, and timings of the layers that both timed."""
    old = record(
        [
            verdict(case="a/b/one", adapter="one", status="conforms", timing=timing(1e-3)),
            verdict(case="a/b/two", adapter="one", status="conforms", timing=timing(5e-3)),
            verdict(case="a/b/gone", adapter="one"),
        ]
    )
    new = record(
        [
            verdict(case="a/b/one", adapter="one", status="conforms", timing=timing(4e-3)),
            verdict(
                case="a/b/two",
                adapter="one",
                error_over_bound=3.0,
                precision={"bits": 8, "formats": ["bfloat16"]},
            ),
            verdict(case="a/b/added", adapter="one", timing=timing(1.0)),
        ],
        version="2.0",
    )
    data = trend.trend([old, new])
    (change,) = data["changes"]
    assert change == {
        "record": 1,
        "adapter": "one",
        "device": "cpu",
        "case": "a/b/two",
        "quantity": "output",
        "was": "conforms",
        "now": "differs",
    }
    before, after = data["columns"][0]["steps"]
    assert (before["versions"], after["versions"]) == ("one 1.0", "one 2.0")
    assert (after["timed"], after["ratio"]) == (1, pytest.approx(4.0))
    assert (before["counts"], after["unexpected"]) == ({"conforms": 2, "differs": 1}, 2)
    assert after["precision"] == {"float32": [8, 3.0]}


def test_a_column_may_join_a_trend_late(
    record: Callable[..., Record], verdict: Callable[..., Verdict]
) -> None:
    """It has no step in records that it took no part in, and its first step is what it is compared
    with.
    """
    alone = record([verdict(adapter="one")], adapters=[{"label": "one"}], devices={"one": ["cpu"]})
    both = record(
        [verdict(adapter="one"), verdict(adapter="two", status="conforms", timing=timing(1.0))]
    )
    late = trend.trend([alone, both, both])["columns"][1]
    assert [step and step["ratio"] for step in late["steps"]] == [
        None,
        pytest.approx(1.0),
        pytest.approx(1.0),
    ]


def test_all_figures_are_strict_json_and_tables_are_rectangles_of_text(
    record: Callable[..., Record], verdict: Callable[..., Verdict]
) -> None:
    """Without NaN or infinity, whatever the record holds; a table's rows are as long as its
    head.
    """
    made = record(
        [
            verdict(
                case="a/b/one",
                adapter="one",
                status="conforms",
                error_over_bound="Infinity",
                timing=timing(1e-3, None),
            ),
            verdict(case="a/b/one", adapter="two", error_over_bound=0.0, timing=timing(0.0)),
            verdict(case="a/b/one", adapter="two", quantity="gradients", status="raised"),
        ]
    )
    for found, table in (
        (figures.timings(made), tables.timings_table),
        (figures.timings(made), tables.standing_table),
        (figures.work(made), tables.work_table),
        (accuracy.accuracy(made), tables.accuracy_table),
        (trend.trend([made, made]), tables.trend_table),
        (trend.trend([made, made]), tables.changes_table),
        (trend.trend([]), tables.trend_table),
    ):
        json.dumps(found, allow_nan=False)
        shown = table(found)
        assert len(shown["head"]) == len(shown["numbers"])
        assert all(
            len(row) == len(shown["head"]) and all(isinstance(text, str) for text in row)
            for row in shown["rows"]
        )


def test_a_table_of_many_changes_says_how_many_it_leaves_out(
    record: Callable[..., Record], verdict: Callable[..., Verdict]
) -> None:
    """A page of thousands of rows helps nobody, and a silent cut would lie."""
    count = tables.MOST_CHANGES + 1
    old, new = (
        record([verdict(case=f"a/b/{i}", adapter="one", status=status) for i in range(count)])
        for status in ("conforms", "raised")
    )
    data = trend.trend([old, new])
    shown = tables.changes_table(data)
    assert len(shown["rows"]) == tables.MOST_CHANGES
    assert shown["caption"] == f"{count} checks changed; the first {tables.MOST_CHANGES}"
    assert tables.changes_counted(data) == [f"conforms to raised: {count}"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.0, "0 ns"), (5e-9, "5 ns"), (1.2345e-5, "12.3 µs"), (0.25, "250 ms"), (61.0, "61 s")],
)
def test_durations_have_the_unit_that_fits(seconds: float, words: str) -> None:
    """Three significant digits."""
    assert tables.duration(seconds) == words


def test_a_ratio_has_the_interval_of_its_rounds() -> None:
    """Of the fastest itself, and of timings of an earlier version without rounds, there is none."""
    best = {"median": 1.0, "rounds": [1.0, 1.0, 1.0]}
    cell = figures._cell({"median": 2.0, "rounds": [2.0, 2.2, 1.8]}, best)
    assert cell["low"] < cell["ratio"] < cell["high"]
    assert figures._cell(best, best)["low"] is None
    assert figures._cell({"median": 2.0}, best)["low"] is None
