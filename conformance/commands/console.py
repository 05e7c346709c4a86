"""Standard output as a person sees it: its colours, its width, and tables that fit."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from conformance.printing import own_stdout, text_of

INDENT = "    "


def console_of(least_width: int = 0) -> Console:
    """Rich's console: of a terminal, with its width; or of what is none, with at least so many
    columns, on which all is made printable once more unless FORCE_COLOR asks for escapes.
    """
    console = Console(file=own_stdout())
    if own_stdout().isatty():
        return console
    width = max(console.width, least_width)
    return Console(file=own_stdout(), width=width) if console.is_terminal else Console(width=width)


def can_move(console: Console) -> bool:
    """Whether a bar may be drawn again and again: on no pipe, whatever FORCE_COLOR says, and on no
    dumb terminal.
    """
    return own_stdout().isatty() and not console.is_dumb_terminal


def width_of_terminal() -> int | None:
    """The columns of standard output; None if it is no terminal, where nothing is parted."""
    return shutil.get_terminal_size().columns if own_stdout().isatty() else None


def coloured(console: Console, line: str, style: str) -> None:
    """Print a line in a colour, where there are colours; it is parted by the terminal alone."""
    console.print(Text(text_of([line]), style=style), soft_wrap=True)


def entry(head: str, text: str, width: int | None) -> list[str]:
    """`head: text` on one line if it fits, else the text below the head; no word is broken."""
    line = f"{head}: {text}"
    if width is None or len(line) <= width:
        return [line]
    return [f"{head}:", *_wrapped(text, width)]


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int | None) -> list[str]:
    """A table if it fits, else each row as an entry: its first cell, and the others below."""
    everything = [columns, *rows]
    widths = [max(map(len, column)) for column in zip(*everything, strict=True)]
    if width is None or sum(widths) + 2 * (len(widths) - 1) <= width:
        return [
            "  ".join(cell.ljust(size) for cell, size in zip(row, widths, strict=True)).rstrip()
            for row in everything
        ]
    return [line for row in rows for line in _stacked(columns, row, width)]


def _stacked(columns: Sequence[str], row: Sequence[str], width: int) -> Iterator[str]:
    yield row[0]
    for name, cell in zip(columns[1:], row[1:], strict=True):
        if cell:
            yield from _wrapped(f"{name}: {cell}", width)


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(
        text,
        max(width, 20),
        initial_indent=INDENT,
        subsequent_indent=INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )
