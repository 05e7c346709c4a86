"""The engines of `examples/` in C, Rust and JavaScript: built and asked as their headings say, they
conform; skipped where the tool of a language is not installed.
"""

from __future__ import annotations

import io
import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from helpers import CHECKOUT, CUT_OUTPUT, TORCH, command, small
from jsonschema import Draft202012Validator
from schemas import schema

from conformance.record.record import RECORD
from conformance.workers import protocol

TOOLS = {"engine.c": "cc", "engine.rs": "rustc", "engine.mjs": "node"}
MOST_LINES = 119


class Built(NamedTuple):
    """An engine in a folder where its heading's lines work: what starts it, and what asks it."""

    folder: Path
    words: list[str]
    asking: list[str]


def heading(name: str) -> list[list[str]]:
    """The commands of the comment at the top of a file, in words."""
    lines = (CHECKOUT / "examples" / name).read_text(encoding="utf-8").splitlines()
    return [
        shlex.split(found[1]) for line in lines[:6] if (found := re.match(r"//!? {4,}(.+)", line))
    ]


@pytest.fixture(scope="module", params=TOOLS)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Each engine, built as its heading says."""
    if shutil.which(TOOLS[request.param]) is None:
        pytest.skip(f"{TOOLS[request.param]} is not installed")
    folder = tmp_path_factory.mktemp("engine")
    (folder / "examples").symlink_to(CHECKOUT / "examples")
    *building, asking = heading(request.param)
    for words in building:
        subprocess.run(words, cwd=folder, check=True, timeout=120)
    adapter = asking[asking.index("-a") + 1]
    return Built(folder, shlex.split(adapter.partition("=cmd:")[2]), asking)


def conforming(folder: Path, *words: str) -> int:
    """How many verdicts of a run conform; nothing else is there but what cannot be asked."""
    done = command("run", *words, "--timing", "off", "-o", folder, cwd=folder.parent)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = map(json.loads, (folder / RECORD).read_text(encoding="utf-8").splitlines())
    statuses = [line["status"] for line in lines if line["type"] == "verdict"]
    assert set(statuses) <= {"conforms", "unsupported"}
    return statuses.count("conforms")


@pytest.mark.parametrize("name", TOOLS)
def test_an_example_is_short(name: str) -> None:
    """It can be read at once."""
    lines = (CHECKOUT / "examples" / name).read_text(encoding="utf-8").splitlines()
    assert len(lines) <= MOST_LINES


def test_every_engine_of_the_folder_is_tested() -> None:
    """What is no adapter in Python is an engine here."""
    files = {file.name for file in (CHECKOUT / "examples").iterdir() if file.is_file()}
    assert {name for name in files if not name.endswith(".py")} == set(TOOLS)


def test_its_heading_asks_it(built: Built) -> None:
    """The command that it gives, on the textbooks and on what is each convention's own."""
    assert built.asking[:2] == ["conformance", "run"]
    assert conforming(built.folder / "heading", *built.asking[2:]) >= 150


def test_it_conforms_and_refuses(built: Built) -> None:
    """The quick cases, the signs of zeros; and calls that have no output, or that torch refuses."""
    assert conforming(built.folder / "quick", "--subset", "quick", *built.asking[-2:]) >= 100
    others = ["invalid/*", "numerics/signed_zeros/*"]
    assert conforming(built.folder / "others", *others, *built.asking[-2:]) >= 70


def test_it_says_what_it_does_not_do(built: Built) -> None:
    """Gradients, timings, other dtypes, four axes and requests that nobody knows; it reads their
    tensors, answers the next call rightly, and all that it says validates.
    """
    x, kernel, bias = small()
    call = {"do": "call", "device": "cpu", "native": TORCH}
    given = {"x": x, "kernel": kernel, "bias": bias}
    doubles = {name: array.astype(np.float64) for name, array in given.items()}
    halves = {**given, "kernel": kernel.astype(np.float16)}
    four = {"x": np.ones((1,) * 6, np.float32), "kernel": np.ones((1,) * 6, np.float32)}
    requests: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"do": "hello", "protocol": protocol.VERSION, "later": [{"a": "]}"}]}, {}),
        ({**call, "id": 1, "do": "gradients"}, {**given, "cotangent": CUT_OUTPUT}),
        ({**call, "id": 2, "do": "time", "seconds": 0.1}, given),
        ({**call, "id": 3, "do": "dream"}, {}),
        ({**call, "id": 4}, doubles),
        ({**call, "id": 5}, halves),
        ({**call, "id": 6}, four),
        ({"later": {"do": "bye", "id": [0, '\\"']}, **call, "id": 7}, given),
        ({"do": "bye"}, {}),
    ]
    done = subprocess.run(
        built.words,
        cwd=built.folder,
        input=b"".join(bytes(part) for request in requests for part in protocol.encode(*request)),
        capture_output=True,
        timeout=60,
        check=True,
    )
    answered = io.BytesIO(done.stdout)
    answers = [json.loads(answered.readline()) for _ in requests[:-1]]
    validator = Draft202012Validator(schema("protocol"))
    assert [list(validator.iter_errors(answer)) for answer in answers] == [[]] * 8
    assert [answer.get("outcome") for answer in answers] == [None, *["unsupported"] * 6, "output"]
    assert [answer["id"] for answer in answers[1:]] == [1, 2, 3, 4, 5, 6, 7]
    assert answers[-1]["tensors"] == [{"name": "y", "dtype": "float32", "shape": [1, 1, 4, 4]}]
    assert answered.read() == CUT_OUTPUT.astype("<f4").tobytes()
