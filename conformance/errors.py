"""Errors that a user can mend: each is one sentence a problem on stderr, and the command exits 2.

`ConformanceError` is caught in one place, where the command line begins; anything else that escapes
is a fault of this package.
"""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from pathlib import Path


def fault(error: BaseException, doing: str) -> str:
    """An exception that nobody foresaw, as the message of a verdict: what it is, where it came up,
    and that it is this package's.
    """
    frames = traceback.extract_tb(error.__traceback__)
    at = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
    what = f"{type(error).__name__}: {error}"[:1000]
    return (
        f"conformance failed while {doing}: {what} ({at}). This is a fault of conformance, which "
        "CONTRIBUTING.md says how to report, and no verdict on the engine"
    )


class ConformanceError(ValueError):
    """Something that a user asked for and cannot have: what is wrong, where, and what would be
    right instead.
    """

    @property
    def lines(self) -> Sequence[str]:
        """The text to print, a line a problem."""
        return (f"conformance: {self}",)


class UsageError(ConformanceError):
    """A command line or a request that cannot be carried out: one sentence."""


class SelectionError(ConformanceError):
    """A selection that selects nothing, or cannot be understood: one sentence."""


class RecordError(ConformanceError):
    """A record that cannot be used or written: one sentence."""


class PortError(ConformanceError):
    """A problem of a call that is to be ported, and what would be right, in one sentence."""


class ModelError(ConformanceError):
    """A model that cannot be read or run, and what would be right, in one sentence."""


class FileProblems(ConformanceError):  # noqa: N818 - it holds problems, several of them
    """Problems of files, one line each: `FILE:LINE: KEY: what is wrong, what would be right`."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("\n".join(lines))
        self._lines = tuple(lines)

    @property
    def lines(self) -> Sequence[str]:
        return self._lines


class CaseFileError(FileProblems):
    """Case files that cannot be used; `lines` says where each is wrong and what would be right."""
