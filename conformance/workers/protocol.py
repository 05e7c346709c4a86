"""The messages between the suite and an engine: one line of JSON, then raw bytes.

The line lists `tensors: [{name, dtype, shape}]`; the bytes are each tensor's little-endian C-order
data, in that order. Nothing here blocks or knows a process: a message is bytes, written from the
arrays themselves and read into new ones, so that no array is copied on its way but by the pipe.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from conformance.corpus.case import DTYPES
from conformance.corpus.tensors import DTYPES_OF_RESULTS, Array, dtype_of

VERSION = 1

NO_GRADIENTS = "This adapter has no gradients."
"""The reason of an adapter of ours without them."""

MOST_AXES = 32
MOST_TENSORS = 8
LONGEST_NAME = 40
MOST_BYTES = 8 * 2**30
LONGEST_LINE = 4 * 2**20


class ProtocolError(Exception):
    """A message that is none: what came, and what should have."""


class Source(Protocol):
    """Where bytes come from; both raise EOFError at the end."""

    def line(self, limit: int) -> bytes: ...

    def fill(self, buffer: memoryview) -> None: ...


def encode(header: Mapping[str, Any], tensors: Mapping[str, Array]) -> list[bytes | memoryview]:
    """A message as buffers to be written one after the other."""
    described, data = [], []
    for name, tensor in tensors.items():
        plain = np.ascontiguousarray(tensor)
        plain = plain.astype(plain.dtype.newbyteorder("<"), copy=False)
        described.append({"name": name, "dtype": plain.dtype.name, "shape": list(tensor.shape)})
        data.append(memoryview(plain.reshape(-1).view(np.uint8).data))
    line = {**header, "tensors": described} if tensors else dict(header)
    return [json.dumps(line).encode() + b"\n", *data]


def decode(source: Source, most_bytes: int = MOST_BYTES) -> tuple[dict[str, Any], dict[str, Array]]:
    """The next message; a tensor of more bytes is not read. Raises EOFError at the end and
    ProtocolError for what is no message.
    """
    line = source.line(LONGEST_LINE)
    try:
        header = json.loads(line, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise ProtocolError(f"answered {line[:80]!r}, should be one line of JSON") from None
    if not isinstance(header, dict):
        raise ProtocolError(f"answered {line[:80]!r}, should be a JSON object")
    tensors: dict[str, Array] = {}
    listed = header.get("tensors", [])
    if not isinstance(listed, list) or len(listed) > MOST_TENSORS:
        raise ProtocolError(
            f"tensors is {listed!r:.80}, should be a list of at most {MOST_TENSORS}"
        )
    for entry in listed:
        name, dtype, shape = _described(entry)
        if name in tensors:
            raise ProtocolError(f"tensor {name} comes twice, should come once")
        # an empty axis beside a huge one would be no byte, and fill memory once it is listed
        size = math.prod(max(1, n) for n in shape) * dtype.itemsize
        if size > most_bytes:
            raise ProtocolError(
                f"tensor {name} of shape {shape!r:.80} was not read: it is of {size:.3g} bytes, "
                f"should be of at most {most_bytes:.3g} here"
            )
        tensors[name] = _read(source, dtype, shape)
    return header, tensors


def _read(source: Source, dtype: np.dtype[Any], shape: list[int]) -> Array:
    try:
        array = np.empty(shape, dtype.newbyteorder("<"))
        source.fill(memoryview(array.reshape(-1).view(np.uint8).data))
        return array.astype(dtype, copy=False)
    except MemoryError:
        raise ProtocolError(f"a tensor of shape {shape!r:.80} does not fit into memory") from None


def _no_number(text: str) -> None:
    """JSON has no NaN and no Infinity, which Python's reader takes."""
    raise ValueError(text)


def _described(entry: Any) -> tuple[str, np.dtype[Any], list[int]]:
    if not isinstance(entry, dict) or not {"name", "dtype", "shape"} <= entry.keys():
        raise ProtocolError(
            f"describes a tensor as {entry!r:.80}, should give name, dtype and shape"
        )
    name, dtype, shape = entry["name"], entry["dtype"], entry["shape"]
    if not isinstance(name, str) or len(name) > LONGEST_NAME:
        raise ProtocolError(f"names a tensor {name!r:.40}, should be a word")
    if not isinstance(dtype, str) or dtype not in DTYPES_OF_RESULTS:
        raise ProtocolError(
            f"tensor {name} has dtype {dtype!r:.40}, should be one of {', '.join(DTYPES)}"
        )
    if not isinstance(shape, list) or not all(
        isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in shape
    ):
        raise ProtocolError(
            f"tensor {name} has shape {shape!r:.80}, should be a list of whole numbers"
        )
    if len(shape) > MOST_AXES or any(n > MOST_BYTES for n in shape):
        raise ProtocolError(
            f"tensor {name} has shape {shape!r:.80}, should have at most {MOST_AXES} axes and fit "
            "into memory"
        )
    return name, dtype_of(dtype), shape
