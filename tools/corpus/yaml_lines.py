"""How is a long line of YAML broken?"""

from __future__ import annotations

WIDTH = 120


def wrapped(line: str) -> list[str]:
    """The line broken at blanks, its rest further in; YAML reads such a break as a blank."""
    lines = []
    while len(line) > WIDTH:
        cut = line.rindex(" ", 0, WIDTH)
        lines.append(line[:cut])
        line = " " * 8 + line[cut + 1 :]
    return [*lines, line]
