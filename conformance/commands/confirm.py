"""`conformance confirm`: ranges of known failures widened from a record."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from conformance.corpus.files import shipped_cases
from conformance.corpus.selection import select
from conformance.printing import say
from conformance.record import confirm
from conformance.record.reader import read_record
from conformance.record.record import Record
from conformance.verdicts.known import Difference
from conformance.verdicts.known_reader import load_differences
from conformance.wording import counted


def run(folder: Path, files: Sequence[Path]) -> None:
    """Widen the entries of the record's corpora, or of the files given, and tell what was changed
    and what was left.
    """
    record = read_record(folder)
    findings = confirm.findings(record, load_differences([], files) if files else _of(record))
    for line in confirm.confirm(findings):
        say(line)
    changed = sum(finding.is_seen or finding.is_mended for finding in findings)
    say(
        f"{counted(changed, 'entry', 'entries')} changed, {len(findings) - changed} left to be "
        "judged by hand"
    )


def _of(record: Record) -> list[Difference]:
    """The known failures of the run: the entries of its corpora, and of the files given on its
    command line.
    """
    roots = (
        select(record.run["paths"], slow=True).roots if record.run["paths"] else [shipped_cases()]
    )
    return load_differences(roots, map(Path, record.run["known"]))
