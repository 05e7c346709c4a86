"""Engines that run ONNX models, each in an environment of its own: they compute what they are asked
for, where they say that they do.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from helpers import CHECKOUT

from conformance.environments import installation
from conformance.system import vulkan

VARIANTS = {
    "onnxruntime-webgpu": "onnxruntime-webgpu-nchw",
    "openvino": "openvino-initializer",
    "tract": "tract-initializer",
}


@pytest.fixture(params=VARIANTS)
def engine(request: Any) -> Any:
    """An engine whose environment is installed."""
    name = str(request.param)
    if installation.find(name) is None:
        pytest.skip(f"{name} is not installed: {installation.advice(name)}")
    vulkan.choose_driver()
    if name == "onnxruntime-webgpu" and not vulkan.devices():
        pytest.skip(f"Vulkan has no device here: {vulkan.HOW_TO_GET_ONE}")
    return name


def test_what_is_wrong_is_declared_and_where_it_ran_is_told(engine: Any, tmp_path: Path) -> None:
    """Nothing unexpected in a selection, which has known failures; engines that may choose say
    what computed an output, and those that may not say nothing.
    """
    variant = VARIANTS[engine]
    command = [sys.executable, "-m", "conformance", "run", "-a", engine, "-a", variant]
    ended = subprocess.run(
        [*command, "--timing", "off", "-o", str(tmp_path), "--subset", "gpu-api"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    lines = (tmp_path / "results.jsonl").read_text(encoding="utf-8").splitlines()
    run, *others = map(json.loads, lines)
    verdicts = [line for line in others if line["type"] == "verdict"]
    assert {v["adapter"] for v in verdicts if v["known"]} == {engine, variant}
    told = {v["computed_by"] for v in verdicts if v["status"] == "conforms"}
    if engine == "tract":
        assert told == {None}
    elif engine == "openvino":
        assert all(one.startswith("cpu: ") for one in told)
    else:
        assert told == {f"webgpu: {run['facts'][engine]['gpu']} (Transpose, ConvTranspose2D)"}
    groups = [v for v in verdicts if v["case"] == "numerics/reductions/groups"]
    wrong = {v["adapter"] for v in groups if v["status"] != "conforms"}
    assert wrong == ({"onnxruntime-webgpu"} if "webgpu" in engine else set())
