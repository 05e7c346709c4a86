"""Bits that change: repeated calls that do not agree, and what a verdict says of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import CUT, command, corpus, environment

from conformance.outcomes import Crashed, Gradients, Output
from conformance.verdicts.repetition import nondeterminism

pytestmark = pytest.mark.slow

ENGINE = '''
import numpy as np

from conformance.oracle import conv_transpose


class Steady:
    """The same bits every time."""

    convention = "torch"
    calls = 0

    def versions(self):
        return {"engine": "1.0"}

    def devices(self):
        return ["cpu"]

    def call(self, x, kernel, bias, native, device):
        type(self).calls += 1
        return self.changed(conv_transpose(x, kernel, bias, **native).astype(x.dtype))

    def changed(self, y):
        return y


class Unwritten(Steady):
    """Every fifth call leaves its last element as it finds it."""

    def changed(self, y):
        if self.calls % 5 == 0:
            y[..., -1] = 3e33
        return y
'''


@pytest.fixture
def repeated(tmp_path: Path) -> Any:
    """The verdict of an engine on one case, called eight times, with what the command printed."""

    def run(name: Any) -> Any:
        folder = corpus(tmp_path, CUT)
        (tmp_path / "engine.py").write_text(ENGINE)
        words = ("run", str(folder), "-a", f"engine:{name}", "--repeat", 8, "-o", "out")
        done = command(*words, cwd=tmp_path, env=environment())
        lines = [
            json.loads(line)
            for line in (tmp_path / "out" / "results.jsonl").read_text().splitlines()
        ]
        assert lines[0]["repeat"] == 8
        return next(line for line in lines if line["type"] == "verdict"), done

    return run


def test_a_steady_engine_conforms_in_every_repetition(repeated: Any) -> None:
    """Nothing is said of repetitions that agree, and the calls of another size in between are not
    judged.
    """
    verdict, done = repeated("Steady")
    assert (verdict["status"], verdict["nondeterministic"]) == ("conforms", None)
    assert done.returncode == 0


def test_one_wrong_repetition_differs(repeated: Any) -> None:
    """Most calls are right; the one that is not is the verdict, and what changes is said to look
    uninitialised.
    """
    verdict, done = repeated("Unwritten")
    assert verdict["status"] == "differs"
    found = verdict["nondeterministic"]
    assert (found["runs"], found["distinct"], found["looks"]) == (8, 2, "uninitialised")
    assert found["largest"] > 1e33
    assert "2 different results in 8 runs" in done.stdout
    assert "looks uninitialised" in done.stdout


def test_results_within_the_bound_are_a_label() -> None:
    """Two sums in another order differ in their last bits: how far apart, and nothing that looks
    unwritten.
    """
    one = Output(y=np.array([1.0, 2.0], np.float32))
    other = Output(y=np.array([1.0, np.nextafter(np.float32(2), np.float32(3))], np.float32))
    found = nondeterminism([one, other, one])
    assert found is not None
    assert (found["runs"], found["distinct"], found["looks"]) == (3, 2, None)
    assert 0 < found["largest"] < 1e-6


def test_gradients_are_compared_operand_by_operand() -> None:
    """A kernel's gradient that changes is seen beside an input's that does not."""
    same = np.ones(3, np.float32)
    runs = [
        Gradients(input=same, kernel=np.full(2, value, np.float32), bias=None)
        for value in (1, 1, 4)
    ]
    found = nondeterminism(runs)
    assert found is not None
    assert (found["distinct"], found["largest"]) == (2, 3.0)
    assert nondeterminism(runs[:2]) is None


def test_a_death_is_another_result() -> None:
    """An engine that dies in one of its repetitions is not steady."""
    found = nondeterminism([Output(y=np.ones(2)), Crashed(message="gone")])
    assert found is not None
    assert found["distinct"] == 2
