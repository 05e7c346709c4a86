"""Environments that have the packages of a lock, all of them and no others.

Nothing is resolved and nothing is the parent's: what a lock says is installed as it stands. Two of
them share their files with uv's cache by hard links, so that the second costs links.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from shutil import which

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from conformance.environments.installer import (
    Environment,
    create,
    environment,
    install,
    listed,
    make,
    write_stamp,
)
from conformance.environments.pins import Pin

SUITE = "conv-transpose-conformance"
"""The suite is loaded from where it lies: a copy in an environment would be another."""

_NEEDED = ("numpy", "ml-dtypes")
"""What the suite's side of an engine's process needs, where a lock lacks it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteEnvironments:
    """Environments below one folder, for the interpreter that runs the suite; `also` are
    requirements that each has besides.
    """

    folder: Path
    also: tuple[str, ...] = ()

    def of(self, pins: Mapping[str, Pin]) -> Environment:
        """The environment of these pins, made if it is not there yet. Raises NotInstalled."""
        folder = self.folder / self.name(pins)
        return environment(folder) or make(folder, lambda part: _fill(part, self._lines(pins)))

    def has(self, pins: Mapping[str, Pin]) -> bool:
        """Whether it is there."""
        return environment(self.folder / self.name(pins)) is not None

    def name(self, pins: Mapping[str, Pin]) -> str:
        """The name of its folder: a mark of all that is in it, and of the interpreter."""
        state = repr((sys.executable, sys.version, self._lines(pins)))
        return f"lock-{hashlib.sha256(state.encode()).hexdigest()[:16]}"

    def _lines(self, pins: Mapping[str, Pin]) -> list[str]:
        """The lines of a requirements file."""
        also = {canonicalize_name(Requirement(text).name): text for text in self.also}
        lines = [
            " ".join([pin.requirement, *(f"--hash={one}" for one in pin.hashes)])
            for name, pin in sorted(pins.items())
            if name not in also and name != SUITE
        ]
        missing = [name for name in _NEEDED if name not in pins and name not in also]
        return [*lines, *also.values(), *filter(None, map(_as_here, missing))]


def _fill(part: Path, lines: Sequence[str]) -> None:
    python = create(part)
    if which("uv") is None and not all("--hash=" in line for line in lines):
        # with one digest pip wants them all; uv checks those that are there
        lines = [line.partition(" --hash=")[0] for line in lines]
    wanted = part / "requirements.txt"
    wanted.write_text("\n".join(lines) + "\n", encoding="utf-8")
    install(python, ["-r", str(wanted)])
    metadata = {canonicalize_name(name): both for name, both in listed(python).items()}
    write_stamp(
        part,
        installed={name: both[0] for name, both in metadata.items()},
        requires={name: both[1] for name, both in metadata.items()},
    )


def _as_here(name: str) -> str | None:
    """The suite's own version of a package."""
    try:
        return f"{name}=={version(name)}"
    except PackageNotFoundError:
        return None
