"""Markdown from text that nobody vouches for: every character shows as itself, and a table stays a
table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from conformance.printing import printable

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_SPECIAL = re.compile(r"[\\`*_\[\]|~$&<>]")
_BLANK = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]+")


def plain(text: str) -> str:
    """The text on one line, with what Markdown, HTML and formulas would take for markup written so
    that it is none.
    """
    shown = _SPECIAL.sub(
        lambda match: _ENTITIES.get(match[0], "\\" + match[0]), printable(_BLANK.sub(" ", text))
    )
    return (
        shown.replace("://", ":\u200b//").replace("@", "@\u200b").strip()
    )  # neither a link nor a person called


def table(
    header: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Iterable[int] = ()
) -> list[str]:
    """A table of GitHub's Markdown, its cells as plain text; the columns `numbers` are set to the
    right.
    """
    right = set(numbers)
    rule = ["---:" if column in right else "---" for column in range(len(header))]
    lines = [list(map(plain, header)), rule, *(list(map(plain, row)) for row in rows)]
    return ["| " + " | ".join(line) + " |" for line in lines]
