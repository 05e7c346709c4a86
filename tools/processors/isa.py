"""Runs the corpus on engines that are held to one instruction set, against the same known
differences as every other run.

    python tools/processors/isa.py NAME [OPTION OF conformance run]...
    python tools/processors/isa.py --keep NAME...
    python tools/processors/isa.py --page

NAME is a row of `isa.yaml` beside this file; `isa-` may stand before it, so that the name of the
tox environment will do. The record and the page go to `reports/isa/NAME/`, and the exit code is
that of `conformance run`. On a processor that has less, the verdicts that another machine left in
`reports/isa/NAME.json` are held against the known differences of today instead: whoever edits them
sees what they break there. `--keep` writes that file from the record, and `--page`
docs/processors.md from all of them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from conformance.corpus.files import shipped_cases
from conformance.record.record import Record, read_record
from conformance.record.run_line import circumstances_of
from conformance.system.processor import LEVELS, isa
from conformance.verdicts.known import Difference, explain
from conformance.verdicts.known_reader import load_differences
from conformance.verdicts.verdict import STATUSES, Verdict

CHECKOUT = Path(__file__).resolve().parents[2]
TABLE = Path(__file__).with_name("isa.yaml")
RECORDS = CHECKOUT / "reports" / "isa"
PAGE = CHECKOUT / "docs" / "processors.md"
SIGNS = {status.sign: name for name, status in STATUSES.items()}
NOT_ASKED = " "
KEPT = ("platform", "machine", "cpu", "adapters", "versions", "facts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One instruction set: what the processor needs, how engines are held to it, and which cases
    are run.
    """

    name: str
    needs: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    emulated: str | None = None
    cases: Sequence[str] = ()
    adapters: Sequence[str] = ()
    options: Sequence[str] = ()

    @property
    def is_here(self) -> bool:
        """Whether this processor, or QEMU on it, can run the row."""
        if self.emulated is not None:
            return shutil.which("qemu-x86_64") is not None
        levels = list(LEVELS)
        return isa() in levels and levels.index(isa()) >= levels.index(str(self.needs))


def matrix() -> dict[str, Row]:
    """The rows by name, in the table's order."""
    table = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    return {name: Row(name=name, **entry) for name, entry in table.items()}


def run(row: Row, options: Sequence[str]) -> int:
    """The run of a row; its exit code."""
    words = [
        sys.executable,
        "-m",
        "conformance",
        "run",
        *row.cases,
        "--timing",
        "off",
        "-o",
        str(RECORDS / row.name),
    ]
    words += [word for name in row.adapters for word in ("-a", name)]
    environment = {**os.environ, **row.environment}
    with tempfile.TemporaryDirectory() as folder:
        if row.emulated is not None:
            python = Path(folder) / "python"
            python.write_text(
                f'#!/bin/sh\nexec qemu-x86_64 -cpu "{row.emulated}" "{sys.executable}" "$@"\n'
            )
            python.chmod(0o755)
            words += [
                "--timeout",
                "300",
                *(word for name in row.adapters for word in ("--python", f"{name}={python}")),
            ]
        return subprocess.run(
            [*words, *row.options, *options], env=environment, check=False
        ).returncode


def kept(record: Record) -> dict[str, Any]:
    """What a record says of every verdict, a character each, and how those fail that do; the rest
    is left out.
    """
    cases = list(record.cases)
    number = {name: i for i, name in enumerate(cases)}
    statuses: dict[str, dict[str, list[str]]] = {}
    failures = []
    for verdict in record.verdicts:
        row = statuses.setdefault(verdict.adapter, {}).setdefault(
            verdict.quantity, [NOT_ASKED] * len(cases)
        )
        row[number[verdict.case]] = STATUSES[verdict.status].sign
        if verdict.fails:
            kind, name = (verdict.mismatch or {}).get("kind"), (verdict.diagnosis or {}).get("name")
            failures.append([verdict.adapter, verdict.quantity, verdict.case, kind, name])
    run = {key: record.run[key] for key in KEPT}
    lines = {
        adapter: {quantity: "".join(row) for quantity, row in rows.items()}
        for adapter, rows in statuses.items()
    }
    return {"run": run, "cases": cases, "statuses": lines, "failures": failures}


def verdicts(told: Mapping[str, Any]) -> Iterator[Verdict]:
    """The verdicts of a file that `kept` made."""
    details = {
        (adapter, quantity, case): rest for adapter, quantity, case, *rest in told["failures"]
    }
    for adapter, rows in told["statuses"].items():
        for quantity, row in rows.items():
            for case, sign in zip(told["cases"], row, strict=True):
                if sign != NOT_ASKED:
                    kind, name = details.get((adapter, quantity, case), (None, None))
                    yield Verdict(
                        case=case,
                        adapter=adapter,
                        device="cpu",
                        quantity=quantity,
                        status=SIGNS[sign],
                        exact=None,
                        error_over_bound=None,
                        mismatch=None if kind is None else {"kind": kind},
                        diagnosis=None if name is None else {"name": name},
                    )


def explained(told: Mapping[str, Any], known: Sequence[Difference]) -> Iterator[Verdict]:
    """The verdicts of a kept file as the known differences of today explain them."""
    run = told["run"]
    adapters = {line["label"]: line["adapter"] for line in run["adapters"]}
    here = {label: circumstances_of(run, label) for label in adapters}
    of_adapter = {
        label: [e for e in known if e.is_of(label, name)] for label, name in adapters.items()
    }
    for verdict in verdicts(told):
        label = verdict.adapter
        yield explain(
            verdict,
            of_adapter[label],
            adapter=adapters[label],
            versions=run["versions"][label],
            here=here[label],
        )


def unexpected(told: Mapping[str, Any], known: Sequence[Difference]) -> list[str]:
    """A line for every verdict of a kept file that the known differences of today do not
    explain.
    """
    return [
        f"{verdict.adapter} {verdict.status} in {verdict.case}, {verdict.quantity}: "
        + (
            f"{verdict.known_problem['entry']}: {verdict.known_problem['problem']}"
            if verdict.known_problem
            else "not known"
        )
        for verdict in explained(told, known)
        if verdict.unexpected
    ]


def file_of(name: str) -> Path:
    return RECORDS / f"{name}.json"


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file_of(name).read_text(encoding="utf-8"))
    return found


def keep(name: str) -> None:
    """Write a row's record as `kept` has it, a line for each adapter and each failure, so that a
    diff can be read.
    """
    told = kept(read_record(RECORDS / name))
    parts = []
    for key, value in told.items():
        if isinstance(value, list):
            lines = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in value)
            parts.append(f"{json.dumps(key)}: [\n{lines}\n]")
        else:
            lines = ",\n".join(
                f"{json.dumps(name)}: {json.dumps(entry, ensure_ascii=False)}"
                for name, entry in value.items()
            )
            parts.append(f"{json.dumps(key)}: {{\n{lines}\n}}")
    file_of(name).write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")


HEAD = """# Processors

What engines compute differently on another instruction set, as the corpus measured it. This page
is made by `python tools/processors/isa.py --page`; do not edit it.

`tox -e isa-NAME` runs the corpus on engines and their variants that are held to one instruction
set by their own switches: `ONEDNN_MAX_CPU_ISA`, `ATEN_CPU_CAPABILITY` and XLA's flag
`xla_cpu_max_isa`. What has no switch runs on an emulated processor (QEMU, *haswell*), on some
engines and a part of the corpus. On a machine that has less than a row needs, the row's last
record in `reports/isa/` is held against the known differences instead.

An engine tells [what it is held to](adapters.md#facts), so a known difference names that and no
processor. Numbers are verdicts, of outputs and gradients.
"""


DIFFERING = """
## What differs

A row is one reason. A dash is where no engine fails so; a blank, where none was asked.

"""


def page(rows: Mapping[str, Mapping[str, Any]], known: Sequence[Difference]) -> str:
    """The page of kept files by name."""
    found = {name: list(explained(told, known)) for name, told in rows.items()}
    parts = [
        HEAD,
        "\n## What was run\n\n",
        "| name | processor | engines | conform | known | unsupported |\n",
        "|" + " --- |" * 6 + "\n",
    ]
    for name, told in rows.items():
        counts = [
            sum(verdict.status == "conforms" for verdict in found[name]),
            sum(verdict.known is not None for verdict in found[name]),
            sum(verdict.status == "unsupported" for verdict in found[name]),
        ]
        parts.append(
            f"| {name} | {_processor(told)} | {len(told['statuses'])} | "
            f"{' | '.join(map(str, counts))} |\n"
        )
    parts.append(DIFFERING)
    parts.append(
        "| what | engines | case | "
        + " | ".join(rows)
        + " |\n"
        + "|"
        + " --- |" * (3 + len(rows))
        + "\n"
    )
    parts += _differing(found)
    return "".join(parts)


def _processor(told: Mapping[str, Any]) -> str:
    facts = told["run"]["facts"]
    levels = {its.get("processor", its.get("isa", "?")) for its in facts.values() if its}
    return ", ".join(sorted(levels))


Key = tuple[str, str, str]


def _differing(found: Mapping[str, Sequence[Verdict]]) -> Iterator[str]:
    """A row for every reason that explains failures on some instruction sets and not on all."""
    failing: dict[str, dict[str, set[Key]]] = {}
    asked: dict[str, set[Key]] = {}
    for name, row in found.items():
        for verdict in row:
            key = (verdict.case, verdict.adapter, verdict.quantity)
            asked.setdefault(name, set()).add(key)
            if verdict.known is not None:
                failing.setdefault(verdict.known, {}).setdefault(name, set()).add(key)
    for reason, by_name in failing.items():
        every = set().union(*by_name.values())
        if all((every & asked[name]) == by_name.get(name, set()) for name in found):
            continue
        odd = sorted(
            key
            for key in every
            if any(key in asked[n] and key not in by_name.get(n, set()) for n in found)
        )
        engines = ", ".join(dict.fromkeys(key[1] for key in odd))
        cells = [
            _cell(set(odd) & by_name.get(name, set()), set(odd) & asked[name]) for name in found
        ]
        cases = f"`{odd[0][0]}`" + (
            f" and {len({key[0] for key in odd}) - 1} more"
            if len({key[0] for key in odd}) > 1
            else ""
        )
        yield f"| {_plain(reason)} | {engines} | {cases} | {' | '.join(cells)} |\n"


def _cell(failing: set[Key], asked: set[Key]) -> str:
    return "" if not asked else str(len(failing)) if failing else "–"


def _plain(text: str) -> str:
    return "".join(
        f"\\{letter}" if letter in "|*_`<[" else letter for letter in " ".join(text.split())
    )


def check(name: str) -> int:
    """Hold a row's committed verdicts against the known differences of today."""
    lines = unexpected(read(name), load_differences([shipped_cases()]))
    print(
        f"{name}: this processor has {isa()}, so that reports/isa/{name}.json is held against the "
        "known differences:"
        f" {len(lines)} unexpected"
    )
    for line in lines:
        print(line)
    return 1 if lines else 0


def main(words: Sequence[str]) -> int:
    rows = matrix()
    if words[:1] == ["--page"]:
        there = {name: read(name) for name in rows if file_of(name).exists()}
        PAGE.write_text(page(there, load_differences([shipped_cases()])), encoding="utf-8")
        return 0
    names = [
        word.removeprefix("isa-") for word in (words[1:] if words[:1] == ["--keep"] else words[:1])
    ]
    wrong = [name for name in names if name not in rows]
    if wrong or not names:
        print(
            f"tools/processors/isa.py {' '.join(wrong)}: should be one of {', '.join(rows)}",
            file=sys.stderr,
        )
        return 2
    if words[0] == "--keep":
        for name in names:
            keep(name)
        return 0
    row = rows[names[0]]
    return run(row, words[1:]) if row.is_here else check(row.name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
