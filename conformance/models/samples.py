"""What a model is run on: shapes or arrays that a user gives for its inputs."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from conformance.corpus.tensors import Array
from conformance.errors import UsageError
from conformance.wording import quoted

MOST_ELEMENTS = 2**28
MOST_BYTES = 8 * MOST_ELEMENTS + 2**20  # float64, and the headers
_KINDS = "fiub"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The shape of one input, or its array. `name` is None for the next input in order."""

    name: str | None
    shape: tuple[int, ...]
    array: Array | None = None


def read_samples(texts: Sequence[str]) -> list[Sample]:
    """The samples of `N,C,SIZE...`, `NAME=N,C,SIZE...`, `FILE.npy` and `FILE.npz`, whose arrays are
    taken by name. Raises UsageError.
    """
    samples: list[Sample] = []
    for text in texts:
        if text.endswith((".npy", ".npz")):
            samples += _arrays(text)
        else:
            name, equals, shape = text.rpartition("=")
            samples.append(Sample(name=name if equals else None, shape=_shape(text, shape)))
    return samples


def _shape(text: str, numbers: str) -> tuple[int, ...]:
    try:
        shape = tuple(int(number) for number in numbers.split(","))
    except ValueError:
        shape = (0,)
    if min(shape) < 1 or math.prod(shape) > MOST_ELEMENTS:
        raise UsageError(
            f"--input {quoted(text)[1:-1]}: should be whole numbers of at least 1 with commas "
            f"between them, such as 1,64,8,8, of at most {MOST_ELEMENTS} elements, or an .npy or "
            ".npz file"
        )
    return shape


def _arrays(path: str) -> list[Sample]:
    try:
        _check_size(Path(path))
        loaded = np.load(Path(path), allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            arrays: dict[str | None, Array] = {None: loaded}
        else:
            with loaded:
                arrays = {_named(name): loaded[name] for name in loaded.files}
    except Exception as error:  # zipfile's, NumPy's and the system's own
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise UsageError(f"--input {path}: cannot be read: {first}") from None
    for array in arrays.values():
        if array.dtype.kind not in _KINDS:
            raise UsageError(f"--input {path}: is of dtype {array.dtype}, should be numbers")
    return [Sample(name=name, shape=array.shape, array=array) for name, array in arrays.items()]


def _check_size(path: Path) -> None:
    """Raise ValueError for what is not a regular file, or that unpacks to too much."""
    if path.exists() and not path.is_file():
        raise ValueError("it is not a regular file")
    size = path.stat().st_size
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    if size > MOST_BYTES:
        raise ValueError(f"it has {size} bytes, should have at most {MOST_BYTES}")


def _named(name: str) -> str | None:
    """None for the names that NumPy gives to arrays without one."""
    return None if name.startswith("arr_") and name[4:].isdigit() else name
