"""Declared wrong results: when a known failure explains what a drawn call does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from helpers import miniature

from conformance.sweep import Request, Wish, sweep

pytestmark = pytest.mark.slow

CASES = """\
format: 1
cases:
  - id: line-in-float64
    summary: One axis, with a bias.
    source: written for the tests
    spatial: 1
    input: [1, 2]
    kernel: [3]
    bias: [1]
    dtype: float64
  - id: plane-in-float32
    summary: Two axes, with a bias.
    source: written for the tests
    input: [[1, 2]]
    kernel: [[3]]
    bias: [1]
"""
ENTRY = """\
- adapter: "*"
  cases: ["all/*"]
  versions: {miniature: ">=0"}
  status: differs
  kind: values
  reason: The miniature forgets the bias.
  source: written for the tests
"""


def swept(folder: Path, name: str, entry: str, **wish: Any) -> Any:
    """The sweep of a miniature beside a corpus with one entry."""
    corpus = folder / "cases"
    (corpus / "known_differences").mkdir(parents=True)
    (corpus / "all.yaml").write_text(CASES)
    (corpus / "known_differences" / "all.yaml").write_text(entry)
    (result,) = sweep(
        Request(
            seed=1,
            count=20,
            wish=Wish(**{"gradients": False, **wish}),
            specs=(miniature(name),),
            folder=folder,
            corpora=(corpus,),
        )
    )
    return result


BIAS = ENTRY.replace("kind: values", "kind: values\n  diagnosis: bias-dropped")


@pytest.mark.parametrize(
    ("dtype", "rank", "known"),
    [("float64", 1, True), ("float64", 2, True), ("float16", 2, False), ("float32", 3, False)],
)
def test_a_wrong_result_is_declared_by_its_diagnosis_dtype_and_rank(
    tmp_path: Path, dtype: Any, rank: Any, known: Any
) -> None:
    """Each of which the cases of the entry have, if not together."""
    result = swept(tmp_path, "BiasDropped", BIAS, dtypes=(dtype,), ranks=(rank,))
    assert (result.reasons.total() > 3) == known
    differing = [kind for kind in result.failures if kind.signature.status == "differs"]
    assert bool(differing) != known


def test_another_mistake_is_not_declared(tmp_path: Path) -> None:
    """The diagnosis of the entry is not its own."""
    result = swept(tmp_path, "OffByOne", BIAS, dtypes=("float32",), ranks=(2,))
    assert not result.known
    assert result.failures


def test_wrong_numbers_without_a_diagnosis_declare_nothing(tmp_path: Path) -> None:
    """An entry that says no more than that numbers are wrong would explain any."""
    result = swept(tmp_path, "BiasDropped", ENTRY, dtypes=("float32",), ranks=(2,))
    assert not result.known
    assert result.failures
