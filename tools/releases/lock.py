"""Makes requirements.lock: every distribution that the suite, its extras and its tools come to, on
every platform and Python, with the digests of its files on the package index.

    python tools/releases/lock.py

The versions are those of constraints.txt, and the newest for what stands there under no name. uv
resolves, and has to be installed. What is locked is what the default index has: an index of one's
own with other files of the same versions would be refused by these digests.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
PROJECT = CHECKOUT / "pyproject.toml"
CONSTRAINTS = CHECKOUT / "constraints.txt"
LOCK = CHECKOUT / "requirements.lock"
GROUPS = ("test", "lint", "type")
DEFAULT_INDEX = "https://pypi.org/simple"
HEADING = """\
# Made by tools/releases/lock.py of pyproject.toml and constraints.txt.
"""


def made() -> str:
    """The text of the lock. Raises CalledProcessError where uv cannot resolve."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "lock"
        subprocess.run(
            [
                "uv", "pip", "compile", str(PROJECT), "--quiet", "--universal",
                "--python-version", project["requires-python"].removeprefix(">="),
                "--extra", "all", *(word for group in GROUPS for word in ("--group", group)),
                "--constraint", str(CONSTRAINTS), "--default-index", DEFAULT_INDEX,
                "--generate-hashes", "--no-annotate", "--no-header", "--no-emit-index-url",
                "--output-file", str(file),
            ],
            cwd=CHECKOUT,
            check=True,
        )  # fmt: skip
        return HEADING + file.read_text(encoding="utf-8")


def main() -> int:
    """Write the lock."""
    LOCK.write_text(made(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
