"""The entries of a board: an engine in one release in one place, as one record tells of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from packaging.version import InvalidVersion, Version

from conformance.record import messages
from conformance.record.definition import digest
from conformance.record.hardware import hardware
from conformance.record.record import Record
from conformance.record.reduction import ARRAYS
from conformance.verdicts.verdict import STANDINGS, Verdict, standing

Asked = tuple[str, str]
"""A case's full name and a quantity."""

Named = tuple[str, str]
"""A case's full name and the digest of its call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A record of the board: its name in the site's addresses, what it comes to in a sentence, its
    run line, and by case the digest of its call.
    """

    name: str
    summary: str
    ok: bool
    run: Mapping[str, Any]
    digests: Mapping[str, str]
    verdicts: int

    @property
    def started(self) -> str:
        return str(self.run["started"])

    @property
    def date(self) -> str:
        return self.started[:10]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One engine in one release in one place: all its verdicts of one record."""

    engine: str
    device: str
    convention: str | None
    versions: Mapping[str, str]
    place: str
    label: str
    source: Source
    verdicts: Mapping[Asked, Verdict]

    @property
    def release(self) -> str:
        """Its distributions with their versions, the one that it is called by first."""
        return ", ".join(f"{name} {version}" for name, version in self.versions.items()) or "?"

    @property
    def version(self) -> str:
        """The version of the distribution that it is called by."""
        return next(iter(self.versions.values()), "?")

    @property
    def order(self) -> tuple[Any, ...]:
        """By which releases are sorted."""
        return (*(_order(version) for version in self.versions.values()), self.release)

    def counts(self) -> Counter[str]:
        """How many verdicts fall into each of STANDINGS."""
        return Counter(map(standing, self.verdicts.values()))


def checked(counts: Mapping[str, int]) -> int:
    """How many of counted verdicts were checked."""
    return sum(counts.get(name, 0) for name in STANDINGS if name != "unsupported")


def source_of(record: Record, name: str) -> Source:
    """The record as a source."""
    return Source(
        name=name,
        summary=messages.summary(record),
        ok=record.ok,
        run=record.run,
        digests={case: digest(line) for case, line in record.cases.items()},
        verdicts=len(record.verdicts),
    )


def cases_of(record: Record, source: Source) -> dict[Named, Mapping[str, Any]]:
    """The lines of a record's cases, without the values of their arrays."""
    return {
        (name, source.digests[name]): _without_values(line) for name, line in record.cases.items()
    }


def _without_values(line: Mapping[str, Any]) -> dict[str, Any]:
    arrays = {key: line[key] for key in ARRAYS if line.get(key) is not None}
    return dict(line) | {
        key: {name: value for name, value in array.items() if name != "values"}
        for key, array in arrays.items()
    }


def entries_of(record: Record, source: Source) -> list[Entry]:
    """An entry for every adapter of a record on each of its devices."""
    verdicts: dict[tuple[str, str], dict[Asked, Verdict]] = {}
    for verdict in record.verdicts:
        column = verdicts.setdefault((verdict.adapter, verdict.device), {})
        column[verdict.case, verdict.quantity] = replace(verdict, got=None, timing=None)
    return [
        Entry(
            engine=str(entry["adapter"]),
            device=device,
            convention=entry.get("convention"),
            versions=record.run["versions"][entry["label"]],
            place=hardware(record, entry["label"], device),
            label=entry["label"],
            source=source,
            verdicts=verdicts[entry["label"], device],
        )
        for entry in record.run["adapters"]
        for device in record.run["devices"][entry["label"]]
        if (entry["label"], device) in verdicts
    ]


def newest(entries: Iterable[Entry]) -> list[Entry]:
    """Of each engine in each release in each place the entry of its newest record; the newest
    release first.
    """
    latest: dict[tuple[str, str, str], Entry] = {}
    for entry in sorted(entries, key=lambda entry: entry.source.started):
        latest[entry.engine, entry.release, entry.place] = entry
    return by_release(latest.values())


def by_release(entries: Iterable[Entry]) -> list[Entry]:
    """The newest release first; of one release by place, then the newest record first."""
    later = sorted(entries, key=lambda entry: entry.source.started, reverse=True)
    return sorted(
        sorted(later, key=lambda entry: entry.place), key=lambda entry: entry.order, reverse=True
    )


def by_engine(entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    """The entries of each engine, in the order in which engines first come."""
    engines: dict[str, list[Entry]] = {}
    for entry in entries:
        engines.setdefault(entry.engine, []).append(entry)
    return engines


def _order(version: str) -> Version:
    try:
        return Version(version)
    except InvalidVersion:
        return Version("0")
