"""The counts of an audit as tables: for a terminal, for a page, for a program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from conformance.audit.count import MOST_PRODUCTS, OFTEN, Tally
from conformance.printing import parts_of_table
from conformance.wording import counted

NONE = "-"
"""No configuration could show the mistake."""

Row = list[str]


def mistakes(tallies: Sequence[Tally]) -> list[str]:
    """The mistakes that something could show, those first that the fewest columns notice."""
    names = {name for tally in tallies for name in tally.could_show}
    noticing = {name: sum(tally.notices[name] > 0 for tally in tallies) for name in names}
    return sorted(names, key=lambda name: (noticing[name], name))


def rows(tallies: Sequence[Tally]) -> list[Row]:
    """A row a mistake, with `notices/could show` of every column."""
    return [[name, *(_cell(tally, name) for tally in tallies)] for name in mistakes(tallies)]


def sums(tallies: Sequence[Tally]) -> list[Row]:
    """What the columns come to: mistakes that could show, are detected at all, and often."""
    known = len(mistakes(tallies))
    counts: tuple[tuple[str, Callable[[Tally], int]], ...] = (
        ("configurations", lambda tally: tally.configurations),
        ("not computed", lambda tally: tally.left_out),
        (f"of {counted(known, 'mistake')}, could show", lambda tally: len(tally.could_show)),
        ("detected", lambda tally: tally.at_least(1)),
        (f"detected at least {OFTEN} times", lambda tally: tally.at_least(OFTEN)),
    )
    return [[title, *(str(count(tally)) for tally in tallies)] for title, count in counts]


def _cell(tally: Tally, name: str) -> str:
    could = tally.could_show[name]
    return f"{tally.notices[name]}/{could}" if could else NONE


def terminal(tallies: Sequence[Tally], width: int) -> str:
    """The table in columns of text, in as many parts as the width asks for."""
    body = [["mistake", *(tally.slug for tally in tallies)], *rows(tallies), *sums(tallies)]
    widths = [max(map(len, column)) for column in zip(*body, strict=True)]
    parts = []
    for columns in parts_of_table(widths, width):
        lines = [
            "  ".join(
                row[n].rjust(widths[n]) if n else row[n].ljust(widths[n]) for n in (0, *columns)
            )
            for row in body
        ]
        ruler = "-" * len(lines[0])
        after = len(body) - len(sums(tallies))
        parts.append("\n".join([lines[0], ruler, *lines[1:after], ruler, *lines[after:]]))
    return "\n\n".join([*parts, legend()])


def legend() -> str:
    """How a cell is read."""
    return (
        f"a/b: a configurations detect the mistake, of b that could show it; {NONE}: none could. "
        f"Not computed: more than {MOST_PRODUCTS // 10**6} million products."
    )


def markdown(tallies: Sequence[Tally]) -> str:
    """The table for a page."""
    head = ["mistake", *(tally.slug for tally in tallies)]
    body = [[f"`{name}`", *cells] for name, *cells in rows(tallies)]
    totals = [[f"**{title}**", *cells] for title, *cells in sums(tallies)]
    lines = [head, ["---", *["---:"] * len(tallies)], *body, *totals]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def as_json(tallies: Sequence[Tally]) -> dict[str, Any]:
    """Everything, for a program."""
    return {
        "suites": [
            {
                "name": tally.slug,
                "title": tally.name,
                "configurations": tally.configurations,
                "not_computed": tally.left_out,
                "mistakes": {
                    name: {"could_show": could, "notices": tally.notices[name]}
                    for name, could in sorted(tally.could_show.items())
                },
            }
            for tally in tallies
        ]
    }
