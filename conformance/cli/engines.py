"""Commands that run engines: run, sweep, bisect, adapters.

The names of arguments are those of the command's `Options`: what is not given has its default
there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from conformance.cli.clusteroptions import Dask, Needs
from conformance.cli.options import (
    Accept,
    Adapters,
    AllowUnsupported,
    Baseline,
    Deadline,
    Device,
    Dump,
    Expression,
    First,
    InProcess,
    Invariance,
    Jobs,
    Junit,
    Known,
    Live,
    Maxfail,
    Memory,
    Output,
    Paths,
    Precision,
    Pythons,
    Repeat,
    Resume,
    Shard,
    Subset,
    Tags,
    Threads,
    Timeout,
    Timing,
    Variants,
    Verbose,
    Words,
)
from conformance.cli.searchoptions import (
    Adapter,
    Also,
    Bad,
    BadLock,
    Case,
    Count,
    Dtypes,
    Fresh,
    Good,
    GoodLock,
    Gradients,
    Indices,
    Mixes,
    OneDevice,
    Package,
    Ranks,
    Seed,
    SweepOutput,
    SweepThreads,
)

InSandbox = Annotated[
    bool,
    typer.Option(
        "--sandbox",
        help="Engines see neither cases nor record, and no network; needs bubblewrap.",
    ),
]


def _options_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were given; those that were not have the default of `Options`."""
    return {name: value for name, value in values.items() if value is not None}


def _keeping(command: Callable[[], None]) -> None:
    """Run a command that starts engines: what those leave behind ends with it."""
    from conformance.system.process_tree import adopting_orphans

    with adopting_orphans():
        command()


def run(
    cases: Words = None,
    adapters: Adapters = None,
    variants: Variants = False,
    device: Device = None,
    expression: Expression = None,
    tags: Tags = None,
    subset: Subset = None,
    shard: Shard = None,
    jobs: Jobs = None,
    timeout: Timeout = 60.0,
    deadline: Deadline = None,
    memory: Memory = None,
    threads: Threads = None,
    precision: Precision = "strict",
    timing: Timing = "quick",
    repeat: Repeat = 1,
    invariance: Invariance = False,
    pythons: Pythons = None,
    known: Known = None,
    accept: Accept = None,
    output: Output = Path("reports/latest"),
    junit: Junit = None,
    resume: Resume = False,
    first: First = False,
    maxfail: Maxfail = None,
    verbose: Verbose = False,
    live: Live = False,
    in_process: InProcess = False,
    dump: Dump = None,
    allow_unsupported: AllowUnsupported = False,
    baseline: Baseline = None,
    sandbox: InSandbox = False,
    dask: Dask = None,
    needs: Needs = None,
) -> None:
    """Run cases through adapters; exit 1 on a new failure."""
    _run(_options_of(locals()))


def _run(options: Mapping[str, Any]) -> None:
    from conformance.commands import run as command

    _keeping(lambda: command.run(command.Options(**options)))


def sweep(
    adapters: Adapters = None,
    seed: Seed = 0,
    count: Count = 1000,
    indices: Indices = None,
    shard: Shard = None,
    ranks: Ranks = None,
    dtypes: Dtypes = None,
    gradients: Gradients = True,
    device: OneDevice = None,
    timeout: Timeout = 30.0,
    memory: Memory = None,
    threads: SweepThreads = 1,
    pythons: Pythons = None,
    output: SweepOutput = Path("reports/sweep"),
    sandbox: InSandbox = False,
    dask: Dask = None,
    needs: Needs = None,
) -> None:
    """Make random calls, and write each kind of failure as a case.

    A failure is shrunk first; exit 1 if there was one.
    """
    options = _options_of(locals())
    from conformance.commands import sweep as command

    _keeping(lambda: command.run(command.Options(**options)))


def bisect(
    adapter: Adapter,
    case: Case,
    package: Package = None,
    good: Good = None,
    bad: Bad = None,
    good_lock: GoodLock = None,
    bad_lock: BadLock = None,
    mixes: Mixes = None,
    paths: Paths = None,
    also: Also = None,
    device: OneDevice = None,
    timeout: Timeout = 60.0,
    fresh: Fresh = False,
    dask: Dask = None,
    needs: Needs = None,
) -> None:
    """Find the release of a package that changed a case's result.

    Or the package, between two lock or freeze files.
    """
    options = _options_of(locals())
    from conformance.commands import bisect as command

    command.run(command.Options(**options))


Engines = Annotated[
    list[str],
    typer.Argument(
        metavar="NAME...", show_default=False, help="Names of the table; engines list has them."
    ),
]

environments = typer.Typer(
    name="engines",
    help="Install, remove and list engines of their own environment.",
    no_args_is_help=True,
)


@environments.command("install")
def install(names: Engines) -> None:
    """Install engines, each into an environment of its own.

    They are in the cache, where `-a NAME` finds them.
    """
    from conformance.commands import engines

    engines.install(names)


@environments.command("remove")
def remove(names: Engines) -> None:
    """Remove the environments of engines."""
    from conformance.commands import engines

    engines.remove(names)


@environments.command("list")
def list_environments() -> None:
    """List engines: where each is installed, or how to install it."""
    from conformance.commands import engines

    engines.list_environments()


def list_adapters(pythons: Pythons = None, variants: Variants = False) -> None:
    """List adapters: versions and devices, or how to install them."""
    from conformance.commands import adapters

    adapters.run(pythons or [], variants)
