"""The reading of calls in a framework's own words: one module per framework, and the grammar that
they share.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from conformance.conventions import ArgumentError
from conformance.porting.calls import flax, jax, keras, onnx, tensorflow, torch
from conformance.porting.calls.grammar import Call, Signature, parsed
from conformance.porting.layer import Layer


class Reader(Protocol):
    """The interface of a module of this package: its functions, a call as an example, and the
    reader of one.
    """

    SIGNATURES: Mapping[str, Signature]
    EXAMPLE: str

    def layer(self, call: Call) -> Layer: ...


_READERS: dict[str, Reader] = {
    "torch": torch,
    "keras": keras,
    "tensorflow": tensorflow,
    "jax": jax,
    "flax": flax,
    "onnx": onnx,
}


def read(text: str, framework: str) -> Layer:
    """The layer of a call; raises PortError."""
    if framework == "onnx" and not onnx.is_call(text):
        return onnx.from_json(text)
    reader = _READERS[framework]
    call = parsed(
        text,
        framework,
        {name: other.SIGNATURES for name, other in _READERS.items()},
        reader.EXAMPLE,
    )
    try:
        return reader.layer(call)
    except ArgumentError as error:
        raise call.wrong(str(error)) from None
