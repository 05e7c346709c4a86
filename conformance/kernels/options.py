"""What a user asks the judge of kernels for."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from conformance.kernels.rungs import RUNGS


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a user asks for: `file` and `name` of the candidate, or the `engine` that is one, the
    file of its problem, the rungs that must be right, and how its process is run.
    """

    file: Path
    name: str | None = None
    engine: str | None = None
    form: str | None = None
    problem: Path | None = None
    require: tuple[str, ...] = ()
    rank: int | None = None
    device: str = "cpu"
    python: str = sys.executable
    timeout: float = 300.0
    memory: int = 0
    seed: int | None = None
    shown: bool = False
    in_process: bool = False
    speed: bool = True
    rungs: tuple[str, ...] = tuple(RUNGS)
