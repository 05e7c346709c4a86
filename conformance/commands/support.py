"""`conformance support`: which features work on which engine, and why the others do not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.table import Table
from rich.text import Text

from conformance.adapters import REGISTRY
from conformance.commands.console import console_of
from conformance.errors import UsageError
from conformance.printing import on_a_line, say
from conformance.record.reader import read_record
from conformance.support.features import FEATURES
from conformance.support.shipped import shipped_engines, shipped_sources
from conformance.support.table import EngineSupport, engines_of
from conformance.support.text import STATES, details, origin, short
from conformance.wording import instead

WIDTH = 80
"""The fewest columns of an output that is no terminal."""


def run(engine: str | None, record: Path | None) -> None:
    """Print the table of all engines, or all that is known of those that are named."""
    engines = shipped_engines() if record is None else _of_record(record)
    if engine is None:
        _overview(engines, "support" if record is None else f"support --record {record}")
    else:
        for number, one in enumerate(named(engine, engines, shipped=record is None)):
            say(*([""] if number else []), *details(one))


def _of_record(path: Path) -> list[EngineSupport]:
    return engines_of(read_record(path), shipped_sources())


def named(
    name: str, engines: Sequence[EngineSupport], *, shipped: bool = False
) -> list[EngineSupport]:
    """The engine of that name, or all whose names begin so. Raises UsageError if there is none."""
    exact = [one for one in engines if one.name == name]
    matches = exact or [one for one in engines if name and one.name.startswith(name)]
    if matches:
        return matches
    if shipped and name in REGISTRY:
        raise UsageError(
            f"no checks of {name} are shipped; --record RECORD counts those of a run of your own"
        )
    names = [one.name for one in engines]
    should = instead(name, names, listed_by="conformance support")
    raise UsageError(f"unknown engine {name}: {should}")


def _overview(engines: Sequence[EngineSupport], words: str) -> None:
    console = console_of(WIDTH)
    for block in blocks(engines, console.width):
        console.print(_table(block), no_wrap=True)
        console.print()
    for state in STATES.values():
        say(f"{state.sign}  {state.meaning}")
    say("12/15: 12 of 15 checks conform; calls that are unsupported are not among them", "")
    for one in engines:
        say(f"{one.name}: {origin(one)}")
    say("", f"conformance {words} ENGINE says why")


def blocks(engines: Sequence[EngineSupport], width: int) -> Iterator[list[EngineSupport]]:
    """As many engines side by side as a table of that width has room for, at least one."""
    block: list[EngineSupport] = []
    for engine in engines:
        used = max(map(len, FEATURES)) + sum(1 + _width(one) for one in [*block, engine])
        if block and used > width:
            yield block
            block = []
        block.append(engine)
    if block:
        yield block


def _head(engine: EngineSupport) -> list[str]:
    """The name in lines of the column's head: it may be broken behind a hyphen."""
    return on_a_line(engine.name).replace("-", "-\n").split("\n")


def _width(engine: EngineSupport) -> int:
    return max(map(len, [*_head(engine), *map(short, engine.cells.values())]))


def _table(engines: Sequence[EngineSupport]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("feature", no_wrap=True, vertical="bottom")
    for engine in engines:
        head = Text("\n".join(_head(engine)))
        table.add_column(head, no_wrap=True, min_width=_width(engine))
    for feature in FEATURES:
        cells = [engine.cells[feature] for engine in engines]
        texts = (
            Text(short(cell), style=STATES[cell.state].style if cell.state else "")
            for cell in cells
        )
        table.add_row(feature, *texts)
    return table
