"""docs/audit.md cannot go stale: what is quick to compute of its tables is computed again."""

from __future__ import annotations

import pytest
from helpers import CHECKOUT, tool

from conformance.audit.count import MOST_PRODUCTS, Tally, of_configurations
from conformance.audit.suite import Suite, suites
from conformance.audit.table import NONE

audit = tool("audit")
QUICK = 500_000
"""Products of the largest call of a suite that is computed here."""


def largest(suite: Suite) -> int:
    """Products of the largest call that is computed at all."""
    products = (configuration.products for configuration in suite.configurations)
    return max(number for number in products if number <= MOST_PRODUCTS)


def cells(first: str) -> list[list[str]]:
    """The rows of the table whose header begins with that cell, the header too."""
    lines = audit.DOCUMENT.read_text(encoding="utf-8").splitlines()
    (start,) = (number for number, line in enumerate(lines) if line.startswith(f"| {first} |"))
    table = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line[2:-1].split(" | ")])
    return [row for row in table if not row[0].startswith("---")]


@pytest.fixture(scope="module")
def columns() -> dict[str, dict[str, str]]:
    """Suite -> mistake -> cell."""
    (head, *rows) = cells("mistake")
    return {
        slug: {row[0].strip("`*"): row[number] for row in rows}
        for number, slug in enumerate(head)
        if number
    }


def test_there_is_a_column_for_every_suite(columns: dict[str, dict[str, str]]) -> None:
    """The public ones by name, what they come to, and this one."""
    assert list(columns) == [*(suite.slug for suite in suites()), audit.PUBLIC, audit.OURS]


@pytest.mark.parametrize(
    "suite",
    [suite for suite in suites() if largest(suite) <= QUICK],
    ids=lambda suite: suite.slug,
)
def test_a_column_is_what_is_computed(suite: Suite, columns: dict[str, dict[str, str]]) -> None:
    """Every count of a suite that is quick to compute; tools/docs/audit.py writes them."""
    tally = of_configurations(suite.slug, suite.name, suite.configurations, lambda line: None)
    column = columns[suite.slug]
    made = {name: f"{tally.notices[name]}/{could}" for name, could in tally.could_show.items()}
    told = {name: cell for name, cell in column.items() if "/" in cell}
    assert told == made
    assert column["detected"] == str(tally.at_least(1))
    assert all(cell == NONE or "/" in cell or cell.isdigit() for cell in column.values())


def test_sources_are_the_suites() -> None:
    """The table of sources is that of the files of the suites."""
    tallies = [Tally(slug=suite.slug, name=suite.name) for suite in suites()]
    shown = [row[:3] + row[4:] for row in cells("suite")[1:]]
    made = [line[2:-2].split(" | ") for line in list(audit.sources(tallies))[2:]]
    assert shown == [row[:3] + row[4:] for row in made]


def test_every_public_suite_is_named_in_the_repository() -> None:
    """A file of the folder is a suite of the table."""
    folder = CHECKOUT / "conformance" / "audit" / "suites"
    assert {path.stem for path in folder.iterdir()} == {suite.slug for suite in suites()}
