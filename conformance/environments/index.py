"""Which releases of a distribution the package index has, and since when.

pip is asked, so that its own configuration says where packages come from, and so that only releases
are seen that install here. When a file was uploaded, and whether it was yanked, the index tells in
the JSON form of its simple API (PEP 691, PEP 700), if it has one.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

SECONDS = 120
_AVAILABLE = re.compile(r"^Available versions: (.+)$", re.MULTILINE)
_DEFAULT_INDEX = re.compile(r"--index-url <url>.*?\(default\s+(\S+?)\)", re.DOTALL)
_SETTING = re.compile(r"^(?P<section>[^.=]+)\.(?P<name>[\w-]+)=(?P<value>.+)$")
_JSON = "application/vnd.pypi.simple.v1+json"


class IndexProblem(ValueError):  # noqa: N818 - a problem of the index or of the question, told in a sentence
    """No releases can be had: one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A released version as the index spells it, and the day of its first file (YYYY-MM-DD), if it
    tells.
    """

    version: str
    date: str | None = None

    def __str__(self) -> str:
        return self.version if self.date is None else f"{self.version} ({self.date})"


def releases(package: str) -> tuple[Release, ...]:
    """The releases that have a wheel for this interpreter, oldest first. Raises IndexProblem.

    Pre-releases are left out, and yanked ones where the index tells which they are.
    """
    done = _pip("index", "versions", package, "--only-binary=:all:")
    listed = _AVAILABLE.search(done.stdout)
    if listed is None:
        why = (done.stderr.strip().splitlines() or ["pip says nothing"])[-1]
        raise IndexProblem(
            f"--package {package}: pip finds no wheel of it ({why}), should be a distribution of "
            "the package index"
        )
    versions = sorted(
        (_parsed(text.strip()) for text in listed[1].split(",")), key=lambda pair: pair[0]
    )
    files = _files(package)
    dates = _dates(files)
    yanked = _yanked(files)
    return tuple(
        Release(version=text, date=dates.get(version))
        for version, text in versions
        if not version.is_prerelease and version not in yanked
    )


def settings() -> dict[str, str]:
    """pip's own settings of where packages come from: index-url, extra-index-url, find-links,
    no-index, where they are set.
    """
    ranked: dict[str, tuple[int, str]] = {}
    for line in _pip("config", "list").stdout.splitlines():
        match = _SETTING.match(line.strip())
        if match and match["name"] in ("index-url", "extra-index-url", "find-links", "no-index"):
            rank = {":env:": 2, "install": 1, "global": 0}.get(match["section"], -1)
            value = str(ast.literal_eval(match["value"]))
            ranked[match["name"]] = max(ranked.get(match["name"], (-1, "")), (rank, value))
    return {name: value for name, (rank, value) in ranked.items() if rank >= 0 and value}


def is_set(settings: Mapping[str, str], name: str) -> bool:
    """Whether a switch of pip's is on."""
    return settings.get(name, "").lower() in ("1", "true", "yes", "on")


def _pip(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *words]
    try:
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            env={**os.environ, "COLUMNS": "100000"},
        )
    except subprocess.TimeoutExpired:
        raise IndexProblem(
            f"pip {words[0]} did not answer within {SECONDS} s, should be tried again"
        ) from None
    if "No module named pip" in done.stderr:
        raise IndexProblem(
            f"{sys.executable} has no pip, should have: {sys.executable} -m ensurepip"
        )
    return done


def _files(package: str) -> Sequence[Mapping[str, Any]]:
    """The metadata that the index has of every file; empty if it has no JSON, or cannot be reached
    without pip.
    """
    configured = settings()
    if is_set(configured, "no-index"):
        return ()
    default = _DEFAULT_INDEX.search(_pip("index", "versions", "--help").stdout)
    url = configured.get("index-url") or (default[1] if default else "")
    if not url.startswith(("https://", "http://")):
        return ()
    request = Request(f"{url.rstrip('/')}/{canonicalize_name(package)}/", headers={"Accept": _JSON})
    try:
        with urlopen(request, timeout=SECONDS) as answer:
            files = json.load(answer)["files"]
    except (URLError, OSError, ValueError, LookupError, TypeError):
        return ()  # an index that speaks HTML alone has no dates
    return [file for file in files if isinstance(file, dict)] if isinstance(files, list) else ()


def _dates(files: Sequence[Mapping[str, Any]]) -> dict[Version, str]:
    """The first day on which a file of a version was uploaded."""
    first_days: dict[Version, str] = {}
    for file in files:
        version, uploaded = _version_of(str(file.get("filename"))), file.get("upload-time")
        if version is not None and isinstance(uploaded, str):
            first_days[version] = min(first_days.get(version, uploaded[:10]), uploaded[:10])
    return first_days


def _yanked(files: Sequence[Mapping[str, Any]]) -> set[Version]:
    """Versions of which every file was yanked."""
    states: dict[Version, list[bool]] = {}
    for file in files:
        version = _version_of(str(file.get("filename")))
        if version is not None:
            states.setdefault(version, []).append(bool(file.get("yanked")))
    return {version for version, state in states.items() if all(state)}


def _version_of(filename: str) -> Version | None:
    try:
        return (
            parse_wheel_filename(filename)[1]
            if filename.endswith(".whl")
            else parse_sdist_filename(filename)[1]
        )
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion):
        return None


def _parsed(text: str) -> tuple[Version, str]:
    return Version(text), text
