"""The record of a run, `results.jsonl`, in memory: the run line, cases, verdicts and the end."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from conformance.record.seal import Seal
from conformance.verdicts.verdict import Verdict

RECORD = "results.jsonl"
COMPRESSED = f"{RECORD}.gz"
"""The same, made small by gzip; both are read."""


_KEYS = tuple(entry.name for entry in fields(Verdict))


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The content of a record: the run line, cases by full name, verdicts, and the end line, or
    None if it was cut. A run goes on behind `bytes_before_end`, with the seal of those.
    """

    run: Mapping[str, Any]
    cases: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    verdicts: tuple[Verdict, ...] = ()
    end: Mapping[str, Any] | None = None
    bytes_before_end: int = 0
    seal: Seal = field(default_factory=Seal, compare=False, repr=False)

    @property
    def ok(self) -> bool:
        """Whether the gate passes: it ran to its end, nothing in it is unexpected, and something
        was checked.
        """
        return (
            self.end is not None
            and not self.end["problems"]
            and not self.unchecked
            and not any(verdict.unexpected for verdict in self.verdicts)
        )

    @property
    def problems(self) -> Sequence[Mapping[str, str]]:
        """Entries of known failures that speak of nothing: the `entry`, and its `problem`."""
        return [] if self.end is None else self.end["problems"]

    def by_software(self, adapter: str, device: str) -> bool:
        """Whether the driver of an adapter's device computes on the processor, as its facts say:
        what that takes is no device's time.
        """
        facts = self.run["facts"].get(adapter, {})
        return device != "cpu" and facts.get("software_driver") is True

    @property
    def unchecked(self) -> Sequence[Mapping[str, str]]:
        """The `adapter` or the `case` of which nothing was checked, with the `reason`; none where
        that is allowed. Of an adapter a shard cannot say so: another one may have checked it.
        """
        if self.end is None or self.run.get("allow_unsupported"):
            return []
        entries: Sequence[Mapping[str, str]] = self.end.get("unchecked", [])
        if self.run.get("shard"):
            return [entry for entry in entries if "adapter" not in entry]
        return entries


def verdict_from(content: Mapping[str, Any]) -> Verdict:
    """A verdict line as a Verdict; keys of a later version are left out, missing ones get their
    default.
    """
    return Verdict(**{key: value for key, value in content.items() if key in _KEYS})


def verdict_line(verdict: Verdict) -> dict[str, Any]:
    return {key: getattr(verdict, key) for key in _KEYS}


def strict(value: Any) -> Any:
    """The value with NaN and infinities as the strings "NaN", "Infinity", "-Infinity"."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping):
        return {key: strict(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [strict(entry) for entry in value]
    return value
