"""The start of an engine that is a Node program: this process becomes it, or says what it lacks."""

from __future__ import annotations

import json
import os
import shutil
import sys

from conformance import environments
from conformance.adapters import REGISTRY
from conformance.environments.npm import PROGRAMS
from conformance.system.vulkan import has_hardware


def main(name: str) -> None:
    """Become the program of a row of the table, or answer its first request for it."""
    node, made = shutil.which("node"), environments.find(name)
    if node is None:
        _decline("node is not installed: nodejs.org, 20 or later")
    elif made is None:
        _decline(f"{REGISTRY[name].node[0]} is not installed: {environments.advice(name)}")
    else:
        program = str(PROGRAMS / "engine.mjs")
        driver = () if has_hardware() else ("software",)
        os.execv(node, [node, program, str(made.folder), *REGISTRY[name].node, *driver])


def _decline(reason: str) -> None:
    sys.stdin.readline()
    print(json.dumps({"outcome": "unavailable", "reason": reason}), flush=True)
