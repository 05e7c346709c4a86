"""The data that the package ships: what engines support, by the newest records of their releases.

`engines.json` is made by tools/records/supported.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from conformance.corpus.files import shipped_cases
from conformance.record.record import Record
from conformance.support.features import FEATURES
from conformance.support.table import Cell, EngineSupport, Reason, Share
from conformance.verdicts.known_reader import load_differences

FILE = Path(__file__).parent / "engines.json"


def shipped_engines() -> list[EngineSupport]:
    """The engines of the shipped data."""
    content = json.loads(FILE.read_text(encoding="utf-8"))
    return [_engine(**engine) for engine in content]


@cache
def shipped_sources() -> Mapping[str, str]:
    """Reason of a known difference that the package ships -> where it is published."""
    return {entry.reason: entry.source for entry in load_differences([shipped_cases()])}


def sources_of(record: Record) -> Mapping[str, str]:
    """Reason -> where it is published, for what a record knows to fail; reading them takes longer
    than a small record's page.
    """
    return shipped_sources() if any(verdict.known for verdict in record.verdicts) else {}


def _engine(
    reasons: list[list[str | None]], features: dict[str, list[Any]], **about: Any
) -> EngineSupport:
    keys = ("standing", "status", "text", "source")
    known_reasons = [Reason(**dict(zip(keys, reason, strict=True))) for reason in reasons]  # type: ignore[arg-type]
    cells = {
        feature: Cell(
            conforms=conforms,
            shares=tuple(
                Share(reason=known_reasons[number], count=count, example=example)
                for number, count, example in shares
            ),
        )
        for feature, (conforms, shares) in features.items()
    }
    empty = Cell(conforms=0, shares=())
    return EngineSupport(
        **about, cells={feature: cells.get(feature, empty) for feature in FEATURES}
    )


def serialised(engines: Iterable[EngineSupport]) -> str:
    """The text of the file: JSON with a line for each reason and each feature."""
    return "[\n" + ",\n".join(map(_serialised, engines)) + "\n]\n"


def _serialised(engine: EngineSupport) -> str:
    numbers = {reason: number for number, reason in enumerate(engine.reasons)}
    about = {
        "name": engine.name,
        "versions": dict(engine.versions),
        "place": engine.place,
        "date": engine.date,
    }
    reasons = [[one.standing, one.status, one.text, one.source] for one in numbers]
    features = {
        feature: [
            cell.conforms,
            [[numbers[share.reason], share.count, share.example] for share in cell.shares],
        ]
        for feature, cell in engine.cells.items()
        if cell.state
    }
    lines = [f"{_json(key)}: {_json(value)}" for key, value in about.items()]
    lines.append('"reasons": [\n  ' + ",\n  ".join(map(_json, reasons)) + "\n ]")
    cells = (f"{_json(feature)}: {_json(value)}" for feature, value in features.items())
    lines.append('"features": {\n  ' + ",\n  ".join(cells) + "\n }")
    return "{\n " + ",\n ".join(lines) + "\n}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
