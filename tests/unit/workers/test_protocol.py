"""The messages between the suite and an engine, as bytes."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest

from conformance.corpus.tensors import DTYPES_OF_RESULTS, dtype_of
from conformance.workers import protocol
from conformance.workers.child import Pipe
from conformance.workers.protocol import ProtocolError, decode, encode


def message(header: Any, tensors: Any = None) -> Any:
    return b"".join(bytes(part) for part in encode(header, tensors or {}))


def decoded(data: Any) -> Any:
    return decode(Pipe(io.BytesIO(data)))


@pytest.mark.parametrize("dtype", DTYPES_OF_RESULTS)
def test_every_dtype_survives_the_way(dtype: Any) -> None:
    """What is decoded has the dtype, the shape and the bits that were encoded."""
    tensor = np.array([[0, 1, 1], [1, 0, 1]]).astype(dtype_of(dtype))
    header, tensors = decoded(message({"do": "call"}, {"x": tensor}))
    assert header["do"] == "call"
    assert tensors["x"].dtype == tensor.dtype
    assert tensors["x"].shape == (2, 3)
    assert tensors["x"].tobytes() == tensor.tobytes()


def test_special_values_keep_their_bits() -> None:
    """NaN, infinities, -0.0 and subnormals are not touched."""
    tensor = np.array([np.nan, np.inf, -np.inf, -0.0, 1e-45], np.float32)
    _, tensors = decoded(message({}, {"x": tensor}))
    assert tensors["x"].tobytes() == tensor.tobytes()


def test_the_line_and_the_bytes_are_as_documented() -> None:
    """One line of JSON that lists the tensors, then the little-endian C-order data in that
    order.
    """
    x = np.array([[1, 2]], np.float32)
    y = np.asfortranarray([[1, 2], [3, 4]]).astype(">i2")
    line, _, data = message({"do": "call", "id": 7}, {"x": x, "y": y}).partition(b"\n")
    assert json.loads(line) == {
        "do": "call",
        "id": 7,
        "tensors": [
            {"name": "x", "dtype": "float32", "shape": [1, 2]},
            {"name": "y", "dtype": "int16", "shape": [2, 2]},
        ],
    }
    assert data == bytes.fromhex("0000803f 00000040 0100 0200 0300 0400")


@pytest.mark.parametrize("shape", [(0, 1, 2), (), (1, 1, 0)])
def test_empty_and_scalar_tensors_survive(shape: Any) -> None:
    """A shape with a zero has no bytes; a scalar has one number."""
    _, tensors = decoded(message({}, {"x": np.ones(shape, np.float32)}))
    assert tensors["x"].shape == shape


def test_a_message_without_tensors_does_not_mention_them() -> None:
    """What is not there need not be read."""
    assert message({"do": "bye"}) == b'{"do": "bye"}\n'


def test_messages_follow_one_another() -> None:
    """A message ends where it says: the next one begins there."""
    source = Pipe(io.BytesIO(message({"id": 1}, {"x": np.ones(3)}) + message({"id": 2})))
    assert [decode(source)[0]["id"] for _ in range(2)] == [1, 2]
    with pytest.raises(EOFError):
        decode(source)


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        (b"hello\n", "should be one line of JSON"),
        (b"\xff\xfe\n", "should be one line of JSON"),
        (b"[" * 100_000 + b"\n", "should be one line of JSON"),
        (b"[1, 2]\n", "should be a JSON object"),
        (b'{"tensors": 3}\n', "tensors is 3, should be a list"),
        (b'{"tensors": [3]}\n', "should give name, dtype and shape"),
        (
            b'{"tensors": [{"name": "y", "dtype": "float32"}]}\n',
            "should give name, dtype and shape",
        ),
        (
            b'{"tensors": [{"name": "y", "dtype": "posit16", "shape": [1]}]}\n',
            "dtype 'posit16', should be one of float32",
        ),
        (
            b'{"tensors": [{"name": "y", "dtype": ["float32"], "shape": [1]}]}\n',
            "should be one of float32",
        ),
        (
            b'{"tensors": [{"name": "y", "dtype": "float32", "shape": 4}]}\n',
            "shape 4, should be a list of whole numbers",
        ),
        (
            b'{"tensors": [{"name": "y", "dtype": "float32", "shape": [-1]}]}\n',
            "should be a list of whole numbers",
        ),
        (
            b'{"tensors": [{"name": "y", "dtype": "float32", "shape": [1.5]}]}\n',
            "should be a list of whole numbers",
        ),
        (
            b'{"tensors": [{"name": "y", "dtype": "float32", "shape": [true]}]}\n',
            "should be a list of whole numbers",
        ),
        (
            b'{"tensors": [{"name": "y", "dtype": "float32", "shape": [99999999999]}]}\n',
            "should have at most",
        ),
    ],
)
def test_what_is_no_message_says_what_came_and_what_should_have(line: Any, wrong: Any) -> None:
    """Every way to break the protocol has its own sentence."""
    with pytest.raises(ProtocolError, match=r"^.{0,300}$") as caught:
        decoded(line)
    assert wrong in str(caught.value)


def test_data_that_end_early_are_an_end_and_not_an_array() -> None:
    """Half of a tensor is never handed on."""
    with pytest.raises(EOFError):
        decoded(message({}, {"x": np.ones(3)})[:-1])


def test_a_tensor_listed_twice_or_beside_others_is_read_in_order() -> None:
    """The bytes belong to the tensors in the order of the list, whatever their names."""
    header, tensors = decoded(message({}, {"b": np.array([1.0]), "a": np.array([2.0])}))
    assert [entry["name"] for entry in header["tensors"]] == ["b", "a"]
    assert (tensors["b"].item(), tensors["a"].item()) == (1.0, 2.0)


def test_the_version_is_one() -> None:
    """Engines outside of the suite say this number; changing it breaks all of them."""
    assert protocol.VERSION == 1
