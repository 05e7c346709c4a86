"""What an engine supports, in words and signs: the terminal and docs/support.md say the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from conformance.support.table import Cell, EngineSupport, Reason
from conformance.wording import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A state of a cell: its sign, the style of its colour, and what it means."""

    sign: str
    style: str
    meaning: str


STATES: Mapping[str, State] = {
    "works": State(sign="✓", style="green", meaning="works: every check conforms"),
    "works in part": State(
        sign="◐",
        style="cyan",
        meaning="works in part: every check conforms, other calls are unsupported",
    ),
    "works, but": State(sign="~", style="yellow", meaning="works, but some checks fail"),
    "refuses": State(sign="!", style="magenta", meaning="refuses: it raises on valid input"),
    "fails": State(sign="✗", style="red", meaning="fails: no check conforms"),
    "unsupported": State(
        sign="–", style="dim", meaning="unsupported: its documentation says so, or it has no call"
    ),
}
_STANDINGS = {"known": "known failure", "new": "new failure"}


def short(cell: Cell) -> str:
    """A cell of the table: the sign and how many checks conform, of how many where not all do."""
    if not cell.state:
        return ""
    sign = STATES[cell.state].sign
    if cell.state == "unsupported":
        return sign
    of = "" if cell.conforms == cell.checked else f"/{cell.checked}"
    return f"{sign} {cell.conforms}{of}"


def long(cell: Cell) -> str:
    """A cell in words."""
    if cell.state == "unsupported":
        return "unsupported"
    return f"{cell.conforms} of {cell.checked} conform"


def count_of(count: int, reason: Reason) -> str:
    """How many checks a reason is of: "3 known failures", "1 unsupported"."""
    noun = _STANDINGS.get(reason.standing)
    return f"{count} {reason.standing}" if noun is None else counted(count, noun)


def origin(engine: EngineSupport) -> str:
    """The versions, the place and the day of the checks."""
    versions = ", ".join(f"{name} {version}" for name, version in engine.versions.items())
    return "; ".join(part for part in (versions, engine.place, engine.date) if part)


def details(engine: EngineSupport) -> Iterator[str]:
    """Every feature of an engine with its count, what is wrong or unsupported with an example, and
    then the reasons with their sources.
    """
    yield f"{engine.name}: {origin(engine)}"
    numbers = {reason: number for number, reason in enumerate(engine.reasons, 1)}
    for feature, cell in engine.cells.items():
        if cell.state:
            yield f"{STATES[cell.state].sign} {feature}: {long(cell)}"
        for share in cell.shares:
            what = count_of(share.count, share.reason)
            yield f"    {what} [{numbers[share.reason]}], e.g. {share.example}"
    for reason, number in numbers.items():
        yield f"[{number}] {reason.text}"
        if reason.source is not None:
            yield f"    source: {reason.source}"
