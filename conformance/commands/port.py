"""`conformance port`: a call of one framework in another, for a person."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from conformance import porting
from conformance.errors import UsageError
from conformance.porting import Port


def run(call: str, source: str, target: str, shape: str | None, prove: bool) -> None:
    """Print the port of a call, or of every ConvTranspose node of an .onnx file; exit 1 if a proof
    fails.
    """
    try:
        input_shape = None if shape is None else [int(number) for number in shape.split(",")]
    except ValueError:
        raise UsageError(
            f"--input {shape}: should be whole numbers with commas between them, such as 1,64,8,8"
        ) from None
    is_file = call.lower().endswith(".onnx")
    if is_file and source != "onnx":
        raise UsageError(f"{call} is an ONNX file, should be given with --from onnx")
    if is_file:
        ports = porting.port_model(call, target=target, input=input_shape, prove=prove)
    else:
        ports = [porting.port(call, source=source, target=target, input=input_shape, prove=prove)]
    print("\n\n".join("\n".join(lines(port)) for port in ports))
    if any(port.proof is not None and not port.proof.agrees for port in ports):
        sys.exit(1)


def lines(port: Port) -> Iterator[str]:
    """The answer, a line each; the code stands by itself so that it can be copied."""
    yield f"{port.source}{f' {port.name}' if port.name else ''}: {port.call}"
    yield (
        f"  input {_times(port.input)}, kernel {_times(port.kernel)}, output {_times(port.output)}"
    )
    for axis, part in enumerate(port.geometry.axes):
        yield (
            f"  axis {axis}: stride {part.stride}, dilation {part.dilation}, full output "
            f"{part.full},"
            f" of which the start loses {part.crop_low} and the end {part.crop_high}"
        )
    for note in port.notes:
        yield f"  note: {note}"
    yield f"{port.target}: {port.target_call}"
    if port.arguments is not None and port.reason is not None:
        yield (
            "  its own arguments would be "
            f"{', '.join(f'{key}={value!r}' for key, value in port.arguments.items())}"
        )
    if port.reason is not None:
        yield f"  why not one call: {port.reason}"
    for number, step in enumerate(port.recipe, 1):
        yield f"  {number}. {step}"
    yield f"  weights: {'; '.join(port.weights)}"
    yield f"  {port.holds}"
    yield f"trap: {port.trap.text}"
    if port.kernel_trap:
        yield f"trap: {port.kernel_trap}"
    if port.proof is None:
        yield "proof: not asked for"
    else:
        yield f"proof: {port.proof.text}"
        for note in port.proof.notes:
            yield f"  note: {note}"
    yield ""
    yield port.code.rstrip()


def _times(numbers: tuple[int, ...]) -> str:
    return " x ".join(map(str, numbers))
