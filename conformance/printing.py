"""Text that nobody vouches for, as it is printed: it shows itself and steers nothing.

Names of cases, layers and engines, what an engine says, and what a record holds, may be a
stranger's. A control character moves the cursor, colours what follows, or makes a link of it; a
mark of direction turns the order of what is read; and the log of a job on GitHub takes some lines
for commands. So a command prints by `say`, a line an argument, and the streams that it prints to
are `Stream`s: the second sees what forgets the first.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TextIO, cast

MOST_CHARACTERS = 4096
"""The most of one text of an engine that is shown."""

_HARMLESS = "\n\t\u200b\ue000\ue001"
"""Not printable by Unicode, but harmless: a blank of no width, which keeps Markdown from making
links, and the marks of the page's gaps in programs, of private use."""

_COMMAND = re.compile(r"^([^\S\n]*):(?=:)", re.MULTILINE)
"""GitHub's runner reads `::name ...::` as a command at the start of a line, blanks before it or
not."""

_OLD_COMMAND = re.compile(r"##\[")
"""And its older form anywhere in a line."""


def printable(text: object) -> str:
    r"""The text with everything that shows nothing written out, as \x1b and \u202e are; its lines
    and tabs stay.
    """
    shown = str(text)
    if all(line.isprintable() for line in shown.split("\n")):
        return shown  # as nearly all texts
    return "".join(
        letter
        if letter.isprintable() or letter in _HARMLESS
        else letter.encode("unicode_escape").decode("ascii")
        for letter in shown.encode("utf-8", "backslashreplace").decode()
    )


def on_a_line(text: object) -> str:
    """The same on one line: its line breaks and tabs are written out too."""
    return printable(text).replace("\n", "\\n").replace("\t", "\\t")


def text_of(lines: Iterable[object]) -> str:
    """Lines of anybody's text as one text, whose line breaks are between them and nowhere else, and
    no line of which is a command.
    """
    return _without_commands("\n".join(map(on_a_line, lines)))


def say(*lines: object, file: TextIO | None = None, flush: bool = False) -> None:
    """Print these lines, to standard output unless a file is given."""
    print(text_of(lines), file=file, flush=flush)


def complain(*lines: object) -> None:
    """Print these lines to standard error, at once."""
    say(*lines, file=sys.stderr, flush=True)


def shortened(text: str, most: int = MOST_CHARACTERS) -> str:
    """The text, or its beginning with how much of it was left out."""
    left = len(text) - most
    return text if left <= 0 else f"{text[:most]}... and {left} characters more"


def parts_of_table(widths: Sequence[int], width: int) -> Iterator[list[int]]:
    """Numbers of columns that fit beside the first one, which every part of a table repeats."""
    part: list[int] = []
    used = widths[0]
    for number in range(1, len(widths)):
        if part and used + 2 + widths[number] > width:
            yield part
            part, used = [], widths[0]
        part.append(number)
        used += 2 + widths[number]
    if part:
        yield part


class Stream(io.TextIOBase):
    """A standard stream on which nothing that is printed steers, and that may go away: a run whose
    reader has left, or whose disk is full, is finished and recorded.

    `own` is the same stream for what prints escapes of its own, as a progress bar: it has to make
    what it shows printable itself. `original` is the stream itself.
    """

    def __init__(self, stream: TextIO, *, complains: bool = False) -> None:
        self.original = stream
        self.own = _Patient(stream, complains=complains)
        self._starts = True

    def write(self, text: str) -> int:
        if not isinstance(text, str):  # which is how Click finds out that a stream is one of text
            raise TypeError(f"write() takes a str, not {type(text).__name__}")
        shown = printable(text)
        # a line that was begun before, with more than blanks, has its start behind it
        safe = shown if self._starts else f"x{shown}"
        safe = _without_commands(safe)
        self.own.write(safe if self._starts else safe[1:])
        last = shown.rpartition("\n")[2]
        self._starts = not last.strip() and (self._starts or "\n" in shown)
        return len(text)

    def flush(self) -> None:
        self.own.flush()

    def isatty(self) -> bool:
        return self.own.isatty()

    def fileno(self) -> int:
        return self.own.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self.own.encoding


class _Patient(io.TextIOBase):
    """A stream whose failures are nobody's."""

    def __init__(self, stream: TextIO, *, complains: bool) -> None:
        self._stream, self._complains = stream, complains

    def write(self, text: str) -> int:
        known = text.encode(self.encoding, "backslashreplace").decode(self.encoding)
        self._guarded(lambda: self._stream.write(known))
        return len(text)

    def flush(self) -> None:
        self._guarded(self._stream.flush)

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding or "utf-8"

    def _guarded(self, act: Callable[[], object]) -> None:
        try:
            act()
        except OSError as error:
            # what is still held, and what follows, goes nowhere
            with contextlib.suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
            if self._complains and not isinstance(error, BrokenPipeError):
                say(
                    f"conformance: standard output cannot be written: {error.strerror}",
                    file=sys.stderr,
                )


def guard_standard_streams() -> None:
    """Make standard output and error `Stream`s. One that was closed is opened on nothing first:
    else the next file that is opened, such as the record, has its number.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
    for name, number in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name)
        if stream is None:
            stream = os.fdopen(number, "w", encoding="utf-8", closefd=False)
        if not isinstance(stream, Stream):
            setattr(sys, name, Stream(stream, complains=name == "stdout"))


@contextlib.contextmanager
def unguarded_streams() -> Iterator[None]:
    """Standard output and error as they were before `guard_standard_streams`: for code of the
    user's own, which may steer its terminal.
    """
    guarded = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (
        stream.original if isinstance(stream, Stream) else stream for stream in guarded
    )
    try:
        yield
    finally:
        sys.stdout, sys.stderr = guarded


def own_stdout() -> TextIO:
    """Standard output for what prints escapes of its own, and makes what it shows printable."""
    stream = sys.stdout
    return cast(TextIO, stream.own) if isinstance(stream, Stream) else stream


def _without_commands(text: str) -> str:
    r"""The text with no line that GitHub's runner takes for a command. JSON, in which \u005b is a
    bracket, stays what it is.
    """
    if "##[" in text:
        text = _OLD_COMMAND.sub(r"##\\u005b", text)
    return _COMMAND.sub(r"\1\\x3a", text) if "::" in text else text
