"""Environments of engines, in the cache: engines that exclude one another run in one command.

One has the pinned packages of its row and, of what these need, what the suite's interpreter lacks;
that interpreter's packages are seen behind them. It is found again as long as these are what they
were when it was made. That of an engine in JavaScript has what npm brings.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from conformance.adapters import REGISTRY
from conformance.environments import npm
from conformance.environments.installer import Environment, NotInstalled, environment
from conformance.environments.overlay import Environments
from conformance.errors import UsageError
from conformance.system import cache
from conformance.wording import instead

__all__ = ["NotInstalled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """An engine's environment: its folder, its interpreter, and by name the versions in it."""

    folder: Path
    environment: Environment


def installable() -> list[str]:
    """The names of the table whose packages an environment of their own can bring."""
    return [name for name, entry in REGISTRY.items() if entry.packages or entry.node]


def find(name: str) -> Installed | None:
    """The environment of an engine, if it was installed and what it leans on is still there."""
    folder = _folder(name)
    made = environment(folder)
    if made is None or any(_version(one) != was for one, was in made.leans_on.items()):
        return None
    if not all(
        canonicalize_name(one.name) in made.installed or _is_met(one)
        for one in map(Requirement, REGISTRY[name].packages)
    ):
        return None
    return Installed(folder=folder, environment=made)


def interpreter(name: str) -> str:
    """The interpreter of an adapter: the suite's own where it has all packages of the row, in
    whatever version; else that of its environment, if there is one.
    """
    entry = REGISTRY.get(name)
    if entry is None or not entry.packages:
        return sys.executable
    if all(_version(Requirement(one).name) for one in entry.packages):
        return sys.executable
    installation = find(name)
    return sys.executable if installation is None else installation.environment.python


def advice(name: str) -> str:
    """The line that brings an engine's environment, and why again where it was there."""
    stale = environment(_folder(name)) is not None
    again = " (again: packages that its environment leans on have changed)" if stale else ""
    return REGISTRY[name].advice(name) + again


def install(name: str) -> Installed:
    """Make an engine's environment, if it is not there. Raises UsageError for a name without one,
    and NotInstalled, one sentence, where it cannot be made.
    """
    _check(name)
    installation = find(name)
    if installation is not None:
        return installation
    folder, entry = _folder(name), REGISTRY[name]
    try:
        shutil.rmtree(folder, ignore_errors=True)
        if entry.node:
            npm.make(folder, entry.node[0])
        else:
            wanted = [one for one in entry.packages if not _is_met(Requirement(one))]
            Environments(folder.parent).make(folder, wanted)
    except OSError as error:
        raise NotInstalled(
            f"{error.filename or folder} cannot be written ({error.strerror}): CONFORMANCE_CACHE "
            "names another folder"
        ) from None
    made = find(name)
    assert made is not None
    return made


def remove(name: str) -> bool:
    """Remove an engine's environment; whether there was one. Raises UsageError as `install`."""
    _check(name)
    folder = _folder(name)
    there = folder.is_dir()
    shutil.rmtree(folder, ignore_errors=True)
    return there


def _check(name: str) -> None:
    if name not in installable():
        raise UsageError(
            f"{name} has no environment of its own, "
            + instead(name, installable(), listed_by="conformance engines list")
        )


def _folder(name: str) -> Path:
    """Rows with the same packages share one."""
    entry = REGISTRY[name]
    if entry.node:
        return cache.folder() / "engines" / f"{entry.node[0]}-{npm.mark(entry.node[0])}"
    packages = entry.packages
    mark = hashlib.sha256(repr((sys.executable, sys.version, packages)).encode()).hexdigest()[:12]
    return cache.folder() / "engines" / f"{Requirement(packages[0]).name}-{mark}"


def _is_met(requirement: Requirement) -> bool:
    has = _version(requirement.name)
    return has is not None and requirement.specifier.contains(has, prereleases=True)


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None
