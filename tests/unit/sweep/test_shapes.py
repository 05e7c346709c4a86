"""The sweep of shape functions: what they are asked, and what counts as the same wrong claim."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from helpers import command, environment, miniature

from conformance.corpus.files import load_cases
from conformance.geometry import Axis, Geometry
from conformance.sweep import Request, Wish, sweep
from conformance.sweep.call import SweepCall
from conformance.sweep.draw import Drawer
from conformance.sweep.shrink import shrunk

pytestmark = pytest.mark.slow


def swept(folder: Path, name: str, count: int = 40, **request: Any) -> Any:
    """The sweep of a shape function among the miniatures."""
    spec = miniature(f"miniatures_shapes:{name}")
    wish = Wish(dtypes=("float32",))
    (result,) = sweep(
        Request(seed=1, count=count, wish=wish, specs=(spec,), folder=folder, **request)
    )
    return result


@pytest.mark.parametrize("name", ["RightShape", "Dynamic"])
def test_a_right_shape_function_is_asked_once_a_call_and_never_wrong(
    tmp_path: Path, name: Any
) -> None:
    """Sizes that it is not told it need not claim."""
    result = swept(tmp_path, name)
    assert (result.calls, result.failures, result.fails) == (40, {}, False)


def test_calls_without_output_are_drawn_for_shapes_alone() -> None:
    """Who computes nothing is asked whether it would refuse."""
    wish = Wish(dtypes=("float32",))
    of_shapes = Drawer(1, "torch", wish, quantity="shape")
    to_refuse = [of_shapes.draw(number).must_fail for number in range(1, 101)]
    assert 3 <= sum(to_refuse) <= 50
    of_outputs = Drawer(1, "torch", wish)
    assert not any(of_outputs.draw(number).must_fail for number in range(1, 101))


def test_a_wrong_shape_is_shrunk_written_and_fails_again(tmp_path: Path) -> None:
    """The file of the smallest call runs as it is."""
    (folder := tmp_path / "failures").mkdir()
    (failure,) = swept(folder, "ShortByOne").failures.values()
    assert str(failure.kind) == "shape differs: shape: too short"
    (case,) = load_cases(failure.file)
    assert (case.input.shape, case.kernel.shape) == ((1, 1, 1), (1, 1, 1))
    again = command(
        *("run", failure.file, "-a", "miniatures_shapes:ShortByOne", "-o", tmp_path / "record"),
        cwd=tmp_path,
        env=environment(),
    )
    assert again.returncode == 1


def test_a_shape_where_refusal_was_due_is_written_as_a_case_to_refuse(tmp_path: Path) -> None:
    """Of calls with an output the same engine is wrong in other ways."""
    failures = swept(tmp_path, "NeverRefuses", count=120).failures
    refusals = [failure for kind, failure in failures.items() if "refused" in kind.signature.kind]
    kinds = {failure.kind.signature.kind for failure in refusals}
    assert any(kind.startswith("not-refused: some where there is no output") for kind in kinds)
    assert all(case.must_fail for failure in refusals for case in load_cases(failure.file))


def test_a_call_to_refuse_shrinks_to_another_that_is_to_be_refused() -> None:
    """And never to one with an output."""
    axis = Axis(size=4, kernel=3, stride=2, crop_low=9, crop_high=9)
    asked: list[SweepCall] = []
    smallest = shrunk(
        SweepCall(geometry=Geometry(axes=(axis, axis), groups=2), batch=3, bias=True),
        "torch",
        lambda call: not asked.append(call),
        "shape",
    )
    assert asked
    assert all(call.must_fail for call in asked)
    assert smallest.geometry.size == (1, 1)


KNOWN = """\
- adapter: "*"
  cases: [one/plain]
  versions: {miniature: ">=0"}
  quantity: shape
  status: differs
  kind: shape
  reason: The miniature forgets the last element.
  source: written for the tests
"""
PLAIN = """\
format: 1
cases:
  - id: plain
    summary: One tap at stride 2.
    source: written for the tests
    input: [[1, 2]]
    kernel: [[3]]
    stride: 2
"""


@pytest.mark.parametrize(("name", "known"), [("ShortByOne", True), ("NeverRefuses", False)])
def test_a_declared_shape_is_counted_where_the_claim_departs_alike(
    tmp_path: Path, name: Any, known: Any
) -> None:
    """Too short here as there; what is too long and too short is another claim."""
    corpus = tmp_path / "cases"
    (corpus / "known_differences").mkdir(parents=True)
    (corpus / "one.yaml").write_text(PLAIN)
    (corpus / "known_differences" / "all.yaml").write_text(KNOWN)
    result = swept(tmp_path, name, corpora=(corpus,))
    assert (result.reasons.total() > 20) == known
    assert result.fails != known


def test_what_is_not_told_is_not_asked_for(tmp_path: Path) -> None:
    """A shape function that says less than follows from what it was told has not failed."""
    result = swept(tmp_path, "AxisTwoUnknown", indices=tuple(range(1, 30)))
    assert not [kind for kind in result.failures if kind.signature.kind.startswith("shape")]
