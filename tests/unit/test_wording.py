"""How numbers, durations and unknown names are said."""

from __future__ import annotations

import time

import pytest

from conformance.adapters import REGISTRY
from conformance.corpus.case import DTYPES
from conformance.wording import MOST_SUGGESTED, close_to, counted, instead, part


@pytest.mark.parametrize(
    ("value", "known", "meant"),
    [
        ("flaot16", DTYPES, "float16"),
        ("Float32", DTYPES, "float32"),
        ("pytorch", REGISTRY, "torch"),
        ("onnx", REGISTRY, "onnxruntime"),
        ("onnx-runtime", REGISTRY, "onnxruntime"),
        ("keras", REGISTRY, "keras-jax"),
        ("tensorfow", REGISTRY, "tensorflow"),
        ("strides", ("stride", "padding"), "stride"),
    ],
)
def test_the_likeliest_name_is_suggested(value: str, known: list[str], meant: str) -> None:
    """In any case, or begun and not ended; at most three, each known."""
    names = close_to(value, known)
    assert meant in names
    assert len(names) <= MOST_SUGGESTED
    assert set(names) <= set(known)


@pytest.mark.parametrize("value", ["", "zzzz", None, ["float16"], {"a": 1}, "x" * 10**6])
def test_what_is_like_no_name_has_no_suggestion(value: object) -> None:
    """The names alone are told, and nobody waits for it."""
    began = time.monotonic()
    assert instead(value, DTYPES) == "should be one of float32, float64, float16, bfloat16"
    assert time.monotonic() - began < 5


def test_a_suggestion_stands_before_the_names() -> None:
    """As a question, with the list behind it; of a long one the beginning, and what lists all."""
    assert instead("b", ("ba", "c")) == "did you mean ba? (should be one of ba, c)"
    assert instead("npu", ("cpu",)) == "should be one of cpu"
    assert instead("x", ()) == "should be one of (none)"
    names = [f"name{number}" for number in range(20)]
    assert instead("zzz", names, listed_by="conformance list", beside=", or a path") == (
        "should be one of name0, name1, name2, name3, name4, name5, name6, name7, and 12 more, or "
        "a path; all: conformance list"
    )
    assert instead("name1", ["name12", "name13", "name14", "other"], most=1) == (
        "did you mean name14, name13 or name12? (should be one of name12, and 3 more)"
    )


def test_a_number_has_its_noun() -> None:
    """One of them, or several; none are several."""
    assert [counted(number, "check") for number in (0, 1, 2)] == [
        "0 checks",
        "1 check",
        "2 checks",
    ]
    assert counted(2, "entry", "entries") == "2 entries"
    assert counted(3431, "check") == "3,431 checks"
    assert part(1200, 21120, "element", "differ") == "1,200 of 21,120 elements differ"
