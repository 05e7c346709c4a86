"""The request of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from conformance.corpus.case import Case
from conformance.corpus.selection import Selection
from conformance.corpus.shards import Shard
from conformance.workers.sandbox import Sandbox
from conformance.workers.spec import Spec


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings that the command line passes on unchanged; the names are those of its
    options.
    """

    device: str | None = None
    timeout: float = 60.0
    precision: str = "strict"
    timing: str = "off"
    repeat: int = 1
    invariance: bool = False
    resume: bool = False
    maxfail: int | None = None
    allow_unsupported: bool = False
    in_process: bool = False
    dump: Path | None = None
    """The folder to which every call is written, with a program that makes it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Settings):
    """The cases to run, the engines to run them on, and the folder of the record."""

    selection: Selection
    specs: Sequence[Spec]
    texts_by_label: Mapping[str, str]
    pythons: Mapping[str, str] = field(default_factory=dict)
    paths: Sequence[str] = ()
    known: Sequence[Path] = ()
    jobs: int = 1
    threads: int = 1
    folder: Path = Path("reports/latest")
    deadline: float | None = None
    """The seconds after which the run stops where it is."""
    command: Sequence[str] = ()
    shard: Shard | None = None
    """The part of the selection that is run; all of it if there is none."""
    sandbox: Sandbox | None = None
    """Where the specs are those of engines in a sandbox: for others that are started beside."""

    @property
    def cases(self) -> tuple[Case, ...]:
        """The cases to run, in order: those of the shard, where there is one."""
        cases = self.selection.cases
        return cases if self.shard is None else self.shard.takes(cases)
