"""What the tests of the JSON Schemas share: a schema by its name, and what it says of its keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import conformance


def schema(name: str) -> dict[str, Any]:
    """The schema that the package ships by that name."""
    file = Path(conformance.__file__).parent / "schema" / f"{name}.schema.json"
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def undescribed(whole: dict[str, Any]) -> list[str]:
    """The places of keys that neither say what they mean nor refer to a part that says it."""
    return [
        place
        for place, entry in _properties(whole)
        if "description" not in entry
        and "description" not in whole["$defs"].get(entry.get("$ref", "").rpartition("/")[2], {})
    ]


def references(part: Any) -> Iterator[str]:
    """All that it refers to."""
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "$ref":
                yield value
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def _properties(part: Any, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(part, dict):
        if not place.endswith("/if"):  # which asks, and does not describe
            for name, entry in part.get("properties", {}).items():
                yield f"{place}/{name}", entry
        for key, value in part.items():
            yield from _properties(value, f"{place}/{key}")
    elif isinstance(part, list):
        for value in part:
            yield from _properties(value, place)
