"""`conformance port`: a call of one framework in another, for a person."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from conformance import porting
from conformance.commands.port_weights import write_weights
from conformance.corpus.tensor_file import ENDING
from conformance.errors import UsageError
from conformance.models import Model, read_model, read_samples
from conformance.models.formats import format_of, is_model, unreadable
from conformance.porting import FORMS, Port
from conformance.printing import complain, say
from conformance.wording import instead

_ALSO = {"jax": ("flax",), "tensorflow": ("keras",)}
"""Frameworks whose models come to calls of another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What is printed of a port: its form, the source's file and the layer's name in it, and the
    file that is written; None for the terminal. `remarks` are lines on what was written.
    """

    form: str = "call"
    weights: str | None = None
    tensor: str | None = None
    output: Path | None = None
    remarks: tuple[str, ...] = ()


def run(
    call: str,
    source: str | None,
    target: str,
    inputs: Sequence[str],
    prove: bool,
    written: Written | None = None,
    *,
    unsafe: bool = False,
) -> None:
    """Print the port of a call, or of every transposed convolution of a model; exit 1 if a proof
    fails.
    """
    written = written or Written()
    if written.form not in FORMS:
        raise UsageError(f"--as {written.form}: {instead(written.form, FORMS)}")
    model = _format(call)
    takes_weights = written.form != "call" or model == "callable"
    if (written.weights and not takes_weights) or (written.tensor and written.form == "call"):
        raise UsageError(
            "--weights and --tensor say where a layer is, should stand with --as layer"
        )
    if model == "onnx":
        if source not in (None, "onnx"):
            raise UsageError(f"{call} is an ONNX file, should be given with --from onnx, or alone")
        ports = porting.port_model(call, target=target, input=_shape(inputs), prove=prove)
        written = replace(written, weights=written.weights or call)
    elif model is not None:
        ports, written = _of_model(call, (source, target), inputs, prove, written, unsafe)
    elif source is None:
        raise UsageError(
            unreadable(call)
            or f"{call[:60]!r} is not a model, should be given with --from, the call's framework"
        )
    else:
        shape = _shape(inputs)
        ports = [porting.port(call, source=source, target=target, input=shape, prove=prove)]
    agrees = all(port.proof is None or port.proof.agrees for port in ports)
    if not _printed(ports, written, prove=prove) or not agrees:
        sys.exit(1)


def _format(call: str) -> str | None:
    """The format of a model, None for a call. Raises ModelError for a model that is not there."""
    if not is_model(call):
        return None
    return "onnx" if call.lower().endswith(".onnx") else format_of(call)


def _shape(inputs: Sequence[str]) -> list[int] | None:
    """The one shape that a call, or an .onnx file, may be given. Raises UsageError."""
    if not inputs:
        return None
    if len(inputs) > 1:
        raise UsageError(f"--input is given {len(inputs)} times, should be given once")
    try:
        return [int(number) for number in inputs[0].split(",")]
    except ValueError:
        raise UsageError(
            f"--input {inputs[0][:60]}: should be whole numbers with commas between them, such as "
            "1,64,8,8"
        ) from None


def _of_model(
    path: str,
    frameworks: tuple[str | None, str],
    inputs: Sequence[str],
    prove: bool,
    written: Written,
    unsafe: bool,
) -> tuple[list[Port], Written]:
    """The ports of a model, and where their program loads its weights: from the model's own file,
    or from one that is written beside the program.
    """
    source, target = frameworks
    porting.check_name(target)

    def tell(text: str) -> None:
        complain(f"{path}: {text}")

    with read_model(
        path,
        inputs=read_samples(inputs),
        weights=written.weights if format_of(path) == "callable" else None,
        unsafe=unsafe,
        say=tell,
    ) as model:
        _check_source(source, model)
        file = porting.source_file(model, written.weights)
        ports = porting.port_layers(model, target, by_name=file is not None, prove=prove)
        if written.form == "call" or file is not None:
            return ports, replace(written, weights=file)
        if written.output is not None:
            file = str(write_weights(model, written.output))
            return ports, replace(written, weights=file, remarks=(f"weights written: {file}",))
    remark = (
        f"weights: a program cannot load them from {path} by name; with -o FILE they are written "
        "to a safetensors file beside it"
    )
    named = Path(path.partition(":")[0]).with_suffix(ENDING).name
    return ports, replace(written, weights=named, remarks=(remark,))


def _check_source(source: str | None, model: Model) -> None:
    """Refuse a framework that the model is not of. Raises UsageError."""
    for layer in model.layers[:1]:
        if source not in (None, layer.convention, *_ALSO.get(layer.convention, ())):
            raise UsageError(
                f"--from {source}: {model.path} is of {layer.convention}, should be given with "
                "that, or alone"
            )


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
    parts[-1] += written.remarks
    if written.output is not None:
        _write(written.output, codes)
        parts[-1] += [f"written: {written.output}"]
    elif written.form == "call":
        parts = [
            [*part, "", *code.rstrip().split("\n")] for part, code in zip(parts, codes, strict=True)
        ]
    else:
        parts.append(codes[0].rstrip().split("\n"))
    for number, part in enumerate(parts):
        say(*([""] if number else []), *part)
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
            f" cropped by {part.crop_low} at the start and {part.crop_high} at the end"
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
    yield f"look-alike call: {port.look_alike.text}"
    if port.kernel_look_alike:
        yield f"look-alike call: {port.kernel_look_alike}"
    if port.proof is None:
        yield "proof: not asked for"
    else:
        yield f"proof: {port.proof.text}"
        for note in port.proof.notes:
            yield f"  note: {note}"


def _times(numbers: tuple[int, ...]) -> str:
    return " x ".join(map(str, numbers))
