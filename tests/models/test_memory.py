"""Large models are captured and compared a layer at a time, and say how far they are."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from safetensors.torch import save_file

LAYERS = 16
MIB = 2**20
BIG = pytest.mark.skipif(
    "CONFORMANCE_BIG_MODELS" not in os.environ,
    reason="takes minutes and 5 GB of disk: CONFORMANCE_BIG_MODELS=1 asks for it",
)
SIZES = [pytest.param(256, id="64-MiB"), pytest.param(1024, id="1-GiB", marks=BIG)]

# A process of its own: that of the tests would count what it holds itself, which a process that it
# starts has until it is another program.
MEASURE = """
import resource, subprocess, sys
done = subprocess.run([sys.executable, "-m", "conformance", *sys.argv[1:]])
print("peak KiB:", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(done.returncode)
"""

TORCH = """
from torch import nn

def big(channels):
    return nn.Sequential(*(
        nn.ConvTranspose2d(channels, channels, 4, 2, padding=2, bias=False) for _ in range(16)
    ))

def big_8():
    return big(8)

def big_256():
    return big(256)

def big_1024():
    return big(1024)

if __name__ == "__main__":
    import sys
    import torch

    torch.manual_seed(0)
    for channels in map(int, sys.argv[1:]):
        program = torch.export.export(big(channels), (torch.ones(1, channels, 2, 2),))
        torch.export.save(program, f"big_{channels}.pt2")
"""


class Measured(NamedTuple):
    """`peak` is the most bytes that the command, or a process that it waited for, had in memory."""

    peak: int
    errors: str


Measure = Callable[..., Measured]


@pytest.fixture
def measure(tmp_path: Path) -> Measure:
    """Runs a command that succeeds, in the test's folder."""

    def run(*words: str) -> Measured:
        done = subprocess.run(
            [sys.executable, "-c", MEASURE, *words],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
            capture_output=True,
            text=True,
            timeout=1800,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return Measured(int(done.stdout.split()[-1]) * 1024, done.stderr)

    return run


def _weights(channels: int) -> Any:
    """Kernels (C_in, C_out, 4, 4) of every layer, one at a time, that keep what passes them near
    1.
    """
    random = np.random.default_rng(1)
    for _ in range(LAYERS):
        kernel = random.standard_normal((channels, channels, 4, 4), dtype=np.float32)
        yield kernel / np.float32(np.sqrt(4 * channels))


def write_onnx(path: Path, channels: int) -> None:
    """A chain of transposed convolutions that keep 2 x 2; its weights are external data."""
    nodes, initializers, offset = [], [], 0
    data = path.with_suffix(".bin")
    with data.open("wb") as file:
        for n, kernel in enumerate(_weights(channels)):
            tensor = TensorProto(name=f"w{n}", data_type=TensorProto.FLOAT, dims=kernel.shape)
            tensor.data_location = TensorProto.EXTERNAL
            entries = {"location": data.name, "offset": offset, "length": kernel.nbytes}
            for key, value in entries.items():
                tensor.external_data.add(key=key, value=str(value))
            kernel.tofile(file)
            offset += kernel.nbytes
            initializers.append(tensor)
            names = [f"x{n}", f"w{n}"]
            nodes.append(
                helper.make_node(
                    "ConvTranspose", names, [f"x{n + 1}"], name=f"up{n}", pads=[1, 1, 2, 2]
                )
            )
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, channels, 2, 2])
        for name in ("x0", f"x{LAYERS}")
    ]
    graph = helper.make_graph(nodes, "big", values[:1], values[1:], initializers)
    opset = [helper.make_opsetid("", 21)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=10), str(path))


def _bytes(channels: int) -> int:
    return LAYERS * channels * channels * 16 * 4


def _check_peak(peak: int, tiny: int, channels: int, times: float) -> None:
    """A command takes at most so many times the model more than for a model of no size; and the
    command and the one process that it waits for have less than 8 GiB together.
    """
    assert peak - tiny <= times * _bytes(channels), (peak / MIB, tiny / MIB)
    assert 2 * peak < 8 * 2**30


@pytest.mark.slow
@pytest.mark.parametrize("channels", SIZES)
def test_an_onnx_model_is_captured_and_compared_in_the_memory_that_running_it_takes(
    measure: Measure, tmp_path: Path, channels: int
) -> None:
    """Capture maps its weights; ONNX Runtime, which compare runs, loads them once."""
    peaks = {}
    for size in (8, channels):
        for name in ("one", "other"):
            write_onnx(tmp_path / f"{name}{size}.onnx", size)
        captured = measure("capture", f"one{size}.onnx", "-o", f"cases/{size}.yaml")
        compared = measure("compare", f"one{size}.onnx", f"other{size}.onnx")
        peaks[size] = captured.peak, compared.peak
        told = captured.errors.splitlines()
        assert f"one{size}.onnx: up15: 16 of 16 ConvTranspose nodes" in told
        assert f"one{size}.onnx: writes 16 cases" in told
        assert f"one{size}.onnx: {size}/up15: what is expected of 16 of 16 cases" in told
        assert "compare: up15 and up15: 16 of 16" in compared.errors.splitlines()
    for peak, tiny in zip(peaks[channels], peaks[8], strict=True):
        _check_peak(peak, tiny, channels, 1.5)


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["pt", "safetensors"])
@pytest.mark.parametrize("channels", SIZES)
def test_weights_of_a_torch_module_are_in_memory_twice_at_most(
    measure: Measure, module: Any, tmp_path: Path, channels: int, ending: str
) -> None:
    """As the module made them, and as its file has them."""
    module(TORCH)
    peaks = {}
    for size in (8, channels):
        state = {f"{n}.weight": torch.from_numpy(k) for n, k in enumerate(_weights(size))}
        file = str(tmp_path / f"weights.{ending}")
        save_file(state, file) if ending == "safetensors" else torch.save(state, file)
        del state
        words = ("capture", f"made:big_{size}", "--input", f"1,{size},2,2", "--weights", file)
        captured = measure(*words, "-o", f"{size}.yaml")
        peaks[size] = captured.peak
        assert f"made:big_{size}: 15: torch.nn.ConvTranspose2d" in captured.errors.splitlines()
    _check_peak(peaks[channels], peaks[8], channels, 2.5)


@pytest.mark.slow
@pytest.mark.parametrize("channels", SIZES)
def test_torch_models_are_compared_in_the_memory_that_running_them_takes(
    measure: Measure, module: Any, tmp_path: Path, channels: int
) -> None:
    """A module that is made, and an exported program: their weights are in memory once."""
    script = module(TORCH)
    words = [sys.executable, str(script), "8", str(channels)]
    subprocess.run(words, cwd=tmp_path, check=True, capture_output=True)
    peaks: dict[tuple[bool, int], int] = {}
    for size in (8, channels):
        for name, shape in ((f"made:big_{size}", f"1,{size},2,2"), (f"big_{size}.pt2", "")):
            inputs = ("--input", shape) if shape else ()
            compared = measure("compare", name, name, *inputs)
            told = compared.errors.splitlines()
            assert f"{name}: 15: torch.nn.ConvTranspose2d" in told
            assert "compare: 15 and 15: 16 of 16" in told
            peaks[bool(shape), size] = compared.peak
            print(f"{name}: peak {compared.peak / MIB:.0f} MiB")
    for is_module in (True, False):
        _check_peak(peaks[is_module, channels], peaks[is_module, 8], channels, 1.5)
