"""The subsets of the shipped cases: lists of full names beside them; a tool computes one, quick."""

from __future__ import annotations

from collections.abc import Mapping, Set
from pathlib import Path

from conformance.corpus.files import shipped_cases
from conformance.errors import FileProblems
from conformance.wording import instead

FOLDER = "subsets"


class UnknownSubsetError(LookupError):
    """There is no subset of that name: one sentence."""


def members(name: str) -> dict[str, str]:
    """Full name -> FILE:LINE of every member. Raises UnknownSubsetError, and FileProblems for a
    list that cannot be read.
    """
    files = {path.stem: path for path in sorted((shipped_cases() / FOLDER).glob("*.txt"))}
    if name not in files:
        raise UnknownSubsetError(f"unknown subset {name}: {instead(name, files)}")
    return _read(files[name])


def _read(file: Path) -> dict[str, str]:
    """A full name a line; what begins with # is a comment."""
    positions: dict[str, str] = {}
    wrong: list[str] = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        name, at = line.strip(), f"{file}:{number}"
        if not name or name.startswith("#"):
            continue
        if name in positions:
            wrong.append(f"{at}: {name} stands in {positions[name]} already, should stand once")
        positions.setdefault(name, at)
    if wrong:
        raise FileProblems(wrong)
    return positions


def check(members: Mapping[str, str], full_names: Set[str]) -> None:
    """Raise FileProblems for members that are none of the full names there are."""
    lost = [
        f"{at}: {name} is not a shipped case, should be the full name of one"
        for name, at in members.items()
        if name not in full_names
    ]
    if lost:
        raise FileProblems(lost)
