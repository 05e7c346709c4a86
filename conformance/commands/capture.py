"""`conformance capture`: the transposed convolutions of a model as cases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from conformance.capture import Captured, check_file
from conformance.capture import capture as write
from conformance.errors import UsageError
from conformance.models import read_model, read_samples
from conformance.models.model import Layer
from conformance.printing import complain, say
from conformance.wording import counted


def run(
    model: str,
    output: Path,
    inputs: Sequence[str],
    weights: Path | None,
    values: str | None,
    unsafe: bool,
) -> None:
    """Read a model, write its cases, and print a line for each."""
    if values not in (None, "integers"):
        raise UsageError(
            f"--values {values}: should be integers, or left out for the model's own weights"
        )
    check_file(output, integers=values == "integers")
    samples = read_samples(inputs)

    def tell(text: str) -> None:
        complain(f"{model}: {text}")

    with read_model(
        model,
        inputs=samples,
        weights=None if weights is None else str(weights),
        unsafe=unsafe,
        say=tell,
    ) as read:
        captured = write(read, output, integers=values == "integers", say=tell)
        say(*lines(captured))


def lines(captured: Captured) -> Iterator[str]:
    """A line for each case and for each layer that makes none, and what to do next."""
    for identity, layer, shape in captured.cases:
        yield f"{identity}: {_described(layer)}, input {_times(shape)}"
    for name, reason in captured.left_out:
        yield f"{name}: left out. {reason}"
    beside = "" if captured.arrays is None else f", arrays in {captured.arrays}"
    yield f"{counted(len(captured.cases), 'case')} in {captured.file}{beside}"
    yield f"conformance run {captured.file}"


def _described(layer: Layer) -> str:
    assert layer.kernel is not None
    arguments = ", ".join(f"{key}={value!r}" for key, value in layer.native.items())
    parts = [f"{layer.operator}({arguments}), kernel {_times(layer.kernel.shape)}"]
    if layer.normalised_by:
        parts.append(f"weights by {', '.join(layer.normalised_by)}")
    if layer.activation:
        parts.append(f"with {layer.activation}")
    if layer.followed_by:
        parts.append(f"before {', '.join(layer.followed_by)}")
    return ", ".join(parts)


def _times(numbers: Sequence[int]) -> str:
    return " x ".join(map(str, numbers))
