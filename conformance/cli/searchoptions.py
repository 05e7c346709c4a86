"""Options of the commands that search: sweep and bisect."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Seed = Annotated[int, typer.Option(help="The same seed draws the same calls.")]
Count = Annotated[int, typer.Option(min=1, help="Calls drawn for every adapter.")]
Indices = Annotated[
    list[int] | None,
    typer.Option(
        "--index", min=1, metavar="INDEX", help="Only the call of this number; may be repeated."
    ),
]
Ranks = Annotated[
    list[int] | None,
    typer.Option(
        "--rank", min=1, max=3, metavar="1|2|3", help="Numbers of spatial axes; all if not given."
    ),
]
Dtypes = Annotated[
    list[str] | None,
    typer.Option(
        "--dtype",
        metavar="DTYPE",
        help="Dtypes of the calls; all, float32 most often, if not given.",
    ),
]
Gradients = Annotated[
    bool,
    typer.Option(
        "--gradients/--no-gradients", help="The gradients too, where the engine has them."
    ),
]
OneDevice = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Device to run on; an adapter's first one if not given."),
]
SweepThreads = Annotated[int, typer.Option(min=1, help="Threads of every engine.")]
SweepOutput = Annotated[
    Path, typer.Option("--output", "-o", metavar="DIR", help="Folder of the cases that fail.")
]
Package = Annotated[
    str | None, typer.Option(metavar="NAME", help="The distribution whose releases are searched.")
]
Adapter = Annotated[
    str, typer.Option("--adapter", "-a", metavar="ADAPTER", help="As for run, but no cmd:.")
]
Case = Annotated[str, typer.Option(metavar="CASE", help="The full name of one case.")]
Good = Annotated[
    str | None,
    typer.Option(
        metavar="VERSION",
        help="A release that does what is right, older or newer than the bad one.",
    ),
]
Bad = Annotated[
    str | None, typer.Option(metavar="VERSION", help="A release that does something else.")
]
GoodLock = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="A lock or freeze file instead: the environment that does what is right.",
    ),
]
BadLock = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="The lock or freeze file that does something else."),
]
Mixes = Annotated[
    int | None,
    typer.Option(min=1, help="Most mixes of two locks that are tried; 40 if not given."),
]
Also = Annotated[
    list[str] | None,
    typer.Option(
        "--with",
        metavar="REQUIREMENT",
        help="Something else that every environment needs, as numpy<2.3.",
    ),
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Ignore the results of earlier searches.")]
