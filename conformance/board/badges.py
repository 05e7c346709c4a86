"""The badge of an engine: what its newest release comes to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from conformance.badge import BLUE, GREEN, GREY, RED, badge
from conformance.board.entries import Entry, checked
from conformance.printing import printable


def engine_badge(engine: str, entries: Sequence[Entry]) -> dict[str, Any]:
    """The newest release on all its places together: green where all conforms, blue with known
    failures, red with new ones. `entries` have the newest release first.
    """
    newest = [entry for entry in entries if entry.release == entries[0].release]
    counts: Counter[str] = sum((entry.counts() for entry in newest), Counter())
    total, engine = checked(counts), printable(engine)
    version = printable(entries[0].version)
    message = f"{version}: {counts['conforms']} of {total}"
    if len(newest) > 1:
        message += f" on {len(newest)} machines"
    if not total:
        return badge(engine, f"{version}: nothing checked", GREY)
    return badge(engine, message, RED if counts["new"] else BLUE if counts["known"] else GREEN)
