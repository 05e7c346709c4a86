"""How long a call takes."""

from __future__ import annotations

import time

import pytest

from conformance import timing
from conformance.timing import measure, summarise


def test_quartiles_are_interpolated_between_the_ordered_durations() -> None:
    """The usual definition: of five durations the second, third and fourth; the order they came in does not matter."""
    figures = summarise([5.0, 1.0, 4.0, 2.0, 3.0], first=9.0, mode="quick", threads=2)
    assert (figures.minimum, figures.lower, figures.median, figures.upper, figures.count) == (1.0, 2.0, 3.0, 4.0, 5)
    assert (figures.first, figures.mode, figures.threads) == (9.0, "quick", 2)
    assert summarise([1.0, 2.0], first=None, mode="full", threads=1).lower == pytest.approx(1.25)


def test_one_duration_is_all_quartiles() -> None:
    """A call longer than its slice is still a figure."""
    figures = summarise([3.0], first=None, mode="quick", threads=1)
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
