"""`conformance engines`: the environments that engines have of their own."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from conformance import environments
from conformance.commands.adapters import remark
from conformance.commands.console import entry, width_of_terminal
from conformance.printing import complain, say
from conformance.workers.answers import Greeting
from conformance.workers.pool import Pool
from conformance.workers.specs import read_specs


def install(names: Sequence[str]) -> None:
    """Make the environments, and print for each what the engine says of itself; exit 1 if one
    cannot start.
    """
    failed = 0
    for name in names:
        try:
            made = environments.install(name)
        except environments.NotInstalled as error:
            complain(f"{name} cannot be installed: {error}")
            failed += 1
            continue
        brought = ", ".join(f"{one} {it}" for one, it in made.environment.installed.items())
        say(f"{name}: {brought or 'nothing was lacking'}, in {made.folder}", flush=True)
        failed += not _greets(name)
    if failed:
        sys.exit(1)


def remove(names: Sequence[str]) -> None:
    """Remove the environments of these engines."""
    for name in names:
        say(f"{name}: {'removed' if environments.remove(name) else 'was not installed'}")


def list_environments() -> None:
    """Print every engine that may have one, and where it is."""
    width = width_of_terminal()
    for name in environments.installable():
        environment = environments.find(name)
        where = str(environment.folder) if environment else environments.advice(name)
        say(*entry(name, where, width))


def _greets(name: str) -> bool:
    """Whether the engine starts; a line says with which devices, or why not."""
    specs, _ = read_specs([name], [])
    pool: Pool[None, None] = Pool(specs, jobs=1, timeout=120.0)
    try:
        [answer] = pool.greet().values()
    finally:
        pool.close()
    if isinstance(answer, Greeting):
        facts = "".join(f", {key} {str(fact).lower()}" for key, fact in answer.facts.items())
        say(f"  on {', '.join(answer.devices)}{facts}")
        return True
    say(f"  {remark(answer)}")
    return False
