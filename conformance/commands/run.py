"""`conformance run`: the gate, told on a terminal."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from conformance.adapters import PRECISIONS
from conformance.commands.progress import Bar, Lines
from conformance.corpus.selection import is_path, select
from conformance.errors import UsageError
from conformance.record import messages as record_messages
from conformance.record import signatures
from conformance.record.record import RECORD, Record, read_record
from conformance.run import plan, runner
from conformance.system.machine import physical_cores
from conformance.verdicts import messages
from conformance.verdicts.verdict import STATUSES
from conformance.wording import counted
from conformance.workers import timing
from conformance.workers.specs import read_interpreters, read_specs

MOST_TOLD = 50
UNBROKEN = 140
"""Columns where the output is no terminal: what is told there is looked through, and a cut table
would lose its last ones."""
NEXT = (
    "What next: reproduce one, pin the release that conforms, report it upstream (conformance "
    "show CASE --program ADAPTER),"
    " or declare it with --accept FILE."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The command line of `run`."""

    words: list[str]
    adapters: list[str]
    variants: bool
    device: str | None
    expression: str | None
    tags: list[str]
    subset: str | None
    jobs: int | None
    timeout: float
    threads: int | None
    precision: str
    timing: str
    repeat: int
    invariance: bool
    pythons: list[str]
    known: list[Path]
    accept: Path | None
    output: Path
    resume: bool
    maxfail: int | None = None
    allow_unsupported: bool = False
    verbose: bool = False
    baseline: Path | None = None


def run(options: Options) -> None:
    """Run, tell, write the page, and exit with what the record says."""
    from conformance.report import write_page

    baseline = (
        None if options.baseline is None else read_record(options.baseline)
    )  # before hours are spent
    if options.timing not in timing.SLICES:
        raise UsageError(f"--timing {options.timing}: should be one of {', '.join(timing.SLICES)}")
    if options.precision not in PRECISIONS:
        raise UsageError(
            f"--precision {options.precision}: should be one of {', '.join(PRECISIONS)}"
        )
    if options.accept is not None and options.accept.is_dir():
        raise UsageError(
            f"--accept {options.accept}: is a folder, should be a file of known differences"
        )
    specs, asked = read_specs(options.adapters, options.pythons, variants=options.variants)
    selection = select(
        options.words, expression=options.expression, tags=options.tags, subset=options.subset
    )
    request = plan.Request(
        selection=selection,
        specs=specs,
        asked=asked,
        pythons=read_interpreters(options.pythons, list(asked)),
        paths=[word for word in options.words if is_path(word)],
        known=[
            *options.known,
            *([options.accept] if options.accept is not None and options.accept.exists() else []),
        ],
        device=options.device,
        jobs=options.jobs or os.cpu_count() or 1,
        timeout=options.timeout,
        threads=options.threads or physical_cores(),
        precision=options.precision,
        timing=options.timing,
        repeat=options.repeat,
        invariance=options.invariance,
        folder=options.output,
        resume=options.resume,
        maxfail=options.maxfail,
        allow_unsupported=options.allow_unsupported,
        command=["conformance", *sys.argv[1:]],
    )
    console = Console()
    if not console.is_terminal:
        console = Console(width=max(console.width, UNBROKEN))
    every = options.maxfail is not None
    teller = (
        Bar(console, every_failure=every) if console.is_terminal else Lines(every_failure=every)
    )
    try:
        with ended_by_signals(), teller:
            record = runner.execute(request, teller)
            teller.writing("the page")
            page = write_page(record, options.output, baseline=baseline)
    except KeyboardInterrupt as interruption:
        number = interruption.args[0] if interruption.args else signal.SIGINT
        kept = options.output / RECORD
        print(
            (
                f"Interrupted. What was recorded is in {kept}: go on with the same command and "
                "--resume."
            ),
            file=sys.stderr,
        )
        raise typer.Exit(128 + number) from None
    tell(console, record, verbose=options.verbose)
    if record.end is None:
        print(
            f"Stopped after {counted(request.maxfail or 0, 'failure')}: go on with the same "
            "command and --resume."
        )
    print(f"{options.output / RECORD}\n{page}")
    passes = record.ok if options.accept is None else _accept(record, options.accept)
    raise typer.Exit(0 if passes else 1)


def _accept(record: Record, file: Path) -> bool:
    """Write what differs now into the file and tell it; whether nothing unexpected is left."""
    from conformance.record import accept

    done, left = accept.accept(record, file)
    problems = len((record.end or {}).get("problems", []))
    print(f"Accepted {counted(done, 'difference')} in {file}.", end="" if done else "\n")
    if done:
        print(
            f" Each entry needs a reason and a source: conformance lint --known {file} says which "
            "have none."
        )
    if left:
        print(
            f"{counted(left, 'verdict does', 'verdicts do')} not fit an entry that speaks of "
            "them: mend those by hand."
        )
    return not left and not problems and not record.unchecked and record.end is not None


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end a run as Ctrl-C does, so that no engine is left at work; only in a
    main thread.
    """

    def interrupt(number: int, _: object) -> None:
        raise KeyboardInterrupt(number)

    names = ("SIGTERM", "SIGHUP") if threading.current_thread() is threading.main_thread() else ()
    before = {
        name: signal.signal(getattr(signal, name), interrupt)
        for name in names
        if hasattr(signal, name)
    }
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


def tell(console: Console, record: Record, *, verbose: bool = False) -> None:
    """The table adapters x statuses, then every cause of unexpected verdicts once, then the
    sentence that sums up.
    """
    console.print(_table(record))
    groups = signatures.groups_of(record)
    for group in groups[:MOST_TOLD]:
        print(_cause(group, record, verbose=verbose))
    if len(groups) > MOST_TOLD:
        print(f"and {len(groups) - MOST_TOLD} more ways to fail, in the record and on the page")
    if groups:
        print(NEXT)
    for problem in (record.end or {}).get("problems", []):
        print(f"{problem['entry']}: {problem['problem']}")
    for line in [
        *record_messages.timings(record),
        *record_messages.variations(record),
        *record_messages.news(record),
        *record_messages.unchecked(record),
    ]:
        print(line)
    untimed = sum(
        verdict.message is not None and verdict.message.startswith(timing.FAILED)
        for verdict in record.verdicts
    )
    if untimed:
        print(
            f"{counted(untimed, 'verdict')} that conform{'s' if untimed == 1 else ''} "
            f"{timing.FAILED}: see the record"
        )
    print(record_messages.summary(record))


def _cause(group: signatures.Group, record: Record, *, verbose: bool) -> str:
    """What failed in one way: how many cases and what they share, and the smallest of them in
    full.
    """
    told = signatures.told(group)
    lines = [f"{told}; the smallest:"] if told else []
    lines.append(
        messages.message(group.smallest, record.run, record.cases.get(group.smallest.case))
    )
    if verbose and told:
        lines += [f"    also: {verdict.case}" for verdict in group.verdicts[1:]]
    return "\n".join(lines)


def _table(record: Record) -> Table:
    counts: dict[str, dict[str, int]] = {entry["label"]: {} for entry in record.run["adapters"]}
    for verdict in record.verdicts:
        row = counts.setdefault(verdict.adapter, {})
        marks = {
            "known": verdict.known,
            "unconfirmed": verdict.known_unconfirmed,
            "unexpected": verdict.unexpected,
        }
        for key in (verdict.status, *(name for name, holds in marks.items() if holds)):
            row[key] = row.get(key, 0) + 1
    used = [status for status in STATUSES if any(status in row for row in counts.values())]
    table = Table(box=None, pad_edge=False)
    table.add_column("adapter", no_wrap=True, min_width=max(map(len, counts), default=0))
    for name in used:
        table.add_column(name, justify="right", style=STATUSES[name].style, min_width=len(name))
    table.add_column("known", justify="right", min_width=5)
    newer = ["unconfirmed"] if any("unconfirmed" in row for row in counts.values()) else []
    for name in newer:
        table.add_column(name, justify="right", min_width=len(name))
    table.add_column("unexpected", justify="right", style="red", min_width=10)
    for label, row in counts.items():
        table.add_row(
            label, *(str(row.get(name, "")) for name in (*used, "known", *newer, "unexpected"))
        )
    return table
