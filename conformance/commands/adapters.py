"""`conformance adapters`: what is installed, and how to get what is not."""

from __future__ import annotations

import os

from rich.table import Table
from rich.text import Text

from conformance.commands.console import console_of
from conformance.outcomes import Crashed, Outcome, Raised, TimedOut, Unavailable
from conformance.printing import text_of
from conformance.workers.answers import Greeting
from conformance.workers.pool import Pool
from conformance.workers.specs import read_specs


def run(pythons: list[str], variants: bool) -> None:
    """Greet every adapter of the table, with `variants` these too, and print what it said."""
    specs, _ = read_specs([], pythons, variants=variants)
    pool: Pool[None, None] = Pool(specs, jobs=os.cpu_count() or 1, timeout=60.0)
    try:
        answers = pool.greet()
    finally:
        pool.close()
    table = Table(box=None, pad_edge=False)
    for column in ("adapter", "convention", "versions", "devices", "facts, or what is wrong"):
        table.add_column(column, overflow="fold")
    for label, answer in answers.items():
        if isinstance(answer, Greeting):
            versions = ", ".join(f"{name} {version}" for name, version in answer.versions.items())
            facts = ", ".join(f"{name} {str(fact).lower()}" for name, fact in answer.facts.items())
            cells = [label, answer.convention, versions, ", ".join(answer.devices), facts]
        else:
            cells = [label, "", "", "", remark(answer)]
        table.add_row(*(Text(text_of(cell.split("\n"))) for cell in cells))
    console_of().print(table)


def remark(answer: Outcome) -> str:
    """Why an adapter has not greeted."""
    match answer:
        case Unavailable(reason=reason):
            return reason
        case Raised(type=kind, message=message):
            return f"fails while starting: {kind}: {message}"
        case Crashed(message=message):
            return f"dies while starting: {message}"
        case TimedOut(seconds=seconds):
            return f"does not start within {seconds:g} s"
    return str(answer)
