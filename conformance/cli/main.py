"""The entry point: what a user did wrong is one sentence a problem on stderr, never a traceback."""

from __future__ import annotations

import gc
import io
import os
import sys
from collections.abc import Callable
from typing import TextIO

from conformance.cli.app import app


def main() -> None:
    """Entry point: what a user did wrong is one sentence a problem on stderr and exit 2, what the
    suite did wrong one paragraph and exit 70, never a bare traceback.
    """
    from conformance.errors import ConformanceError

    sys.stdout = _Patient(sys.stdout)
    gc.set_threshold(
        50_000, 20, 20
    )  # cases and records live until the end: to look through them for garbage finds none
    try:
        app()
    except ConformanceError as error:
        _complain(*error.lines)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # nothing else catches what nobody foresaw
        from conformance.cli import fault

        sys.exit(fault.tell(error))


class _Patient(io.TextIOBase):
    """Standard output that may go away: a run whose reader has left, or whose disk is full, is
    finished and recorded.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        self._guarded(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        self._guarded(self._stream.flush)

    def _guarded(self, act: Callable[[], object]) -> None:
        try:
            act()
        except OSError as error:
            if not isinstance(error, BrokenPipeError):
                print(
                    f"conformance: standard output cannot be written: {error.strerror}",
                    file=sys.stderr,
                )
            os.dup2(
                os.open(os.devnull, os.O_WRONLY), 1
            )  # what is still held, and what follows, goes nowhere

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding


def _complain(*lines: str) -> None:
    for line in lines:
        print(line, file=sys.stderr)
    sys.exit(2)
