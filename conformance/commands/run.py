"""`conformance run`: the gate, told on a terminal."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from conformance import engines, messages, planning, runner, timing
from conformance.adapters import PRECISIONS
from conformance.machine import physical_cores
from conformance.results import RECORD, Record, read_record
from conformance.selection import is_path, select
from conformance.verdict import STATUSES, Verdict

MOST_TOLD = 50


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
    baseline: Path | None = None


def run(options: Options) -> None:
    """Run, tell, write the page, and exit with what the record says."""
    from conformance.report import write_page

    baseline = None if options.baseline is None else read_record(options.baseline)  # before hours are spent
    if options.timing not in timing.SLICES:
        raise planning.UsageError(f"--timing {options.timing}: should be one of {', '.join(timing.SLICES)}")
    if options.precision not in PRECISIONS:
        raise planning.UsageError(f"--precision {options.precision}: should be one of {', '.join(PRECISIONS)}")
    if options.accept is not None and options.accept.is_dir():
        raise planning.UsageError(f"--accept {options.accept}: is a folder, should be a file of known differences")
    specs, asked = engines.specs(options.adapters, options.pythons, variants=options.variants)
    selection = select(options.words, expression=options.expression, tags=options.tags, subset=options.subset)
    request = planning.Request(
        selection=selection,
        specs=specs,
        asked=asked,
        pythons=engines.interpreters(options.pythons, list(asked)),
        paths=[word for word in options.words if is_path(word)],
        known=[*options.known, *([options.accept] if options.accept is not None and options.accept.exists() else [])],
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
        command=["conformance", *sys.argv[1:]],
    )
    console = Console()
    teller = _Bar(console) if console.is_terminal else _Lines()
    try:
        with ended_by_signals(), teller:
            record = runner.execute(request, teller)
    except KeyboardInterrupt as interruption:
        number = interruption.args[0] if interruption.args else signal.SIGINT
        kept = options.output / RECORD
        print(f"Interrupted. What was recorded is in {kept}: go on with the same command and --resume.", file=sys.stderr)
        raise typer.Exit(128 + number) from None
    page = write_page(record, options.output, baseline=baseline)
    tell(console, record)
    print(f"{options.output / RECORD}\n{page}")
    passes = record.ok if options.accept is None else _accept(record, options.accept)
    raise typer.Exit(0 if passes else 1)


def _accept(record: Record, file: Path) -> bool:
    """Write what differs now into the file and tell it; whether nothing unexpected is left."""
    from conformance import accepting

    done, left = accepting.accept(record, file)
    problems = len((record.end or {}).get("problems", []))
    print(f"Accepted {messages.counted(done, 'difference')} in {file}.", end="" if done else "\n")
    if done:
        print(f" Each entry needs a reason and a source: conformance lint --known {file} says which have none.")
    if left:
        print(
            f"{messages.counted(left, 'verdict does', 'verdicts do')} not fit an entry that speaks of them: mend those by hand."
        )
    return not left and not problems


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end a run as Ctrl-C does, so that no engine is left at work; only in a main thread."""

    def interrupt(number: int, _: object) -> None:
        raise KeyboardInterrupt(number)

    names = ("SIGTERM", "SIGHUP") if threading.current_thread() is threading.main_thread() else ()
    before = {name: signal.signal(getattr(signal, name), interrupt) for name in names if hasattr(signal, name)}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


class _Lines(runner.Observer):
    """One line per adapter, when it has finished."""

    def __init__(self) -> None:
        self.totals: Mapping[str, int] = {}
        self.failing: dict[str, int] = {}

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None

    def started(self, counts: Mapping[str, int], absent: Mapping[str, str]) -> None:
        self.totals = dict(counts)
        for label, reason in absent.items():
            print(f"{label}: not run: {reason}", flush=True)

    def verdict(self, verdict: Verdict) -> None:
        self.failing[verdict.adapter] = self.failing.get(verdict.adapter, 0) + verdict.unexpected

    def finished(self, adapter: str, seconds: float) -> None:
        print(
            f"{adapter}: {self.totals[adapter]} verdicts, {self.failing[adapter]} unexpected, after {seconds:.1f} s", flush=True
        )


class _Bar(runner.Observer):
    """A progress bar."""

    def __init__(self, console: Console) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self.console, self.progress = console, Progress(*columns, console=console, transient=True)
        self.task: TaskID | None = None
        self.unexpected = 0

    def __enter__(self) -> None:
        self.progress.start()
        self.task = self.progress.add_task("starting the engines", total=None)

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def started(self, counts: Mapping[str, int], absent: Mapping[str, str]) -> None:
        assert self.task is not None
        self.progress.update(self.task, total=sum(counts.values()), description="verdicts")
        for label, reason in absent.items():
            self.console.print(f"{label}: not run: {reason}", style="dim", markup=False, highlight=False)

    def verdict(self, verdict: Verdict) -> None:
        assert self.task is not None
        self.unexpected += verdict.unexpected
        self.progress.update(self.task, advance=1, description=f"verdicts, {self.unexpected} unexpected")

    def finished(self, adapter: str, seconds: float) -> None:
        return None


def tell(console: Console, record: Record) -> None:
    """The table adapters x statuses, then every unexpected difference, then the sentence that sums up."""
    console.print(_table(record), width=None if console.is_terminal else 120)
    unexpected = [verdict for verdict in record.verdicts if verdict.unexpected]
    for verdict in unexpected[:MOST_TOLD]:
        print(messages.message(verdict, record.run))
    if len(unexpected) > MOST_TOLD:
        print(f"and {len(unexpected) - MOST_TOLD} more, in the record and on the page")
    for problem in (record.end or {}).get("problems", []):
        print(f"{problem['entry']}: {problem['problem']}")
    for line in [*messages.timings(record), *messages.variations(record)]:
        print(line)
    untimed = sum(verdict.message is not None and verdict.message.startswith(timing.FAILED) for verdict in record.verdicts)
    if untimed:
        print(f"{messages.counted(untimed, 'verdict')} that conform{'s' if untimed == 1 else ''} {timing.FAILED}: see the record")
    print(messages.summary(record))


def _table(record: Record) -> Table:
    counts: dict[str, dict[str, int]] = {entry["label"]: {} for entry in record.run["adapters"]}
    for verdict in record.verdicts:
        row = counts.setdefault(verdict.adapter, {})
        for key in (verdict.status, *(["known"] if verdict.known else []), *(["unexpected"] if verdict.unexpected else [])):
            row[key] = row.get(key, 0) + 1
    used = [status for status in STATUSES if any(status in row for row in counts.values())]
    table = Table(box=None, pad_edge=False)
    table.add_column("adapter", no_wrap=True, min_width=max(map(len, counts), default=0))
    for name in used:
        table.add_column(name, justify="right", style=STATUSES[name].style, min_width=len(name))
    table.add_column("known", justify="right", min_width=5)
    table.add_column("unexpected", justify="right", style="red", min_width=10)
    for label, row in counts.items():
        table.add_row(label, *(str(row.get(name, "")) for name in (*used, "known", "unexpected")))
    return table
