"""Truths of cases: made once, kept while there is room, large ones let go first."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from helpers import command, environment

from conformance.corpus import truths
from conformance.corpus.case import Case
from conformance.corpus.selection import select
from conformance.corpus.truths import LARGE_BYTES, Truths, bytes_of, is_large, prepare


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the cases that were prepared, in order; each takes a moment."""
    names: list[str] = []

    def noted(case: Case) -> truths.Prepared:
        names.append(case.name)
        time.sleep(0.05)
        return prepare(case)

    monkeypatch.setattr(truths, "prepare", noted)
    return names


@pytest.fixture(scope="module")
def cases() -> Callable[..., list[Case]]:
    return lambda *names: select(list(names)).cases


def test_threads_that_ask_at_once_get_what_one_of_them_made(
    made: list[str], cases: Callable[..., list[Case]]
) -> None:
    """A truth costs up to a second: two adapters at the same case do not pay for it twice."""
    (case,) = cases("arithmetic/first/stride-larger-than-kernel")
    one, barrier = Truths(), threading.Barrier(4)

    def ask(_: int) -> truths.Prepared:
        barrier.wait()
        return one(case)

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(ask, range(4)))
    assert made == [case.name]
    assert all(prepared is found[0] for prepared in found)


def test_a_large_case_makes_room_before_a_small_one_does(
    made: list[str], cases: Callable[..., list[Case]]
) -> None:
    """Its turn is over when the next large one comes; small ones are wanted until the end."""
    small, first, second = (
        cases("arithmetic/first/stride-larger-than-kernel")[0],
        cases("networks/dcgan/second")[0],
        cases("networks/sam/first")[0],
    )
    one = Truths(bytes_of(small) + bytes_of(first) + bytes_of(second) - 1)
    for case in (small, first, second, small, first):
        one(case)
    assert made == [small.name, first.name, second.name, first.name]


@pytest.mark.slow
def test_a_truth_is_nowhere_that_an_engine_could_write_to(tmp_path: Path) -> None:
    """Neither in the cache's folder, of which engines are told, nor elsewhere in the user's home;
    and what lies where older versions kept truths is not opened: a pipe there would hang a run.
    """
    home, kept = tmp_path / "home", tmp_path / "kept"
    (kept / "truths").mkdir(parents=True)
    home.mkdir()
    os.mkfifo(kept / "truths" / "pipe.npz")
    (kept / "truths" / "zeros.npz").symlink_to("/dev/zero")
    done = command(
        "run", "networks/dcgan/second", "-a", "miniatures:Right", "-o", tmp_path / "out",
        cwd=tmp_path,
        env=environment(HOME=str(home), XDG_CACHE_HOME=str(home), CONFORMANCE_CACHE=str(kept)),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert list(home.rglob("*")) == []
    assert sorted(path.name for path in kept.rglob("*")) == ["pipe.npz", "truths", "zeros.npz"]


def test_what_is_counted_is_what_is_held(cases: Callable[..., list[Case]]) -> None:
    """The operands in their dtype, in float64, and the five arrays of the output's shape that
    comparing makes.
    """
    (case,) = cases("networks/dcgan/second")
    prepared = prepare(case)
    assert prepared.truth is not None
    operands = [array for array in prepared.tensors if array is not None]
    inside = sum(array.nbytes + 8 * array.size for array in operands)
    assert bytes_of(case) == inside + 5 * prepared.truth.y.nbytes
    assert is_large(case) is (bytes_of(case) > LARGE_BYTES) is True
    assert not is_large(cases("arithmetic/first/stride-larger-than-kernel")[0])
