"""Rich's console on the standard output of this package."""

from __future__ import annotations

from rich.console import Console

from conformance.printing import own_stdout


def console_of(least_width: int = 0) -> Console:
    """A terminal, which takes escapes; or what is none, of at least so many columns, on which all
    is made printable once more.
    """
    console = Console(file=own_stdout())
    if console.is_terminal:
        return console
    return Console(width=max(console.width, least_width))
