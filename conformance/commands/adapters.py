"""`conformance adapters`: what is installed, and how to get what is not."""

from __future__ import annotations

import os

from conformance.commands.console import table, width_of_terminal
from conformance.outcomes import Crashed, Outcome, Raised, TimedOut, Unavailable
from conformance.printing import on_a_line, say
from conformance.workers.answers import Greeting
from conformance.workers.pool import Pool
from conformance.workers.specs import read_specs

COLUMNS = ("adapter", "convention", "versions", "devices", "facts, or what is wrong")


def run(pythons: list[str], variants: bool) -> None:
    """Greet every adapter of the table, with `variants` these too, and print what it said."""
    specs, _ = read_specs([], pythons, variants=variants)
    pool: Pool[None, None] = Pool(specs, jobs=os.cpu_count() or 1, timeout=60.0)
    try:
        answers = pool.greet()
    finally:
        pool.close()
    rows = []
    for label, answer in answers.items():
        if isinstance(answer, Greeting):
            versions = ", ".join(f"{name} {version}" for name, version in answer.versions.items())
            facts = ", ".join(f"{name} {str(fact).lower()}" for name, fact in answer.facts.items())
            cells = [label, answer.convention, versions, ", ".join(answer.devices), facts]
        else:
            cells = [label, "", "", "", remark(answer)]
        rows.append([on_a_line(cell.replace("\n", " ")) for cell in cells])
    say(*table(COLUMNS, rows, width_of_terminal()))


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
