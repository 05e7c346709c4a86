"""The instruction sets of the matrix, and whether this processor can run them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from conformance.system.processor import LEVELS, isa

TABLE = Path(__file__).resolve().parents[1] / "isa.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One instruction set: what the processor needs, how engines are held to it, and which cases
    are run.
    """

    name: str
    needs: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    emulated: str | None = None
    cases: Sequence[str] = ()
    adapters: Sequence[str] = ()
    options: Sequence[str] = ()

    @property
    def is_here(self) -> bool:
        """Whether this processor, or QEMU on it, can run the row."""
        if self.emulated is not None:
            return shutil.which("qemu-x86_64") is not None
        levels = list(LEVELS)
        return isa() in levels and levels.index(isa()) >= levels.index(str(self.needs))


def matrix() -> dict[str, Row]:
    """The rows by name, in the table's order."""
    table = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    return {name: Row(name=name, **entry) for name, entry in table.items()}
