"""How long a call takes."""

from __future__ import annotations

import time

import pytest

from conformance.record.timing import interval, summarise
from conformance.workers import timing
from conformance.workers.timing import measure


def test_quartiles_are_interpolated_between_the_ordered_durations() -> None:
    """The usual definition: of five durations the second, third and fourth; the order they came in
    does not matter.
    """
    figures = summarise([[5.0, 1.0], [4.0, 2.0, 3.0]], first=9.0, mode="quick", threads=2)
    assert (figures.minimum, figures.lower, figures.median, figures.upper, figures.count) == (
        1.0,
        2.0,
        3.0,
        4.0,
        5,
    )
    assert (figures.first, figures.mode, figures.threads) == (9.0, "quick", 2)
    assert figures.rounds == (3.0, 3.0)
    assert summarise([[1.0, 2.0]], first=None, mode="full", threads=1).lower == pytest.approx(1.25)


def test_one_duration_is_all_quartiles() -> None:
    """A call longer than its slice is still a figure."""
    figures = summarise([[3.0]], first=None, mode="quick", threads=1)
    assert figures.minimum == figures.lower == figures.median == figures.upper == 3.0


def test_a_slice_is_filled_and_not_exceeded_by_more_than_a_call() -> None:
    """As many calls as fit, the warm-up among them; the clock decides, not a number of calls."""
    calls = []

    def run() -> None:
        calls.append(time.perf_counter())
        time.sleep(0.01)

    durations = measure(run, 0.2)
    assert 1 <= len(durations) < len(calls) <= 21
    assert all(duration >= 0.01 for duration in durations)


def test_a_call_longer_than_the_slice_is_measured_once() -> None:
    """One to warm up, one to measure."""
    calls = []
    durations = measure(lambda: (calls.append(1), time.sleep(0.02)), 0.001)
    assert len(durations) == 1
    assert len(calls) == 2


def test_very_short_calls_end_at_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer stays a line that can be read."""
    monkeypatch.setattr(timing, "MOST_CALLS", 5)
    assert len(measure(lambda: None, 30.0)) == 5


@pytest.mark.slow
def test_warming_up_goes_on_while_calls_get_faster() -> None:
    """What compiles in its third call is not counted with it: counting begins when calls no longer
    get faster.
    """
    lengths = iter([0.3, 0.2, 0.1, 0.05])
    durations = measure(lambda: time.sleep(next(lengths, 0.001)), 5.0)
    assert next(lengths, None) is None
    assert durations[0] < 0.05


def test_the_interval_of_equal_rounds_is_a_point() -> None:
    """Where every round says the same there is nothing to resample."""
    found = interval([2.0] * 5, [1.0] * 5)
    assert found is not None
    assert (found.ratio, found.low, found.high) == pytest.approx((2.0, 2.0, 2.0))
    assert not found.spans_one


def test_drift_that_hits_both_cancels_in_pairs() -> None:
    """A machine that gets ten times slower says nothing of two engines that were measured round by
    round.
    """
    one, other = [1.0, 2.0, 4.0, 10.0], [1.1, 2.2, 4.4, 11.0]
    paired, apart = interval(one, other), interval(one, other, paired=False)
    assert paired is not None
    assert apart is not None
    assert paired.high < 1.0 <= apart.high
    assert apart.spans_one


def test_noise_larger_than_the_difference_spans_one() -> None:
    """Rounds that disagree on which is faster leave it open."""
    found = interval([1.0, 1.3, 0.8, 1.1, 0.9], [1.1, 0.9, 1.0, 1.0, 1.05])
    assert found is not None
    assert found.spans_one
    assert found.low < found.ratio < found.high


def test_of_fewer_turns_those_that_both_had_are_compared() -> None:
    """A slow engine has fewer with `quick`; what came later has no partner."""
    assert interval([2.0, 4.0], [1.0, 1.5, 9.0]) == interval([2.0, 4.0], [1.0, 1.5])


def test_rounds_that_are_not_pairs_have_no_paired_interval() -> None:
    """A single one that both had is none, nor are no rounds at all, or a duration of nothing."""
    assert interval([1.0], [1.0, 2.0]) is None
    assert interval([], []) is None
    assert interval([0.0], [1.0]) is None
