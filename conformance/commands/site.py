"""`conformance site`: many records as a static site."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from conformance.errors import UsageError
from conformance.printing import say
from conformance.wording import counted


def run(paths: Sequence[Path], folder: Path, url: str, reports: Sequence[Path]) -> None:
    """Write the site, and tell how large it is."""
    from conformance.board.site import write_site

    read = {path.resolve() for path in paths}
    for path in reports:
        if path.resolve() not in read:
            raise UsageError(f"--report {path}: should be one of the records that the site is of")
    site = write_site(paths, folder, url=url, reports=reports)
    board = site.board
    parts = [
        counted(len(board.sources), "record"),
        counted(len(board.standing), "engine"),
        counted(len(board.cases), "distinct case"),
        counted(site.files, "file"),
        f"{site.size / 1e6:.1f} MB",
    ]
    say(", ".join(parts), site.index)
