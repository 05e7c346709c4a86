"""The engine's side in Python, spoken to as an engine of any language is: bytes in, bytes out."""

from __future__ import annotations

import ast
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import CHECKOUT, CUT_OUTPUT, TESTS, TORCH, environment, small

from conformance.adapters import REGISTRY
from conformance.environments.npm import PROGRAMS
from conformance.workers import server
from conformance.workers.child import Pipe
from conformance.workers.process import python_command
from conformance.workers.protocol import decode, encode

pytestmark = pytest.mark.slow

HELLO = {"do": "hello", "protocol": 1}
CALL = {"do": "call", "id": 7, "device": "cpu", "native": TORCH}


def talk(adapter: Any, *requests: Any, env: Any = None) -> Any:
    """The answers of a child to requests (header, tensors) written at once, and the finished
    process.
    """
    data = b"".join(bytes(part) for header, tensors in requests for part in encode(header, tensors))
    done = subprocess.run(
        python_command(sys.executable, adapter),
        input=data,
        capture_output=True,
        env=env or environment(),
        timeout=60,
        check=False,
    )
    source, answers = Pipe(io.BytesIO(done.stdout)), []
    while True:
        try:
            answers.append(decode(source))
        except EOFError:
            return answers, done


def named(tensors: Any) -> Any:
    return {
        name: array
        for name, array in zip(("x", "kernel", "bias"), tensors, strict=True)
        if array is not None
    }


def test_a_greeting_says_convention_versions_and_devices() -> None:
    """The answer to hello has exactly what is documented."""
    [(answer, _)], done = talk("miniatures:Right", (HELLO, {}))
    assert answer == {
        "protocol": 1,
        "convention": "torch",
        "versions": {"miniature": "1.0"},
        "devices": ["cpu"],
    }
    assert done.returncode == 0


def test_a_call_is_answered_with_its_id_and_the_array() -> None:
    """The id comes back, with the tensor y."""
    answers, _ = talk("miniatures:Right", (HELLO, {}), (CALL, named(small())))
    header, tensors = answers[1]
    assert (header["id"], header["outcome"]) == (7, "output")
    assert (tensors["y"] == CUT_OUTPUT).all()


def test_without_a_bias_the_adapter_gets_none() -> None:
    """Two tensors mean no bias."""
    answers, _ = talk("miniatures:Right", (HELLO, {}), (CALL, named(small(bias=False))))
    assert (answers[1][1]["y"] == CUT_OUTPUT - 1).all()


def test_bye_ends_the_child() -> None:
    """What follows bye is not answered."""
    answers, done = talk(
        "miniatures:Right", (HELLO, {}), ({"do": "bye"}, {}), (CALL, named(small()))
    )
    assert len(answers) == 1
    assert done.returncode == 0


@pytest.mark.parametrize("request_", [{"do": "dream", "id": 3}, {"id": 3}])
def test_what_it_does_not_know_is_unsupported(request_: Any) -> None:
    """Later requests are refused in words, with their id."""
    answers, _ = talk("miniatures:Right", (HELLO, {}), (request_, {}))
    assert (answers[1][0]["outcome"], answers[1][0]["id"]) == ("unsupported", 3)


def test_a_call_before_the_greeting_is_unsupported() -> None:
    """There is no adapter before hello, and no crash either."""
    [(answer, _)], done = talk("miniatures:Right", (CALL, named(small())))
    assert answer["outcome"] == "unsupported"
    assert done.returncode == 0


@pytest.mark.parametrize("name", ["PrintsFromPython", "PrintsFromC"])
def test_prints_go_to_stderr(name: Any) -> None:
    """The protocol's stdout is not the framework's: what it prints is kept on stderr."""
    answers, done = talk(f"miniatures:{name}", (HELLO, {}), (CALL, named(small())))
    assert answers[1][0]["outcome"] == "output"
    assert b"here I stand and chatter" in done.stderr


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        (
            "Raises",
            {
                "outcome": "raised",
                "type": "RuntimeError",
                "message": "could not create a primitive",
            },
        ),
        ("ExitsPolitely", {"outcome": "raised", "type": "SystemExit", "message": "3"}),
        (
            "RunsOutOfMemory",
            {"outcome": "raised", "type": "MemoryError", "message": "cannot allocate 8 EiB"},
        ),
        (
            "RaisesUnsupported",
            {"outcome": "unsupported", "reason": "The miniature does nothing at all."},
        ),
        (
            "RaisesNotImplementedError",
            {
                "outcome": "unsupported",
                "reason": "NotImplementedError: no kernel for this",
                "type": "NotImplementedError",
            },
        ),
    ],
)
def test_exceptions_are_answers(name: Any, answer: Any) -> None:
    """An exception of a call is told with its type, and a not-implemented type is unsupported."""
    answers, _ = talk(f"miniatures:{name}", (HELLO, {}), (CALL, named(small())))
    told = answers[1][0]
    frames = told.pop("traceback", "")
    assert told == {**answer, "id": 7}
    assert ("miniatures.py" in frames) == (answer["outcome"] == "raised")


def test_what_is_no_array_is_raised() -> None:
    """Something that cannot be sent is told in words."""
    answers, _ = talk("miniatures:ReturnsObject", (HELLO, {}), (CALL, named(small())))
    assert answers[1][0]["outcome"] == "raised"
    assert "should be an array of numbers" in answers[1][0]["message"]


@pytest.mark.parametrize(
    ("adapter", "reason"),
    [
        ("no_such_module:Right", "there is no module no_such_module"),
        ("no_such.module:Right", "there is no module no_such.module"),
        ("os.no_such:Right", "there is no module os.no_such"),
        ("miniatures:NoSuchClass", "module miniatures has no NoSuchClass"),
    ],
)
def test_what_is_not_there_is_unavailable(adapter: Any, reason: Any) -> None:
    """A module or class that is not there is named in the answer."""
    [(answer, _)], _ = talk(adapter, (HELLO, {}))
    assert answer["outcome"] == "unavailable"
    assert reason in answer["reason"]


def test_a_broken_installation_is_raised_not_unavailable() -> None:
    """The package is there and its import raises: that is told as such."""
    [(answer, _)], _ = talk("miniatures_raising:Right", (HELLO, {}))
    assert (answer["outcome"], answer["type"]) == ("raised", "ImportError")
    assert "libminiature.so.7" in answer["message"]


def test_a_missing_framework_is_unavailable_and_says_how_to_get_it(tmp_path: Path) -> None:
    """An interpreter without the import package answers with the extra that brings it."""
    hide = (
        "import sys, importlib.util as u\n"
        "find = u.find_spec\n"
        "u.find_spec = lambda name, package=None: None if name == 'onnxruntime' else find(name, "
        "package)\n"
    )
    (tmp_path / "sitecustomize.py").write_text(hide)
    [(answer, _)], _ = talk("onnxruntime", (HELLO, {}), env=environment(PYTHONPATH=str(tmp_path)))
    assert answer == {
        "outcome": "unavailable",
        "reason": "onnxruntime is not installed: pip install 'conv-transpose-conformance[onnx]'",
    }


def test_the_child_has_nothing_of_the_parents_but_the_package() -> None:
    """The package is loaded by its folder: the checkout itself is not on the path, the user's
    PYTHONPATH is.
    """
    code = python_command(sys.executable, "miniatures:Right")[2].replace(
        "main('miniatures:Right')", "print(sys.path)"
    )
    assert "print(sys.path)" in code
    path = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            code.replace("from conformance.workers.child import main", ""),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    assert str(CHECKOUT) not in path.replace(str(CHECKOUT / "tests"), "")
    assert str(TESTS) not in path


@pytest.mark.parametrize("name", REGISTRY)
def test_the_table_names_modules_and_classes_that_are_there(name: Any) -> None:
    """Every entry of the registry leads to a file with that class in it, or to a module of the Node
    program, without importing a framework.
    """
    entry = REGISTRY[name]
    if entry.node:
        assert (PROGRAMS / f"{entry.node[0]}.mjs").is_file()
        return
    tree = ast.parse((CHECKOUT / (entry.module.replace(".", "/") + ".py")).read_text())
    assert entry.adapter in [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    assert entry.needs


class _Counting:
    """An adapter that counts its calls and sleeps in none of them."""

    calls = 0

    def call(self, x: Any, kernel: Any, bias: Any, native: Any, device: Any) -> Any:
        self.calls += 1
        return x


def test_the_next_turn_of_a_timed_call_is_not_prepared_again() -> None:
    """The same request keeps what was prepared for it; another operand, or another argument, does
    not.
    """
    adapter, timed, prepared = _Counting(), server._Timed(), []
    header = {"native": {"stride": [1]}, "device": "cpu", "seconds": 0.0}
    tensors = {"x": np.ones((1, 1, 2)), "kernel": np.ones((1, 1, 1))}
    for request, operands in (
        (header, tensors),
        (header, {name: tensor.copy() for name, tensor in tensors.items()}),
        (header, {**tensors, "x": np.zeros((1, 1, 2))}),
        ({**header, "native": {"stride": [2]}}, tensors),
    ):
        answer, _ = timed(adapter, request, operands)
        assert answer["outcome"] == "timing"
        prepared.append(timed._run)
    assert prepared[0] is prepared[1]
    assert len({id(run) for run in prepared}) == 3
