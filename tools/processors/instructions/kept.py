"""The kept part of a record: how it is made, written and read again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from conformance.record.reader import read_record
from conformance.record.record import Record
from conformance.verdicts.verdict import STATUSES, Verdict

RECORDS = Path(__file__).resolve().parents[3] / "reports" / "isa"

SIGNS = {status.sign: name for name, status in STATUSES.items()}

NOT_ASKED = " "

KEPT = ("platform", "machine", "cpu", "adapters", "versions", "facts")


def kept(record: Record) -> dict[str, Any]:
    """The kept part of a record: every verdict, a character each, and how those fail that do."""
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


def verdicts(content: Mapping[str, Any]) -> Iterator[Verdict]:
    """The verdicts of a file that `kept` made."""
    details = {
        (adapter, quantity, case): failure
        for adapter, quantity, case, *failure in content["failures"]
    }
    for adapter, rows in content["statuses"].items():
        for quantity, row in rows.items():
            for case, sign in zip(content["cases"], row, strict=True):
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


def file_of(name: str) -> Path:
    return RECORDS / f"{name}.json"


def read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(file_of(name).read_text(encoding="utf-8"))
    return content


def keep(name: str) -> None:
    """Write a row's record as `kept` has it, a line for each adapter and each failure, so that a
    diff can be read.
    """
    content = kept(read_record(RECORDS / name))
    parts = []
    for key, value in content.items():
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
