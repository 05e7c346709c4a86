"""What an engine may answer: lines of JSON with the bytes of arrays behind them."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from conformance.workers import answers
from conformance.workers.protocol import ProtocolError, decode, encode
from fuzzing.reader import Reader
from fuzzing.trees import bytes_twisted, twisted

_HEADERS: tuple[dict[str, Any], ...] = (
    {
        "protocol": 1,
        "convention": "torch",
        "versions": {"torch": "2.13.0"},
        "devices": ["cpu"],
        "threads": 2,
        "facts": {"onednn": True},
        "quantities": ["output", "gradients"],
    },
    {"outcome": "output", "seconds": 0.01, "compiled": {"hits": 1, "misses": 0}, "calls": [0.1]},
    {"outcome": "output", "computed_by": "CPUExecutionProvider"},
    {"outcome": "raised", "type": "ValueError", "message": "no", "stage": "computing"},
    {"outcome": "unsupported", "reason": "It has no groups.", "type": None},
    {"outcome": "unavailable", "reason": "torch is not installed"},
    {"outcome": "shape", "shape": [1, 2, None, 4]},
)


class _Bytes:
    """A message that has come whole."""

    def __init__(self, content: bytes) -> None:
        self._left = content

    def line(self, limit: int) -> bytes:
        line, end, self._left = self._left.partition(b"\n")
        if not end or len(line) > limit:
            raise EOFError
        return line

    def fill(self, buffer: memoryview) -> None:
        if len(self._left) < len(buffer):
            raise EOFError
        buffer[:], self._left = self._left[: len(buffer)], self._left[len(buffer) :]


def _draw(draw: random.Random, twists: Sequence[random.Random]) -> bytes:
    header = draw.choice(_HEADERS)
    shape = draw.choices([1, 2, 3, 4], k=draw.choice([3, 4, 5]))
    dtype = draw.choice(["float32", "float64", "float16", "int8", "complex64", "bool"])
    names = draw.choice([["y"], ["y"], ["dx", "dkernel"], []])
    arrays = {name: np.zeros(shape, dtype) for name in names}
    content = b"".join(bytes(part) for part in encode(header, arrays))
    line, _, data = content.partition(b"\n")
    tree, donor = json.loads(line), dict(draw.choice(_HEADERS))
    in_bytes = [twist for twist in twists if twist.random() < 0.15]
    for twist in twists:
        if twist not in in_bytes:
            tree = twisted(tree, donor, twist)
    content = json.dumps(tree).encode() + b"\n" + data
    for twist in in_bytes:
        content = bytes_twisted(content, twist)
    return content


def _read(content: bytes) -> None:
    try:
        header, arrays = decode(_Bytes(content))
    except EOFError:  # the engine has died, which is told elsewhere
        raise ProtocolError("the message is cut") from None
    answers.greeting_of(header)
    answers.outcome_of(header, arrays)
    answers.shape_of(header, ("batch",))
    answers.duration(header.get("seconds"))


MESSAGES = Reader(name="messages", draw=_draw, read=_read, refusals=(ProtocolError,))
