"""Runs the corpus on one release of one framework, against the same known failures as every
other.

    python tools/releases/compat.py NAME-RELEASE [OPTION OF conformance run]...
    python tools/releases/compat.py --dask WHERE [NAME-RELEASE]...
    python tools/releases/compat.py --list

NAME-RELEASE is a row of `compat.yaml` beside this file; `compat-` may stand before it, so that the
name of the tox environment will do. The release goes into an environment of its own, as for
`conformance bisect`; everything else is what this interpreter has installed. The record and the
page go to `reports/compat/NAME-RELEASE`, and the exit code is that of `conformance run`.

With --dask it is several rows, all that can be tried if none is named, each on a worker of a
cluster as `conformance run --dask` takes it: the environment is made there, and the record comes
back.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from conformance.cluster import Piece, crew_at
from conformance.environments.installer import Environment, NotInstalled
from conformance.environments.overlay import Environments
from conformance.record.reader import read_record
from conformance.report import write_page
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


def command(row: Row, python: str, output: Path, options: Sequence[str]) -> list[str]:
    """The run of a row whose release that interpreter has."""
    words = [
        sys.executable, "-m", "conformance", "run", "--timing", "off", "-o", str(output)
    ]  # fmt: skip
    for adapter in row.adapters:
        words += ["-a", adapter, "--python", f"{adapter}={python}"]
    return [*words, *options]


def installed(row: Row) -> Environment:
    """The environment of a row's release. Raises NotInstalled."""
    folder = cache.folder() / "bisect" / "environments"
    return Environments(folder, also=row.also).of(row.package, row.release)


def elsewhere(row: Row) -> tuple[int, str, bytes]:
    """The exit code, the end of what was told, and the record of a row, on a worker."""
    try:
        python = installed(row).python
    except NotInstalled as problem:
        return 2, f"cannot be installed: {problem}", b""
    with tempfile.TemporaryDirectory() as folder:
        words = command(row, python, Path(folder), ["--jobs", "1"])
        done = subprocess.run(words, check=False, capture_output=True, text=True)
        record = Path(folder) / "results.jsonl"
        told = (done.stdout + done.stderr).strip().splitlines()
        lines = [line for line in told if folder not in line]
        return (
            done.returncode,
            lines[-1] if lines else "",
            record.read_bytes() if record.is_file() else b"",
        )


def on_cluster(where: str, rows: Sequence[Row]) -> int:
    """Run rows on the workers of a cluster, and write each record as it comes."""
    worst = 0
    with crew_at(where) as crew:
        pieces = [
            Piece(tag=row, function=elsewhere, arguments=[row], name=row.name) for row in rows
        ]
        for row, (code, told, record) in crew.results(pieces):
            worst = max(worst, code)
            print(f"{row.name}: exit {code}: {told}", flush=True)
            if record:
                file = RECORDS / row.name / "results.jsonl"
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(record)
                write_page(read_record(file), file.parent)
    return worst


def main() -> int:
    rows, words = matrix(), sys.argv[1:]
    if words == ["--list"]:
        print("\n".join(f"compat-{name}" for name in rows))
        return 0
    where = words[1] if words[:1] == ["--dask"] and len(words) > 1 else None
    names = [word.removeprefix("compat-") for word in (words[:1] if where is None else words[2:])]
    for name in names or ([""] if where is None else []):
        if name not in rows:
            should = f"should be one of {', '.join(rows)}"
            print(f"tools/releases/compat.py {name}: {should}", file=sys.stderr)
            return 2
    if where is not None:
        tried = [row for row in rows.values() if not row.untried]
        return on_cluster(where, [rows[name] for name in names] or tried)
    row = rows[names[0]]
    try:
        environment = installed(row)
    except NotInstalled as problem:
        print(f"{row.name} cannot be installed: {problem}", file=sys.stderr)
        return 2
    print(
        "installed beside this interpreter's packages: "
        f"{', '.join(' '.join(one) for one in environment.installed.items())}"
    )
    run = command(row, environment.python, RECORDS / row.name, words[1:])
    return subprocess.run(run, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
