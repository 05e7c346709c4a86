"""When a result passes: every comparison, at its edge."""

from __future__ import annotations

import numpy as np
import pytest

from conformance.audit.rules import Close, Correlation, MeanSquare, Rule, Switched, Ulps, rule_of


def array(*numbers: float) -> np.ndarray:
    return np.array(numbers, np.float64)


@pytest.mark.parametrize(
    ("rule", "want", "passing", "failing"),
    [
        ({"exact": True}, 1.0, 1.0, np.nextafter(1.0, 2)),
        ({"atol": 0.5, "rtol": 0.25}, 2.0, 3.0, 3.01),
        ({"atol": 0.5, "rtol": 0.25}, -2.0, -3.0, -3.01),
        ({"atol": 0.5, "rtol": 0.25, "below": 2.5}, 2.0, 2.5, 2.51),
        ({"atol": 0.5, "rtol": 0.25, "below": 2.0}, 2.0, 2.5, 2.51),
        ({"ulp": 4}, 1.0, 1 + 4 * 2.0**-23, 1 + 5 * 2.0**-23),
        ({"ulp": 4}, 0.0, -4 * 2.0**-149, -5 * 2.0**-149),
        ({"nmse": 0.25}, 2.0, 3.0, 3.01),
    ],
)
def test_the_edge_of_a_rule(
    rule: dict[str, float], want: float, passing: float, failing: float
) -> None:
    """What is allowed passes, and what is a little more does not."""
    assert rule_of(rule).passes(array(passing), array(want))
    assert not rule_of(rule).passes(array(failing), array(want))


def test_a_correlation_sees_neither_scale_nor_offset() -> None:
    """What is twice as much passes, what is another pattern does not."""
    rule, want = Correlation(least=0.99), array(1, 2, 3, 5)
    assert rule.passes(2 * want + 7, want)
    assert not rule.passes(want[::-1], want)


@pytest.mark.parametrize(
    "rule",
    [
        Close(atol=1e9, rtol=1e9),
        Switched(atol=1e9, rtol=1e9, below=1.0),
        Ulps(most=10),
        MeanSquare(most=1e9),
        Correlation(least=-1.0),
    ],
)
def test_nan_is_no_small_error(rule: Rule) -> None:
    """The loosest tolerance notices a NaN that should be a number."""
    want = array(1, 2, 3)
    assert rule.passes(want, want)
    assert not rule.passes(array(1, np.nan, 3), want)


def test_another_spelling_is_no_rule() -> None:
    """A typing error in a suite's file is not taken for a looser rule."""
    with pytest.raises(ValueError, match="should be one that"):
        rule_of({"atol": 1.0})
