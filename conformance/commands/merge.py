"""`conformance merge`: one record out of several of one corpus."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from conformance.commands.console import console_of
from conformance.commands.run import UNBROKEN
from conformance.commands.summary import tell
from conformance.errors import UsageError
from conformance.printing import say
from conformance.record.merge import Merged, merge, write
from conformance.record.reader import read_record, read_written
from conformance.record.record import RECORD
from conformance.record.writer import Writer
from conformance.verdicts.verdict import Verdict
from conformance.wording import counted

MOST_CONFLICTS = 20


def run(files: Sequence[Path], folder: Path) -> None:
    """Write the record and its page, tell them, and exit as a run does; what is told twice and not
    alike is shown, and nothing is written.
    """
    from conformance.report import write_page

    for file in files:
        at = file / RECORD if file.is_dir() else file
        if at.resolve() == (folder / RECORD).resolve():
            raise UsageError(
                f"--output {folder}: is a record that is read, should be another folder"
            )
    merged = merge(files, [read_record(file) for file in files], ["conformance", *sys.argv[1:]])
    if merged.conflicts:
        _tell_conflicts(merged)
        raise typer.Exit(1)
    writer = Writer(folder / RECORD)
    write(merged, writer)
    record = read_written(writer.path, writer.seal)
    page = write_page(record, folder)
    tell(console_of(UNBROKEN), record)
    if merged.missing:
        say(*merged.missing)
        say("Unite those too, or run the whole into this folder with --resume.")
    say(writer.path, page)
    raise typer.Exit(0 if record.ok else 1)


def _tell_conflicts(merged: Merged) -> None:
    for pair in merged.conflicts[:MOST_CONFLICTS]:
        one = pair[0][1]
        say(f"{one.adapter} ({one.device}), {one.case}, {one.quantity}: told twice, and not alike:")
        say(*(f"    {_answer(verdict)} in {file}" for file, verdict in pair))
    number = counted(len(merged.conflicts), "verdict is", "verdicts are")
    say(f"Nothing is written: {number} told twice and not alike.")


def _answer(verdict: Verdict) -> str:
    kind = "" if verdict.kind is None else f", {verdict.kind}"
    error = verdict.error_over_bound
    return f"{verdict.status}{kind}" + ("" if error is None else f", {error} of the bound")
