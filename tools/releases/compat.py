"""Runs the corpus on one release of one framework, against the same known differences as every
other.

    python tools/releases/compat.py NAME-RELEASE [OPTION OF conformance run]...
    python tools/releases/compat.py --list

NAME-RELEASE is a row of `compat.yaml` beside this file; `compat-` may stand before it, so that the
name of the tox environment will do. The release goes into an environment of its own, as for
`conformance bisect`; everything else is what this interpreter has installed. The record and the
page go to `reports/compat/NAME-RELEASE`, and the exit code is that of `conformance run`.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

from conformance.environments.overlay import Environments, NotInstalled
from conformance.system import cache

CHECKOUT = Path(__file__).resolve().parents[2]
TABLE = Path(__file__).with_name("compat.yaml")
RECORDS = CHECKOUT / "reports" / "compat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One release of the matrix, and the adapters that it is asked through."""

    package: str
    release: str
    adapters: tuple[str, ...]
    also: tuple[str, ...] = ()
    untried: bool = False

    @property
    def name(self) -> str:
        return f"{self.package}-{self.release}"


def matrix() -> dict[str, Row]:
    """The rows by name, in the table's order."""
    rows = []
    for package, entry in yaml.safe_load(TABLE.read_text(encoding="utf-8")).items():
        for release in map(str, entry["releases"]):
            also = tuple(entry.get("with", {}).get(release, ()))
            untried = release in map(str, entry.get("untried", ()))
            rows.append(
                Row(
                    package=package,
                    release=release,
                    adapters=tuple(entry["adapters"]),
                    also=also,
                    untried=untried,
                )
            )
    return {row.name: row for row in rows}


def command(row: Row, python: str, options: list[str]) -> list[str]:
    """The run of a row whose release that interpreter has."""
    words = [
        sys.executable,
        "-m",
        "conformance",
        "run",
        "--timing",
        "off",
        "-o",
        str(RECORDS / row.name),
    ]
    for adapter in row.adapters:
        words += ["-a", adapter, "--python", f"{adapter}={python}"]
    return words + options


def main() -> int:
    rows = matrix()
    if sys.argv[1:] == ["--list"]:
        print("\n".join(f"compat-{name}" for name in rows))
        return 0
    name = sys.argv[1].removeprefix("compat-") if len(sys.argv) > 1 else ""
    if name not in rows:
        print(
            f"tools/releases/compat.py {name}: should be one of {', '.join(rows)}", file=sys.stderr
        )
        return 2
    row = rows[name]
    try:
        environment = Environments(cache.folder() / "bisect" / "environments", also=row.also).of(
            row.package, row.release
        )
    except NotInstalled as problem:
        print(f"{name} cannot be installed: {problem}", file=sys.stderr)
        return 2
    print(
        "installed beside this interpreter's packages: "
        f"{', '.join(' '.join(one) for one in environment.installed.items())}"
    )
    return subprocess.run(command(row, environment.python, sys.argv[2:]), check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
