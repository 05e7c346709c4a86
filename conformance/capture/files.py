"""The files of a capture: the case file, and the safetensors file of its large arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from conformance.capture.entries import Arrays, entry, geometry_of, obstacle
from conformance.corpus.bless import write_expected
from conformance.corpus.case import Shape, products
from conformance.corpus.files import load_cases
from conformance.corpus.tensor_file import ENDING
from conformance.errors import ModelError, UsageError
from conformance.models import Layer, Model
from conformance.system.files import replace_file, replacing
from conformance.wording import counted

MOST_PRODUCTS = 2**31
"""The products of a case up to which its numbers are guarded: the oracle takes seconds for more."""
_MARK = "# Captured by conformance capture from "
_ORIGIN = "captured by conformance capture from"


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """What was captured: (id, layer, shape of its input) of every case, the layers that make none
    and why, and the files.
    """

    cases: tuple[tuple[str, Layer, Shape], ...]
    left_out: tuple[tuple[str, str], ...]
    file: Path
    arrays: Path | None


def capture(
    model: Model,
    file: Path,
    *,
    integers: bool = False,
    say: Callable[[str], None] = lambda text: None,
) -> Captured:
    """Write a case for every transposed convolution of a model that was run: real shapes, and its
    own weights or, with `integers`, drawn ones. `say` is told how far it is.

    Arrays of more than 256 elements go into a safetensors file of the same name. Raises ModelError
    where there is nothing to capture, and UsageError for a file that cannot be written or that
    somebody else wrote.
    """
    check_file(file, integers=integers)
    left_out = [(layer.name, reason) for layer in model.layers if (reason := obstacle(layer))]
    cases = list(_named([layer for layer in model.layers if obstacle(layer) is None]))
    if not cases:
        raise ModelError(_nothing(model, left_out))
    arrays = Arrays(file=file.with_suffix(ENDING).name)
    source = Path(model.path).name
    lines = [f"{_MARK}{source}.", "format: 1", "cases:"]
    for identity, layer, shape in cases:
        origin = f"{source}, layer {layer.name}" if layer.name else source
        lines += entry(
            layer, shape, identity=identity, source=origin, integers=integers, arrays=arrays
        )
    say(f"writes {counted(len(cases), 'case')}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        beside = _write_arrays(file.with_suffix(ENDING), arrays, source)
        replace_file(file, "\n".join(lines) + "\n")
    except OSError as error:
        raise UsageError(
            f"{file} cannot be written: {error.strerror}, should be a file that can be"
        ) from None
    written = zip(load_cases(file), cases, strict=True)
    write_expected((case for case, made in written if _is_guarded(*made[1:])), say=say)
    return Captured(cases=tuple(cases), left_out=tuple(left_out), file=file, arrays=beside)


def _is_guarded(layer: Layer, shape: Shape) -> bool:
    assert layer.kernel is not None
    return products(shape, layer.kernel.shape) <= MOST_PRODUCTS


def check_file(file: Path, *, integers: bool = False) -> None:
    """Refuse a path that can be no case file, and files that were not captured: they would be lost.
    With `integers`, no arrays are written beside it.

    Raises UsageError. Folders that are not there are no obstacle: they are made.
    """
    if file.suffix not in (".yaml", ".yml"):
        raise UsageError(f"--output {file}: should be a case file that ends in .yaml")
    if file.exists() and not _is_captured(file):
        raise UsageError(f"--output {file}: is there and was not captured, should be a new file")
    beside = file.with_suffix(ENDING)
    if not integers and beside.exists() and not _has_captured_arrays(beside):
        raise UsageError(
            f"--output {file}: {beside} beside it was not captured, should be a file of another "
            "name"
        )
    folder = next(parent for parent in file.absolute().parents if parent.exists())
    if not folder.is_dir():
        raise UsageError(f"--output {file}: {folder} is not a folder, should be one")


def _is_captured(file: Path) -> bool:
    try:
        return file.read_text(encoding="utf-8").startswith(_MARK)
    except (OSError, UnicodeDecodeError):
        return False


def _has_captured_arrays(file: Path) -> bool:
    """Whether a safetensors file has the mark of a capture, and is nobody's own weights."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="numpy") as content:
            return _ORIGIN in (content.metadata() or {})
    except (OSError, SafetensorError):
        return False


def _named(layers: list[Layer]) -> Iterator[tuple[str, Layer, Shape]]:
    """An id for every layer and every shape that it met: its name, numbered where that is taken."""
    taken: set[str] = set()
    for layer in layers:
        for shape in dict.fromkeys(layer.inputs):
            try:
                geometry_of(layer, shape)
            except ValueError as error:
                raise ModelError(f"{layer.name}: {error}") from None
            plain = "".join(c if c.isprintable() else "?" for c in layer.name).strip() or "layer"
            identity, number = plain, 1
            while identity in taken:
                number += 1
                identity = f"{plain}-{number}"
            taken.add(identity)
            yield identity, layer, shape


def _nothing(model: Model, left_out: list[tuple[str, str]]) -> str:
    """Why no case came of a model, and what would be right."""
    if not model.layers:
        return f"{model.path} has no transposed convolution, should have one"
    name, reason = left_out[0]
    advice = " Give the shape of the model's input (--input)." if "input" in reason else ""
    return f"{model.path} has no layer that makes a case. {name}: {reason}{advice}"


def _write_arrays(path: Path, arrays: Arrays, source: str) -> Path | None:
    """The file of the arrays, whole or not at all; None where there are none."""
    if not arrays.tensors:
        return None
    from safetensors.numpy import save_file

    tensors = {name: stored.load() for name, stored in arrays.tensors.items()}
    with replacing(path) as partial:
        save_file(tensors, partial, metadata={_ORIGIN: source})
    return path
