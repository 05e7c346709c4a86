"""The JSON Schema of the protocol: what the suite asks and what engines answer validates, and what
counts as crashed does not.
"""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from helpers import (
    CHECKOUT,
    CUT_OUTPUT,
    ONNX,
    TORCH,
    environment,
    foreign_words,
    miniature,
    small,
)
from jsonschema import Draft202012Validator
from schemas import references, schema, undescribed

from conformance import conventions, load_cases
from conformance.corpus.case import DTYPES
from conformance.corpus.tensors import DTYPES_OF_RESULTS, Array
from conformance.workers import engine, protocol
from conformance.workers.child import Pipe
from conformance.workers.process import python_command

pytestmark = pytest.mark.slow

SCHEMA = schema("protocol")
PARTS = SCHEMA["$defs"]
VALIDATOR = Draft202012Validator(SCHEMA)

Y = {"name": "y", "dtype": "float32", "shape": [1, 1, 4, 4]}
X = {"name": "x", "dtype": "float32", "shape": [1, 1, 2, 2]}
KERNEL = {"name": "kernel", "dtype": "float32", "shape": [1, 1, 3, 3]}
GREETING = {
    "protocol": 1,
    "convention": "onnx",
    "versions": {"foreign": "0.1"},
    "devices": ["cpu"],
}
CALL = {"do": "call", "id": 7, "device": "cpu", "native": ONNX, "tensors": [X, KERNEL]}


def problems(message: Mapping[str, Any]) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(message)]


def spoken(command: list[str], native: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a program answers to one request of each kind, and to one that there is not."""
    tensors = {"x": small().x, "kernel": small().kernel, "bias": small().bias}
    asked = {"device": "cpu", "native": native}
    requests: list[tuple[dict[str, Any], dict[str, Array]]] = [
        ({"do": "hello", "protocol": protocol.VERSION}, {}),
        ({"do": "call", "id": 1, **asked}, tensors),
        ({"do": "gradients", "id": 2, **asked}, {**tensors, "cotangent": CUT_OUTPUT}),
        ({"do": "time", "id": 3, **asked, "seconds": 0.01}, tensors),
        ({"do": "shape", "id": 5, **asked, "operands": [X, KERNEL]}, {}),
        ({"do": "dream", "id": 4}, {}),
        ({"do": "bye"}, {}),
    ]
    parts = [part for request in requests for part in protocol.encode(*request)]
    done = subprocess.run(
        command,
        input=b"".join(map(bytes, parts)),
        capture_output=True,
        env=environment(),
        timeout=60,
        check=False,
    )
    source, answers = Pipe(io.BytesIO(done.stdout)), []
    while True:
        try:
            answers.append(protocol.decode(source)[0])
        except EOFError:
            return answers


def test_the_schema_is_one() -> None:
    """It is a schema of draft 2020-12, and every reference in it leads to a part of it."""
    Draft202012Validator.check_schema(SCHEMA)
    assert set(references(SCHEMA)) == {f"#/$defs/{name}" for name in PARTS}


def test_every_key_is_described() -> None:
    """Whoever reads the schema alone learns what each key means."""
    assert undescribed(SCHEMA) == []


def test_the_schema_has_the_words_of_the_code() -> None:
    """Dtypes, conventions, limits and the version are those that the suite speaks."""
    assert PARTS["operand"]["properties"]["dtype"]["enum"] == list(DTYPES)
    assert PARTS["result"]["properties"]["dtype"]["enum"] == list(DTYPES_OF_RESULTS)
    assert PARTS["convention"]["enum"] == list(conventions.NAMES)
    assert PARTS["dtype_of_output"]["enum"] == list(DTYPES)
    assert PARTS["shape"]["maxItems"] == protocol.MOST_AXES
    assert PARTS["shape"]["items"]["maximum"] == protocol.MOST_BYTES
    for part in ("hello", "greeting"):
        assert PARTS[part]["properties"]["protocol"]["const"] == protocol.VERSION


def test_what_the_page_shows_validates() -> None:
    """Every message that docs/protocol.md writes out whole."""
    text = (CHECKOUT / "docs" / "protocol.md").read_text(encoding="utf-8")
    shown = re.findall(r"^    (?:->|<-) (\{.*\})(?:   and the bytes)?$", text, re.MULTILINE)
    messages = [json.loads(line) for line in shown if "..." not in line and "[x" not in line
                and "[dx" not in line]  # fmt: skip
    assert {message.get("outcome") for message in messages} >= {
        "output", "unsupported", "raised", "unavailable", "timing", None,
    }  # fmt: skip
    assert [problems(message) for message in messages] == [[]] * len(messages)


@pytest.mark.parametrize("adapter", ["Right", "ReturnsObject", "Raises", "UnknownDoes"])
def test_what_a_child_answers_validates(adapter: str) -> None:
    """Of an adapter that is right, of one that fails in the call, and of one that is not there."""
    answers = spoken(python_command(sys.executable, f"miniatures:{adapter}"), TORCH)
    assert len(answers) == 6
    assert [problems(answer) for answer in answers] == [[]] * 6


@pytest.mark.parametrize(
    ("name", "said"),
    [("RightShape", [1, 1, 4, 4]), ("AxisTwoUnknown", [1, 1, None, 4]), ("NoRank", None)],
)
def test_what_a_shape_function_answers_validates(name: str, said: list[int | None] | None) -> None:
    """Its greeting, a shape with and without what is unknown, and none at all."""
    answers = spoken(python_command(sys.executable, f"miniatures_shapes:{name}"), TORCH)
    assert [problems(answer) for answer in answers] == [[]] * 6
    assert answers[0]["quantities"] == ["shape"]
    assert [answer["shape"] for answer in answers if answer.get("outcome") == "shape"] == [said]


@pytest.mark.parametrize("behaviour", ["right", "hello-unavailable", "hello-raised"])
def test_what_a_foreign_engine_answers_validates(behaviour: str) -> None:
    """Of an engine that knows nothing of the suite."""
    answers = spoken(list(foreign_words(behaviour)), ONNX)
    assert len(answers) >= 2
    assert [problems(answer) for answer in answers] == [[]] * len(answers)


def test_what_the_suite_asks_validates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests of all kinds, recorded on their way to an engine."""
    recorded: list[dict[str, Any]] = []
    encode = protocol.encode

    def listen(header: Mapping[str, Any], tensors: Mapping[str, Array]) -> list[Any]:
        parts = encode(header, tensors)
        recorded.append(json.loads(bytes(parts[0])))
        return parts

    monkeypatch.setattr(protocol, "encode", listen)
    asked = engine.Engine(miniature("Right"), timeout=60.0)
    asked.start()
    asked.call(small(), TORCH, "cpu")
    asked.gradients(small(bias=False), np.ones((1, 1, 4, 4), np.float32), TORCH, "cpu")
    asked.time(small(), TORCH, "cpu", 0.01)
    asked.kill()
    assert [request["do"] for request in recorded] == ["hello", "call", "gradients", "time"]
    assert [problems(request) for request in recorded] == [[]] * 4


@pytest.mark.parametrize("convention", conventions.NAMES)
def test_the_arguments_of_every_shipped_case_validate(convention: str) -> None:
    """As the convention's own, so that the schema has every key and the form of its value."""
    part = Draft202012Validator({"$ref": f"#/$defs/native_{convention}", "$defs": PARTS})
    asked = [
        native
        for case in load_cases(CHECKOUT / "cases")
        if case.concerns(convention)
        and not isinstance(native := case.arguments(convention), conventions.Unrepresentable)
    ]
    assert len(asked) > 500
    assert [native for native in asked if not part.is_valid(native)] == []
    assert not part.is_valid({**asked[0], "later": 1})


def test_what_is_not_known_is_no_problem() -> None:
    """A reader must ignore keys that it does not know."""
    for message in (CALL, {"do": "bye"}, GREETING, {"id": 7, "outcome": "output", "tensors": [Y]}):
        assert problems({**message, "later": 1}) == []


@pytest.mark.parametrize(
    "message",
    [
        {**CALL, "do": "dream"},
        {**CALL, "id": "7"},
        {**CALL, "native": {**ONNX, "strides": 2}},
        {**CALL, "native": {**ONNX, "stride": [2, 2]}},
        {**CALL, "native": {}},
        {**CALL, "tensors": [{**X, "name": "z"}, KERNEL]},
        {**CALL, "tensors": [{**X, "dtype": "int32"}, KERNEL]},
        {**CALL, "do": "gradients"},
        {**CALL, "do": "time"},
        {key: value for key, value in CALL.items() if key != "native"},
        {"do": "hello"},
        {**GREETING, "protocol": 2},
        {**GREETING, "convention": "caffe"},
        {**GREETING, "devices": []},
        {**GREETING, "facts": {"blas": ["none"]}},
        {key: value for key, value in GREETING.items() if key != "versions"},
        {"id": 7, "outcome": "perhaps"},
        {"id": 7, "outcome": "output"},
        {"id": 7, "outcome": "output", "tensors": [{**Y, "name": "z"}]},
        {"id": 7, "outcome": "output", "tensors": [{**Y, "dtype": "posit16"}]},
        {"id": 7, "outcome": "output", "tensors": [{**Y, "shape": [-1]}]},
        {"id": 7, "outcome": "output", "tensors": [{"name": "y"}]},
        {"outcome": "output", "tensors": [Y]},
        {"id": 7, "outcome": "gradients", "tensors": [{**Y, "name": "dx"}]},
        {"id": 7, "outcome": "timing", "calls": []},
        {"id": 7, "outcome": "timing", "calls": [-1.0]},
        {"id": 7, "outcome": "unsupported"},
        {"id": 7, "outcome": "raised", "type": "ValueError"},
    ],
    ids=str,
)
def test_what_is_no_message_does_not_validate(message: dict[str, Any]) -> None:
    """A word that nobody knows, and a key that is missing or of another type."""
    assert problems(message)
