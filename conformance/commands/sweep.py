"""`conformance sweep`: random calls through engines, and what failed, as case files."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import typer

from conformance.cluster import crew_at, refuse_needs, refuse_sandbox
from conformance.commands.run import ended_by_signals, limited
from conformance.corpus.case import DTYPES
from conformance.corpus.files import shipped_cases
from conformance.corpus.shards import Shard
from conformance.errors import RecordError, UsageError
from conformance.printing import say
from conformance.sweep import Failure, Request, Swept, Wish, sweep
from conformance.sweep.call import Dtype
from conformance.sweep.distributed import sweep_on
from conformance.sweep.draw import ALL_RANKS, MIXED_DTYPES
from conformance.sweep.failures import finish
from conformance.sweep.request import TIMEOUT
from conformance.wording import counted, instead
from conformance.workers.sandbox import Sandbox
from conformance.workers.specs import read_specs

MOST_REFUSALS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The command line of `sweep`."""

    seed: int
    count: int
    indices: list[int] = field(default_factory=list)
    shard: str | None = None
    ranks: list[int] = field(default_factory=list)
    dtypes: list[str] = field(default_factory=list)
    gradients: bool
    adapters: list[str] = field(default_factory=list)
    pythons: list[str] = field(default_factory=list)
    device: str | None = None
    timeout: float = TIMEOUT
    memory: str | None = None
    threads: int
    output: Path
    sandbox: bool = False
    dask: str | None = None
    needs: list[str] = field(default_factory=list)


def run(options: Options) -> None:
    """Sweep, tell, and exit with 1 if anything failed."""
    request = _request(options)
    with ended_by_signals():
        results = _swept(request, options)
    file = finish(request, results)
    for swept in results:
        tell(swept, request)
    say("", file)
    raise typer.Exit(1 if any(swept.fails for swept in results) else 0)


def _request(options: Options) -> Request:
    """What is asked for, with a folder that can be written to. Raises UsageError."""
    for dtype in options.dtypes:
        if dtype not in DTYPES:
            raise UsageError(f"--dtype {dtype}: {instead(dtype, DTYPES)}")
    if not options.adapters:
        raise UsageError("-a: is missing, should name at least one adapter")
    specs, _ = read_specs(options.adapters, options.pythons)
    if options.sandbox:
        refuse_sandbox(options.dask, sandbox=True)
        sandbox = Sandbox.of([shipped_cases()], options.output)
        specs = [sandbox.around(spec) for spec in specs]
    try:
        options.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecordError(
            f"{options.output} cannot be made: {error.strerror}, should be a folder that can be"
        ) from None
    return Request(
        seed=options.seed,
        count=options.count,
        wish=Wish(
            ranks=options.ranks or ALL_RANKS,
            dtypes=cast(list[Dtype], options.dtypes) or MIXED_DTYPES,
            gradients=options.gradients,
        ),
        specs=limited(specs, options.memory),
        folder=options.output,
        threads=options.threads,
        timeout=options.timeout,
        device=options.device,
        indices=options.indices,
        shard=Shard.read("--shard", options.shard) if options.shard else None,
        corpora=(shipped_cases(),),
    )


def _swept(request: Request, options: Options) -> list[Swept]:
    """What came of it, here or on a cluster; failures are told as they are found."""

    def report(line: str) -> None:
        say(line, flush=True)

    if options.dask is None:
        refuse_needs(options.needs)
        return sweep(request, report)
    with crew_at(options.dask, options.needs) as crew:
        report(f"Dask: {crew.threads} at a time; dashboard: {crew.dashboard}")
        return sweep_on(crew, request, report)


def tell(swept: Swept, request: Request) -> None:
    """Print what came of one adapter."""
    failed = sum(failure.count for failure in swept.failures.values())
    lost = f", {counted(swept.lost, 'process', 'processes')} lost" if swept.lost else ""
    say(
        "",
        f"{swept.label}: {counted(swept.calls, 'call')}, {swept.rate:.0f} a second, "
        f"{swept.shrinking:.1f} s of {swept.seconds:.1f} s for failures: {failed} of "
        f"{counted(len(swept.failures), 'kind')}{lost}",
    )
    for failure in sorted(swept.failures.values(), key=lambda failure: -failure.count):
        tell_failure(failure, request)
    counts = (
        (swept.reasons, "known"),
        (swept.refused, "unsupported"),
        (swept.redrawn, "drawn again"),
    )
    for reasons, what in counts:
        for reason, count in reasons.most_common(None if what == "known" else MOST_REFUSALS):
            say(f"  {count} {what}: {reason}")
    if not swept.has_gradients:
        say("  It has no gradients.")
    if swept.stop_reason is not None:
        say(f"  given up: {swept.stop_reason}")


def tell_failure(failure: Failure, request: Request) -> None:
    """Print one kind of failure: its first call, how many are like it, and its file."""
    often = "" if failure.repeats else "not every time: "
    more = f"; {failure.count - 1} more like it" if failure.count > 1 else ""
    say(
        f"  {often}{failure.kind}",
        f"      {request.address(failure.call)}{more}",
        f"      {failure.file or 'not written: too many kinds'}",
    )
