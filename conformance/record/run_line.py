"""The first line of a record: everything that a result depends on, and what each key stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

from conformance.system.machine import Circumstances

FORMAT = 1
UNKNOWN = "?"


def _unknown() -> dict[str, Any]:
    return {"model": UNKNOWN, "flags": []}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLine:
    """The attributes are the keys of the run line; docs/reports.md says what each means.

    One with a default may lack in a record of an earlier version.
    """

    format: int
    conformance: str = UNKNOWN
    started: str = UNKNOWN
    platform: str
    system: str = UNKNOWN
    machine: str
    python: str = UNKNOWN
    cpu: Mapping[str, Any] = field(default_factory=_unknown)
    timeout: float = 60.0
    allow_unsupported: bool
    threads: int | None = None
    threads_told: Mapping[str, int | None]
    precision: str = "default"
    timing: str = "off"
    repeat: int
    invariance: bool
    command: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    corpus: str = ""
    shard: Mapping[str, Any] | None = None
    merged: list[dict[str, Any]] | None = None
    adapters: list[dict[str, Any]] = field(default_factory=list)
    versions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    devices: Mapping[str, list[str]] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)

    def content(self) -> dict[str, Any]:
        """The keys and values of the line."""
        return {entry.name: getattr(self, entry.name) for entry in fields(self)}


def with_defaults(content: Mapping[str, Any]) -> dict[str, Any]:
    """A run line that was read, with what a record of an earlier version lacks."""
    defaults = {
        entry.name: entry.default if entry.default_factory is MISSING else entry.default_factory()
        for entry in fields(RunLine)
    }
    return {key: value for key, value in defaults.items() if value is not MISSING} | dict(content)


RESUMED_WITH = {
    "corpus": "cases",
    "shard": "shard",
    "versions": "versions",
    "facts": "facts of the engines",
    "adapters": "adapters",
    "devices": "devices",
    "threads": "threads",
    "precision": "precision",
    "timing": "timing",
    "repeat": "number of repetitions",
    "invariance": "invariance",
}
"""The keys of the run line that must be equal for a record to go on, each with its name in words.
"""


def obstacle(begun: Mapping[str, Any], now: Mapping[str, Any]) -> str | None:
    """The name of what keeps a record with the run line `begun` from going on as `now`, if any."""
    return next(
        (
            name
            for key, name in RESUMED_WITH.items()
            if _unordered(begun.get(key, now[key])) != _unordered(now[key])
        ),
        None,
    )


def _unordered(value: Any) -> Any:
    return sorted(value, key=str) if isinstance(value, list) else value


def circumstances_of(run: Mapping[str, Any], label: str) -> Circumstances:
    """The machine of a record, and the facts of the adapter with that label."""
    return Circumstances(
        platform=run["platform"],
        machine=run["machine"],
        cpu_flags=frozenset(run["cpu"]["flags"]),
        facts=run["facts"].get(label, {}),
    )
