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
SampleOfBoth = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        "--inputs",
        metavar="[NAME=]N,C,SIZE...|FILE",
        help="Shape of an input of A, or an .npy or .npz file of arrays; B gets the same.",
    ),
]
SourceModel = Annotated[
    str, typer.Argument(metavar="A", help="The model that is right: as MODEL of capture.")
]
TargetModel = Annotated[str, typer.Argument(metavar="B", help="The model that should be the same.")]
Maps = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="A=B", help="Layers that belong together, by name; several."),
]
WeightsOfSource = Annotated[
    Path | None, typer.Option("--weights", metavar="FILE", help="Weights of A, if a callable.")
]
WeightsOfTarget = Annotated[
    Path | None,
    typer.Option("--target-weights", metavar="FILE", help="Weights of B, if a callable."),
]
AsJson = Annotated[bool, typer.Option("--json", help="The comparison as JSON on stdout.")]
PageFolder = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="DIR", help="Write a page there: both side by side."),
]
