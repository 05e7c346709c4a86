"""The pages of a board, each a name below the site's folder and a text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from typing import Any

from markupsafe import Markup

from conformance.badge import svg
from conformance.board.badges import engine_badge
from conformance.board.board import Board
from conformance.board.chart import points, trend_svg
from conformance.board.details import by_file, calls
from conformance.board.entries import Entry, checked
from conformance.board.failures import failures
from conformance.board.links import Links, anchor, badge_file, case_page, engine_page, record_page
from conformance.board.steps import steps
from conformance.printing import printable
from conformance.record.record import COMPRESSED
from conformance.report.page import embedded, environment
from conformance.support.features import FEATURES
from conformance.support.shipped import shipped_sources
from conformance.support.table import by_feature
from conformance.verdicts.verdict import STANDINGS, STATUSES, standing

STYLES, SCRIPTS = ("base.css", "board.css"), ("toggle.js",)
MOST_ELEMENTS = 64
"""Of an array that is kept in a record to download though its recipe, or the oracle, makes it
again: the record is a tenth as large without the others."""
MOST_LISTED = 200
"""The most cases that are listed in one place; the others are counted."""

Render = Callable[..., str]


def pages(board: Board, *, url: str, with_report: Collection[str]) -> Iterator[tuple[str, str]]:
    """All pages; `url` is where the site will be, and `with_report` names the records whose whole
    report page is there.
    """
    render = _renderer(board)
    files = by_file(
        calls((entry for those in board.standing.values() for entry in those), board.cases).values()
    )
    yield "index.html", render("index", "", index=_index(board), trends=_trends(board))
    for engine, entries in board.standing.items():
        yield engine_page(engine), render("engine", "../", **_engine(board, engine, entries, url))
    yield "cases/index.html", render("files", "../", files=files)
    for file, its_calls in files.items():
        yield case_page(file), render("cases", "../", file=file, calls=its_calls)
    for source in board.sources:
        yield (
            record_page(source),
            render(
                "record",
                "../../",
                source=source,
                columns=_columns(board, source.name),
                has_report=source.name in with_report,
            ),
        )


def as_json(board: Board) -> dict[str, Any]:
    """The board for a program: by engine a list of releases in places, with counts and records."""
    return {
        "records": [
            {"name": source.name, "started": source.started, "corpus": source.run["corpus"]}
            for source in board.sources
        ],
        "engines": {
            engine: [
                {
                    "versions": dict(entry.versions),
                    "device": entry.device,
                    "place": entry.place,
                    "record": entry.source.name,
                    "counts": {name: entry.counts()[name] for name in STANDINGS},
                }
                for entry in entries
            ]
            for engine, entries in board.standing.items()
        },
    }


def _renderer(board: Board) -> Render:
    """Renders a template for a folder, whose way up to the site's is `root`."""
    templates = environment("conformance.board")
    templates.globals |= {
        "board": board,
        "statuses": STATUSES,
        "checked": checked,
        "anchor": anchor,
        "compressed": COMPRESSED,
        "most": MOST_LISTED,
        "most_elements": MOST_ELEMENTS,
        "spread": spread,
        **embedded(STYLES, SCRIPTS),
    }

    def render(name: str, root: str, **content: Any) -> str:
        template = templates.get_template(f"{name}.html.j2")
        return template.render(links=Links(root=root), **content)

    return render


def _index(board: Board) -> list[dict[str, Any]]:
    """Of each engine the rows of its releases, each with an entry or None for every place."""
    rows = []
    for engine, entries in board.standing.items():
        releases: dict[str, dict[str, Entry]] = {}
        for entry in entries:
            releases.setdefault(entry.release, {})[entry.place] = entry
        lines = [
            {"release": release, "entries": [by_place.get(place) for place in board.places]}
            for release, by_place in releases.items()
        ]
        rows.append({"engine": engine, "releases": lines})
    return rows


def _trends(board: Board) -> list[dict[str, Any]]:
    made = []
    for engine, entries in board.entries.items():
        first, *_, last = [*points(entries)[:1], *points(entries)]
        made.append(
            {"engine": engine, "first": first, "last": last, "svg": trend_svg(engine, entries)}
        )
    return made


def _engine(board: Board, engine: str, entries: Any, url: str) -> dict[str, Any]:
    """What stands on the page of an engine; `entries` are the standing ones."""
    supported = [support(entry, board) for entry in entries]
    features = {
        name: [counts[name] for counts in supported]
        for name in FEATURES
        if any(counts[name] for counts in supported)
    }
    page = f"{url}/{engine_page(engine)}" if url else engine_page(engine)
    picture = f"{url}/{badge_file(engine, 'svg')}" if url else badge_file(engine, "svg")
    return {
        "engine": engine,
        "entries": entries,
        "earlier": [entry for entry in board.entries[engine] if entry not in entries],
        "features": features,
        "failures": failures(entries, shipped_sources()),
        "steps": steps(entries),
        "trend": trend_svg(engine, board.entries[engine]),
        "points": points(board.entries[engine]),
        "badge": Markup(svg(engine_badge(engine, entries))),
        "markdown": f"[![{printable(engine)}]({picture})]({page})",
    }


def support(entry: Entry, board: Board) -> dict[str, Counter[str]]:
    """By feature: how many verdicts fall into each of STANDINGS."""
    features = {
        case: board.features[case, entry.source.digests[case]] for case, _ in entry.verdicts
    }
    counting = by_feature(entry.verdicts.values(), features)
    return {feature: Counter(map(standing, those)) for feature, those in counting.items()}


def _columns(board: Board, name: str) -> list[Entry]:
    return [
        entry
        for entries in board.entries.values()
        for entry in entries
        if entry.source.name == name
    ]


def spread(entries: list[Entry]) -> list[tuple[str, str]]:
    """Entries in a few words: (engine, its versions, each with where unless the engine has one
    place).
    """
    by_engine: dict[str, dict[str, list[str]]] = {}
    for entry in entries:
        by_engine.setdefault(entry.engine, {}).setdefault(entry.place, []).append(entry.version)
    return [
        (
            engine,
            "; ".join(
                f"{', '.join(dict.fromkeys(versions))} on {place}"
                for place, versions in places.items()
            ),
        )
        for engine, places in by_engine.items()
    ]
