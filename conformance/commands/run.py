"""`conformance run`: the gate, told on a terminal."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import typer
from rich.console import Console

from conformance.adapters import PRECISIONS
from conformance.cluster import Crew, crew_at, refuse_needs, refuse_sandbox
from conformance.commands import in_process
from conformance.commands.console import can_move, console_of
from conformance.commands.progress import Bar, Lines
from conformance.commands.quantities import read_bytes, read_seconds
from conformance.commands.summary import tell
from conformance.corpus.selection import is_path, readable_paths, select
from conformance.corpus.shards import Shard
from conformance.errors import UsageError
from conformance.printing import complain, say
from conformance.record.reader import read_record
from conformance.record.record import RECORD, Record
from conformance.run.request import Request, Settings
from conformance.run.runner import execute
from conformance.system.machine import physical_cores
from conformance.wording import counted, duration, instead
from conformance.workers import timing
from conformance.workers.sandbox import Sandbox
from conformance.workers.spec import Spec
from conformance.workers.specs import read_interpreters, read_specs

UNBROKEN = 140
"""Columns where the output is no terminal: what is told there is looked through, and a cut table
would lose its last ones."""

UNDISTURBED = 86400.0
"""Seconds without a line where a debugger may be at work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options(Settings):
    """The command line of `run`: what is handed on as it is, and what is read first."""

    cases: list[str] = field(default_factory=list)
    adapters: list[str] = field(default_factory=list)
    variants: bool = False
    expression: str | None = None
    tags: list[str] = field(default_factory=list)
    subset: str | None = None
    shard: str | None = None
    jobs: int | None = None
    threads: int | None = None
    deadline: str | None = None
    memory: str | None = None
    pythons: list[str] = field(default_factory=list)
    known: list[Path] = field(default_factory=list)
    accept: Path | None = None
    output: Path
    junit: Path | None = None
    first: bool = False
    verbose: bool = False
    live: bool = False
    baseline: Path | None = None
    sandbox: bool = False
    dask: str | None = None
    needs: list[str] = field(default_factory=list)


def run(options: Options) -> None:
    """Run, tell, write the page, and exit with what the record says."""
    from conformance.report import write_page
    from conformance.report.junit import write_junit

    # before hours are spent
    baseline = None if options.baseline is None else read_record(options.baseline)
    _check(options)
    request = _request(options)
    console = console_of(UNBROKEN)
    teller = _teller(console, options, every_failure=request.maxfail is not None)
    try:
        with ended_by_signals(), _crew(options) as crew, teller:
            record = execute(request, teller, crew)
            teller.writing("the page")
            page = write_page(record, options.output, baseline=baseline)
    except KeyboardInterrupt as interruption:
        number = interruption.args[0] if interruption.args else signal.SIGINT
        sentence = f"Interrupted. What was recorded is in {options.output / RECORD}"
        complain(f"{sentence}: go on with the same command and --resume.")
        raise typer.Exit(128 + number) from None
    if options.junit is not None:
        write_junit(record, options.junit)
    tell(console, record, verbose=options.verbose)
    if not request.cases:
        selected = counted(len(request.selection.cases), "selected case")
        say(f"Shard {request.shard} has none of the {selected}: there was nothing to run.")
    if record.end is None:
        say(f"Stopped {_why_stopped(record, request)}: go on with the same command and --resume.")
    if options.dump is not None:
        say(f"What was asked, each call with a replay.py that asks it again: {options.dump}")
    say(options.output / RECORD, page)
    passes = record.ok if options.accept is None else _accept(record, options.accept)
    raise typer.Exit(0 if passes else 1)


@contextlib.contextmanager
def _crew(options: Options) -> Iterator[Crew | None]:
    """The cluster that a run is carried out on, if it is on one."""
    if options.dask is None:
        refuse_needs(options.needs)
        yield None
        return
    with crew_at(options.dask, options.needs) as crew:
        complain(f"Dask: {crew.threads} at a time; dashboard: {crew.dashboard}")
        yield crew


def _teller(console: Console, options: Options, *, every_failure: bool) -> Bar | Lines:
    """Who tells how the run goes: a bar would be drawn over what an engine shows, and nothing comes
    between the user and a debugger.
    """
    if options.in_process:
        return Lines(every_failure=every_failure, silence=UNDISTURBED)
    if can_move(console) and not options.live:
        return Bar(console, every_failure=every_failure)
    return Lines(every_failure=every_failure)


def _check(options: Options) -> None:
    """Raise UsageError for what only some values of are known."""
    for name, value, known in (
        ("timing", options.timing, timing.SLICES),
        ("precision", options.precision, PRECISIONS),
    ):
        if value not in known:
            raise UsageError(f"--{name} {value}: {instead(value, known)}")
    if options.dask is not None:
        refuse_sandbox(options.dask, sandbox=options.sandbox)
        others = {"--in-process": options.in_process, "-s": options.live}
        for name, is_set in others.items():
            if is_set:
                raise UsageError(
                    f"{name}: is for engines beside this process, should be without --dask"
                )
        if options.timing != "off":
            raise UsageError(
                f"--timing {options.timing}: is for a machine that does nothing else, should be "
                "--timing off with --dask"
            )
    if options.accept is not None and options.accept.is_dir():
        raise UsageError(
            f"--accept {options.accept}: is a folder, should be a file of known failures"
        )


def _request(options: Options) -> Request:
    read, texts_by_label = read_specs(options.adapters, options.pythons, variants=options.variants)
    specs = [replace(spec, shown=options.live) for spec in limited(read, options.memory)]
    accepted = options.accept is not None and options.accept.exists()
    selection = select(
        options.cases, expression=options.expression, tags=options.tags, subset=options.subset
    )
    shard = Shard.read("--shard", options.shard) if options.shard else None
    sandbox = Sandbox.of(readable_paths(selection), options.output) if options.sandbox else None
    if options.in_process:
        others = {
            "--sandbox": options.sandbox,
            "--invariance": options.invariance,
            "--memory": options.memory,
            "-s": options.live,
        }
        cases = selection.cases if shard is None else shard.takes(selection.cases)
        in_process.check(specs, cases, others)
    settings = {entry.name: getattr(options, entry.name) for entry in fields(Settings)}
    return Request(
        **settings
        | ({"maxfail": 1} if options.first else {})
        | ({"timing": "off"} if options.in_process else {}),  # which would make hundreds of calls
        selection=selection,
        shard=shard,
        specs=specs if sandbox is None else [sandbox.around(spec) for spec in specs],
        deadline=read_seconds("--deadline", options.deadline) if options.deadline else None,
        texts_by_label=texts_by_label,
        pythons=read_interpreters(options.pythons, list(texts_by_label)),
        paths=[word for word in options.cases if is_path(word)],
        known=[*options.known, *filter(None, [options.accept] if accepted else [])],
        jobs=1 if options.in_process else options.jobs or os.cpu_count() or 1,
        threads=options.threads or physical_cores(),
        folder=options.output,
        command=["conformance", *sys.argv[1:]],
        sandbox=sandbox,
    )


def limited(specs: Sequence[Spec], memory: str | None) -> list[Spec]:
    """The engines with the memory that --memory leaves them. Raises UsageError."""
    most = read_bytes("--memory", memory) if memory else 0
    return [replace(spec, memory=most) for spec in specs]


def _why_stopped(record: Record, request: Request) -> str:
    failures = sum(verdict.unexpected for verdict in record.verdicts)
    if request.deadline is None or (request.maxfail is not None and failures >= request.maxfail):
        return f"after {counted(request.maxfail or 0, 'failure')}"
    return f"at the deadline of {duration(request.deadline)}"


def _accept(record: Record, file: Path) -> bool:
    """Write what differs now into the file and tell it; whether no new failure is left."""
    from conformance.record.accept import accept

    done, left = accept(record, file)
    says = f"conformance lint --known {file} says which have none."
    needs = f" Each entry needs a reason and a source: {says}" if done else ""
    say(f"Accepted {counted(done, 'difference')} in {file}.{needs}")
    if left:
        checks = counted(left, "check does", "checks do")
        say(f"{checks} not fit an entry that speaks of them: edit those entries by hand.")
    return not left and not record.problems and not record.unchecked and record.end is not None


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
