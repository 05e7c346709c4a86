"""Commands on models: capture, compare."""

from __future__ import annotations

from pathlib import Path

from conformance.cli.modeloptions import (
    AsJson,
    CaseFile,
    Inputs,
    Maps,
    ModelFile,
    PageFolder,
    SampleOfBoth,
    SourceModel,
    TargetModel,
    Unsafe,
    Values,
    Weights,
    WeightsOfSource,
    WeightsOfTarget,
)


def capture(
    model: ModelFile,
    output: CaseFile,
    inputs: Inputs = None,
    weights: Weights = None,
    values: Values = None,
    unsafe: Unsafe = False,
) -> None:
    """Write a case for every transposed convolution of a model.

    With its arguments, weights and real shapes.
    """
    from conformance.commands import capture as command

    command.run(model, output, inputs or [], weights, values, unsafe)


def compare(
    source: SourceModel,
    target: TargetModel,
    inputs: SampleOfBoth = None,
    maps: Maps = None,
    weights: WeightsOfSource = None,
    target_weights: WeightsOfTarget = None,
    as_json: AsJson = False,
    output: PageFolder = None,
    unsafe: Unsafe = False,
) -> None:
    """Compare two models: which layer is wrong, and how."""
    from conformance.commands import compare as command

    asked = command.Asked(
        inputs=inputs or [],
        maps=maps or [],
        weights=(_text(weights), _text(target_weights)),
        unsafe=unsafe,
    )
    command.run(source, target, asked, as_json, output)


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
