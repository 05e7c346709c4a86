"""What should not matter: a sample alone, the number of threads, the memory layout; and what a
verdict says where it does.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import CUT, command, corpus, environment

from conformance.geometry import Axis, Geometry
from conformance.oracle import gradient_truths
from conformance.oracle.truth import truth_of
from conformance.outcomes import Crashed, Gradients, Output, Perturbed, Unsupported
from conformance.verdicts.compare import between
from conformance.verdicts.invariance import variation

pytestmark = pytest.mark.slow

ENGINE = '''
import os

import numpy as np

from conformance.oracle import conv_transpose


class Steady:
    """Nothing matters but the operands."""

    convention = "torch"

    def versions(self):
        return {"engine": "1.0"}

    def devices(self):
        return ["cpu"]

    def call(self, x, kernel, bias, native, device):
        return self.changed(conv_transpose(x, kernel, bias, **native).astype(x.dtype))

    def changed(self, y):
        return y


class Alone(Steady):
    """A batch of one is computed by other code, which is wrong."""

    def changed(self, y):
        return y + (len(y) == 1)


class OneThread(Steady):
    """One thread is wrong where several are right."""

    def changed(self, y):
        return y + (os.environ["CONFORMANCE_THREADS"] == "1")


class DiesAlone(Steady):
    """A batch of one ends the process."""

    def changed(self, y):
        return os.abort() if len(y) == 1 else y
'''
BATCH = """\
  - id: batch
    summary: Three samples.
    source: made up
    input: {shape: [3, 1, 2, 2], values: integers}
    kernel: {shape: [1, 1, 3, 3], values: integers}
"""
GEOMETRY = Geometry(
    axes=(Axis(size=2, kernel=2, stride=1, dilation=1, crop_low=0, crop_high=0),), groups=1
)


@pytest.fixture
def verdict_of(tmp_path: Path) -> Any:
    """The verdict of an engine on one case with `--invariance`, and what the command printed."""

    def run(name: Any, text: Any = BATCH) -> Any:
        folder = corpus(tmp_path, text)
        (tmp_path / "engine.py").write_text(ENGINE)
        words = (
            "run",
            str(folder),
            "-a",
            f"engine:{name}",
            "--invariance",
            "--threads",
            2,
            "-o",
            "out",
        )
        done = command(*words, cwd=tmp_path, env=environment())
        lines = [
            json.loads(line)
            for line in (tmp_path / "out" / "results.jsonl").read_text().splitlines()
        ]
        assert lines[0]["invariance"] is True
        return next(line for line in lines if line["type"] == "verdict"), done

    return run


def test_where_nothing_matters_nothing_is_said(verdict_of: Any) -> None:
    """An engine that gives the same bits in every circumstance conforms without a label."""
    verdict, done = verdict_of("Steady")
    assert (verdict["status"], verdict["invariance"]) == ("conforms", None)
    assert done.returncode == 0


@pytest.mark.parametrize(("name", "aspect"), [("Alone", "batch"), ("OneThread", "threads")])
def test_what_matters_and_should_not_differs(verdict_of: Any, name: Any, aspect: Any) -> None:
    """The usual call is right; in the other circumstance every element is one too large, which the
    verdict says.
    """
    verdict, done = verdict_of(name)
    assert (verdict["status"], verdict["mismatch"]["kind"], verdict["mismatch"]["aspect"]) == (
        "differs",
        "invariance",
        aspect,
    )
    assert list(verdict["invariance"]) == [aspect]
    found = verdict["invariance"][aspect]
    assert (found["largest"], found["beyond"]) == (1.0, True)
    assert (
        "16 of 16 elements differ" in found["text"] or "48 of 48 elements differ" in found["text"]
    )
    assert done.returncode == 1
    assert "--invariance" in done.stdout


def test_a_death_in_another_circumstance_differs(verdict_of: Any) -> None:
    """A process that a sample alone has ended is told; the usual call has conformed."""
    verdict, _ = verdict_of("DiesAlone")
    assert verdict["status"] == "differs"
    assert verdict["invariance"]["batch"]["text"].startswith("crashed: died by signal 6")


def test_a_batch_of_one_is_not_taken_apart(verdict_of: Any) -> None:
    """There is nothing to compare a single sample with."""
    verdict, _ = verdict_of(
        "Alone",
        CUT.replace("input: [[1, 2], [3, 4]]", "input: {shape: [1, 1, 2, 2], values: integers}"),
    )
    assert verdict["invariance"] is None


def _truth(dtype: Any = "float32") -> Any:
    rng = np.random.RandomState(1)
    x, kernel = (rng.standard_normal(shape).astype(np.float32) for shape in ((2, 1, 2), (1, 1, 2)))
    return truth_of(x, kernel, None, GEOMETRY, dtype)


def test_within_the_bound_it_is_a_label() -> None:
    """Sums in another order differ in their last bits, and that is said without failing."""
    truth = _truth()
    one = truth.y.astype(np.float32)
    found = between(one, np.nextafter(one, np.float32(9)), truth)
    assert found is not None
    assert not found["beyond"]
    assert 0 < found["over_bound"] < 1


def test_an_exact_case_leaves_no_room() -> None:
    """One unit in the last place is beyond, where every order of summation has the same bits."""
    x, kernel = np.array([[[1.0, 2.0]]], np.float32), np.array([[[3.0, 1.0]]], np.float32)
    truth = truth_of(x, kernel, None, GEOMETRY, "float32")
    one = truth.y.astype(np.float32)
    assert between(one, one.copy(), truth) is None
    found = between(one, np.nextafter(one, np.float32(99)), truth)
    assert found is not None
    assert found["beyond"]


def test_a_nan_that_comes_and_goes_is_beyond() -> None:
    """The pattern of what is not finite is compared before the numbers are."""
    truth = _truth()
    one = truth.y.astype(np.float32)
    other = one.copy()
    other[0, 0, 0] = np.nan
    found = between(one, other, truth)
    assert found is not None
    assert found["beyond"]
    assert between(other, other.copy(), truth) is None


def test_of_the_gradients_a_sample_has_the_inputs_alone() -> None:
    """The kernel's and the bias's gradients are sums over the batch, and another number for a
    sample.
    """
    rng = np.random.RandomState(2)
    x, kernel, cotangent = (
        rng.randint(-4, 5, shape).astype(np.float32) for shape in ((2, 1, 2), (1, 1, 2), (2, 1, 3))
    )
    truths = gradient_truths(x, kernel, None, cotangent, GEOMETRY, "float32")
    usual = Gradients(
        input=truths["input"].y.astype("f4"), kernel=truths["kernel"].y.astype("f4"), bias=None
    )
    alone = replace(usual, input=usual.input[1:], kernel=usual.kernel + 7)
    assert variation(usual, Perturbed(aspect="batch", sample=1, outcome=alone), truths) is None
    wrong = replace(alone, input=alone.input + 1)
    found = variation(usual, Perturbed(aspect="batch", sample=1, outcome=wrong), truths)
    assert found is not None
    assert found["text"].startswith("dinput[0, 0, 0]=")


def test_what_another_circumstance_does_not_offer_is_left_out() -> None:
    """An unsupported layout says nothing of the usual one, and a death says much."""
    truth = {"out": _truth()}
    usual = Output(y=truth["out"].y.astype(np.float32))
    assert (
        variation(usual, Perturbed(aspect="layout", outcome=Unsupported(reason="no")), truth)
        is None
    )
    found = variation(usual, Perturbed(aspect="layout", outcome=Crashed(message="gone")), truth)
    assert found is not None
    assert found["beyond"]
