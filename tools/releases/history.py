"""Makes docs/history.md, the table of what was wrong in which release, from the records of the
version matrix.

    tox -e compat-keras-3.14.1,...  # each writes a record below reports/compat
    # makes reports/history.json of the records, and the page of that
    python tools/releases/history.py reports/reference reports/compat/*
    python tools/releases/history.py  # makes the page again

No engine is asked. What fails in the records is explained by the known failures as they are now:
one bug is what they give one reason for in one package. A failure that none explains is told, and
ends it with exit code 1.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from packaging.version import Version

from conformance.corpus.files import shipped_cases
from conformance.record.reader import read_record
from conformance.record.record import Record
from conformance.record.run_line import circumstances_of
from conformance.verdicts.known import Difference, explain
from conformance.verdicts.known_reader import load_differences
from conformance.verdicts.verdict import Verdict

CHECKOUT = Path(__file__).resolve().parents[2]
DATA = CHECKOUT / "reports" / "history.json"
PAGE = CHECKOUT / "docs" / "history.md"
MATRIX = Path(__file__).with_name("compat.yaml")

HEAD = """\
# History

What was wrong in which release, as the [version matrix](commands.md#other-versions) measured it.
This page is made by `python tools/releases/history.py`; do not edit it.

One row is one bug: what the [known failures](reports.md#known-failures) give one reason
for. *First bad* and *last bad* are releases that were run; `conformance bisect` finds the very
release where a bug came or went. Cases are those that failed in the last bad release, of which
one is named; the diagnosis is that of this one.
"""
REPAIRED, SINCE, ALWAYS = "Repaired", "Since a release", "In every release that was run"
TITLES = {
    REPAIRED: "",
    SINCE: "",
    ALWAYS: """
Nobody has repaired these in a release that was run, or they are limits that the documentation
does not tell.
""",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """One reason in one package: by release how many cases failed, and the case that stands for
    them in the last bad one.
    """

    package: str
    reason: str
    source: str
    failed: Mapping[str, int]
    adapters: tuple[str, ...]
    case: str
    diagnosis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """By package the statuses of every release that was run, the newest first; and the bugs."""

    releases: Mapping[str, Mapping[str, Mapping[str, int]]]
    bugs: tuple[Bug, ...]


def packages() -> dict[str, str]:
    """Which package of the matrix each adapter stands for."""
    table = yaml.safe_load(MATRIX.read_text(encoding="utf-8"))
    return {adapter: package for package, entry in table.items() for adapter in entry["adapters"]}


def explained(record: Record, known: list[Difference]) -> Iterator[tuple[str, Verdict]]:
    """(version of the package, verdict as the known failures of today explain it) for all
    adapters of the matrix.
    """
    run = record.run
    for verdict in record.verdicts:
        package = PACKAGES.get(verdict.adapter)
        if package is not None:
            versions = run["versions"][verdict.adapter]
            bare = replace(
                verdict, known=None, known_problem=None, known_unconfirmed=None, mended=None
            )
            circumstances = circumstances_of(run, verdict.adapter)
            verdict_today = explain(
                bare, known, adapter=verdict.adapter, versions=versions, circumstances=circumstances
            )
            yield versions[package].partition("+")[0], verdict_today


PACKAGES = packages()


def gather(records: Iterable[Record]) -> tuple[History, list[str]]:
    """The history of records, and what in them is unexpected."""
    known = load_differences([shipped_cases()])
    sources = {entry.reason: entry.source for entry in reversed(known)}
    counts: dict[str, dict[str, Counter[str]]] = {}
    failing: dict[tuple[str, str], dict[str, dict[tuple[str, str, str], Verdict]]] = {}
    unexpected = []
    for record in records:
        for version, verdict in explained(record, known):
            package = PACKAGES[verdict.adapter]
            counts.setdefault(package, {}).setdefault(version, Counter())[
                "known" if verdict.known else verdict.status
            ] += 1
            if verdict.unexpected:
                why = verdict.known_problem["problem"] if verdict.known_problem else verdict.status
                unexpected.append(
                    f"{package} {version}: {verdict.adapter}, {verdict.case}, {verdict.quantity}: "
                    f"{why}"
                )
            elif verdict.known:
                key = (verdict.case, verdict.adapter, verdict.quantity)
                failing.setdefault((package, verdict.known), {}).setdefault(version, {})[key] = (
                    verdict
                )
    bugs = [
        _bug(package, reason, sources[reason], failing[package, reason])
        for package, reason in sorted(failing)
    ]
    releases = {
        package: {v: dict(counts[package][v]) for v in _newest_first(counts[package])}
        for package in counts
    }
    return History(releases=releases, bugs=tuple(bugs)), unexpected


def _bug(
    package: str,
    reason: str,
    source: str,
    failing: Mapping[str, Mapping[tuple[str, str, str], Verdict]],
) -> Bug:
    last = failing[_newest_first(failing)[0]]
    shown = last[
        min(last, key=lambda key: (key[2] != "output", not key[0].startswith("regressions/"), key))
    ]
    name = (shown.diagnosis or {}).get("name")
    kind = (shown.mismatch or {}).get("kind")
    return Bug(
        package=package,
        reason=reason,
        source=source,
        failed={
            version: len({key[0] for key in failing[version]}) for version in _newest_first(failing)
        },
        adapters=tuple(sorted({key[1] for verdicts in failing.values() for key in verdicts})),
        case=shown.case,
        diagnosis=", ".join([shown.status, *(part for part in (kind, name) if part)]),
    )


def _newest_first(versions: Iterable[str]) -> list[str]:
    return sorted(versions, key=Version, reverse=True)


def page(history: History) -> str:
    """The page, from the history alone."""
    parts = [
        HEAD,
        (
            "\n## What was run\n\n| package | release | conform | known | unsupported |\n| --- | "
            "--- "
            "| --- | --- | --- |\n"
        ),
    ]
    for package, releases in history.releases.items():
        for version, counts in releases.items():
            numbers = (counts.get(name, 0) for name in ("conforms", "known", "unsupported"))
            parts.append(f"| {package} | {version} | {' | '.join(map(str, numbers))} |\n")
    for title, text in TITLES.items():
        rows = [_row(bug, history) for bug in history.bugs if _title(bug, history) == title]
        table = (
            "\n| bug | first bad | last bad | case | diagnosis |\n| --- | --- | --- | --- | --- |\n"
            + "".join(rows)
        )
        parts.append(f"\n## {title}\n{text}" + (table if rows else "\nNone.\n"))
    return "".join(parts)


def _title(bug: Bug, history: History) -> str:
    """Which of TITLES a bug stands below."""
    if not _still(bug, history):
        return REPAIRED
    return ALWAYS if _from_the_first(bug, history) else SINCE


def _still(bug: Bug, history: History) -> bool:
    return next(iter(history.releases[bug.package])) in bug.failed


def _from_the_first(bug: Bug, history: History) -> bool:
    return list(history.releases[bug.package])[-1] in bug.failed


def _row(bug: Bug, history: History) -> str:
    releases, bad = list(history.releases[bug.package]), list(bug.failed)
    first = f"{bad[-1]} or before" if _from_the_first(bug, history) else bad[-1]
    last = f"{bad[0]}, the newest" if _still(bug, history) else bad[0]
    between = [
        version
        for version in releases[releases.index(bad[0]) : releases.index(bad[-1])]
        if version not in bad
    ]
    if between:
        last += f" (not {', '.join(between)})"
    count = bug.failed[bad[0]]
    cases = f"`{bug.case}`" + (f" and {count - 1} more" if count > 1 else "")
    what = (
        f"{bug.package} ({', '.join(bug.adapters)}): {_cell(bug.reason)} Source: "
        f"{_cell(bug.source)}"
    )
    return f"| {what} | {first} | {last} | {cases} | {bug.diagnosis} |\n"


def _cell(text: str) -> str:
    """Text for a cell of a table: on one line, no bar, nothing that Markdown would take for
    markup.
    """
    escaped = "".join(
        f"\\{letter}" if letter in "|*_`<[" else letter for letter in " ".join(text.split())
    )
    return escaped if "http" not in escaped else escaped.replace("\\_", "_")


def read_history() -> History:
    content: dict[str, Any] = json.loads(DATA.read_text(encoding="utf-8"))
    bugs = (Bug(**{**bug, "adapters": tuple(bug["adapters"])}) for bug in content["bugs"])
    return History(releases=content["releases"], bugs=tuple(bugs))


def main(paths: list[str]) -> int:
    unexpected: list[str] = []
    if paths:
        history, unexpected = gather(read_record(Path(path)) for path in paths)
        DATA.write_text(
            json.dumps(asdict(history), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )
    PAGE.write_text(page(read_history()), encoding="utf-8")
    for line in unexpected:
        print(line, file=sys.stderr)
    return 1 if unexpected else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
