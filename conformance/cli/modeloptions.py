"""Options and arguments of commands on models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ModelFile = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="A file or folder of a model, or package.module:callable that makes one.",
    ),
]
CaseFile = Annotated[
    Path, typer.Option("--output", "-o", metavar="FILE.yaml", help="The case file to write.")
]
Inputs = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        metavar="[NAME=]N,C,SIZE...|FILE",
        help="Shape of an input of the model, or an .npy or .npz file of arrays; several.",
    ),
]
Weights = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Weights of a model that a callable makes: a state dict or safetensors.",
    ),
]
Values = Annotated[
    str | None,
    typer.Option(metavar="integers", help="Drawn weights; the model's own if not given."),
]
Unsafe = Annotated[
    bool,
    typer.Option("--unsafe", help="Let the file run code: pickles, Lambda layers. Only your own."),
]
