"""Many records as one board: what is read of each, one at a time, and what stands on the pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance.board.entries import (
    Entry,
    Named,
    Source,
    by_engine,
    by_release,
    cases_of,
    entries_of,
    newest,
    source_of,
)
from conformance.board.names import record_name
from conformance.record.reader import read_record
from conformance.record.record import Record
from conformance.support.features import features_of

Taken = Callable[[Path, str, Record], None]
"""What is done with each record while it is in memory: its path, its name on the board, itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """The sources, the newest first; the entries of each engine, the newest release first; of those
    the `standing` ones, each release once a place; and the cases with their features.
    """

    sources: Sequence[Source]
    entries: Mapping[str, Sequence[Entry]]
    standing: Mapping[str, Sequence[Entry]]
    cases: Mapping[Named, Mapping[str, Any]]
    features: Mapping[Named, frozenset[str]] = field(repr=False)

    @property
    def places(self) -> list[str]:
        """Every device and machine, that of most entries first."""
        counted: dict[str, int] = {}
        for entries in self.standing.values():
            for entry in entries:
                counted[entry.place] = counted.get(entry.place, 0) + 1
        return sorted(counted, key=lambda place: (-counted[place], place))


def read_board(paths: Iterable[Path], taken: Taken = lambda path, name, record: None) -> Board:
    """Read records, each once. Raises RecordError for what is none.

    Records of one day and name are told apart by a part of their digest; one that is named twice is
    taken once.
    """
    sources: dict[str, Source] = {}
    entries: list[Entry] = []
    cases: dict[Named, Mapping[str, Any]] = {}
    seen: set[str] = set()
    for path in paths:
        record = read_record(path)
        if record.seal.digest in seen:
            continue
        seen.add(record.seal.digest)
        name = record_name(path, record)
        name = f"{name}-{record.seal.digest[:8]}" if name in sources else name
        source = sources[name] = source_of(record, name)
        entries += entries_of(record, source)
        cases = cases_of(record, source) | cases
        taken(path, name, record)
    engines = dict(sorted(by_engine(entries).items()))
    return Board(
        sources=sorted(
            sources.values(), key=lambda source: (source.started, source.name), reverse=True
        ),
        entries={engine: by_release(those) for engine, those in engines.items()},
        standing={engine: newest(those) for engine, those in engines.items()},
        cases=cases,
        features={key: features_of(line) for key, line in cases.items()},
    )
