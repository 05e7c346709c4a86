"""An interpreter that has one version of one distribution, and the parent's packages for everything
else.

An environment of its own lies before the site-packages of the interpreter that runs the suite. Into
it goes the distribution that was asked for and, of what that one requires, only what the parent
lacks or has in a version that does not do. So engines of two environments differ in as little as
they can, and one takes seconds and megabytes where a whole one takes minutes and gigabytes.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from conformance.environments.installer import (
    Environment,
    NotInstalled,
    create,
    environment,
    install,
    listed,
    make,
    run,
    write_stamp,
)

_MOST_ROUNDS = 20
_SITE = "import sysconfig; print(sysconfig.get_path('purelib'))"


class Environments:
    """Environments below one folder, for the interpreter that runs the suite; `also` are
    requirements that each has besides.
    """

    def __init__(self, folder: Path, *, also: Sequence[str] = ()) -> None:
        self.folder, self.also = folder, tuple(also)
        self.parent = parent_mark()

    def of(self, package: str, version: str) -> Environment:
        """The environment of a version, made if it is not there yet. Raises NotInstalled."""
        folder = self.folder / self.name(package, version)
        return environment(folder) or self.make(
            folder, [f"{canonicalize_name(package)}=={version}", *self.also]
        )

    def has(self, package: str, version: str) -> bool:
        """Whether it is there."""
        return environment(self.folder / self.name(package, version)) is not None

    def name(self, package: str, version: str) -> str:
        """The name of its folder: what it depends on has a mark in it, the parent's packages
        too.
        """
        mark = hashlib.sha256(
            repr((self.parent, package, version, self.also)).encode()
        ).hexdigest()[:12]
        return f"{canonicalize_name(package.partition('[')[0])}-{version}-{mark}"

    def make(self, folder: Path, requirements: Sequence[str]) -> Environment:
        """An environment with these requirements, and what they need that the parent lacks. Raises
        NotInstalled.
        """

        def fill(part: Path) -> None:
            python = self._create(part)
            installed, leans_on = _fill(python, [Requirement(text) for text in requirements])
            write_stamp(part, wanted=list(requirements), installed=installed, leans_on=leans_on)

        return make(folder, fill)

    def _create(self, folder: Path) -> str:
        python = create(folder)
        site = Path(run([python, "-c", _SITE]).strip())
        lines = [f"import site; site.addsitedir({path!r})" for path in _parent_folders()]
        (site / "zz_parent.pth").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return python


def _fill(
    python: str, requirements: Sequence[Requirement]
) -> tuple[dict[str, str], dict[str, str]]:
    """Install what was asked for, then what that lacks, until nothing is lacking; the versions
    of that, and those of the parent's packages that it needs.
    """
    requested = {canonicalize_name(one.name): one for one in requirements}
    install(python, [str(one) for one in requirements])
    needed = {(canonicalize_name(one.name), frozenset(one.extras)) for one in requirements}
    for _ in range(_MOST_ROUNDS):
        installed = {canonicalize_name(name): metadata for name, metadata in listed(python).items()}
        if hidden := [name for name, one in requested.items() if not _meets(one, installed)]:
            raise NotInstalled(
                f"what is imported is {installed[hidden[0]][0]}: another copy of {hidden[0]} "
                "lies before it"
            )
        lacking = unmet(needed, installed)
        if not lacking:
            own = {str(name): installed[name][0] for name, _ in sorted(needed, key=str)}
            used = {canonicalize_name(one.name) for one in _requirements(needed, installed)}
            return own, {name: installed[name][0] for name in sorted(used) if name not in own}
        if clash := [str(one) for one in lacking if canonicalize_name(one.name) in requested]:
            raise NotInstalled(f"what it needs contradicts what was asked for: {', '.join(clash)}")
        install(python, [str(one) for one in lacking])
        needed |= {(canonicalize_name(one.name), frozenset(one.extras)) for one in lacking}
    raise NotInstalled("what it needs contradicts itself")


def parent_mark() -> str:
    """A mark of the parent environment: its interpreter, and the versions of everything installed
    in it.
    """
    names = sorted({f"{one.metadata['Name']}=={one.version}" for one in distributions()})
    return "\n".join([sys.executable, sys.version, *names])


def unmet(
    needed: set[tuple[Any, frozenset[str]]], installed: Mapping[Any, Sequence[Any]]
) -> list[Requirement]:
    """The requirements of the distributions of `needed`, (canonical name, extras), that `installed`
    does not meet.

    `installed` is canonical name -> [version, requirements as metadata spells them].
    """
    lacking = {
        str(requirement): requirement
        for requirement in _requirements(needed, installed)
        if not _meets(requirement, installed)
    }
    return list(lacking.values())


def _requirements(
    needed: set[tuple[Any, frozenset[str]]], installed: Mapping[Any, Sequence[Any]]
) -> Iterator[Requirement]:
    """What the distributions of `needed` require here."""
    for name, extras in needed:
        for text in installed[name][1] if name in installed else ():
            try:
                requirement = Requirement(text)
            except InvalidRequirement:
                # of a time before the grammar was settled: the engine will say what it misses
                continue
            marker = requirement.marker
            if marker is not None and not any(
                marker.evaluate({"extra": extra}) for extra in ("", *extras)
            ):
                continue
            requirement.marker = None
            yield requirement


def _meets(requirement: Requirement, installed: Mapping[Any, Sequence[Any]]) -> bool:
    has = installed.get(canonicalize_name(requirement.name))
    return has is not None and requirement.specifier.contains(Version(has[0]), prereleases=True)


def _parent_folders() -> list[str]:
    """The folders of installed packages that this interpreter imports from, in its order."""
    return list(
        dict.fromkeys(
            path for path in sys.path if path.endswith(("site-packages", "dist-packages"))
        )
    )
