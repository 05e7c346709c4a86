"""Count what engines support, from the records in git: `conformance/support/engines.json`.

    python tools/records/supported.py

Of every engine the newest release counts, and of that the newest record in which the engine was
not held to an older instruction set than the processor's. No engine is asked. What fails is
explained by the known failures as they are now.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from packaging.version import Version
from reference import explained

from conformance.corpus.files import shipped_cases
from conformance.record.reader import read_record
from conformance.record.record import verdict_from
from conformance.support.shipped import FILE, serialised
from conformance.support.table import EngineSupport, engines_of
from conformance.verdicts.known_reader import load_differences

REPORTS = Path(__file__).resolve().parents[2] / "reports"


def records() -> list[Path]:
    """The records in git."""
    return [REPORTS / "reference" / "results.jsonl", *sorted(REPORTS.glob("records/*.jsonl.gz"))]


def run_line(path: Path) -> dict[str, Any]:
    """The first line of a record."""
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as stream:
        line: dict[str, Any] = json.loads(stream.readline())
    return line


def newest(runs: Mapping[Path, Mapping[str, Any]]) -> dict[str, Path]:
    """Adapter -> the record that counts for it, by the run lines of all."""
    best: dict[str, tuple[tuple[Any, ...], Path]] = {}
    for path, run in runs.items():
        for label, versions in run["versions"].items():
            facts = run["facts"].get(label, {})
            held = facts.get("processor") not in (None, facts.get("isa"))
            order = (not held, [*map(Version, versions.values())], run["started"])
            if label not in best or order > best[label][0]:
                best[label] = (order, path)
    return {label: path for label, (_, path) in best.items()}


def engines(chosen: Mapping[str, Path]) -> list[EngineSupport]:
    """What each adapter supports by its record."""
    known = load_differences([shipped_cases()])
    sources = {entry.reason: entry.source for entry in known}
    found: dict[str, EngineSupport] = {}
    for path in _distinct(chosen.values()):
        record = read_record(path)
        verdicts = tuple(
            verdict_from(explained(asdict(verdict), dict(record.run), known))
            for verdict in record.verdicts
            if chosen.get(verdict.adapter) == path
        )
        for engine in engines_of(replace(record, verdicts=verdicts), sources):
            found[engine.name] = engine
    order = list(run_line(records()[0])["versions"])
    return sorted(found.values(), key=lambda engine: order.index(engine.name))


def _distinct(paths: Iterable[Path]) -> list[Path]:
    return list(dict.fromkeys(paths))


if __name__ == "__main__":
    chosen = newest({path: run_line(path) for path in records()})
    FILE.write_text(serialised(engines(chosen)), encoding="utf-8")
