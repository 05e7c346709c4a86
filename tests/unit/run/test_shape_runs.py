"""Shape functions through a run: right, unknown and wrong are three verdicts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from helpers import command, corpus, environment

pytestmark = pytest.mark.slow

CASES = """\
  - id: one
    summary: A shape is said.
    source: written for the tests
    input: {shape: [1, 2, 3, 4], values: integers}
    kernel: {shape: [2, 3, 3, 2], values: integers}
    bias: {values: integers}
    stride: 2
    gradients: {values: integers}
  - id: empty
    summary: The output has no elements.
    source: written for the tests
    input: [[1, 2], [3, 4]]
    kernel: [[1]]
    padding: 1
    expected: {error: true}
"""
WRONG = "shape [1, 3, 7, 7], should be [1, 3, 7, 8]"


@pytest.fixture
def verdicts(tmp_path: Path) -> Any:
    """The verdicts of a run of a miniature by the last part of the case's name, and the process."""

    def run(name: str, *options: str, known: str = "", cases: str = CASES) -> Any:
        folder = corpus(tmp_path, cases)
        if known:
            (folder / "known_differences").mkdir(exist_ok=True)
            (folder / "known_differences" / "shapes.yaml").write_text(known)
        asked = ["run", str(folder), "-a", f"miniatures_shapes:{name}", "-o", "out", *options]
        done = command(*asked, cwd=tmp_path, env=environment())
        lines = [
            json.loads(line)
            for line in (tmp_path / "out" / "results.jsonl").read_text().splitlines()
        ]
        found = [line for line in lines if line["type"] == "verdict"]
        assert {line["quantity"] for line in found} == {"shape"}
        return {line["case"].rpartition("/")[2]: line for line in found}, done

    return run


def test_a_right_shape_conforms_and_refusing_does(verdicts: Any) -> None:
    """A shape function is asked for the shape alone, once for a case."""
    found, done = verdicts("RightShape")
    assert [line["status"] for line in found.values()] == ["conforms", "conforms"]
    assert done.returncode == 0
    assert "2 run, 2 of them shapes" in done.stdout


def test_an_unknown_size_is_told_and_fails_nothing(verdicts: Any) -> None:
    """The axis is named; nothing was checked, so that alone it is no green run."""
    found, done = verdicts("AxisTwoUnknown", "--allow-unsupported")
    assert found["one"]["status"] == "unsupported"
    assert found["one"]["mismatch"] == {"kind": "unknown", "text": "claims nothing about axis 2"}
    assert done.returncode == 0
    assert "1 shape unknown" in done.stdout


def test_no_shape_at_all_is_unknown(verdicts: Any) -> None:
    """Where refusal was due, saying nothing is no refusal."""
    found, done = verdicts("NoRank")
    assert [line["mismatch"]["text"] for line in found.values()] == [
        "claims nothing about the shape",
        "claims nothing that could be refused: no shape",
    ]
    assert done.returncode == 1
    assert "nothing was checked" in done.stdout


def test_a_wrong_size_differs_with_both_shapes(verdicts: Any) -> None:
    """The mismatch is a shape, told as one."""
    found, done = verdicts("ShortByOne")
    assert found["one"]["status"] == "differs"
    assert found["one"]["mismatch"] == {"kind": "shape", "text": WRONG}
    assert done.returncode == 1
    assert WRONG in done.stdout


def test_a_shape_where_refusal_was_due_is_not_refused(verdicts: Any) -> None:
    """As an output would be; and refusing what has a shape is a failure."""
    found, _ = verdicts("NeverRefuses")
    assert found["empty"]["mismatch"] == {
        "kind": "not-refused",
        "text": "shape [1, 1, 7, 7], should be refused",
    }
    found, _ = verdicts("Refuses")
    assert (found["one"]["status"], found["empty"]["status"]) == ("raised", "conforms")


def test_what_was_not_told_may_be_unknown(verdicts: Any) -> None:
    """Batch and space are hidden: their sizes are open, the channels are not."""
    found, done = verdicts("Dynamic", "--allow-unsupported")
    assert found["one"]["status"] == "conforms"
    assert found["empty"]["mismatch"]["kind"] == "unknown"
    assert done.returncode == 0


def test_what_is_true_of_this_size_alone_is_wrong(verdicts: Any) -> None:
    """The batch of the case is 1, and nobody said so."""
    found, done = verdicts("BatchByChance")
    assert found["one"]["status"] == "differs"
    assert found["one"]["mismatch"] == {
        "kind": "shape",
        "text": "shape [1, 3, ?, ?], though axis 0 had no size that was told",
    }
    assert done.returncode == 1


def test_a_size_that_the_arguments_name_is_true_of_every_input(verdicts: Any) -> None:
    """Unless they name none: then the size of the output follows from one that was not told."""
    cases = """\
  - id: named
    summary: The output's size is an argument.
    source: written for the tests
    input: [[1, 2], [3, 4]]
    kernel: [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    native: {torch: {stride: 2, output_size: [6, 6]}}
  - id: not-named
    summary: It follows from the input's.
    source: written for the tests
    spatial: 1
    input: [1, 2, 3]
    kernel: [1, 2, 3]
    stride: 2
"""
    found, _ = verdicts("SizesByName", cases=cases)
    assert found["named"]["status"] == "conforms"
    assert found["not-named"]["mismatch"]["text"] == (
        "shape [1, 1, 7], though axis 2 had no size that was told"
    )


def test_sizes_that_are_no_numbers_are_no_answer(verdicts: Any) -> None:
    """The exception comes up in the adapter, before an answer is made of it."""
    found, _ = verdicts("Words")
    assert found["one"]["status"] == "raised"


def test_a_known_difference_speaks_of_shapes(verdicts: Any) -> None:
    """`quantity: shape` explains it, and repetitions and circumstances change nothing."""
    entry = """- adapter: "*ShortByOne"
  cases: ["*/one"]
  quantity: shape
  versions: {}
  status: differs
  kind: shape
  reason: The last axis is short.
  source: made up for this test
"""
    found, done = verdicts("ShortByOne", "--repeat", "3", "--invariance", known=entry)
    assert found["one"]["known"] == "The last axis is short."
    assert done.returncode == 0


def test_the_page_has_a_row_of_shapes(verdicts: Any, tmp_path: Path) -> None:
    """Without JavaScript too."""
    verdicts("ShortByOne")
    page = (tmp_path / "out" / "index.html").read_text()
    assert "one, shape" in page
    assert WRONG in page
