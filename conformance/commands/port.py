"""`conformance port`: a call of one framework in another, for a person."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from conformance import porting
from conformance.errors import UsageError
from conformance.porting import FORMS, Port


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What is printed of a port: its form, the source's file and the layer's name in it, and the
    file that is written; None for the terminal.
    """

    form: str = "call"
    weights: str | None = None
    tensor: str | None = None
    output: Path | None = None


def run(
    call: str,
    source: str,
    target: str,
    shape: str | None,
    prove: bool,
    written: Written | None = None,
) -> None:
    """Print the port of a call, or of every ConvTranspose node of an .onnx file; exit 1 if a proof
    fails.
    """
    written = written or Written()
    try:
        input_shape = None if shape is None else [int(number) for number in shape.split(",")]
    except ValueError:
        raise UsageError(
            f"--input {str(shape)[:60]}: should be whole numbers with commas between them, such as "
            "1,64,8,8"
        ) from None
    if written.form not in FORMS:
        raise UsageError(f"--as {written.form}: should be one of {', '.join(FORMS)}")
    if written.form == "call" and (written.weights or written.tensor):
        raise UsageError(
            "--weights and --tensor say where a layer is, should stand with --as layer"
        )
    is_file = call.lower().endswith(".onnx")
    if is_file and source != "onnx":
        raise UsageError(f"{call} is an ONNX file, should be given with --from onnx")
    if is_file:
        ports = porting.port_model(call, target=target, input=input_shape, prove=prove)
        written = replace(written, weights=written.weights or call)
    else:
        ports = [porting.port(call, source=source, target=target, input=input_shape, prove=prove)]
    agrees = all(port.proof is None or port.proof.agrees for port in ports)
    if not _printed(ports, written, prove=prove) or not agrees:
        sys.exit(1)


def _printed(ports: Sequence[Port], written: Written, *, prove: bool) -> bool:
    """Print the answers and their code, or write the code; whether what was to be proved is."""
    if written.form == "call":
        codes, proof = [port.code for port in ports], None
    else:
        layers = porting.layer_file(
            ports,
            written.form,
            weights=written.weights,
            tensor=written.tensor,
            prove=prove,
            load=written.weights is not None and Path(written.weights).exists(),
        )
        codes, proof = [layers.code], layers.proof
    parts = [[*lines(port)] for port in ports]
    if proof is not None:
        parts[-1] += ["", f"proof: {proof.text}"]
    if written.output is not None:
        _write(written.output, codes)
        parts[-1] += [f"written: {written.output}"]
    elif written.form == "call":
        parts = [[*part, "", code.rstrip()] for part, code in zip(parts, codes, strict=True)]
    else:
        parts.append([codes[0].rstrip()])
    print("\n\n".join("\n".join(part) for part in parts))
    return proof is None or proof.agrees


def _write(path: Path, codes: Sequence[str]) -> None:
    """Write programs to a file: one, as several would each have a function of one name."""
    if len(codes) > 1:
        raise UsageError(
            f"{path}: {len(codes)} calls are {len(codes)} programs, should be one file of layers: "
            "--as layer"
        )
    try:
        path.write_text(codes[0], encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None


def lines(port: Port) -> Iterator[str]:
    """The answer, a line each, without its code."""
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


def _times(numbers: tuple[int, ...]) -> str:
    return " x ".join(map(str, numbers))
