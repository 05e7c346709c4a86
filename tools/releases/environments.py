"""The tox environments whose names begin with one of the words given, as a JSON list: the matrix of
a workflow.

python tools/releases/environments.py compat- regression-
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def main(beginnings: list[str]) -> int:
    """Print the list; exit as tox does where it fails."""
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "tox", "list", "--no-desc", "-q"],
        cwd=root,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        print(
            json.dumps([name for name in done.stdout.split() if name.startswith(tuple(beginnings))])
        )
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
