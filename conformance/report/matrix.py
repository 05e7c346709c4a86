"""The matrix cases by adapters, as data: columns, rows, and one character for each verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.record.record import Record
from conformance.verdicts.verdict import STATUSES, Verdict, standing

NO_VERDICT = "."
_FIRST = ord("0")
_NUMBERS = {name: number for number, name in enumerate(STATUSES)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """An adapter on a device, whose driver may compute on the processor (`by_software`)."""

    label: str
    device: str
    by_software: bool
    convention: str | None
    versions: str
    facts: str
    counts: Counter[str]
    """Verdicts by status."""
    standings: Counter[str]
    """Verdicts by standing: conforms, known, new, unsupported."""

    @property
    def key(self) -> str:
        """The column in an address."""
        return f"{self.label}@{self.device}"

    @property
    def title(self) -> str:
        """The column for people."""
        return self.label if self.device == "cpu" else f"{self.label} ({self.device})"

    @property
    def checked(self) -> int:
        return self.standings.total() - self.standings["unsupported"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A case and a quantity, with its verdict in every column, None where there is none."""

    name: str
    file: str
    short: str
    quantity: str
    case: Mapping[str, Any]
    verdicts: tuple[Verdict | None, ...]


def columns_of(record: Record) -> list[Column]:
    """Every adapter on every device of the run, and how its verdicts are spread."""
    statuses: dict[tuple[str, str], Counter[str]] = {}
    standings: dict[tuple[str, str], Counter[str]] = {}
    for verdict in record.verdicts:
        column = verdict.adapter, verdict.device
        statuses.setdefault(column, Counter())[verdict.status] += 1
        standings.setdefault(column, Counter())[standing(verdict)] += 1
    return [
        Column(
            label=entry["label"],
            device=device,
            by_software=record.by_software(entry["label"], device),
            convention=entry.get("convention"),
            versions=", ".join(
                f"{name} {version}"
                for name, version in record.run["versions"][entry["label"]].items()
            ),
            facts=", ".join(
                f"{name} {str(fact).lower()}"
                for name, fact in record.run["facts"].get(entry["label"], {}).items()
            ),
            counts=statuses.get((entry["label"], device), Counter()),
            standings=standings.get((entry["label"], device), Counter()),
        )
        for entry in record.run["adapters"]
        for device in record.run["devices"][entry["label"]]
    ]


def rows_of(record: Record, columns: Sequence[Column]) -> list[Row]:
    """A row per case and quantity, those of one file together, in the order of the record."""
    by_cell = {(v.case, v.quantity, v.adapter, v.device): v for v in record.verdicts}
    quantities: dict[str, list[str]] = {}
    for name, quantity, *_ in by_cell:
        if quantity not in quantities.setdefault(name, []):
            quantities[name].append(quantity)
    files: dict[str, list[Row]] = {}
    for name, case in record.cases.items():
        file, _, short = name.rpartition("/")
        for quantity in sorted(quantities.get(name, ["output"]), reverse=True):
            verdicts = tuple(
                by_cell.get((name, quantity, column.label, column.device)) for column in columns
            )
            row = Row(
                name=name, file=file, short=short, quantity=quantity, case=case, verdicts=verdicts
            )
            files.setdefault(file, []).append(row)
    return [row for file in sorted(files) for row in files[file]]


def code(verdict: Verdict) -> str:
    """One character: the status, and whether it is known or unexpected; `page.js` reads it."""
    state = 2 if verdict.unexpected else 1 if verdict.known is not None else 0
    return chr(_FIRST + 3 * _NUMBERS[verdict.status] + state)
