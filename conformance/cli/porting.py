"""Commands on conventions: port, conventions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from conformance.cli.modeloptions import Unsafe
from conformance.cli.options import (
    Call,
    Prove,
    Record,
    Shapes,
    Source,
    Target,
)

PortForm = Annotated[
    str,
    typer.Option("--as", metavar="FORM", help="call, layer or model-snippet: what is printed."),
]
PortWeights = Annotated[
    str | None,
    typer.Option(
        metavar="FILE", help="With --as layer: the source's file, which the program loads."
    ),
]
PortTensor = Annotated[
    str | None,
    typer.Option("--tensor", metavar="NAME", help="The layer's name in that file, as decoder.up."),
]
PortFile = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write the program there."),
]


def port(
    call: Call,
    target: Target,
    source: Source = None,
    shapes: Shapes = None,
    prove: Prove = True,
    form: PortForm = "call",
    weights: PortWeights = None,
    tensor: PortTensor = None,
    output: PortFile = None,
    unsafe: Unsafe = False,
) -> None:
    """Translate a layer between frameworks, with proof.

    Of a call, or of each layer of a model: arguments or a recipe as code, the proof, and the
    look-alike call.
    """
    from conformance.commands import port as command

    written = command.Written(form=form, weights=weights, tensor=tensor, output=output)
    command.run(call, source, target, shapes or [], prove, written, unsafe=unsafe)


def conventions(
    record: Record = None,
) -> None:
    """Show the atlas: which window each framework takes."""
    from conformance.commands import conventions as command

    command.run(record)
