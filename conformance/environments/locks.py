"""Lock and freeze files: the packages of a whole environment, each in one version.

Read are requirements with `==` (pip freeze, `uv pip compile`, with hashes and markers), pylock.toml
(PEP 751) and uv.lock. Of these what this interpreter would install counts.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from conformance.environments import tomllocks
from conformance.environments.pins import Lock, Pin
from conformance.errors import UsageError

MOST_BYTES = 64 * 2**20
_FORMATS = "a file of pip freeze or uv pip compile, a uv.lock or a pylock.toml"
_COMMENT = re.compile(r"(^|\s)#.*$")
_HASH = re.compile(r"\s--hash[= ](\S+)")
_OTHERS = {
    ".yml": "conda's",
    ".yaml": "conda's",
    "poetry.lock": "Poetry's",
    "pdm.lock": "PDM's",
    "Pipfile.lock": "Pipenv's",
}


def read_lock(path: Path) -> Lock:
    """The pins of a lock or freeze file that count for this interpreter. Raises UsageError."""
    if whose := _OTHERS.get(path.name) or _OTHERS.get(path.suffix):
        raise UsageError(f"{path}: is {whose}, should be {_FORMATS} (pip freeze writes one)")
    text = _text(path)
    lock = Lock(path=path)
    if path.suffix in (".toml", ".lock") and (tables := _toml(path, text)) is not None:
        tomllocks.read(lock, tables)
    else:
        _read_requirements(lock, text)
    if not lock.pins:
        raise UsageError(f"{path}: has no package for this interpreter, should be {_FORMATS}")
    return lock


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UsageError(f"{path}: is larger than {MOST_BYTES >> 20} MiB, should be {_FORMATS}")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path}: is not text in UTF-8, should be {_FORMATS}") from None


def _toml(path: Path, text: str) -> dict[str, Any] | None:
    """The tables of a TOML file; None for requirements that are called lock."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        if path.suffix == ".lock" and not text.lstrip().startswith(("[", "version =")):
            return None
        raise UsageError(f"{path}: is not TOML: {error}") from None


def _read_requirements(lock: Lock, text: str) -> None:
    for number, line in _lines(text):
        where = f"{lock.path}:{number}"
        option = line.split("=")[0].split()[0]
        if option in ("-r", "-c", "--requirement", "--constraint"):
            raise UsageError(f"{where}: {option}: another file is not read, should be its pins")
        if option in ("-e", "--editable"):
            lock.left_out.append(f"{where}: {option}: is not a release")
        elif option.startswith("-"):
            lock.left_out.append(f"{where}: {option}: pip's own settings count")
        else:
            pin = _pin(line, where)
            if pin is not None:
                lock.add(pin, where)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines with their numbers: continued ones joined, without comments and empty ones."""
    start, parts = 0, list[str]()
    for number, line in enumerate(text.splitlines(), 1):
        start = start if parts else number
        line = _COMMENT.sub("", line).rstrip()
        parts.append(line.removesuffix("\\"))
        if not line.endswith("\\"):
            joined = " ".join(parts).strip()
            parts = []
            if joined:
                yield start, joined
    if joined := " ".join(parts).strip():
        yield start, joined


def _pin(line: str, where: str) -> Pin | None:
    """The pin of a line, None if its marker does not hold here. Raises UsageError."""
    hashes = tuple(_HASH.findall(line))
    text = _HASH.sub("", line).strip()
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        raise UsageError(f"{where}: {text}: should be pinned, as in numpy==2.4.6") from None
    try:
        if requirement.marker is not None and not requirement.marker.evaluate():
            return None
    except (UndefinedComparison, UndefinedEnvironmentName) as error:
        raise UsageError(f"{where}: {text}: has a marker that means nothing: {error}") from None
    name = canonicalize_name(requirement.name)
    if requirement.url:
        return Pin(name=name, url=requirement.url, hashes=hashes)
    exact = [one for one in requirement.specifier if one.operator in ("==", "===")]
    if len(exact) != 1 or exact[0].version.endswith(".*") or len(requirement.specifier) != 1:
        raise UsageError(f"{where}: {text}: should be pinned, as in numpy==2.4.6")
    return Pin(name=name, version=exact[0].version, hashes=hashes)
