"""`conformance diff`: what changed between two records, and whether it is worse."""

from __future__ import annotations

import json
import math
from pathlib import Path

import typer

from conformance.errors import RecordError, UsageError
from conformance.printing import say
from conformance.record.changes import changes
from conformance.record.reader import read_record
from conformance.record.record import Record
from conformance.report.changes import as_json, markdown, passes, terminal
from conformance.wording import counted, instead

FORMATS = ("terminal", "markdown", "json")


def run(old: Path, new: Path, form: str, limit: float | None) -> None:
    """Print what changed; exit 1 on anything that newly fails or is slower than the limit, 2 where
    that cannot be said.
    """
    if form not in FORMATS:
        raise UsageError(f"--format {form}: {instead(form, FORMATS)}")
    if limit is not None and not (math.isfinite(limit) and limit >= 1):
        raise UsageError(f"--max-slowdown {limit:g}: should be a ratio of times of at least 1")
    records = [_whole(path) for path in (old, new)]
    comparison = changes(*records)
    if limit is not None and not comparison.paces:
        raise UsageError(
            f"--max-slowdown {limit:g}: {comparison.untimed or 'no call is timed in both'}, should "
            "be records that compare"
        )
    match form:
        case "json":
            text = json.dumps(as_json(comparison, limit), indent=1)
        case "markdown":
            text = markdown(comparison, limit)
        case _:
            text = terminal(comparison, limit)
    say(*text.split("\n"), flush=True)
    raise typer.Exit(0 if passes(comparison, limit) else 1)


def _whole(path: Path) -> Record:
    """A record that ran to its end: what one lacks has not passed. Raises RecordError."""
    record = read_record(path)
    if record.end is None:
        raise RecordError(
            f"{path}: the run was cut after {counted(len(record.verdicts), 'check')}, "
            "should be whole: run "
            "it with --resume"
        )
    return record
