"""Ranges of versions in which something was seen: whether a release is in one, or newer or older
than all of it.

A range is a set of version specifiers (PyPA, "Version specifiers"). Of a pre-release the release
that it leads to decides.
"""

from __future__ import annotations

from enum import Enum

from packaging.specifiers import InvalidSpecifier, Specifier, SpecifierSet
from packaging.version import InvalidVersion, Version

_UPPER = frozenset({"<", "<=", "==", "~=", "==="})
_LOWER = frozenset({">", ">=", "==", "~=", "==="})


class Position(Enum):
    """Where a release lies, seen from a range."""

    BEFORE = "before"
    WITHIN = "within"
    BEYOND = "beyond"
    APART = "apart"
    """The position of a release that has none of the others: in a hole of the range, or no version
    at all."""


def position(version: str, specifier: SpecifierSet) -> Position:
    """Where a version lies: WITHIN, or on one side of every clause that it does not fulfil."""
    try:
        release = Version(version)
    except InvalidVersion:
        return Position.APART
    sides = {_side(release, clause) for clause in specifier} - {Position.WITHIN}
    return sides.pop() if len(sides) == 1 else Position.APART if sides else Position.WITHIN


def is_from(version: str, first: Version) -> bool:
    """Whether a release is `first` or a later one; its own pre-releases count as it does."""
    try:
        return Version(Version(version).base_version) >= first
    except InvalidVersion:
        return False


def public(version: str) -> str | None:
    """A version as a specifier can name it: `2.1+cpu` is 2.1, what is not a version is None."""
    name = version.partition("+")[0]
    try:
        SpecifierSet("==" + name)
    except InvalidSpecifier:
        return None
    return name


def widened(specifier: SpecifierSet, version: str) -> str:
    """The range with its upper or lower end moved to a version that lies beyond or before it; the
    other end stays as it is.
    """
    side, name = position(version, specifier), public(version)
    if side not in (Position.BEFORE, Position.BEYOND) or name is None:
        raise ValueError(f"{version} lies {side.value} {specifier}, should lie beyond or before it")
    bounds = [clause for each in specifier for clause in _open(each, side)]
    moved = f"<={name}" if side is Position.BEYOND else f">={name}"
    clauses = sorted({*bounds, moved}, key=lambda clause: (clause[0] != ">", clause))
    return ",".join(clauses)


def _side(release: Version, clause: Specifier) -> Position:
    if clause.contains(release, prereleases=True):
        return Position.WITHIN
    end = Version(clause.version.removesuffix(".*"))
    base = Version(release.base_version)
    if clause.operator in _UPPER and (base >= end if clause.operator == "<" else base > end):
        return Position.BEYOND
    if clause.operator in _LOWER and (base <= end if clause.operator == ">" else release < end):
        return Position.BEFORE
    return Position.APART


def _open(clause: Specifier, side: Position) -> list[str]:
    """A clause without its end on one side."""
    end = clause.version.removesuffix(".*")
    if clause.operator in ("==", "===", "~="):
        if side is Position.BEYOND:
            return [f">={end}"]
        if not clause.version.endswith(".*") and clause.operator != "~=":
            return [f"<={end}"]
        release = Version(end).release if clause.operator != "~=" else Version(end).release[:-1]
        return [f"<{'.'.join(map(str, (*release[:-1], release[-1] + 1)))}"]
    ends_there = clause.operator in (("<", "<=") if side is Position.BEYOND else (">", ">="))
    return [] if ends_there else [str(clause)]
