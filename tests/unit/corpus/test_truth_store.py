"""What large cases need is kept between runs: bit for bit, by content, and never a reason to
fail.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.corpus import truth_store
from conformance.corpus.case import Case, Made
from conformance.corpus.selection import select
from conformance.corpus.truth_store import ArrayStore, kept_truths, key_of
from conformance.corpus.truths import Prepared, Truths, prepare
from conformance.oracle import truth as oracle


@pytest.fixture(scope="module")
def large() -> Case:
    return select(["networks/dcgan/second"]).cases[0]


@pytest.fixture
def summed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one whenever the oracle computes."""
    calls: list[int] = []
    real = vars(oracle)["transpose_into_window"]

    def noted(*arguments: Any) -> Any:
        calls.append(1)
        return real(*arguments)

    monkeypatch.setattr(oracle, "transpose_into_window", noted)
    return calls


def bits_of(prepared: Prepared) -> dict[str, tuple[str, tuple[int, ...], bytes]]:
    """Everything that a verdict is made of, as bytes."""
    truth = prepared.truth
    assert truth is not None
    arrays = {
        **prepared.tensors._asdict(),
        "y": truth.y,
        "magnitude": truth.magnitude,
        "squares": truth.squares,
        "x64": truth.x,
    }
    return {
        name: (a.dtype.name, a.shape, a.tobytes()) for name, a in arrays.items() if a is not None
    }


def test_a_second_run_reads_what_the_first_one_made_bit_for_bit(
    tmp_path: Path, large: Case, summed: list[int]
) -> None:
    fresh = bits_of(prepare(large))
    assert bits_of(Truths(keep=ArrayStore(tmp_path))(large)) == fresh
    made = len(summed)
    assert made == 6  # the output, its magnitudes and its squares, without the folder and with it
    assert bits_of(Truths(keep=ArrayStore(tmp_path))(large)) == fresh
    assert len(summed) == made, "nothing is computed again"


@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
def test_operands_of_every_dtype_come_back_as_they_were(
    tmp_path: Path, large: Case, dtype: Any
) -> None:
    case = replace(large, dtype=dtype)
    first, second = (Truths(keep=ArrayStore(tmp_path))(case) for _ in range(2))
    assert bits_of(first) == bits_of(second) == bits_of(prepare(case))


def test_operands_of_two_dtypes_come_back_as_they_were(tmp_path: Path, large: Case) -> None:
    """Each in its own dtype; and they are not taken for those of the same case in one dtype."""
    mixed = replace(large, other_dtypes={"input": "bfloat16", "kernel": "float64"})
    kept = [Truths(keep=ArrayStore(tmp_path))(case) for case in (large, mixed, mixed)]
    assert bits_of(kept[0]) == bits_of(prepare(large))
    assert bits_of(kept[1]) == bits_of(kept[2]) == bits_of(prepare(mixed))
    assert kept[2].tensors.x.dtype.name == "bfloat16"
    assert kept[2].tensors.kernel.dtype.name == "float64"


def test_what_is_not_finite_comes_back_too(tmp_path: Path, large: Case) -> None:
    assert isinstance(large.input, Made)
    case = replace(
        large,
        input=replace(
            large.input, put=(((0, 0, 0, 0), float("nan")), ((0, 0, 0, 1), float("inf")))
        ),
    )
    first, second = (Truths(keep=ArrayStore(tmp_path))(case) for _ in range(2))
    assert np.isnan(first.tensors.x[0, 0, 0, 0])
    assert bits_of(first) == bits_of(second)


def test_small_cases_are_made_and_leave_no_file(tmp_path: Path) -> None:
    Truths(keep=ArrayStore(tmp_path))(
        select(["arithmetic/first/stride-larger-than-kernel"]).cases[0]
    )
    assert not list(tmp_path.iterdir())


def test_another_content_has_another_key(
    large: Case, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The name, the summary and the tags are no content; a seed, the dtype and the oracle's own
    code are.
    """
    assert isinstance(large.kernel, Made)
    folder = ArrayStore(tmp_path)
    Truths(keep=folder)(large)
    files = set(tmp_path.iterdir())
    Truths(keep=folder)(replace(large, name="another", summary="another", tags=()))
    assert set(tmp_path.iterdir()) == files
    Truths(keep=folder)(replace(large, kernel=replace(large.kernel, seed=large.kernel.seed + 1)))
    assert len(set(tmp_path.iterdir())) == 2 * len(files)
    before = key_of("one")
    monkeypatch.setattr(truth_store, "_makers", lambda: "other code")
    assert key_of("one") != before


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "other"])
def test_a_damaged_file_is_made_anew(tmp_path: Path, large: Case, damage: str) -> None:
    fresh = bits_of(Truths(keep=ArrayStore(tmp_path))(large))
    for path in tmp_path.iterdir():
        whole = bytearray(path.read_bytes())
        middle = len(whole) // 2
        whole[middle] ^= 1
        path.write_bytes(
            {"cut": bytes(whole[:middle]), "flipped": bytes(whole), "empty": b"", "other": b"text"}[
                damage
            ]
        )
    assert bits_of(Truths(keep=ArrayStore(tmp_path))(large)) == fresh
    assert all(zipfile.ZipFile(path).testzip() is None for path in tmp_path.iterdir())


def test_a_folder_that_cannot_be_had_is_no_reason_to_fail(tmp_path: Path, large: Case) -> None:
    file = tmp_path / "file"
    file.write_text("in the way")
    assert bits_of(Truths(keep=ArrayStore(file / "below"))(large)) == bits_of(prepare(large))


def test_what_was_used_longest_ago_is_let_go(tmp_path: Path) -> None:
    make: Callable[[], dict[str, Any]] = lambda: {"a": np.zeros(1000)}  # noqa: E731
    folder = ArrayStore(tmp_path)
    for age, key in enumerate("abc"):
        folder(key, "part", make)
        os.utime(tmp_path / f"{key_of(key)}-part.npz", (1000.0 - age, 1000.0 - age))
    folder("c", "part", make)  # the oldest is used again
    ArrayStore(tmp_path, most_bytes=17_000)
    assert {path.name for path in tmp_path.iterdir()} == {f"{key_of(key)}-part.npz" for key in "ac"}


def test_a_run_keeps_its_truths_beside_the_compiled_programs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, large: Case
) -> None:
    monkeypatch.setenv("CONFORMANCE_CACHE", str(tmp_path))
    kept_truths()(large)
    assert {path.name.rpartition("-")[2] for path in (tmp_path / "truths").iterdir()} == {
        "operands.npz",
        "y.npz",
    }
