"""An engine that is a Node program: how it is started, and what it says where something lacks."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from conformance import environments
from conformance.environments import npm
from conformance.errors import UsageError
from conformance.outcomes import Unavailable
from conformance.system import vulkan
from conformance.workers.answers import Greeting
from conformance.workers.engine import Engine, close_all
from conformance.workers.spec import Spec
from conformance.workers.specs import read_specs

# It greets with the words that it was started with.
NODE = f"""#!{sys.executable}
import json, os, sys
sys.stdin.readline()
versions = {{str(at): word for at, word in enumerate(sys.argv[1:])}}
answer = {{"protocol": 1, "convention": "onnx", "versions": versions, "devices": ["cpu"]}}
print(json.dumps(answer), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All that is on the PATH; the cache is empty."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("CONFORMANCE_CACHE", str(tmp_path / "cache"))
    return folder


def program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def greeting(name: str) -> object:
    engine = Engine(Spec.of(name, label=name, python=sys.executable), timeout=30.0)
    try:
        return engine.start()
    finally:
        close_all([engine])


def test_without_node_it_is_unavailable(path: Path) -> None:
    """The sentence says what to install."""
    assert greeting("tfjs") == Unavailable(reason="node is not installed: nodejs.org, 20 or later")


def test_without_its_packages_it_is_unavailable(path: Path) -> None:
    """The sentence has the line that brings them, of the variant that was asked for."""
    program(path / "node", NODE)
    assert greeting("onnxruntime-web-webgpu") == Unavailable(
        reason="onnxruntime-web is not installed: conformance engines install "
        "'onnxruntime-web-webgpu'"
    )


def test_it_becomes_the_program_with_the_words_of_its_row(path: Path) -> None:
    """The folder of its packages, library and backend; and software, where there is no GPU."""
    program(path / "node", NODE)
    program(path / "npm", "#!/bin/sh\n")
    made = environments.install("tfjs-webgl")
    answer = greeting("tfjs-webgl")
    assert isinstance(answer, Greeting)
    assert (npm.PROGRAMS / "engine.mjs").is_file()
    words = [str(npm.PROGRAMS / "engine.mjs"), str(made.folder), "tfjs", "webgl"]
    driver = [] if vulkan.has_hardware() else ["software"]
    assert list(answer.versions.values()) == words + driver


def test_no_interpreter_can_be_named_for_it() -> None:
    """`--python` is exit 2, with the reason."""
    with pytest.raises(UsageError, match="tfjs is a program of Node"):
        read_specs(["tfjs"], [f"tfjs={sys.executable}"])


def test_the_program_knows_the_same_software_drivers() -> None:
    """JavaScript cannot ask Python: the words are in both."""
    text = (npm.PROGRAMS / "driver.mjs").read_text(encoding="utf-8")
    found = re.search(r"const SOFTWARE = \[(.*)\];", text)
    assert found
    assert tuple(re.findall(r'"([^"]+)"', found[1])) == vulkan._SOFTWARE
