"""`--accept`: entries of known failures for what fails in a record, with the reasons left for a
person to give.

Verdicts that fail alike share an entry. It names the very versions it was seen in: of a newer
release the same failure is known but unconfirmed, and one that was mended is told.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from conformance.corpus.strict_yaml import parse, scalar
from conformance.errors import FileProblems, RecordError
from conformance.record.record import Record
from conformance.system.files import replace_file
from conformance.verdicts.known_reader import entries_of
from conformance.verdicts.verdict import Verdict
from conformance.verdicts.version_range import public

_HEAD = "# What differs and is accepted: give each entry a reason in a sentence, and a source.\n"
_WORD = re.compile(r"[A-Za-z][\w./-]*")


class _Signature(NamedTuple):
    """How cases fail: what an entry says besides them."""

    adapter: str
    device: str
    quantity: str
    status: str
    kind: str | None
    diagnosis: str | None


def accept(record: Record, file: Path) -> tuple[int, int]:
    """Append entries for all that fails and no entry speaks of; how many verdicts, and how many
    unexpected ones are left.

    Raises RecordError where the file cannot be written, or where it would be no list of entries any
    more.
    """
    unexpected = [verdict for verdict in record.verdicts if verdict.unexpected]
    new = [verdict for verdict in unexpected if verdict.fails and verdict.known_problem is None]
    if new:
        _append(file, entries(new, record.run["versions"]))
    return len(new), len(unexpected) - len(new)


def entries(verdicts: Iterable[Verdict], versions: Mapping[str, Mapping[str, str]]) -> str:
    """The entries as YAML, their reasons and sources empty; `versions` are the record's, by
    adapter.
    """
    cases_by_signature: dict[_Signature, list[str]] = {}
    for verdict in verdicts:
        signature = _Signature(
            adapter=verdict.adapter,
            device=verdict.device,
            quantity=verdict.quantity,
            status=verdict.status,
            kind=verdict.kind,
            diagnosis=verdict.mistake,
        )
        cases_by_signature.setdefault(signature, []).append(verdict.case)
    return "\n".join(
        _entry(signature, cases, versions.get(signature.adapter, {}))
        for signature, cases in cases_by_signature.items()
    )


def _entry(signature: _Signature, cases: Sequence[str], versions: Mapping[str, str]) -> str:
    lines = [
        f"adapter: {_text(signature.adapter)}",
        "cases:",
        *(f"  - {_text(case)}" for case in cases),
    ]
    lines += [f"quantity: {signature.quantity}"] if signature.quantity != "output" else []
    lines += [
        f"versions: {json.dumps(_seen_in(versions))}",
        f"where: {{device: {_text(signature.device)}}}",
    ]
    failure = {"status": signature.status, "kind": signature.kind, "diagnosis": signature.diagnosis}
    lines += [f"{key}: {_text(value)}" for key, value in failure.items() if value is not None]
    lines += ['reason: ""', 'source: ""']
    return "".join(
        ("- " if not number else "  ") + line + "\n" for number, line in enumerate(lines)
    )


def _seen_in(versions: Mapping[str, str]) -> dict[str, str]:
    """A specifier of each version that is one; of what is none nothing can be said."""
    names = {name: public(version) for name, version in versions.items()}
    return {name: f"=={version}" for name, version in names.items() if version is not None}


def _text(value: Any) -> str:
    """A word as it is, anything else in quotes; JSON's are YAML's."""
    return value if _WORD.fullmatch(value) and scalar(value) == value else json.dumps(value)


def _append(file: Path, text: str) -> None:
    try:
        before = file.read_text(encoding="utf-8") if file.exists() else _HEAD
        whole = (
            before
            + ("" if before.endswith("\n") else "\n")
            + ("" if before == _HEAD else "\n")
            + text
        )
        entries_of(parse(file, whole), None)
        file.parent.mkdir(parents=True, exist_ok=True)
        replace_file(file, whole, through_links=True)
    except OSError as error:
        raise RecordError(
            f"{file} cannot be written: {error.strerror}, should be a file of known failures"
        ) from None
    except FileProblems:
        raise RecordError(
            f"{file} cannot be appended to, should be a list whose entries begin with a dash"
        ) from None
