"""One self-contained HTML page, a pure function of records."""

from __future__ import annotations

import base64
import hashlib
import re
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from conformance.conventions.answers import ANSWERS, QUESTIONS
from conformance.errors import RecordError
from conformance.printing import printable
from conformance.record import messages as record_messages
from conformance.record.changes import changes
from conformance.record.record import Record
from conformance.report import accuracy, atlas_svg, figures, payload, tables, trend
from conformance.report.answers import CanUse, address
from conformance.report.causes import causes
from conformance.report.matrix import Column, columns_of, rows_of
from conformance.report.plain import PlainCells, failures, known_failures
from conformance.support.text import STATES
from conformance.system.files import replace_file
from conformance.verdicts.verdict import STATUSES, Key
from conformance.wording import counted, duration, moment

PAGE = "index.html"
_ADDRESS = re.compile(r"(https?://[^\s<>\"']*[\w/])")
EARLY = "theme.js"
SCRIPTS = (
    "vendor/uPlot.iife.min.js", "draw.js", "grid.js", "planes.js", "charts.js", "scatter.js",
    "data.js", "program.js", "state.js", "question.js", "matrix.js", "case.js", "answers.js",
    "causes.js", "filters.js", "toggle.js", "page.js",
)  # fmt: skip
"""The scripts of the page in order: each uses those before it."""
STYLES = ("vendor/uPlot.min.css", "base.css", "overview.css", "page.css", "drawings.css")


def write_page(
    record: Record, folder: Path, *, baseline: Record | None = None, history: Sequence[Record] = ()
) -> Path:
    """Write the page into the folder; raises RecordError if that cannot be done."""
    page = folder / PAGE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        replace_file(page, render(record, baseline=baseline, history=history))
    except OSError as error:
        raise RecordError(
            f"{page} cannot be written: {error.strerror}. The record is whole: make room and use "
            "`conformance report`"
        ) from None
    return page


def render(
    record: Record, *, baseline: Record | None = None, history: Sequence[Record] = ()
) -> str:
    """The page as text. Everything that comes from a record is escaped, or packed so that it cannot
    be markup.

    With a baseline it says what changed since; with a history, oldest first, how things went from
    record to record.
    """
    columns = columns_of(record)
    charts = _charts(record, [*history, *([] if baseline is None else [baseline])])
    page = (
        environment()
        .get_template("index.html.j2")
        .render(
            record=record,
            columns=columns,
            address=address,
            changed=None if baseline is None else changes(baseline, record),
            baseline=baseline,
            charts=charts,
            **_overview(record, columns),
            **_failures(record),
            **_conventions(record, columns),
            **_matrix(record, columns, charts),
            **embedded(STYLES, SCRIPTS),
        )
    )
    return writable(page)


def _overview(record: Record, columns: Sequence[Column]) -> dict[str, Any]:
    """What a reader sees first."""
    return {
        "summary": record_messages.summary(record),
        "standings": sum((column.standings for column in columns), Counter()),
    }


def _failures(record: Record) -> dict[str, Any]:
    """New failures by their causes, and all of them for readers without JavaScript."""
    return {
        "causes": causes(record),
        "failures": failures(record),
        "known_failures": known_failures(record),
    }


def _conventions(record: Record, columns: Sequence[Column]) -> dict[str, Any]:
    """The answers of the conventions that take part, and what their arguments crop."""
    there = {column.convention for column in columns}
    return {
        "questions": QUESTIONS,
        "answers": {name: answers for name, answers in ANSWERS.items() if name in there},
        "atlas": atlas_svg.atlas_svg(record),
        "atlas_legend": atlas_svg.legend(),
    }


def _matrix(
    record: Record, columns: Sequence[Column], charts: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """The tables of features and of cases, and the data from which scripts draw."""
    rows = rows_of(record, columns)
    can_use = CanUse(record, columns)
    pieces, programs = payload.pieces(record, columns)
    index = payload.index(record, columns, rows) | {
        "answers": can_use.data(),
        "figures": {key: figure["data"] for key, figure in charts.items()},
    }
    return {
        "statuses": STATUSES,
        "rows": rows,
        "can_use": can_use,
        "states": STATES,
        "plain_cells": PlainCells(),
        "index": payload.pack(index),
        "pieces": pieces,
        "programs": programs,
    }


def writable(page: str) -> str:
    """The page without halves of surrogate pairs, which have no place in a file."""
    return page.encode("utf-8", "replace").decode("utf-8")


def embedded(styles: Sequence[str], scripts: Sequence[str]) -> dict[str, Any]:
    """The styles and scripts that a page holds, and the digests that its policy allows."""
    texts, early = [asset(name) for name in scripts], asset(EARLY)
    return {
        "styles": Markup("\n".join(asset(name) for name in styles)),
        "early": Markup(early),
        "scripts": [Markup(text) for text in texts],
        "hashes": " ".join(f"'sha256-{_digest(text)}'" for text in (early, *texts)),
    }


def _charts(record: Record, before: Sequence[Record]) -> dict[str, dict[str, Any]]:
    """The figures that look at the whole record: their data, and the same as plain tables; empty
    ones are left out.
    """
    timings, work, errors = figures.timings(record), figures.work(record), accuracy.accuracy(record)
    charts: dict[str, dict[str, Any]] = {}
    if timings["layers"]:
        charts["timings"] = {
            "data": timings,
            "tables": [tables.standing_table(timings), tables.timings_table(timings)],
        }
    if work["points"]:
        charts["work"] = {"data": work, "tables": [tables.work_table(work)]}
    if errors["rows"]:
        charts["accuracy"] = {"data": errors, "tables": [tables.accuracy_table(errors)]}
    if before:
        steps = trend.trend([*before, record])
        charts["trend"] = {
            "data": steps,
            "tables": [tables.trend_table(steps), tables.changes_table(steps)],
        }
    return charts


def environment(package: str = "conformance.report") -> Environment:
    """What renders the templates of a package: all that is put into them is escaped, and seen."""
    made = Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["shown"] = _shown
    made.filters["counted"] = counted
    made.filters["duration"] = duration
    made.filters["moment"] = moment
    made.filters["linked"] = linked
    made.filters["shell"] = shlex.join  # a chain's name has what a shell redirects by
    made.filters["news"] = record_messages.news
    made.filters["unchecked"] = record_messages.unchecked
    made.filters["fragment"] = _fragment
    return made


def visible(value: Any) -> Any:
    """A value of a template: text that is not markup, with all its characters to be seen."""
    return printable(value) if type(value) is str else value


def linked(text: str) -> Markup:
    """A text with its addresses as links."""
    parts = _ADDRESS.split(visible(text))
    return Markup("").join(
        Markup('<a href="{}" rel="noreferrer">{}</a>').format(part, part) if number % 2 else part
        for number, part in enumerate(parts)
    )


def _fragment(key: Key) -> str:
    """The address, on this page, of a verdict's case."""
    quantity = "" if key.quantity == "output" else f"@{key.quantity}"
    return address(case=key.case, on=f"{key.adapter}@{key.device}{quantity}")


def asset(name: str) -> str:
    """A style sheet or a script of this package."""
    return (
        resources.files("conformance.report")
        .joinpath("assets", *name.split("/"))
        .read_text(encoding="utf-8")
    )


def _digest(text: str) -> str:
    """The digest by which the page's policy allows an inline script."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _shown(value: Any) -> str:
    """A number as short as it can be told from its neighbours."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
