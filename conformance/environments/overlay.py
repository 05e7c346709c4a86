"""An interpreter that has one version of one distribution, and the parent's packages for everything
else.

An environment of its own lies before the site-packages of the interpreter that runs the suite. Into
it goes the distribution that was asked for and, of what that one requires, only what the parent
lacks or has in a version that does not do. So engines of two environments differ in as little as
they can, and one takes seconds and megabytes where a whole one takes minutes and gigabytes.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from conformance.environments.index import is_set, settings

SECONDS = 1800
LONGEST_TOLD = 400
_STAMP = "conformance.json"
_MOST_ROUNDS = 20
_LIST = """
import json
from importlib.metadata import distributions
found = {}
for one in distributions():  # the first of a name is the one that is imported
    found.setdefault(one.metadata["Name"], [one.version, one.requires or []])
print(json.dumps(found))
"""
_SITE = "import sysconfig; print(sysconfig.get_path('purelib'))"


class NotInstalled(Exception):  # noqa: N818 - a fact about a version, which is left out then
    """This version cannot be installed here; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """An interpreter, and by canonical name the versions of what was installed for it beyond the
    parent's packages; `leans_on` are those of the parent's that this needs.
    """

    python: str
    installed: Mapping[str, str]
    leans_on: Mapping[str, str] = field(default_factory=dict)


def write_stamp(folder: Path, **facts: Any) -> None:
    """Say what was made in a folder: `installed` and more, for `environment`."""
    (folder / _STAMP).write_text(json.dumps(facts), encoding="utf-8")


def environment(folder: Path) -> Environment | None:
    """The environment that was made in a folder, if one was."""
    if not (folder / _STAMP).is_file():
        return None
    stamp = json.loads((folder / _STAMP).read_text(encoding="utf-8"))
    return Environment(
        python=str(_python(folder)),
        installed=stamp["installed"],
        leans_on=stamp.get("leans_on", {}),
    )


class Environments:
    """Environments below one folder, for the interpreter that runs the suite; `also` are
    requirements that each has besides.
    """

    def __init__(self, folder: Path, *, also: Sequence[str] = ()) -> None:
        self.folder, self.also = folder, tuple(also)
        self.parent = parent_mark()
        self._uv = shutil.which("uv")

    def of(self, package: str, version: str) -> Environment:
        """The environment of a version, made if it is not there yet. Raises NotInstalled."""
        folder = self.folder / self.name(package, version)
        return environment(folder) or self.make(
            folder, [f"{canonicalize_name(package)}=={version}", *self.also]
        )

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

        It is made beside its place and moved there, so that one that was cut short, or is made
        twice at once, is never used.
        """
        part = folder.with_name(f"{folder.name}.{os.getpid()}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._create(part)
            installed, leans_on = self._fill(part, [Requirement(text) for text in requirements])
            write_stamp(part, wanted=list(requirements), installed=installed, leans_on=leans_on)
            if not folder.exists():
                part.rename(folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)
        made = environment(folder)
        assert made is not None
        return made

    def _create(self, folder: Path) -> None:
        if self._uv:
            _run([self._uv, "venv", "--quiet", "--python", sys.executable, str(folder)])
        else:
            _run([sys.executable, "-m", "venv", "--without-pip", str(folder)])
        site = Path(_run([str(_python(folder)), "-c", _SITE]).strip())
        lines = [f"import site; site.addsitedir({path!r})" for path in _parent_folders()]
        (site / "zz_parent.pth").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _fill(
        self, folder: Path, requirements: Sequence[Requirement]
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Install what was asked for, then what that lacks, until nothing is lacking; the versions
        of that, and those of the parent's packages that it needs.
        """
        python, requested = (
            str(_python(folder)),
            {canonicalize_name(one.name): one for one in requirements},
        )
        self._install(python, [str(one) for one in requirements])
        needed = {(canonicalize_name(one.name), frozenset(one.extras)) for one in requirements}
        for _ in range(_MOST_ROUNDS):
            installed = {
                canonicalize_name(name): metadata
                for name, metadata in json.loads(_run([python, "-c", _LIST])).items()
            }
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
                raise NotInstalled(
                    f"what it needs contradicts what was asked for: {', '.join(clash)}"
                )
            self._install(python, [str(one) for one in lacking])
            needed |= {(canonicalize_name(one.name), frozenset(one.extras)) for one in lacking}
        raise NotInstalled("what it needs contradicts itself")

    def _install(self, python: str, requirements: Sequence[str]) -> None:
        words = ["install", "--quiet", "--no-deps", "--only-binary=:all:", *requirements]
        if self._uv:
            _run([self._uv, "pip", words[0], "--python", python, *_sources(), *words[1:]])
        else:
            pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python]
            # a parent's copy of another version is seen by pip and must be left where it is
            _run([*pip, *words, "--ignore-installed"])


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


def _sources() -> list[str]:
    """pip's own settings of where packages come from, as uv's options."""
    configured = settings()
    words = ["--index-strategy", "unsafe-best-match"]  # all places are one, as to pip
    words += ["--no-index"] if is_set(configured, "no-index") else []
    for name in ("index-url", "extra-index-url", "find-links"):
        for location in configured.get(name, "").split():
            words += [f"--{name}", location]
    return words


def _python(environment: Path) -> Path:
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _run(command: Sequence[str]) -> str:
    """Run a tool and return its output. Raises NotInstalled with the last line of its output
    instead.
    """
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise NotInstalled(f"{Path(command[0]).name} did not end within {SECONDS} s") from None
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        lines = [line for line in lines if line.startswith("ERROR:")][
            -1:
        ] or lines  # pip's, of which the last says it
        why = [
            line.removeprefix("ERROR: ").lstrip("×╰─▶│ ")
            for line in lines
            if not line.startswith(("hint:", "warning:"))
        ]
        raise NotInstalled(
            " ".join(why)[:LONGEST_TOLD]
            or f"{Path(command[0]).name} ended with exit code {done.returncode}"
        )
    return done.stdout
