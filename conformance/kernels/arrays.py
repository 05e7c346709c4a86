"""Arrays that two processes share, as files that both map: half a billion numbers are not sent
through a pipe.
"""

from __future__ import annotations

import math
import os
import shutil
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conformance.corpus.tensors import Array, dtype_of

Described = dict[str, Any]
"""A shared array in a message: its `file`, `shape` and `dtype`."""

_MEMORY = Path("/dev/shm")
_PIECE = 1 << 24
"""Bytes that are summed at once."""


def folder(size: int) -> str | None:
    """Where temporary files of so many bytes are best: in memory, where that has room; None for the
    usual place.
    """
    try:
        room = os.statvfs(_MEMORY)
    except OSError:
        return None
    return str(_MEMORY) if size < room.f_bavail * room.f_frsize // 2 else None


def temporary(size: int) -> tempfile.TemporaryDirectory[str]:
    """A folder for arrays of so many bytes together."""
    return tempfile.TemporaryDirectory(prefix="kernel-", dir=folder(size))


def create(at: Path, name: str, shape: Sequence[int], dtype: str) -> tuple[Described, Array]:
    """A new shared array of zeros."""
    described = {"file": str(at / name), "shape": list(shape), "dtype": dtype}
    allot(described)
    return described, opened(described)


def allot(described: Described) -> None:
    """Make the file of an array that nobody has mapped yet; all is zero in it."""
    item = 2 if described["dtype"] == "bfloat16" else np.dtype(described["dtype"]).itemsize
    with Path(described["file"]).open("wb") as stream:
        stream.truncate(math.prod(described["shape"]) * item)


def write(at: Path, name: str, array: Array) -> Described:
    """A shared copy of an array."""
    described, shared = create(at, name, array.shape, array.dtype.name)
    shared[...] = array
    return described


def moved(at: Path, name: str, described: Described) -> Described:
    """The same array in another folder."""
    shutil.move(described["file"], at / name)
    return {**described, "file": str(at / name)}


def opened(described: Described) -> Array:
    """The array itself, that both may write to."""
    return raw(described).view(dtype_of(described["dtype"])).reshape(described["shape"])


def taken(described: Described) -> Array:
    """The numbers of an array of which no file is left."""
    array = np.array(opened(described))
    Path(described["file"]).unlink()
    return array


def copies(at: Path, named: Sequence[tuple[str, Array]]) -> list[tuple[str, Described]]:
    """Shared copies of arrays that have names."""
    return [(name, write(at, f"w{number}", array)) for number, (name, array) in enumerate(named)]


def raw(described: Described) -> NDArray[np.uint8]:
    """The bytes of a shared array."""
    if 0 in described["shape"]:
        return np.zeros(0, np.uint8)
    return np.asarray(np.memmap(described["file"], np.uint8, "r+"))


def checksum(array: Array) -> int:
    """CRC-32 of the bytes, in C order, of an array that is contiguous."""
    value = 0
    flat = array.reshape(-1).view(np.uint8)
    for start in range(0, flat.size, _PIECE):
        value = zlib.crc32(flat[start : start + _PIECE].data, value)
    return value
