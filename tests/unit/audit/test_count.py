"""What a suite notices, and what it could have noticed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers import CUT, EMPTY, GAPS, corpus

from conformance.audit import count
from conformance.audit.count import Tally, detection_by, of_cases, of_configurations, together
from conformance.audit.rules import Close
from conformance.audit.suite import suites
from conformance.audit.table import NONE, as_json, markdown, mistakes, terminal
from conformance.corpus.files import load_cases
from conformance.corpus.truths import prepare
from conformance.verdicts.diagnosis.detection import detection

SILENT: Callable[[str], None] = lambda line: None  # noqa: E731


@pytest.fixture
def cases(tmp_path: Path) -> list[Any]:
    return load_cases(corpus(tmp_path, CUT + GAPS + EMPTY))


def test_equal_notices_what_this_suite_notices_of_integers(cases: list[Any]) -> None:
    """Where a case is exact, the bound of this suite is zero."""
    truth = prepare(cases[0]).truth
    assert detection_by(truth, Close(atol=0.0, rtol=0.0)) == detection(truth)


def test_a_wide_tolerance_notices_shapes_alone(cases: list[Any]) -> None:
    """What keeps the shape passes; what has another does not, however wide the tolerance is."""
    found = detection_by(prepare(cases[0]).truth, Close(atol=1e30, rtol=0.0))
    assert "padding-ignored" in found.detected
    assert "bias-dropped" in found.survived


def test_what_an_activation_hides_goes_unnoticed(cases: list[Any]) -> None:
    """No two results of one shape are more than 6 apart after relu6."""
    truth = prepare(cases[0]).truth
    rule = Close(atol=6.0, rtol=0.0)
    assert "bias-dropped" not in detection_by(truth, rule, "relu6").detected
    assert detection_by(truth, rule, "relu6").detected < detection_by(truth, rule).detected


def test_what_must_be_refused_is_not_counted(cases: list[Any]) -> None:
    """There is no result in which a mistake could show."""
    tally = of_cases("mine", "mine", cases, None, SILENT)
    assert tally.configurations == 2
    assert not tally.left_out


def test_what_is_too_large_is_counted_and_not_computed(
    cases: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is left out without a word."""
    monkeypatch.setattr(count, "MOST_PRODUCTS", 30)
    tally = of_cases("mine", "mine", cases, None, SILENT)
    assert (tally.configurations, tally.left_out) == (2, 1)
    (suite,) = (suite for suite in suites() if suite.slug == "webnn-baseline")
    public = of_configurations("one", "one", suite.configurations, SILENT)
    assert public.left_out == sum(one.products > 30 for one in suite.configurations) > 0


def test_ones_everywhere_notice_little() -> None:
    """TensorFlow's inputs and kernels of ones cannot tell a flipped kernel from a right one."""
    (suite,) = (suite for suite in suites() if suite.slug == "tensorflow")
    tally = of_configurations("tf", "tf", suite.configurations, SILENT)
    assert tally.could_show["kernel-not-flipped"] == len(suite.configurations)
    assert not tally.notices["kernel-not-flipped"]
    assert tally.notices["stride-ignored"]


TALLIES = (
    Tally(slug="a", name="A", configurations=6, could_show=Counter(x=6, y=6), notices=Counter(x=5)),
    Tally(slug="b", name="B", configurations=1, left_out=1, could_show=Counter(y=1)),
)


def test_suites_together_are_the_sum() -> None:
    """Counts are added by mistake."""
    whole = together("all", "All", TALLIES)
    assert (whole.configurations, whole.left_out) == (7, 1)
    assert whole.could_show == {"x": 6, "y": 7}
    assert whole.at_least(5) == 1
    assert whole.at_least(6) == 0


def test_tables_say_the_same() -> None:
    """For people, for a page and for a program: what few notice comes first."""
    assert mistakes(TALLIES) == ["y", "x"]
    lines = markdown(TALLIES).splitlines()
    assert lines[2:4] == ["| `y` | 0/6 | 0/1 |", f"| `x` | 5/6 | {NONE} |"]
    assert lines[-2:] == ["| **detected** | 1 | 0 |", "| **detected at least 5 times** | 1 | 0 |"]
    assert terminal(TALLIES, 100).splitlines()[2].split() == ["y", "0/6", "0/1"]
    first, second = as_json(TALLIES)["suites"]
    assert first["mistakes"]["x"] == {"could_show": 6, "notices": 5}
    assert second["not_computed"] == 1


def test_a_narrow_terminal_parts_the_columns() -> None:
    """No line is longer than the terminal is wide, and the names stand in every part."""
    text = terminal(TALLIES, 32)
    table = text[: text.index("a/b:")]
    assert max(map(len, table.splitlines())) <= 32
    assert table.count("detected at least 5 times") == 2
