"""What a wrong result is instead: mistakes that `wrong_engine` makes on purpose get their names."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers import CHECKOUT
from wrong_engine import MISTAKES, engine, name_of

from conformance.corpus.case import Case
from conformance.corpus.selection import select
from conformance.corpus.tensors import dtype_of
from conformance.corpus.truths import prepare
from conformance.oracle import Truth, transpose_into_window
from conformance.verdicts.compare import compare
from conformance.verdicts.diagnosis import diagnose, made_mistakes
from conformance.verdicts.diagnosis.fit import matching_elements, slack

LARGEST = 1500
"""Elements of an output, and of input times taps: the engine takes a product at a time."""

EVERY = 1 if os.environ.get("CONFORMANCE_ALL_CASES") else 6
"""Of the many small cases every so-manieth is taken, another sixth for each mistake;
CONFORMANCE_ALL_CASES=1 takes all."""


def is_small(case: Case) -> bool:
    if case.geometry is None or case.must_fail or not case.input.shape[0]:
        return False
    products = np.prod(case.input.shape[2:]) * np.prod(case.kernel.shape[2:])
    return bool(
        np.prod(case.output_shape) <= LARGEST and products <= LARGEST and case.dtype == "float32"
    )


@pytest.fixture(scope="module")
def truths() -> dict[str, Truth]:
    """The truth of the small shipped cases."""
    found = {case.name: prepare(case).truth for case in select().cases if is_small(case)}
    return {name: truth for name, truth in found.items() if truth is not None}


def diagnosis(truth: Truth, wrong: np.ndarray) -> tuple[dict[str, Any] | None, bool]:
    """What is said of a wrong result, and whether it is wrong at all."""
    with np.errstate(over="ignore"):
        got = wrong.astype(dtype_of(truth.dtype))
    found = compare(got, truth)
    if found.mismatch is None:
        return None, False
    return diagnose(got, truth, found.precision), True


def named(said: dict[str, Any] | None) -> set[str]:
    """All names that were given, two at once taken apart."""
    if said is None:
        return set()
    return {name for entry in [said, *said["also"]] for name in entry["name"].split(" + ")}


SLICES = (
    *("samples-", "groups-", "input-channels-", "output-channels-", "taps-"),
    *("input-positions-", "output-positions-", "bias-scaled"),
)

KINDS = {mistake for mistake in MISTAKES if mistake.startswith(SLICES)} - {
    *("input-channels-interleaved", "output-channels-interleaved"),
    *("groups-ignored", "groups-ignored/fewer-channels"),
}
"""What is read off the numbers, which in a small case may be read in several ways."""


@pytest.mark.slow
@pytest.mark.parametrize("mistake", [mistake for mistake in MISTAKES if mistake not in KINDS])
def test_every_mistake_gets_its_name_wherever_it_shows(
    mistake: str, truths: dict[str, Truth]
) -> None:
    """On every small shipped case that can notice it, it is among the names that explain every
    element.
    """
    noticed, cases = 0, list(truths.items())
    first = MISTAKES.index(mistake) % EVERY
    chosen = cases[first::EVERY]
    for number, (name, truth) in enumerate([*chosen, *cases]):
        if number >= len(chosen) and noticed >= 2:
            break
        wrong = engine(truth, mistake)
        if wrong is None:
            continue
        said, is_wrong = diagnosis(truth, wrong)
        if is_wrong:
            noticed += 1
            assert said is not None, f"{name}: nothing explains {mistake}"
            assert name_of(mistake) in named(said), (
                f"{name}: {mistake} is said to be {said['text']}"
            )
            assert said["share"] == 1.0
    assert noticed >= 2, f"only {noticed} cases notice it"


@pytest.mark.slow
@pytest.mark.parametrize("mistake", sorted(KINDS))
def test_kinds_are_named_in_four_of_five_cases(mistake: str, truths: dict[str, Truth]) -> None:
    """Of the cases that notice it and of which nothing else explains every element, as another
    known mistake may where there are few.
    """
    named_in, unnamed = 0, []
    first = MISTAKES.index(mistake) % EVERY
    for name, truth in list(truths.items())[first :: 2 * EVERY]:
        wrong = engine(truth, mistake)
        if wrong is None:
            continue
        said, is_wrong = diagnosis(truth, wrong)
        if is_wrong and name_of(mistake) in named(said):
            named_in += 1
        elif is_wrong and (said is None or said["share"] < 1.0):
            unnamed.append((name, said and said["text"]))
    assert named_in >= 5
    assert named_in >= 4 * len(unnamed), unnamed


def test_a_right_answer_is_never_explained_away(truths: dict[str, Truth]) -> None:
    """The engine without a mistake agrees on every case, so that nothing is diagnosed."""
    for name, truth in list(truths.items())[::EVERY]:
        right = engine(truth)
        assert right is not None
        assert diagnosis(truth, right) == (None, False), name


WINDOWS = {
    *("ends-swapped", "paddings-swapped", "paddings-swapped/alone", "output-paddings-swapped"),
    *("output-padding-ignored", "output-padding-at-start", "shifted-window", "padding-ignored"),
    *("padding-of-dilated-input", "shifted-window/round-the-ends", "shifted-window/with-zeros"),
}
"""Two of these are one other window, for which one name is enough."""

ROUNDING = {mistake for mistake in MISTAKES if mistake.startswith("low-precision")}
"""Of two of these the coarser hides the finer."""


@pytest.mark.slow
def test_two_mistakes_at_once_are_both_named(truths: dict[str, Truth]) -> None:
    """In about nine of ten random pairs and cases that can notice both: each alone changes the
    result, both together otherwise. A hundred others come to between 87 and 96.
    """
    random = np.random.RandomState(3)
    cases = list(truths.values())
    singles = [mistake for mistake in MISTAKES if mistake not in KINDS]
    found, missed = 0, []
    while found + len(missed) < 100:
        truth, (first, second) = (
            cases[random.randint(len(cases))],
            (singles[i] for i in random.choice(len(singles), 2, replace=False)),
        )
        if name_of(first) == name_of(second) or any(
            {first, second} <= alike for alike in (WINDOWS, ROUNDING)
        ):
            continue
        alone = [engine(truth, first), engine(truth, second)]
        both = (
            engine(truth, first, second)
            if all(one is not None and differs(one, truth.y) for one in alone)
            else None
        )
        if both is None or any(
            one is not None and alike(both, one, truth) for one in [truth.y, *alone]
        ):
            continue
        said, is_wrong = diagnosis(truth, both)
        if is_wrong:
            if {name_of(first), name_of(second)} <= named(said):
                found += 1
            else:
                missed.append((first, second, said and said["name"]))
    assert found >= 85, "; ".join(map(str, missed))


def alike(a: np.ndarray, b: np.ndarray, truth: Truth) -> bool:
    """Whether the case cannot tell two results from each other."""
    return a.shape == b.shape and bool(matching_elements(a, b, truth.dtype, slack(truth)).all())


def differs(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape != b.shape or not np.array_equal(a, b)


@pytest.fixture
def truth_of_case() -> Callable[[str], Truth]:
    def of(name: str) -> Truth:
        truth = prepare(select([name]).cases[0]).truth
        assert truth is not None
        return truth

    return of


def test_the_window_is_said_to_be_somebody_elses(truth_of_case: Callable[[str], Truth]) -> None:
    """PyTorch 3/2/1/1 computed as Keras same: shifted by one, and whose window it is."""
    due = truth_of_case("textbook/cs231n/two-by-two-to-four-by-four")
    got = truth_of_case("textbook/cs231n/keras-same")
    said, _ = diagnosis(due, got.y)
    assert said is not None
    assert said["name"] in ("ends-swapped", "output-padding-at-start", "shifted-window")
    text = said["text"]
    assert "the window is shifted by (-1, -1)" in text
    assert "Keras same" in text
    assert text.index("it should be that of") < text.index("padding=1, output_padding=1")


@pytest.mark.parametrize(("bits", "formats"), [(11, "TF32 or float16"), (8, "bfloat16")])
def test_low_precision_is_told_in_bits_with_the_formats_that_fit(
    bits: int, formats: str, truth_of_case: Callable[[str], Truth]
) -> None:
    """Operands rounded to so many bits, on wide integers, which are exact in float32."""
    truth = truth_of_case("arithmetic/first/wide-integers")
    scale = 2.0 ** (np.floor(np.log2(np.abs(truth.x))) + 1 - bits)
    rounded = np.round(truth.x / scale) * scale
    low = dataclasses.replace(
        truth, y=transpose_into_window(rounded, truth.kernel, truth.bias, truth.geometry)
    )
    said, _ = diagnosis(truth, low.y)
    assert said is not None
    assert said["name"] == "low-precision"
    assert said["text"].startswith(f"the result has {bits} significant bits: {formats} (")


def test_what_nothing_explains_is_left_open(truth_of_case: Callable[[str], Truth]) -> None:
    """Noise is no known mistake."""
    truth = truth_of_case("arithmetic/first/groups-with-bias")
    noise = np.random.RandomState(0).randint(-40, 41, truth.y.shape).astype(float)
    assert diagnosis(truth, noise) == (None, True)


def test_a_mistake_in_most_places_is_told_with_its_share(
    truth_of_case: Callable[[str], Truth],
) -> None:
    """One element besides is wrong in its own way: the share says so."""
    truth = truth_of_case("arithmetic/first/groups-with-bias")
    wrong = engine(truth, "kernel-not-flipped")
    assert wrong is not None
    wrong[0, 0, 0, 0] += 1000
    said, _ = diagnosis(truth, wrong)
    assert said is not None
    assert "kernel-not-flipped" in named(said)
    assert 0.9 < said["share"] < 1.0
    assert "% of the elements are explained so" in said["text"]


def test_looking_for_two_mistakes_costs_less_than_the_scatter_loop(
    truth_of_case: Callable[[str], Truth],
) -> None:
    """On noise, which nothing explains, all singles and pairs are tried, in the time of a thousand
    plain loops.
    """
    truth = truth_of_case("arithmetic/first/output-padding-beyond-the-full-output")
    noise = np.random.RandomState(0).randint(-40, 41, truth.y.shape).astype(float)
    began = time.process_time()
    assert engine(truth) is not None
    once = time.process_time() - began
    began = time.process_time()
    diagnosis(truth, noise)
    assert time.process_time() - began < 1000 * once


READ_OFF = {
    *("other-window", "scaled", "bias-permuted", "left-zero", "subnormals-flushed"),
    *("zero-times-infinity", "dilations-swapped", "bias-scaled", "input-channels-scaled"),
    *("input-positions-scaled", "taps-scaled", "taps-permuted", "output-positions-permuted"),
    *("padding-beyond-reach", "phases-permuted", "positions-in-low-precision", "wrong-in-part"),
    "not-sought",
}
"""Names that no small case of the corpus shows as made, or that are read off numbers alone."""

OF_GRADIENTS = {
    *("averaged", "one-stands-for-all", "left-out-of-sum", "gradient-axes-exchanged"),
    *("gradient-layout", "gradient-mirrored"),
}


@np.errstate(all="ignore")
def test_every_name_is_documented(truths: dict[str, Truth]) -> None:
    """The table of docs/diagnosis.md has every name that the shipped cases can show, and those that
    need other numbers.
    """
    page = (CHECKOUT / "docs" / "diagnosis.md").read_text()
    documented = {line.split("`")[1] for line in page.splitlines() if line.startswith("| `")}
    shown = READ_OFF | OF_GRADIENTS
    for truth in list(truths.values())[::EVERY]:
        shown |= {mistake.name for mistake in made_mistakes(truth)}
    assert documented == shown
