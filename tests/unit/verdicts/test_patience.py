"""An engine that is wrong everywhere is diagnosed briefly in the end, and it is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from conformance.corpus.files import load_cases
from conformance.corpus.truths import Truths
from conformance.outcomes import Output
from conformance.verdicts import judge
from conformance.verdicts.judge import Judge

CASES = """\
format: 1
cases:
  - id: plain
    summary: A plain call.
    source: written for the test
    input: [[1, 2], [3, 4]]
    kernel: [[1, 2, 3], [2, 2, 1], [3, 2, 1]]
    stride: 2
"""


def test_what_nothing_explains_is_sought_briefly_in_the_end(tmp_path: Path) -> None:
    """Noise has no diagnosis, then one that says what was not tried; another engine's, and what a
    single mistake explains, are told as ever.
    """
    file = tmp_path / "cases.yaml"
    file.write_text(CASES, encoding="utf-8")
    [case] = load_cases(file)
    truths = Truths()
    judged = Judge(
        truths,
        [],
        adapters={"noisy": "cmd:", "other": "cmd:"},
        versions={"noisy": {}, "other": {}},
        facts={"noisy": {}, "other": {}},
    )
    truth = truths(case).truth
    assert truth is not None
    right = truth.y.astype(np.float32)
    random = np.random.RandomState(0)

    def mistake(label: str, y: np.ndarray) -> str | None:
        outcome = Output(y=y, seconds=None)
        verdict = judged(case, outcome, adapter=label, device="cpu", quantity="output")
        assert verdict.status == "differs"
        return verdict.mistake

    def noise() -> np.ndarray:
        return random.normal(size=right.shape).astype(np.float32)

    found = [mistake("noisy", noise()) for _ in range(judge.MOST_UNEXPLAINED + 1)]
    assert found == [*[None] * judge.MOST_UNEXPLAINED, "not-sought"]
    assert mistake("noisy", 2 * right) == "scaled"
    assert mistake("other", noise()) is None
