"""Environments by uv where it is on the PATH, else by venv and pip; packages come from where pip's
own settings say.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from conformance.environments.index import is_set, settings

SECONDS = 1800
LONGEST_REASON = 400
_STAMP = "conformance.json"
_LIST = """
import json
from importlib.metadata import distributions
found = {}
for one in distributions():  # the first of a name is the one that is imported
    found.setdefault(one.metadata["Name"], [one.version, one.requires or []])
print(json.dumps(found))
"""


class NotInstalled(Exception):  # noqa: N818 - a fact about a version, which is left out then
    """This version cannot be installed here; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """An interpreter, and by canonical name the versions of what was installed for it beyond the
    parent's packages; `leans_on` are those of the parent's that this needs, `requires` what each
    distribution requires, where the environment is a complete one.
    """

    python: str
    installed: Mapping[str, str]
    leans_on: Mapping[str, str] = field(default_factory=dict)
    requires: Mapping[str, Sequence[str]] = field(default_factory=dict)


def write_stamp(folder: Path, **facts: Any) -> None:
    """Say what was made in a folder: `installed` and more, for `environment`."""
    (folder / _STAMP).write_text(json.dumps(facts), encoding="utf-8")


def environment(folder: Path) -> Environment | None:
    """The environment that was made in a folder, if one was."""
    if not (folder / _STAMP).is_file():
        return None
    stamp = json.loads((folder / _STAMP).read_text(encoding="utf-8"))
    return Environment(
        python=str(python_of(folder)),
        installed=stamp["installed"],
        leans_on=stamp.get("leans_on", {}),
        requires=stamp.get("requires", {}),
    )


def make(folder: Path, fill: Callable[[Path], None]) -> Environment:
    """The environment that `fill` makes, and stamps, in the folder that it is given.

    It is made beside its place and moved there, so that one that was cut short, or is made twice at
    once, is never used.
    """
    part = folder.with_name(f"{folder.name}.{os.getpid()}-{threading.get_ident()}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.parent.mkdir(parents=True, exist_ok=True)
    try:
        fill(part)
        if not folder.exists():
            with contextlib.suppress(OSError):  # another was moved there in between
                part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    made = environment(folder)
    assert made is not None
    return made


def create(folder: Path) -> str:
    """An empty environment for the interpreter that runs the suite; its interpreter. Raises
    NotInstalled.
    """
    uv = shutil.which("uv")
    if uv:
        run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)])
    else:
        run([sys.executable, "-m", "venv", "--without-pip", str(folder)])
    return str(python_of(folder))


def install(python: str, requirements: Sequence[str]) -> None:
    """Install wheels of these requirements and of nothing else; `-r FILE` is one too. Raises
    NotInstalled.
    """
    uv = shutil.which("uv")
    words = ["install", "--quiet", "--no-deps", "--only-binary=:all:", *requirements]
    if uv:
        run([uv, "pip", words[0], "--python", python, *_sources(_pip_variables()), *words[1:]])
    else:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python]
        # a parent's copy of another version is seen by pip and must be left where it is
        run([*pip, *words, "--ignore-installed"])


def listed(python: str) -> dict[str, list[Any]]:
    """What an interpreter imports: distribution to [version, requirements as metadata spells
    them].
    """
    packages: dict[str, list[Any]] = json.loads(run([python, "-c", _LIST]))
    return packages


def python_of(environment: Path) -> Path:
    """The interpreter of an environment."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def run(command: Sequence[str]) -> str:
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
            " ".join(why)[:LONGEST_REASON]
            or f"{Path(command[0]).name} ended with exit code {done.returncode}"
        )
    return done.stdout


def _pip_variables() -> tuple[tuple[str, str], ...]:
    return tuple(sorted(pair for pair in os.environ.items() if pair[0].startswith("PIP_")))


@cache
def _sources(_variables: tuple[tuple[str, str], ...]) -> list[str]:
    """pip's own settings of where packages come from, as uv's options; asked once as long as these
    variables stay, since pip takes longer to say them than uv to install.
    """
    configured = settings()
    words = ["--index-strategy", "unsafe-best-match"]  # all places are one, as to pip
    words += ["--no-index"] if is_set(configured, "no-index") else []
    for name in ("index-url", "extra-index-url", "find-links"):
        for location in configured.get(name, "").split():
            words += [f"--{name}", location]
    return words
