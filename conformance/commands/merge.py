"""`conformance merge`: one record out of several of one corpus, or one sweep out of its parts."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from conformance.commands.console import console_of
from conformance.commands.run import UNBROKEN
from conformance.commands.summary import tell
from conformance.errors import RecordError, UsageError
from conformance.printing import say
from conformance.record.merge import Merged, merge, write
from conformance.record.reader import read_record, read_written
from conformance.record.record import RECORD
from conformance.record.writer import Writer
from conformance.sweep.failures import FILE, kind_in, read
from conformance.sweep.failures import write as write_failures
from conformance.sweep.uniting import unite
from conformance.sweep.write import write_text
from conformance.verdicts.verdict import Verdict
from conformance.wording import counted

MOST_CONFLICTS = 20


def run(files: Sequence[Path], folder: Path) -> None:
    """Write the whole into the folder, tell it, and exit as a run or a sweep does."""
    sweeps = [at for file in files if (at := _sweep_of(file)) is not None]
    if not sweeps:
        _merge_records(files, folder)
    elif len(sweeps) < len(files):
        raise UsageError(
            "merge: some are records of runs and some are sweeps, should be of one kind"
        )
    else:
        _merge_sweeps(sweeps, folder)


def _sweep_of(file: Path) -> Path | None:
    """The failures.json that a word of the command line means, if it means one."""
    if file.is_dir() and not (file / RECORD).exists() and (file / FILE).exists():
        return file / FILE
    return file if file.suffix == ".json" else None


def _merge_sweeps(files: Sequence[Path], folder: Path) -> None:
    if any(file.parent.resolve() == folder.resolve() for file in files):
        raise UsageError(f"--output {folder}: is a sweep that is read, should be another folder")
    united = unite(files, [read(file) for file in files])
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecordError(
            f"{folder} cannot be made: {error.strerror}, should be a folder that can be"
        ) from None
    for name, text in united.texts.items():
        write_text(folder / name, text)
    file = write_failures(folder, united.content)
    for engine in united.content["engines"]:
        _tell_sweep(engine, folder)
    say(*united.missing, "", file)
    fails = any(engine["failures"] or engine["given_up"] for engine in united.content["engines"])
    raise typer.Exit(1 if fails or united.missing else 0)


def _tell_sweep(engine: Mapping[str, Any], folder: Path) -> None:
    failed = sum(failure["count"] for failure in engine["failures"])
    kinds = counted(len(engine["failures"]), "kind")
    say(f"{engine['label']}: {counted(engine['calls'], 'call')}, failures: {failed} of {kinds}")
    for failure in sorted(engine["failures"], key=lambda failure: -failure["count"]):
        often = "" if failure["repeats"] else "not every time: "
        file = failure["file"]
        say(
            f"  {often}{kind_in(failure)}",
            f"      call {failure['call']}; {counted(failure['count'], 'time')}",
            f"      {'not written: too many kinds' if file is None else folder / file}",
        )
    if engine["given_up"] is not None:
        say(f"  given up: {engine['given_up']}")


def _merge_records(files: Sequence[Path], folder: Path) -> None:
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
        what = f"{one.adapter} ({one.device}), {one.case}, {one.quantity}"
        say(f"{what}: recorded twice, and not alike:")
        say(*(f"    {_answer(verdict)} in {file}" for file, verdict in pair))
    number = counted(len(merged.conflicts), "check is", "checks are")
    say(f"Nothing is written: {number} recorded twice and not alike.")


def _answer(verdict: Verdict) -> str:
    kind = "" if verdict.kind is None else f", {verdict.kind}"
    error = verdict.error_over_bound
    return f"{verdict.status}{kind}" + ("" if error is None else f", {error} of the bound")
