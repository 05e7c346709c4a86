"""Installs the suite from the checkout that this file lies in, with the extras and requirements
that the environment names.

CONFORMANCE_EXTRAS=torch CONFORMANCE_REQUIREMENTS='torch==2.13.*' python action/install.py
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

SUITE = Path(__file__).resolve().parent.parent


def words(environment: Mapping[str, str]) -> list[str]:
    """The arguments for pip. Raises ValueError for an extra that is no word."""
    extras = re.split(r"[,\s]+", environment.get("CONFORMANCE_EXTRAS", "").strip())
    wrong = [extra for extra in extras if not re.fullmatch(r"[A-Za-z0-9._-]*", extra)]
    if wrong:
        raise ValueError(
            f"extras: {wrong[0]!r} is no name, should be names with blanks between, as in `torch "
            "onnx`"
        )
    chosen = ",".join(filter(None, extras))
    suite = f"{SUITE}[{chosen}]" if chosen else str(SUITE)
    return [suite, *shlex.split(environment.get("CONFORMANCE_REQUIREMENTS", ""))]


def main() -> int:
    """Exit as pip does, and with 2 for a bad input."""
    try:
        arguments = words(os.environ)
    except ValueError as error:
        print(f"::error title=conformance::{error}")
        return 2
    return subprocess.run(
        [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", *arguments],
        check=False,
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
