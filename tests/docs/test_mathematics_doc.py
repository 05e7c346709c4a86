"""docs/mathematics.md cannot go stale: its code runs here, and its prose states no number of the
example that no code prints.
"""

from __future__ import annotations

import doctest
import re

import pytest
from helpers import CHECKOUT

DOCUMENT = CHECKOUT / "docs" / "mathematics.md"
EXAMPLE_SECTIONS = ("The oracle", "Scatter", "Zero insertion", "The matrix", "Phases")


@pytest.fixture(scope="module")
def text() -> str:
    return DOCUMENT.read_text(encoding="utf-8")


def session(text: str) -> doctest.DocTest:
    """The pycon blocks as one doctest; everything else becomes blank lines, so that a failure names
    the document's line.
    """
    lines, inside = [], False
    for line in text.splitlines():
        if line.startswith("```"):
            inside = line == "```pycon"
            lines.append("")
        else:
            lines.append(line if inside else "")
    return doctest.DocTestParser().get_doctest(
        "\n".join(lines) + "\n", {}, DOCUMENT.name, str(DOCUMENT), 0
    )


def test_every_number_is_what_the_code_prints(text: str) -> None:
    """Running the document's code prints the document's numbers."""
    report: list[str] = []
    results = doctest.DocTestRunner(verbose=False).run(session(text), out=report.append)
    assert results.failed == 0, "".join(report)
    assert results.attempted > 40


def test_a_changed_number_is_noticed(text: str) -> None:
    """A document with one number of the full output changed fails."""
    assert text.count("[ 6  8 20 12 14]") == 1
    stale = session(text.replace("[ 6  8 20 12 14]", "[ 6  8 20 12 15]"))
    assert doctest.DocTestRunner(verbose=False).run(stale, out=lambda _: None).failed == 1


@pytest.mark.parametrize("title", EXAMPLE_SECTIONS)
def test_each_derivation_shows_the_example(text: str, title: str) -> None:
    """Every derivation has code that prints the example's numbers, and no other number than 0 and 1
    in its prose.
    """
    (section,) = (
        part for part in re.split(r"^## ", text, flags=re.MULTILINE) if part.startswith(title)
    )
    blocks = re.findall(r"^```pycon\n(.*?)^```", section, flags=re.MULTILINE | re.DOTALL)
    assert any(re.search(r"^[^>.].*\d", block, flags=re.MULTILINE) for block in blocks)
    prose = re.sub(r"^```.*?^```", "", section, flags=re.MULTILINE | re.DOTALL).split("\nSource:")[
        0
    ]
    assert set(re.findall(r"\d+", prose)) <= {"0", "1"}


@pytest.mark.parametrize(
    "symbol",
    [
        "((1 + u_out)^r * gamma(n, u) + gamma(n, 2^-53)) * B + u_out * R + (n + 1) * eta",
        "R = |y| and r = 1 without a bias, R = |y| + |y - b| and r = 2 with one",
        "lambda = 6",
    ],
)
def test_bound_is_stated_as_the_code_states_it(text: str, symbol: str) -> None:
    """The formula of the document is the one in the module that computes it."""
    from conformance.oracle import bound

    assert symbol in text
    assert symbol in (bound.__doc__ or "")
