"""Arrays of a case that lie in a safetensors file beside it."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conformance.corpus.case import Filed, Shape
from conformance.corpus.limits import shape_problem
from conformance.wording import instead, quoted

ENDING = ".safetensors"
DTYPES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}
_PIECE = 1 << 24


def checked_path(folder: Path, name: str) -> Path:
    """The file of that name in a folder or below it. Raises ValueError: what is wrong with the
    name, and what would be right.
    """
    path = Path(name)
    if path.suffix != ENDING:
        raise ValueError(f"is {quoted(name)}, should be a file that ends in {ENDING}")
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"is {quoted(name)}, should be a path inside the folder of the case file")
    whole = folder
    for part in path.parts:
        whole /= part
        if whole.is_symlink():
            raise ValueError(f"is {quoted(name)}, which is a link, should be the file itself")
    if not whole.is_file():
        raise ValueError(f"is {quoted(name)}, which is not a file in {folder}")
    return whole


def filed(folder: Path, name: str, tensor: str) -> Filed:
    """The array of a tensor of a file. Raises ValueError for a file or a tensor that cannot be
    used.
    """
    path = checked_path(folder, name)
    status = path.stat()
    shape, digest = _read_once(str(path), tensor, status.st_size, status.st_mtime_ns)
    return Filed(shape=shape, file=name, tensor=tensor, sha256=digest, folder=folder)


def numbers(source: Filed) -> NDArray[Any]:
    """The tensor, in the dtype of the file. Raises ValueError where it is not the one that was
    loaded with the case.
    """
    values: NDArray[Any] = _tensor(checked_path(source.folder, source.file), source.tensor)
    if _digest(values) != source.sha256:
        raise ValueError(f"{source.tensor} of {source.file} has changed since it was loaded")
    return values


@functools.lru_cache(maxsize=1024)
def _read_once(path: str, tensor: str, size: int, changed: int) -> tuple[Shape, str]:
    values = _tensor(Path(path), tensor)
    return values.shape, _digest(values)


def _tensor(path: Path, tensor: str) -> NDArray[Any]:
    """A tensor of a file, whose header the library checks: sizes, offsets without holes or
    overlaps, and dtypes.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            names = list(file.keys())
            if tensor not in names:
                cut = [name[:60] for name in names]
                raise ValueError(f"has no tensor {quoted(tensor)}, {instead(tensor, cut, most=5)}")
            announced = file.get_slice(tensor)
            problem = shape_problem(announced.get_shape())
            if problem is not None:
                raise ValueError(f"{problem}: tensor {quoted(tensor)}")
            dtype = announced.get_dtype()
            if dtype not in DTYPES:
                raise ValueError(f"is of {dtype}, should be of {', '.join(DTYPES)}")
            values: NDArray[Any] = file.get_tensor(tensor)
            return values
    except SafetensorError as error:
        raise ValueError(f"is not a safetensors file: {str(error)[:200]}") from None
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror or error}") from None


def _digest(values: NDArray[Any]) -> str:
    """SHA-256 of the dtype, the shape and the bytes, in C order."""
    state = hashlib.sha256(f"{values.dtype.name} {list(values.shape)}\n".encode())
    plain = np.ascontiguousarray(values).reshape(-1).view(np.uint8)
    for start in range(0, plain.size, _PIECE):
        state.update(plain[start : start + _PIECE].data)
    return state.hexdigest()
