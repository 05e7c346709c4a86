"""The packages of an engine in JavaScript, brought by npm: what its package-lock.json pins.

The lock names no registry: npm asks the one of its own settings, and holds what comes to the lock's
digests.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

from conformance.environments.installer import LONGEST_REASON, SECONDS, NotInstalled, write_stamp

PROGRAMS = Path(__file__).resolve().parent.parent / "web"
"""The Node program of the suite, and beside it a folder for each library."""

_FILES = ("package.json", "package-lock.json")


def mark(project: str) -> str:
    """A mark of everything that is pinned for a library."""
    return hashlib.sha256((PROGRAMS / project / _FILES[1]).read_bytes()).hexdigest()[:12]


def make(folder: Path, project: str) -> None:
    """Bring a library's packages into `folder`/node_modules. Raises NotInstalled.

    As other environments, it is made beside its place and moved there.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise NotInstalled("npm is not installed: it comes with Node.js, 20 or later")
    part = folder.with_name(f"{folder.name}.{os.getpid()}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        for name in _FILES:
            shutil.copy(PROGRAMS / project / name, part)
        # no package may run a script of its own, and none of these needs one
        _run([npm, "ci", "--ignore-scripts", "--engine-strict", "--no-audit", "--no-fund"], part)
        wanted = json.loads((part / _FILES[0]).read_text(encoding="utf-8"))["dependencies"]
        write_stamp(part, installed=wanted)
        if not folder.exists():
            part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _run(command: list[str], folder: Path) -> None:
    """Run npm in a folder. Raises NotInstalled with its own words instead."""
    try:
        done = subprocess.run(
            command, cwd=folder, check=False, capture_output=True, text=True, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        raise NotInstalled(f"npm did not end within {SECONDS} s") from None
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines()]
        why = [line.removeprefix("npm error").strip() for line in lines if "npm error" in line]
        raise NotInstalled(
            " ".join(why)[:LONGEST_REASON] or f"npm ended with exit code {done.returncode}"
        )
