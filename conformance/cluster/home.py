"""A machine as pieces of work meet it: which suite it has, and how it starts engines."""

from __future__ import annotations

import hashlib
import platform
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from conformance import __version__, environments
from conformance.errors import UsageError
from conformance.workers.spec import Spec

PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """The interpreter of a process, and the folder and the state of the suite in it."""

    python: str
    package: str
    version: str
    digest: str


@cache
def suite_digest() -> str:
    """A digest of this package's code: another suite may judge otherwise."""
    state = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        state.update(path.relative_to(PACKAGE).as_posix().encode())
        state.update(path.read_bytes())
    return state.hexdigest()


@cache
def here() -> Home:
    """This process's own."""
    return Home(
        python=sys.executable, package=str(PACKAGE), version=__version__, digest=suite_digest()
    )


_at_work = threading.Lock()
"""Held by the piece that is done: engines beside a process answer one request at a time, whatever
number of threads the worker has."""


def perform(home: Home, function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function on a worker, for who asks from another home. Raises UsageError where the
    suite here is another one.
    """
    own = here()
    if own.digest != home.digest:
        raise UsageError(
            f"--dask: a worker on {platform.node()} has conformance {own.version} of another state "
            f"({own.package}), should have the same as here ({home.version}, {home.package})"
        )
    with _at_work:
        return function(*arguments)


def rehomed(spec: Spec, home: Home) -> Spec:
    """An engine of another home, as this machine starts it: what was named by a path stays so."""
    own = here()
    if (own.python, own.package) == (home.python, home.package) or spec.adapter.startswith("cmd:"):
        return spec
    python = spec.python or environments.interpreter(spec.adapter)
    made = Spec.of(spec.adapter, label=spec.label, python=python, by_name=spec.by_name)
    return replace(made, python=spec.python, memory=spec.memory)
