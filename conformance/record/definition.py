"""The call that a case is: what two records must agree on for its verdicts to be comparable."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

DEFINING = (
    "spatial",
    "dtype",
    "must_fail",
    "geometry",
    "native",
    "input",
    "kernel",
    "bias",
    "gradients",
)
"""The keys of a case's line that define its call; the others only tell of it."""

DIGITS = 16


def digest(line: Mapping[str, Any]) -> str:
    """The first digits of the SHA-256 of the call, in hexadecimal. Of an array with a recipe that
    counts, so that a record which left out the values has the same.
    """
    call = [[key, _content(line.get(key))] for key in DEFINING]
    text = json.dumps(call, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:DIGITS]


def _content(value: Any) -> Any:
    if isinstance(value, Mapping) and "make" in value:
        return {key: entry for key, entry in value.items() if key != "values"}
    return value
