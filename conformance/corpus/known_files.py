"""Which files among cases hold known failures, and which lead out of their folder?

A corpus has them in its folder `known_differences`, and beside its case files: there a file is told
by its name or by its first key. What is in them is read by `verdicts.known_reader`.
"""

from __future__ import annotations

import re
from pathlib import Path

NAME = "known_differences"
ENDINGS = (".yaml", ".yml")
KEYS = (
    "adapter",
    "cases",
    "quantity",
    "versions",
    "until",
    "where",
    "status",
    "kind",
    "diagnosis",
    "reason",
    "source",
)
"""The keys of an entry."""
_PASSED_OVER = re.compile(rb"(?:\xef\xbb\xbf)?(?:[ \t]*(?:#[^\n]*)?\r?\n|---[ \t]*\r?\n)*")
_ENTRY = re.compile(rb"-\s+(?:\{\s*)?[\"']?(?:" + "|".join(KEYS).encode() + rb")[\"']?\s*:(?:\s|$)")
_BEGINNING = 2**16  # bytes in which the first entry has to begin


def holds_known(file: Path) -> bool:
    """Whether a file that lies beside case files is one of known failures: it is named
    `known_differences.yaml`, or is a list whose first entry begins with a key of theirs.
    """
    if file.stem == NAME:
        return True
    try:
        with file.open("rb") as stream:
            beginning = stream.read(_BEGINNING)
    except OSError:
        return False
    passed_over = _PASSED_OVER.match(beginning)
    assert passed_over is not None, "it matches nothing at all too"
    return _ENTRY.match(beginning, passed_over.end()) is not None


def known_files(root: Path) -> list[Path]:
    """The files of known failures of the corpus at `root`: those of its folder, and those beside
    its case files. Links that lead out of the root are among them, for the reader to refuse.
    """
    folder = root / NAME
    beside = [file for file in _documents(root) if holds_known(file)]
    return (_documents(folder) if folder.is_dir() else []) + beside


def leads_out(file: Path, folder: Path) -> str | None:
    """What is wrong with a file that was found in a folder and lies elsewhere; None where it is in
    it.
    """
    if file.resolve().is_relative_to(folder.resolve()):
        return None
    return (
        f"{file}:1: (file): is a link that leads out of {folder}, should be the file itself, or be "
        "named on the command line"
    )


def _documents(folder: Path) -> list[Path]:
    return sorted(file for file in folder.glob("*") if file.suffix in ENDINGS and file.is_file())
