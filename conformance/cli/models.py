"""Commands on models: capture."""

from __future__ import annotations

from conformance.cli.modeloptions import (
    CaseFile,
    Inputs,
    ModelFile,
    Unsafe,
    Values,
    Weights,
)


def capture(
    model: ModelFile,
    output: CaseFile,
    inputs: Inputs = None,
    weights: Weights = None,
    values: Values = None,
    unsafe: Unsafe = False,
) -> None:
    """A case for every transposed convolution of a model: its arguments, weights and real
    shapes.
    """
    from conformance.commands import capture as command

    command.run(model, output, inputs or [], weights, values, unsafe)
