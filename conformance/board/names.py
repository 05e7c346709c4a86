"""The addresses of a site: names of records, engines and case files that are safe as file names."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from conformance.record.record import Record

_UNSAFE = re.compile(r"[^A-Za-z0-9._+-]+")
_DATED = re.compile(r"\d{4}-\d{2}-\d{2}")
_ENDS = (".gz", ".jsonl")
MOST = 80


def slug(text: str) -> str:
    """A text as a file name: the same text has the same, and two texts never one."""
    safe = _UNSAFE.sub("-", text).strip("-.")[:MOST]
    return safe if safe and safe == text else f"{safe or 'x'}-{_digest(text)}"


def record_name(path: Path, record: Record) -> str:
    """The day of a record and what its file or its folder is called."""
    resolved = path.resolve()
    name = resolved.name
    for end in _ENDS:
        name = name.removesuffix(end)
    if name == "results":
        name = resolved.parent.name
    day = _DATED.match(str(record.run["started"]))
    if day is None or name.startswith(day[0]):
        return slug(name)
    return slug(f"{day[0]}-{name}")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
