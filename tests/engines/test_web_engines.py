"""The libraries of the browser, for real: in Chromium, which SwiftShader draws and computes for."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import CHECKOUT
from miniatures import scatter

from conformance import conventions, environments
from conformance.adapters import REGISTRY
from conformance.corpus.tensors import Tensors
from conformance.environments import npm
from conformance.geometry import from_padding
from conformance.oracle import gradient_truths
from conformance.outcomes import Gradients, Output, Unsupported
from conformance.workers import protocol
from conformance.workers.answers import Greeting
from conformance.workers.engine import Engine, close_all
from conformance.workers.spec import Spec

NAMES = [name for name, entry in REGISTRY.items() if entry.node]
CHROMIUM = any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome")))
NATIVE = {"strides": [2, 1], "pads": [0, 1, 1, 0], "group": 1, "auto_pad": "NOTSET"}

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")


def started(name: str) -> tuple[Engine, Greeting]:
    """The engine, or a skip that says what is missing."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    if not CHROMIUM:
        pytest.skip("chromium is not installed")
    if environments.find(name) is None:
        pytest.skip(f"{name} is not installed: {environments.advice(name)}")
    engine = Engine(Spec.of(name, label=name, python=sys.executable), timeout=120.0)
    greeting = engine.start()
    assert isinstance(greeting, Greeting), greeting
    return engine, greeting


@pytest.fixture(scope="module", params=NAMES)
def web(request: pytest.FixtureRequest) -> Iterator[tuple[str, Engine, Greeting]]:
    engine, greeting = started(request.param)
    yield request.param, engine, greeting
    close_all([engine])


def operands(rank: int, *, c_in: int = 3, c_out: int = 2) -> Tensors:
    """Small integers, so that every sum is exact."""
    random = np.random.RandomState(7)
    size, kernel = [2 + axis for axis in range(rank)], [3 + axis for axis in range(rank)]
    return Tensors(
        x=random.randint(-4, 5, (2, c_in, *size)).astype(np.float32),
        kernel=random.randint(-4, 5, (c_in, c_out, *kernel)).astype(np.float32),
        bias=random.randint(-4, 5, c_out).astype(np.float32),
    )


def plain(given: Tensors) -> Any:
    """Stride 2 and the whole output."""
    rank = given.x.ndim - 2
    return from_padding(
        size=given.x.shape[2:],
        kernel=given.kernel.shape[2:],
        stride=[2] * rank,
        padding=[(0, 0)] * rank,
        output_padding=[0] * rank,
        dilation=[1] * rank,
        groups=1,
    )


def test_it_says_what_computes(web: tuple[str, Engine, Greeting]) -> None:
    """A GPU's library names the driver, on a device of its own; the others compute on the CPU."""
    name, _, greeting = web
    backend = REGISTRY[name].node[1]
    device = {"webgl": "webgl", "webgpu": "webgpu", "jsep": "webgpu"}.get(backend, "cpu")
    assert greeting.devices == (device,)
    assert greeting.convention == REGISTRY[name].convention
    assert len(greeting.versions) == 1
    assert ("gpu" in greeting.facts) == ("software_driver" in greeting.facts) == (device != "cpu")


def test_a_plane_is_right_to_the_bit(web: tuple[str, Engine, Greeting]) -> None:
    """Output, and where it was computed."""
    _, engine, greeting = web
    given = operands(2)
    window = plain(given)
    native = conventions.get(greeting.convention).native(window)
    outcome = engine.call(given, native, greeting.devices[0])
    assert isinstance(outcome, Output), outcome
    y = scatter(*given, stride=window.stride, crops=window.crops, dilation=(1, 1), groups=1)
    assert np.array_equal(outcome.y, y)
    assert outcome.computed_by is not None
    assert greeting.facts.get("gpu", "") in outcome.computed_by


def test_gradients_are_right_where_there_are_any(web: tuple[str, Engine, Greeting]) -> None:
    """tfjs has them where its backend has the kernels; the others say that they do not."""
    name, engine, greeting = web
    given = operands(2)
    window = plain(given)
    cotangent = np.ones((2, 2, *window.out), np.float32)
    native = conventions.get(greeting.convention).native(window)
    outcome = engine.gradients(given, cotangent, native, greeting.devices[0])
    if name in ("tfjs", "tfjs-webgl", "tfjs-webgpu"):
        assert isinstance(outcome, Gradients), outcome
        for operand, due in gradient_truths(*given, cotangent, window, "float32").items():
            assert np.array_equal(getattr(outcome, operand), due.y), operand
    else:
        assert isinstance(outcome, Unsupported), outcome


def test_what_it_cannot_say_is_a_sentence_with_its_source(
    web: tuple[str, Engine, Greeting],
) -> None:
    """A volume on WebGPU, one axis in TensorFlow.js; the next call is answered."""
    name, engine, greeting = web
    if name == "onnxruntime-web":
        pytest.skip("it says all of its convention")
    given = operands(1 if name.startswith("tfjs") else 3)
    native = conventions.get(greeting.convention).native(plain(given))
    outcome = engine.call(given, native, greeting.devices[0])
    assert isinstance(outcome, Unsupported), outcome
    assert "(" in outcome.reason
    test_a_plane_is_right_to_the_bit(web)


def test_durations_are_measured(web: tuple[str, Engine, Greeting]) -> None:
    """A slice of time has some; the same call's next slice too."""
    _, engine, greeting = web
    given = operands(2)
    native = conventions.get(greeting.convention).native(plain(given))
    for _ in range(2):
        calls = engine.time(given, native, greeting.devices[0], 0.05)
        assert isinstance(calls, list), calls
        assert all(call >= 0 for call in calls)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads /proc")
@pytest.mark.parametrize("signalled", ["its input ends", "it is killed"])
def test_chromium_goes_with_the_engine(signalled: str) -> None:
    """However the engine ends."""
    engine, _ = started("tfjs")
    process = engine._process._process
    browsers = children(process.number)
    assert browsers
    if signalled == "it is killed":
        os.killpg(process.number, signal.SIGKILL)
    else:
        process.stdin.close()
    end = time.monotonic() + 20
    while any(map(lives, [process.number, *browsers])) and time.monotonic() < end:
        process.poll()
        time.sleep(0.1)
    assert not any(map(lives, [process.number, *browsers]))
    engine.kill()


def children(pid: int) -> list[int]:
    """The processes that this one has started."""
    paths = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(word) for path in paths for word in path.read_text().split()]


def lives(pid: int) -> bool:
    """Whether a process is there and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def javascript(text: str) -> str:
    """What a module prints that lies beside those of the program."""
    done = subprocess.run(
        ["node", "--input-type=module", "-e", text],
        cwd=npm.PROGRAMS,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@needs_node
def test_a_model_is_what_onnx_reads() -> None:
    """One node with these attributes, negative numbers too; the output is of any shape."""
    onnx = pytest.importorskip("onnx")
    native = {**NATIVE, "output_padding": [-1, 300]}
    inputs = [{"name": "x", "dtype": "float32", "shape": [1, 2, 3, 4]}]
    inputs += [{"name": "w", "dtype": "float32", "shape": [2, 1, 3, 300]}]
    text = javascript(
        'import { oneNodeModel } from "./onnxmodel.mjs"; const made = oneNodeModel('
        f"{json.dumps(inputs)}, {json.dumps(native)});"
        'console.log(Buffer.from(made).toString("base64"))'
    )
    model = onnx.ModelProto.FromString(base64.b64decode(text))
    assert not model.graph.output[0].type.tensor_type.HasField("shape")
    [node] = model.graph.node
    assert (node.op_type, *node.input, *node.output) == ("ConvTranspose", "x", "w", "y")
    read = {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}
    assert read == {**native, "auto_pad": b"NOTSET"}
    sizes = [[d.dim_value for d in one.type.tensor_type.shape.dim] for one in model.graph.input]
    assert sizes == [one["shape"] for one in inputs]
    assert (model.ir_version, model.opset_import[0].version) == (8, 11)


@needs_node
def test_messages_are_the_protocols(tmp_path: Path) -> None:
    """What the suite writes is read and written again, byte by byte."""
    arrays = {"x": np.arange(3, dtype=np.float64), "kernel": np.ones((2, 1), np.float16)}
    parts = protocol.encode({"id": 7, "ü": "ö"}, arrays)
    file = tmp_path / "message"
    file.write_bytes(b"".join(bytes(part) for part in parts))
    text = javascript(
        'import { readFileSync } from "node:fs"; import { decode, encode } from "./messages.mjs";'
        f"const {{ header, tensors }} = decode(readFileSync({json.dumps(str(file))}));"
        "const { tensors: _, ...rest } = header;"
        "console.log(Buffer.concat(encode(rest, tensors).map((part) => Buffer.from(part)))"
        '.toString("base64"))'
    )
    again = base64.b64decode(text)
    line, _, data = again.partition(b"\n")
    before, _, expected = file.read_bytes().partition(b"\n")
    assert json.loads(line) == json.loads(before)
    assert data == expected


def test_the_program_is_beside_its_packages() -> None:
    """Every row has a module of the program, and a folder with a lock."""
    for name in NAMES:
        library = REGISTRY[name].node[0]
        folder = CHECKOUT / "conformance" / "web"
        assert (folder / f"{library}.mjs").is_file()
        assert (folder / library / "package-lock.json").is_file()
