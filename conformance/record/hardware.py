"""Where an engine ran: the device, the machine and the instruction set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.record.record import Record


def hardware(record: Record, label: str, device: str) -> str:
    """The device, the processor and the instruction set that the engine says it is held to."""
    isa = record.run["facts"].get(label, {}).get("isa")
    software = " (software driver)" if record.by_software(label, device) else ""
    parts = [device + software, _processor(record.run, label), "" if isa is None else str(isa)]
    return ", ".join(part for part in parts if part)


def _processor(run: Mapping[str, Any], label: str) -> str:
    """The processor's model; in a record that was united, that of the records which the label came
    from.
    """
    models = [
        one["cpu"]
        for one in run.get("merged") or ()
        for before in one["versions"]
        if (label == before or label.startswith(f"{before}@"))
        and one["versions"][before] == run["versions"][label]
        and one["facts"].get(before, {}) == run["facts"].get(label, {})
    ]
    return " + ".join(dict.fromkeys(map(str, models))) or str(run["cpu"]["model"])
