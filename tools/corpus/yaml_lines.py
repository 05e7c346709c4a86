"""How is a long line of YAML broken?"""

from __future__ import annotations

WIDTH = 120


def wrapped(line: str, indent: int = 8) -> list[str]:
    """The line broken at blanks, its rest indented by so many; YAML reads such a break as a
    blank.
    """
    lines = []
    while len(line) > WIDTH:
        cut = line.rindex(" ", 0, WIDTH)
        lines.append(line[:cut])
        line = " " * indent + line[cut + 1 :]
    return [*lines, line]
