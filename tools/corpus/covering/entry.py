"""One case of a design."""

from __future__ import annotations

from dataclasses import dataclass

from conformance.corpus.case import Case
from covering.arguments import Arguments
from covering.designs import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A case of the design with its levels."""

    row: Row
    case: Case
    arguments: Arguments
    gradients: bool = False
    compiled: bool = False
