"""The reading of calls in a framework's own words: one module per framework, and the grammar that
they share.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from conformance.conventions import ArgumentError
from conformance.porting.calls import (
    flax,
    jax,
    keras,
    onnx,
    onnxtext,
    tensorflow,
    tensorflow1,
    torch,
)
from conformance.porting.calls.grammar import Call, Signature, parsed
from conformance.porting.calls.printed import rewritten
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
    if framework == "onnx":
        node = onnxtext.node(text)
        if node is not None:
            return onnx.from_node(text, node)
        if not onnx.is_call(text):
            return onnx.from_json(text)
    reader: Reader = _READERS[framework]
    if framework in ("keras", "tensorflow") and tensorflow1.is_call(text):
        reader = tensorflow1
    written, shapes = rewritten(text, framework)
    tables = {name: other.SIGNATURES for name, other in _READERS.items()}
    tables[framework] = reader.SIGNATURES
    call = parsed(written, framework, tables, reader.EXAMPLE, shapes)
    try:
        return reader.layer(call)
    except ArgumentError as error:
        raise call.wrong(str(error)) from None
