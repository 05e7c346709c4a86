"""The weights of a model that is ported, in a safetensors file beside the program of its layers."""

from __future__ import annotations

from pathlib import Path

from conformance.corpus.tensor_file import ENDING
from conformance.errors import UsageError
from conformance.models import Model
from conformance.porting import tensors_of
from conformance.system.files import replacing

_ORIGIN = "written by conformance port from"


def write_weights(model: Model, program: Path) -> Path:
    """Write the effective weights of a model's layers beside their program, by the names that it
    loads; the file. Raises UsageError where that cannot be done, or would write over a file that
    somebody else wrote.
    """
    from safetensors.numpy import save_file

    file = program.with_suffix(ENDING)
    if file.exists() and not _is_written(file):
        raise UsageError(
            f"--output {program}: {file} beside it was not written by conformance port, should be "
            "a file of another name"
        )
    try:
        with replacing(file) as partial:
            save_file(tensors_of(model), partial, metadata={_ORIGIN: Path(model.path).name})
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}") from None
    return file


def _is_written(file: Path) -> bool:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="numpy") as content:
            return _ORIGIN in (content.metadata() or {})
    except (OSError, SafetensorError):
        return False
