"""Options and arguments that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
        help="quick: few cases that detect every mistake; gpu-api, chain.",
        show_default=False,
    ),
]
Shard = Annotated[
    str | None,
    typer.Option(
        metavar="I/N", show_default=False, help="Only the I-th of N parts, the same everywhere."
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
        "--known", metavar="FILE", help="Known failures of one's own; several, all as strict."
    ),
]
Pythons = Annotated[
    list[str] | None,
    typer.Option("--python", metavar="ADAPTER=PATH", help="The interpreter of an adapter."),
]
Device = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|all", help="Device to run on; each adapter's first one if not given."
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(min=1, help="Processes at work at once; the number of cores if not given."),
]
Timeout = Annotated[
    float, typer.Option(min=0.001, max=86400, metavar="SECONDS", help="Limit of one call.")
]
Deadline = Annotated[
    str | None,
    typer.Option(
        metavar="TIME", show_default=False, help="Stop after 90s, 30m or 2h, with exit code 1."
    ),
]
Memory = Annotated[
    str | None,
    typer.Option(
        metavar="SIZE", show_default=False, help="Most memory of an engine, as 500M or 4G."
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(min=1, help="Threads of every engine; all physical cores if not given."),
]
Precision = Annotated[
    str,
    typer.Option(
        metavar="strict|default",
        help="float32 in float32, or as each framework does unless told (TF32).",
    ),
]
Timing = Annotated[
    str,
    typer.Option(
        metavar="off|quick|full",
        help="Time cases tagged network that conform: 0.2 s or 5 s per adapter.",
    ),
]
Repeat = Annotated[int, typer.Option(min=1, help="Repeat every call, with other sizes in between.")]
Invariance = Annotated[
    bool,
    typer.Option(
        "--invariance",
        help="Every call also sample by sample, with other threads, in another layout.",
    ),
]
Accept = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write the new failures into this file of known failures."),
]
Output = Annotated[
    Path,
    typer.Option("--output", "-o", metavar="DIR", help="Folder of results.jsonl and index.html."),
]
Junit = Annotated[
    Path | None,
    typer.Option(metavar="FILE", show_default=False, help="Write the checks as JUnit XML there."),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on with the record in the output folder.")
]
First = Annotated[bool, typer.Option("-x", help="Stop at the first new failure.")]
Maxfail = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Stop after so many new failures."),
]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="The names of all cases that fail alike.")
]
Dump = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        show_default=False,
        help="Write every call there, at most 100, each with a program that makes it again.",
    ),
]
InProcess = Annotated[
    bool,
    typer.Option(
        "--in-process", help="One case on one adapter in this process: for pdb, prints, profilers."
    ),
]
Live = Annotated[
    bool,
    typer.Option("-s", help="Show what the engines print as it comes, and their process ids."),
]
AllowUnsupported = Annotated[
    bool,
    typer.Option(
        "--allow-unsupported", help="Pass where an adapter or a case could not be checked at all."
    ),
]
ShowCase = Annotated[
    str, typer.Argument(metavar="CASE", help="Full name of a case, or a glob of names.")
]
Program = Annotated[
    str | None,
    typer.Option(
        metavar="ADAPTER", help="Print a complete program in that framework alone instead."
    ),
]
Detects = Annotated[
    bool,
    typer.Option("--detects", help="Make every known mistake, and tell which cases detect it."),
]
Audited = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[PATH|CASE]...",
        show_default=False,
        help="Cases of one's own, as for list; if none, the public suites and the subset quick.",
    ),
]
Suites = Annotated[
    list[str] | None,
    typer.Option("--suite", metavar="NAME", help="A public suite, or conformance; several."),
]
Atol = Annotated[
    float | None,
    typer.Option(metavar="NUMBER", help="Absolute tolerance of one's own tests."),
]
Rtol = Annotated[
    float | None,
    typer.Option(metavar="NUMBER", help="Relative tolerance of one's own tests."),
]
Call = Annotated[
    str,
    typer.Argument(
        metavar="CALL|MODEL",
        help="The call in the source's own words, for onnx a JSON object too; or a model, as for "
        "capture.",
    ),
]
Source = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="FRAMEWORK",
        help="The call's framework: torch, keras, tensorflow, jax, flax or onnx; not for a model.",
    ),
]
Target = Annotated[
    str, typer.Option("--to", metavar="FRAMEWORK", help="The framework to translate to.")
]
Shapes = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        metavar="N,C,SIZE...",
        help="Shape of the input, for a model as for capture; chosen, and said, if not given.",
    ),
]
Prove = Annotated[
    bool, typer.Option("--proof/--no-proof", help="Run both programs and compare them.")
]
Record = Annotated[
    Path | None,
    typer.Option(metavar="RESULTS", help="What was measured; reports/latest if there is one."),
]
Form = Annotated[
    str, typer.Option("--format", metavar="terminal|markdown|json", help="The output format.")
]
