"""Gradients through a run: a verdict of their own, which operand differs, and who has none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from helpers import command, corpus, environment

pytestmark = pytest.mark.slow

WITH_GRADIENTS = """\
  - id: both
    summary: Output and gradients are asked for.
    source: written for the tests
    input: {shape: [1, 2, 3, 4], values: integers}
    kernel: {shape: [2, 3, 3, 2], values: integers}
    bias: {values: integers}
    stride: 2
    gradients: {values: integers}
"""
ENGINE = '''

from conformance.oracle import conv_transpose, gradient_truths
from conformance.conventions import torch as convention


class Right:
    """The oracle's own gradients, which is what an engine without a fault answers."""

    convention = "torch"

    def versions(self):
        return {"right": "1.0"}

    def devices(self):
        return ["cpu"]

    def call(self, x, kernel, bias, native, device):
        return conv_transpose(x, kernel, bias, **native).astype(x.dtype)

    def gradients(self, x, kernel, bias, native, cotangent, device):
        geometry = convention.geometry(native, size=x.shape[2:], kernel=kernel.shape[2:])
        found = gradient_truths(x, kernel, bias, cotangent, geometry, "float32")
        return tuple(found[name].y.astype(x.dtype) for name in ("input", "kernel", "bias"))


class WrongKernel(Right):
    """The kernel's gradient is flipped."""

    def gradients(self, *arguments):
        dx, dkernel, dbias = super().gradients(*arguments)
        return dx, dkernel[..., ::-1], dbias


class ShortBias(Right):
    """The bias' gradient has one number for all channels."""

    def gradients(self, *arguments):
        dx, dkernel, dbias = super().gradients(*arguments)
        return dx, dkernel, dbias.sum(keepdims=True)


class Forward(Right):
    """It has no gradients."""

    gradients = None
'''


@pytest.fixture
def verdicts(tmp_path: Path) -> Any:
    """The verdicts of a run of these engines on one case with gradients, by quantity, and its exit
    code.
    """

    def run(name: str, known: str = "") -> Any:
        folder = corpus(tmp_path, WITH_GRADIENTS)
        (tmp_path / "engine.py").write_text(ENGINE)
        if known:
            (folder / "known_differences").mkdir(exist_ok=True)
            (folder / "known_differences" / "engine.yaml").write_text(known)
        done = command(
            "run", str(folder), "-a", f"engine:{name}", "-o", "out", cwd=tmp_path, env=environment()
        )
        lines = [
            json.loads(line)
            for line in (tmp_path / "out" / "results.jsonl").read_text().splitlines()
        ]
        return {line["quantity"]: line for line in lines if line["type"] == "verdict"}, done

    return run


def test_output_and_gradients_have_a_verdict_each(verdicts: Any) -> None:
    """An engine that is right in both conforms twice, bit for bit."""
    found, done = verdicts("Right")
    assert {quantity: line["status"] for quantity, line in found.items()} == {
        "output": "conforms",
        "gradients": "conforms",
    }
    assert found["gradients"]["exact"]
    assert done.returncode == 0


def test_which_of_the_three_differs_is_said(verdicts: Any) -> None:
    """The output conforms, the gradient of the kernel does not, and its elements are named."""
    found, done = verdicts("WrongKernel")
    assert found["output"]["status"] == "conforms"
    assert found["gradients"]["status"] == "differs"
    assert found["gradients"]["mismatch"]["gradient"] == "kernel"
    assert found["gradients"]["mismatch"]["text"].startswith("dkernel[")
    assert done.returncode == 1
    assert "differs from the oracle in" in done.stdout
    assert "both, gradients" in done.stdout


def test_a_gradient_of_another_shape_differs(verdicts: Any) -> None:
    """Shapes are compared first, of every operand."""
    found, _ = verdicts("ShortBias")
    assert found["gradients"]["mismatch"]["kind"] == "shape"
    assert found["gradients"]["mismatch"]["text"] == "dbias.shape=[1], should be [3]"


def test_an_engine_without_gradients_says_so(verdicts: Any) -> None:
    """It is no failure."""
    found, done = verdicts("Forward")
    assert found["gradients"]["status"] == "unsupported"
    assert found["gradients"]["message"] == "This adapter has no gradients."
    assert done.returncode == 0


def test_a_known_difference_of_gradients_leaves_the_output_alone(verdicts: Any) -> None:
    """An entry speaks of one quantity: the conforming output does not make it stale."""
    entry = """- adapter: engine:WrongKernel
  cases: ["*/both"]
  quantity: gradients
  versions: {}
  status: differs
  reason: The gradient of the kernel is flipped.
  source: made up for this test
"""
    found, done = verdicts("WrongKernel", entry)
    assert found["gradients"]["known"] == "The gradient of the kernel is flipped."
    assert found["output"]["known_problem"] is None
    assert done.returncode == 0


def test_gradients_of_the_definition_are_what_the_engine_answers(tmp_path: Path) -> None:
    """The page of a record with gradients has a row for them."""
    folder = corpus(tmp_path, WITH_GRADIENTS)
    (tmp_path / "engine.py").write_text(ENGINE)
    done = command(
        "run", str(folder), "-a", "engine:WrongKernel", "-o", "out", cwd=tmp_path, env=environment()
    )
    assert done.returncode == 1
    page = (tmp_path / "out" / "index.html").read_text()
    assert "both, gradients" in page
    assert "dkernel[" in page
