"""Readers of strangers' files on inputs that nobody wrote: each refused in sentences, or taken.

CONFORMANCE_FUZZ_EXAMPLES is how many are drawn of each reader; `tox -e fuzz` draws many more,
without Hypothesis.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest
from helpers import TESTS, tool
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

READERS = tool("fuzzing.all").READERS
EXAMPLES = int(os.environ.get("CONFORMANCE_FUZZ_EXAMPLES", "1500"))
SAVED = sorted(path for path in (TESTS / "fuzz" / "saved").glob("*/*") if path.is_file())
SHARE = 1 / 3
"""Of the inputs has to be accepted: what only tests the first line of a reader tests little."""

numbers = st.integers(0, 2**32 - 1)


def check_installed(reader: str) -> None:
    if reader == "onnx" and importlib.util.find_spec("onnx") is None:
        pytest.skip("onnx is not installed")


@pytest.mark.parametrize("path", SAVED, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_what_once_failed_is_refused_or_taken(path: Path) -> None:
    """The saved inputs: each made a reader raise, hang, or fill memory."""
    check_installed(path.parent.name)
    READERS[path.parent.name].accepts(path.read_bytes())


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_twisted_inputs_are_refused_or_taken(name: str) -> None:
    """A reader raises its own exceptions alone, tells lines of usual length, takes less than 2 s
    for 100 kB, and accepts enough to be tested in its depth.
    """
    check_installed(name)
    reader = READERS[name]
    accepted: list[bool] = []

    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(seed=numbers, twists=st.lists(numbers, max_size=3))
    def read(seed: int, twists: list[int]) -> None:
        accepted.append(reader.accepts(reader.made(seed, twists)))

    read()
    share = sum(accepted) / len(accepted)
    print(f"{name}: {len(accepted)} inputs, {share:.0%} accepted")
    assert share >= SHARE


def test_a_reader_that_raises_hangs_or_talks_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search can fail: another exception, a refusal without end, and time are faults."""
    kit = tool("fuzzing.reader")

    def raising(content: bytes) -> None:
        raise {b"index": IndexError("x"), b"long": ValueError("x" * 3000), b"ok": ValueError("x")}[
            content
        ]

    def slow(content: bytes) -> None:
        sum(range(100_000_000 if content else 1))

    reader = kit.Reader(name="r", draw=None, read=raising, refusals=(ValueError,))
    assert reader.accepts(b"ok") is False
    for content in (b"index", b"long"):
        with pytest.raises(kit.Fault):
            reader.accepts(content)
    slow_reader = kit.Reader(name="r", draw=None, read=slow)
    assert slow_reader.accepts(b"") is True
    monkeypatch.setattr(kit, "SECONDS_PER_100_KB", 0.1)
    with pytest.raises(kit.Fault):
        slow_reader.accepts(b"x")
