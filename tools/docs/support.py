"""Makes the tables in docs/support.md: which features work on which engine, and why not.

    python tools/docs/support.py

What stands between the marks of that file is replaced, all else is kept. The data are those that
the package ships, which tools/records/supported.py makes. A test holds the file against this.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from conformance.support.features import FEATURES, MEANINGS
from conformance.support.shipped import shipped_engines
from conformance.support.table import Cell, EngineSupport, Reason, Share
from conformance.support.text import STATES, count_of, origin, short

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "support.md"
BEGIN, END = "<!-- made by tools/docs/support.py -->", "<!-- end of what is made -->"


def _rows(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    head, *others = rows
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    yield from (f"| {' | '.join(row)} |" for row in others)


def overview(engines: Sequence[EngineSupport]) -> Iterator[str]:
    """A row for each feature, a column for each engine, and what the signs mean."""
    links = [f"[{one.name}](#{one.name})" for one in engines]
    cells = [[_plain(short(one.cells[name])) for one in engines] for name in FEATURES]
    yield from _rows(
        [["feature", *links], *([name, *row] for name, row in zip(FEATURES, cells, strict=True))]
    )
    yield ""
    yield from (f"- {_plain(state.sign)} {state.meaning}" for state in STATES.values())


def meanings() -> Iterator[str]:
    """A row for each feature: which cases have it."""
    yield "## Features"
    yield ""
    yield from _rows([("feature", "cases with"), *MEANINGS.items()])


def section(engine: EngineSupport) -> Iterator[str]:
    """An engine: a row for each feature with the numbers of reasons, and the reasons."""
    numbers = {reason: number for number, reason in enumerate(engine.reasons, 1)}
    rows = [
        (feature, _plain(short(cell)), _shares(cell, numbers))
        for feature, cell in engine.cells.items()
        if cell.state
    ]
    yield f"## {engine.name}"
    yield ""
    yield f"{origin(engine)}."
    yield ""
    yield from _rows([("feature", "conform", "the others, with the number of the reason"), *rows])
    yield ""
    shares = [share for cell in engine.cells.values() for share in cell.shares]
    for reason, number in numbers.items():
        source = "" if reason.source is None else f" Source: {_plain(reason.source)}."
        example = next(share.example for share in shares if share.reason == reason)
        yield f"{number}. {_plain(reason.text)}{source} For example `{example}`."


def _shares(cell: Cell, numbers: dict[Reason, int]) -> str:
    return ", ".join(_share(share, numbers[share.reason]) for share in cell.shares)


def _share(share: Share, number: int) -> str:
    return f"{count_of(share.count, share.reason)} ({number})"


def _plain(text: str) -> str:
    """The text without what Markdown would take for its own."""
    for mark in "\\*<~|":
        text = text.replace(mark, f"\\{mark}")
    return text


def made(engines: Sequence[EngineSupport]) -> str:
    """What stands between the marks."""
    parts = [overview(engines), meanings(), *map(section, engines)]
    return "\n\n".join("\n".join(part) for part in parts)


def document(text: str, engines: Sequence[EngineSupport]) -> str:
    """The document's text with what is made now."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{made(engines)}\n\n{END}{after}"


if __name__ == "__main__":
    text = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(document(text, shipped_engines()), encoding="utf-8")
