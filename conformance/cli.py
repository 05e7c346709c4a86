"""The command line: parses, calls, prints. Everything heavy is imported inside the command that
needs it.
"""

from __future__ import annotations

import gc
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TextIO

import typer

app = typer.Typer(
    name="conformance",
    help=(
        "A conformance suite for transposed convolution: every case through every framework, "
        "against a NumPy oracle."
    ),
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[PATH|CASE]...",
        show_default=False,
        help="Case files, folders, full names or globs of them; the shipped corpus if none.",
    ),
]
Expression = Annotated[
    str | None,
    typer.Option(
        "-k", metavar="EXPR", help="Parts of full names, joined by and, or, not, as in pytest."
    ),
]
Tags = Annotated[
    list[str] | None,
    typer.Option("--tag", metavar="TAG", help="Cases with this tag; several: any of them."),
]
Subset = Annotated[
    str | None,
    typer.Option(
        "--subset",
        metavar="NAME",
        help="quick: few cases that detect every mistake.",
        show_default=False,
    ),
]
Adapters = Annotated[
    list[str] | None,
    typer.Option(
        "--adapter",
        "-a",
        metavar="ADAPTER",
        help=(
            "A name of the table, package.module:Class, or cmd:'PROGRAM ARGS'; LABEL=... renames "
            "it."
        ),
    ),
]
Paths = Annotated[
    list[str] | None,
    typer.Option(
        "--cases", metavar="PATH", help="Where the case is; the shipped corpus if not given."
    ),
]
Variants = Annotated[
    bool,
    typer.Option(
        "--variants",
        help="The variants of the adapters too: other memory layouts, compilers, options.",
    ),
]
Baseline = Annotated[
    Path | None,
    typer.Option(
        metavar="RESULTS",
        help="An earlier record: the page says what changed since.",
        show_default=False,
    ),
]
Known = Annotated[
    list[Path] | None,
    typer.Option(
        "--known", metavar="FILE", help="Known differences of one's own; several, all as strict."
    ),
]
Pythons = Annotated[
    list[str] | None,
    typer.Option("--python", metavar="ADAPTER=PATH", help="The interpreter of an adapter."),
]


@app.command()
def run(
    cases: Words = None,
    adapters: Adapters = None,
    variants: Variants = False,
    device: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|all", help="Run there; each adapter's first device if not given."
        ),
    ] = None,
    expression: Expression = None,
    tags: Tags = None,
    subset: Subset = None,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="Processes at work at once; the number of cores if not given."),
    ] = None,
    timeout: Annotated[
        float, typer.Option(min=0.001, max=86400, metavar="SECONDS", help="Limit of one call.")
    ] = 60.0,
    threads: Annotated[
        int | None,
        typer.Option(min=1, help="Threads of every engine; all physical cores if not given."),
    ] = None,
    precision: Annotated[
        str,
        typer.Option(
            metavar="strict|default",
            help="float32 in float32, or as each framework does unless told (TF32).",
        ),
    ] = "strict",
    timing: Annotated[
        str,
        typer.Option(
            metavar="off|quick|full",
            help="Time cases tagged network that conform: 0.2 s or 5 s per adapter.",
        ),
    ] = "quick",
    repeat: Annotated[
        int, typer.Option(min=1, help="Every call so many times, other sizes in between.")
    ] = 1,
    invariance: Annotated[
        bool,
        typer.Option(
            "--invariance",
            help="Every call also sample by sample, with other threads, in another layout.",
        ),
    ] = False,
    pythons: Pythons = None,
    known: Known = None,
    accept: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write what differs now into this file of known differences."
        ),
    ] = None,
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="DIR", help="Folder of results.jsonl and index.html."
        ),
    ] = Path("reports/latest"),
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the record in the output folder.")
    ] = False,
    first: Annotated[
        bool, typer.Option("-x", help="Stop at the first failure that is not known.")
    ] = False,
    maxfail: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Stop after so many of them.")
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="The names of all cases that fail alike.")
    ] = False,
    allow_unsupported: Annotated[
        bool,
        typer.Option(
            "--allow-unsupported",
            help="Pass where an adapter or a case could not be checked at all.",
        ),
    ] = False,
    baseline: Baseline = None,
) -> None:
    """Run cases through adapters; exit 1 if anything differs unexpectedly."""
    from conformance.commands import run as command

    command.run(
        command.Options(
            words=cases or [],
            adapters=adapters or [],
            variants=variants,
            device=device,
            expression=expression,
            tags=tags or [],
            subset=subset,
            jobs=jobs,
            timeout=timeout,
            threads=threads,
            precision=precision,
            timing=timing,
            repeat=repeat,
            invariance=invariance,
            pythons=pythons or [],
            known=known or [],
            accept=accept,
            output=output,
            resume=resume,
            maxfail=1 if first else maxfail,
            allow_unsupported=allow_unsupported,
            verbose=verbose,
            baseline=baseline,
        )
    )


@app.command()
def sweep(
    adapters: Adapters = None,
    seed: Annotated[int, typer.Option(help="The same seed draws the same calls.")] = 0,
    count: Annotated[int, typer.Option(min=1, help="Calls drawn for every adapter.")] = 1000,
    ranks: Annotated[
        list[int] | None,
        typer.Option(
            "--rank", min=1, max=3, metavar="1|2|3", help="Spatial axes; all ranks if not given."
        ),
    ] = None,
    dtypes: Annotated[
        list[str] | None, typer.Option("--dtype", metavar="DTYPE", help="float32 if not given.")
    ] = None,
    gradients: Annotated[
        bool, typer.Option("--gradients", help="The gradients of every call too.")
    ] = False,
    threads: Annotated[int, typer.Option(min=1, help="Threads of every engine.")] = 1,
    pythons: Pythons = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder of the cases that fail.")
    ] = Path("reports/sweep"),
) -> None:
    """Random small calls; every distinct failure is shrunk and written as a case; exit 1 if there
    was one.
    """
    from conformance.commands import sweep as command

    command.run(
        command.Options(
            seed=seed,
            count=count,
            ranks=ranks or [],
            dtypes=dtypes or [],
            gradients=gradients,
            adapters=adapters or [],
            pythons=pythons or [],
            threads=threads,
            output=output,
        )
    )


@app.command()
def bisect(
    package: Annotated[
        str, typer.Option(metavar="NAME", help="The distribution whose releases are searched.")
    ],
    adapter: Annotated[
        str, typer.Option("--adapter", "-a", metavar="ADAPTER", help="As for run, but no cmd:.")
    ],
    case: Annotated[str, typer.Option(metavar="CASE", help="The full name of one case.")],
    good: Annotated[
        str,
        typer.Option(
            metavar="VERSION",
            help="A release that does what is right, older or newer than the bad one.",
        ),
    ],
    bad: Annotated[
        str, typer.Option(metavar="VERSION", help="A release that does something else.")
    ],
    paths: Paths = None,
    also: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            metavar="REQUIREMENT",
            help="Something else that every environment needs, as numpy<2.3.",
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Run there; the adapter's first device if not given."),
    ] = None,
    timeout: Annotated[
        float, typer.Option(min=0.001, max=86400, metavar="SECONDS", help="Limit of one call.")
    ] = 60.0,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Try again what is kept from before.")
    ] = False,
) -> None:
    """Which release of a package changed what a case comes to: bisection over the releases of the
    package index.
    """
    from conformance.commands import bisect as command

    command.run(
        command.Options(
            package=package,
            adapter=adapter,
            case=case,
            good=good,
            bad=bad,
            paths=paths or [],
            also=also or [],
            device=device,
            timeout=timeout,
            fresh=fresh,
        )
    )


@app.command(name="adapters")
def list_adapters(pythons: Pythons = None, variants: Variants = False) -> None:
    """What is installed, in which versions, with which devices; what is missing, and how to get
    it.
    """
    from conformance.commands import adapters

    adapters.run(pythons or [], variants)


@app.command(name="list")
def list_cases(
    cases: Words = None, expression: Expression = None, tags: Tags = None, subset: Subset = None
) -> None:
    """Full names and summaries of cases, slow ones too."""
    from conformance.commands import cases as command

    command.list_cases(cases or [], expression, tags or [], subset)


@app.command()
def show(
    case: Annotated[
        str, typer.Argument(metavar="CASE", help="Full name of a case, or a glob of names.")
    ],
    paths: Paths = None,
    program: Annotated[
        str | None,
        typer.Option(
            metavar="ADAPTER", help="Print a complete program in that framework alone instead."
        ),
    ] = None,
) -> None:
    """One case: its geometry, arrays and overlaps, and every convention's own arguments for it."""
    from conformance.commands import show as command

    command.run(case, paths or [], program)


@app.command()
def lint(
    cases: Words = None,
    known: Known = None,
    detects: Annotated[
        bool,
        typer.Option("--detects", help="Make every known mistake, and tell which cases notice it."),
    ] = False,
) -> None:
    """Where case files and known differences are wrong or out of date; exit 2 for the first, 1 for
    the second.
    """
    from conformance.commands import cases as command

    command.lint(cases or [], detects, known or [])


@app.command()
def bless(cases: Words = None) -> None:
    """Write `expected` from the oracle into case files, over a disagreeing one too, and say what
    changed.
    """
    from conformance.commands import cases as command

    command.bless(cases or [])


@app.command()
def port(
    call: Annotated[
        str,
        typer.Argument(
            metavar="CALL",
            help="The call in the source's own words; for onnx a JSON object or an .onnx file.",
        ),
    ],
    source: Annotated[
        str,
        typer.Option(
            "--from", metavar="FRAMEWORK", help="torch, keras, tensorflow, jax, flax or onnx."
        ),
    ],
    target: Annotated[str, typer.Option("--to", metavar="FRAMEWORK", help="Another of them.")],
    shape: Annotated[
        str | None,
        typer.Option(
            "--input",
            metavar="N,C,SIZE...",
            help="Shape of the input; chosen, and said, if not given.",
        ),
    ] = None,
    prove: Annotated[
        bool, typer.Option("--proof/--no-proof", help="Run both programs and compare them.")
    ] = True,
) -> None:
    """What a call of one framework is in another: arguments or a recipe as code, the proof, and the
    trap.
    """
    from conformance.commands import port as command

    command.run(call, source, target, shape, prove)


@app.command()
def conventions(
    record: Annotated[
        Path | None,
        typer.Option(metavar="RESULTS", help="What was measured; reports/latest if there is one."),
    ] = None,
) -> None:
    """The atlas: which window each convention takes."""
    from conformance.commands import conventions as command

    command.run(record)


@app.command()
def report(
    record: Annotated[
        Path, typer.Argument(metavar="RESULTS", help="A results.jsonl, or the folder of one.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder of the page.")
    ],
    baseline: Baseline = None,
    history: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="RESULTS", help="Earlier records, oldest first: how things went; several."
        ),
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
) -> None:
    """Write index.html from a record."""
    from conformance.commands import report as command

    command.run(record, output, baseline=baseline, history=history or [], show=show)


@app.command()
def confirm(
    record: Annotated[
        Path, typer.Argument(metavar="RESULTS", help="A results.jsonl, or the folder of one.")
    ],
    known: Annotated[
        list[Path] | None,
        typer.Option(
            "--known",
            metavar="FILE",
            help="Known differences to widen; those of the record's corpus if not given.",
        ),
    ] = None,
) -> None:
    """Widen the version ranges of known differences by what a record of another release shows."""
    from conformance.commands import confirm as command

    command.run(record, known or [])


@app.command()
def diff(
    old: Annotated[
        Path, typer.Argument(metavar="OLD", help="A results.jsonl, or the folder of one.")
    ],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The one to hold against it.")],
    form: Annotated[
        str, typer.Option("--format", metavar="terminal|markdown|json", help="How it is told.")
    ] = "terminal",
    limit: Annotated[
        float | None,
        typer.Option(
            "--max-slowdown",
            metavar="RATIO",
            help="Fail on calls that take more than so many times as long.",
        ),
    ] = None,
) -> None:
    """What changed between two records; exit 1 if anything fails that did not."""
    from conformance.commands import diff as command

    command.run(old, new, form, limit)


def main() -> None:
    """Entry point: what a user did wrong is one sentence a problem on stderr and exit 2, never a
    traceback.
    """
    from conformance.errors import ConformanceError

    sys.stdout = _Patient(sys.stdout)
    gc.set_threshold(
        50_000, 20, 20
    )  # cases and records live until the end: to look through them for garbage finds none
    try:
        app()
    except ConformanceError as error:
        _complain(*error.lines)
    except KeyboardInterrupt:
        sys.exit(130)


class _Patient(io.TextIOBase):
    """Standard output that may go away: a run whose reader has left, or whose disk is full, is
    finished and recorded.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        self._guarded(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        self._guarded(self._stream.flush)

    def _guarded(self, act: Callable[[], object]) -> None:
        try:
            act()
        except OSError as error:
            if not isinstance(error, BrokenPipeError):
                print(
                    f"conformance: standard output cannot be written: {error.strerror}",
                    file=sys.stderr,
                )
            os.dup2(
                os.open(os.devnull, os.O_WRONLY), 1
            )  # what is still held, and what follows, goes nowhere

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding


def _complain(*lines: str) -> None:
    for line in lines:
        print(line, file=sys.stderr)
    sys.exit(2)
