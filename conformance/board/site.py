"""A board as a static site: every page a file of its own, that opens from disk."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from conformance.badge import svg
from conformance.board import pages
from conformance.board.badges import engine_badge
from conformance.board.board import Board, read_board
from conformance.board.links import badge_file
from conformance.errors import RecordError
from conformance.record.compression import compressed
from conformance.record.record import COMPRESSED, Record
from conformance.record.reduction import reduced
from conformance.report.page import render, writable
from conformance.system.files import replace_file, replacing

REPORT = "report.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What was written: the board, the first page, how many files, and how many bytes."""

    board: Board
    index: Path
    files: int
    size: int


def write_site(
    paths: Sequence[Path], folder: Path, *, url: str = "", reports: Sequence[Path] = ()
) -> Site:
    """Write the site of the records into a folder. Raises RecordError for what is no record, and
    where it cannot be written.

    `url` is where the site will be, for the badges' Markdown; of `reports`, some of the records,
    the whole report page is on the site too.
    """
    whole = {path.resolve() for path in reports}
    written = _Files(folder)

    def take(path: Path, name: str, record: Record) -> None:
        written.record(f"records/{name}/{COMPRESSED}", reduced(record, pages.MOST_ELEMENTS))
        if path.resolve() in whole:
            written.text(f"records/{name}/{REPORT}", render(record))
            with_report.add(name)

    with_report: set[str] = set()
    try:
        board = read_board(paths, take)
        for name, text in pages.pages(board, url=url.rstrip("/"), with_report=with_report):
            written.text(name, text)
        for engine, entries in board.standing.items():
            badge = engine_badge(engine, entries)
            written.text(badge_file(engine, "json"), json.dumps(badge) + "\n")
            written.text(badge_file(engine, "svg"), svg(badge))
        written.text("board.json", json.dumps(pages.as_json(board), indent=1) + "\n")
    except OSError as error:
        raise RecordError(
            f"{folder} cannot be written: {error.strerror}, should be a folder with room"
        ) from None
    return Site(
        board=board, index=folder / "index.html", files=len(written.sizes), size=written.size
    )


class _Files:
    """The files of a site, each written whole."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.sizes: dict[str, int] = {}

    @property
    def size(self) -> int:
        return sum(self.sizes.values())

    def text(self, name: str, text: str) -> None:
        path = self._path(name)
        replace_file(path, writable(text))
        self.sizes[name] = path.stat().st_size

    def record(self, name: str, record: Record) -> None:
        """The record, compressed."""
        path = self._path(name)
        content = compressed(record)
        with replacing(path) as partial:
            partial.write_bytes(content)
        self.sizes[name] = len(content)

    def _path(self, name: str) -> Path:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path
