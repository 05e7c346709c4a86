"""Lock files in TOML: pylock.toml, by packaging's own reader, and uv.lock.

Of a uv.lock what `uv sync` installs counts: the dependencies of the project and its group `dev`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from packaging.markers import InvalidMarker, Marker
from packaging.utils import canonicalize_name

from conformance.environments.pins import Lock, Pin
from conformance.errors import UsageError

Tables = Mapping[str, Any]


def read(lock: Lock, tables: Tables) -> None:
    """Add the pins of such a file. Raises UsageError."""
    if "lock-version" in tables:
        _read_pylock(lock, tables)
    elif "package" in tables and "requires-python" in tables:
        try:
            _read_uv(lock, tables)
        except (LookupError, TypeError, AttributeError, InvalidMarker) as error:
            raise UsageError(
                f"{lock.path}: is not a uv.lock that can be read ({type(error).__name__}: "
                f"{error}), should be one as uv lock writes it"
            ) from None
    else:
        raise UsageError(f"{lock.path}: is TOML, should be a uv.lock or a pylock.toml")


def _read_pylock(lock: Lock, tables: Tables) -> None:
    try:
        from packaging import pylock
    except ImportError:
        raise UsageError(
            f"{lock.path}: is a pylock.toml, which packaging reads from 26.1 on: pip install -U "
            "packaging"
        ) from None
    try:
        chosen = list(pylock.Pylock.from_dict(tables).select())
    except (pylock.PylockValidationError, pylock.PylockSelectError) as error:
        raise UsageError(f"{lock.path}: {error}") from None
    for package, source in chosen:
        where = f"{lock.path}: {package.name}"
        if isinstance(source, pylock.PackageVcs | pylock.PackageDirectory):
            lock.left_out.append(f"{where}: is not a release")
            continue
        files = [*(package.wheels or ()), *([package.sdist] if package.sdist else ())]
        hashes = tuple(f"{kind}:{value}" for one in files for kind, value in one.hashes.items())
        address = source.url if isinstance(source, pylock.PackageArchive) else None
        version = None if package.version is None else str(package.version)
        if version is None and address is None:
            raise UsageError(f"{where}: has no version, should have one")
        lock.add(Pin(name=package.name, version=version, url=address, hashes=hashes), where)


def _read_uv(lock: Lock, tables: Tables) -> None:
    packages: dict[str, list[Tables]] = {}
    for package in tables["package"]:
        packages.setdefault(canonicalize_name(package["name"]), []).append(package)
    roots = [one for one in tables["package"] if {"virtual", "editable"} & one["source"].keys()]
    if not roots:
        raise UsageError(f"{lock.path}: has no project, should be one as uv lock writes it")
    members = tables.get("manifest", {}).get("members")
    left = [(one, frozenset[str]()) for one in roots if not members or one["name"] in members]
    seen: set[tuple[str, str, frozenset[str]]] = set()
    while left:
        package, extras = left.pop()
        key = (package["name"], str(package.get("version")), extras)
        if key in seen:
            continue
        seen.add(key)
        _add(lock, package)
        for needed in _dependencies(package, extras):
            candidates = packages[canonicalize_name(needed["name"])]
            left.append((_chosen(needed, candidates), frozenset(needed.get("extra", ()))))


def _dependencies(package: Tables, extras: frozenset[str]) -> Iterator[Tables]:
    """What a package needs here; of the project its group dev too."""
    lists = [package.get("dependencies", [])]
    lists += [package.get("optional-dependencies", {}).get(extra, []) for extra in extras]
    lists.append(package.get("dev-dependencies", {}).get("dev", []))
    for needed in (one for several in lists for one in several):
        if "marker" not in needed or Marker(needed["marker"]).evaluate():
            yield needed


def _chosen(needed: Tables, candidates: list[Tables]) -> Tables:
    """Of the versions of a package, which differ between platforms, the one that counts here."""
    fitting = [
        one
        for one in candidates
        if needed.get("version") in (None, one.get("version"))
        and needed.get("source") in (None, one["source"])
    ]
    here = [
        one
        for one in fitting
        if not one.get("resolution-markers")
        or any(Marker(text).evaluate() for text in one["resolution-markers"])
    ]
    return (here or fitting)[0]


def _add(lock: Lock, package: Tables) -> None:
    source, name = package["source"], canonicalize_name(package["name"])
    where = f"{lock.path}: {name}"
    if "registry" in source:
        files = [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
        hashes = tuple(one["hash"] for one in files if "hash" in one)
        lock.add(Pin(name=name, version=package["version"], hashes=hashes), where)
    elif "url" in source:
        hashes = tuple(one["hash"] for one in package.get("wheels", []) if "hash" in one)
        lock.add(Pin(name=name, url=source["url"], hashes=hashes), where)
    elif not {"virtual", "editable"} & source.keys():
        lock.left_out.append(f"{where}: is not a release")
