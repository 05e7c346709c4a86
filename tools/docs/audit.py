"""Makes the tables in docs/audit.md: the public suites, and what each detects.

    python tools/docs/audit.py

What stands between the marks of that file is replaced, all else is kept. A test makes some columns
again and holds them against the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from conformance.audit.count import OFTEN, Tally
from conformance.audit.suite import suites
from conformance.audit.table import legend, markdown, mistakes
from conformance.commands.audit import OURS, PUBLIC, columns

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "audit.md"
BEGIN, END = "<!-- made by tools/docs/audit.py -->", "<!-- end of what is made -->"


def sources(tallies: Sequence[Tally]) -> Iterator[str]:
    """A row for each public suite: where it is, how many tests, which numbers, what passes."""
    yield "| suite | tests | distinct calls | not computed | refusals | numbers | a result passes |"
    yield "| --- | ---: | ---: | ---: | ---: | --- | --- |"
    left_out = {tally.slug: tally.left_out for tally in tallies}
    for suite in suites():
        counts = (suite.tests, len(suite.configurations), left_out[suite.slug], suite.refused)
        cells = [*map(str, counts), suite.numbers, suite.passes]
        yield f"| `{suite.slug}`: [{suite.name}]({suite.source}) | {' | '.join(cells)} |"


def sentence(tallies: Sequence[Tally]) -> str:
    """What the table comes to."""
    by_slug = {tally.slug: tally for tally in tallies}
    public, ours = by_slug[PUBLIC], by_slug[OURS]
    names = mistakes(tallies)
    best = max((by_slug[suite.slug] for suite in suites()), key=lambda tally: tally.at_least(1))
    unseen = [f"`{name}`" for name in names if not public.notices[name]]
    told = f"; {' and '.join(unseen)} by none of them" if unseen else ""
    return (
        f"Of {len(names)} mistakes the public suites together detect {public.at_least(1)}, "
        f"{public.at_least(OFTEN)} of them at least {OFTEN} times{told}. The suite that detects "
        f"most is `{best.slug}`: {best.at_least(1)}, and {best.at_least(OFTEN)} at least {OFTEN} "
        f"times. The {ours.configurations} cases of this suite's subset `quick` that have a result "
        f"detect {ours.at_least(1)}, and {ours.at_least(OFTEN)} at least {OFTEN} times."
    )


def made(tallies: Sequence[Tally]) -> str:
    """What stands between the marks."""
    parts = (sentence(tallies), "\n".join(sources(tallies)), markdown(tallies), legend())
    return "\n\n".join(parts)


def document(text: str, tallies: Sequence[Tally]) -> str:
    """The document's text with what is made now."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{made(tallies)}\n\n{END}{after}"


if __name__ == "__main__":
    DOCUMENT.write_text(document(DOCUMENT.read_text(encoding="utf-8"), columns()), encoding="utf-8")
