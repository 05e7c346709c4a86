"""Which mistakes a case cannot notice."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.corpus.files import load_cases
from conformance.corpus.selection import select
from conformance.corpus.truths import prepare
from conformance.verdicts.diagnosis.detection import detection, weaknesses

pytestmark = pytest.mark.slow

FORM = """
format: 1
cases:
  - id: one
    summary: A case.
    source: a test
"""


def told(tmp_path: Path, arguments: str) -> list[str]:
    file = tmp_path / "some.yaml"
    file.write_text(FORM + arguments)
    (case,) = load_cases(file)
    truth = prepare(case).truth
    assert truth is not None
    return list(weaknesses(case, truth))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            (
                "    input: {shape: [1, 2, 2, 3], values: integers}\n    kernel: {shape: [2, 2, 3, "
                "2], values: ones}\n"
            ),
            ["constant"],
        ),
        (
            (
                "    input: {shape: [1, 2, 2, 3], values: integers}\n    kernel: {shape: [2, 2, 1, "
                "1], values: ones}\n"
            ),
            [],
        ),
        (
            "    input: [[1, 2, 3]]\n    kernel: [[1, 2, 1], [3, 5, 3], [1, 2, 1]]\n",
            ["symmetric", "one input and one output channel"],
        ),
        (
            "    input: [[1, 2], [3, 4]]\n    kernel: [[1, 2], [3, 5]]\n",
            ["one input and one output channel", "all axes are alike"],
        ),
        ("    input: [[0, 0], [0, 0]]\n    kernel: [[1, 2], [3, 5]]\n", ["zero everywhere"]),
        (
            (
                "    input: {shape: [1, 2, 2, 3], values: integers}\n    kernel: {shape: [2, 2, 3, "
                "2], values: integers}\n"
            ),
            [],
        ),
    ],
)
def test_what_keeps_a_case_from_noticing_mistakes_is_told(
    tmp_path: Path, arguments: str, said: list[str]
) -> None:
    """A sentence for each weakness, and none for a case that has none."""
    found = told(tmp_path, arguments)
    assert len(found) == len(said), found
    assert all(part in sentence for part, sentence in zip(said, found, strict=True))


def test_what_is_said_of_the_looks_is_what_making_the_mistake_shows(tmp_path: Path) -> None:
    """A symmetric kernel does not notice that it is not flipped; one of arange does."""
    file = tmp_path / "some.yaml"
    for kernel, blind in (
        ("[[1, 2, 1], [3, 5, 3], [1, 2, 1]]", True),
        ("[[1, 2, 3], [4, 5, 6], [7, 8, 9]]", False),
    ):
        file.write_text(FORM + f"    input: [[1, 2, 3]]\n    kernel: {kernel}\n")
        truth = prepare(load_cases(file)[0]).truth
        assert truth is not None
        found = detection(truth)
        assert ("kernel-not-flipped" in found.survived) is blind
        assert ("kernel-not-flipped" in found.detected) is not blind


def test_the_corpus_notices_every_mistake() -> None:
    """Each that any small shipped case could show is noticed by at least one."""
    detected, could = set(), set()
    for case in select().cases:
        truth = prepare(case).truth
        if truth is not None and truth.y.size <= 2000:
            found = detection(truth)
            detected |= found.detected
            could |= found.detected | found.survived
    assert len(could) >= 30
    assert could <= detected
