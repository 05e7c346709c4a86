"""What a wrong result is instead: mistakes made on purpose by an engine of its own get their names.

The engine below is written on the scatter definition, one product at a time, and shares no code
with the package; it makes the mistakes that it is told to make.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
import time
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from helpers import CHECKOUT

from conformance.corpus.case import Case
from conformance.corpus.selection import select
from conformance.corpus.tensors import dtype_of
from conformance.corpus.truths import prepare
from conformance.oracle import Truth, transpose_into_window
from conformance.verdicts.compare import compare
from conformance.verdicts.diagnosis import diagnose, made_mistakes
from conformance.verdicts.diagnosis.fit import matching_elements, slack

LARGEST = (
    1500  # elements of an output, and of input times taps: the engine takes a product at a time
)
EVERY = 1 if os.environ.get("CONFORMANCE_ALL_CASES") else 6
"""Of the many small cases every so-manieth is taken, another sixth for each mistake;
CONFORMANCE_ALL_CASES=1 takes all."""


@np.errstate(all="ignore")
def engine(truth: Truth, *mistakes: str) -> np.ndarray | None:
    """The output of a scatter loop that makes these mistakes; None where one of them cannot be
    made.
    """
    g = truth.geometry
    x, w, b, groups = truth.x, truth.kernel, truth.bias, g.groups
    rank = len(g.axes)
    stride, dilation = [a.stride for a in g.axes], [a.dilation for a in g.axes]
    low, high = [a.crop_low for a in g.axes], [a.crop_high for a in g.axes]
    extra = [lo - hi for lo, hi in zip(low, high, strict=True)]
    for mistake in mistakes:
        match mistake:
            case "ends swapped":
                low, high = high, low
            case "strides swapped":
                stride = stride[::-1]
            case "dilations swapped":
                dilation = dilation[::-1]
            case "paddings swapped":
                low, high = low[::-1], high[::-1]
            case "output_padding ignored":
                high = [hi + max(q, 0) for hi, q in zip(high, extra, strict=True)]
            case "output_padding at the start":
                if min(extra) < 0:
                    return None
                low, high = (
                    [lo - q for lo, q in zip(low, extra, strict=True)],
                    [hi + q for hi, q in zip(high, extra, strict=True)],
                )
            case "window shifted":
                low, high = [lo + 1 for lo in low], [hi - 1 for hi in high]
            case "dilation ignored":
                dilation = [1] * rank
            case "kernel not flipped":
                w = w[(slice(None), slice(None), *[slice(None, None, -1)] * rank)]
            case "kernel transposed":
                if rank != 2:
                    return None
                w = w.transpose(0, 1, 3, 2)
            case "kernel transposed in memory":
                if rank != 2:
                    return None
                w = w.transpose(0, 1, 3, 2).reshape(w.shape)
            case "kernel read channels first":
                if np.prod(w.shape[2:]) == 1:
                    return None
                w = np.moveaxis(w, (0, 1), (-1, -2)).reshape(w.shape)
            case "channels exchanged":
                if w.shape[0] // groups != w.shape[1]:
                    return None
                w = np.concatenate([part.swapaxes(0, 1) for part in np.split(w, groups)])
            case "first kernel":
                w = np.concatenate([w[: w.shape[0] // groups]] * groups)
            case "first bias":
                b = None if b is None else np.tile(b[: w.shape[1]], groups)
            case "bias dropped":
                b = None
            case "bias twice":
                b = None if b is None else b + b
            case "bias reversed":
                b = None if b is None else b[::-1]
            case "input read channels last":
                x = np.moveaxis(x, 1, -1).reshape(x.shape)
            case "input read channels first":
                x = np.moveaxis(x.reshape(x.shape[0], *x.shape[2:], x.shape[1]), -1, 1)
            case "input repeated":
                x = np.stack([x[0]] * len(x))
            case "stride ignored":
                stride = [1] * rank
            case "dilation of the input":
                stride, dilation = (
                    [s * d for s, d in zip(stride, dilation, strict=True)],
                    [1] * rank,
                )
            case "padding ignored":
                low, high = [0] * rank, [0] * rank
            case "padding of the input":
                if min(low + high) < 0 or not any(low + high):
                    return None
                x = np.pad(x, [(0, 0), (0, 0), *zip(low, high, strict=True)])
                low, high = [0] * rank, [0] * rank
            case "padding of the dilated input":
                spans = [d * (k - 1) for d, k in zip(dilation, w.shape[2:], strict=True)]
                low, high = (
                    [n - lo for n, lo in zip(spans, low, strict=True)],
                    [n - hi for n, hi in zip(spans, high, strict=True)],
                )
            case "paddings alone swapped":
                if min(extra) < 0 or len(set(extra)) < 2:
                    return None
                low = low[::-1]
                high = [lo - q for lo, q in zip(low, extra, strict=True)]
            case "output_paddings swapped":
                high = [lo - q for lo, q in zip(low, extra[::-1], strict=True)]
            case "channels reinterpreted":
                w = w.reshape(w.shape[1], w.shape[0], *w.shape[2:]).swapaxes(0, 1)
            case "groups ignored":
                w, groups = np.concatenate([w] * groups, axis=1), 1
            case "one group":
                if b is not None:
                    b = b[: w.shape[1]]
                groups = 1
            case "channels dealt to groups":
                if groups == 1:
                    return None
                x = x[
                    :, [c * groups + g for g in range(groups) for c in range(x.shape[1] // groups)]
                ]
            case "bias moved on":
                b = None if b is None else np.concatenate([b[-1:], b[:-1]])
            case "bias shuffled":
                b = None if b is None else b[np.random.RandomState(5).permutation(len(b))]
            case "operands in float16":
                x, w = x.astype(np.float16).astype(float), w.astype(np.float16).astype(float)
            case "operands in bfloat16":
                x, w = (part.astype(ml_dtypes.bfloat16).astype(float) for part in (x, w))
    size, taps = x.shape[2:], w.shape[2:]
    out = [
        (n - 1) * s + d * (k - 1) + 1 - lo - hi
        for n, s, d, k, lo, hi in zip(size, stride, dilation, taps, low, high, strict=True)
    ]
    if min(out) < 1:
        return None
    inside, per_group = x.shape[1] // groups, w.shape[1]
    y = np.zeros((x.shape[0], per_group * groups, *out))
    overlap = np.zeros(out)
    for place in itertools.product(*map(range, size)):
        for tap in itertools.product(*map(range, taps)):
            at = tuple(
                p * s + t * d - lo
                for p, s, t, d, lo in zip(place, stride, tap, dilation, low, strict=True)
            )
            if any(not 0 <= a < n for a, n in zip(at, out, strict=True)):
                continue
            overlap[at] += 1
            for group in range(groups):
                these = slice(group * inside, (group + 1) * inside)
                product = x[(slice(None), these, *place)] @ w[(these, slice(None), *tap)]
                there = (slice(None), slice(group * per_group, (group + 1) * per_group), *at)
                if "last product stays" in mistakes:
                    for channel in range(inside):
                        left, right = (
                            x[(slice(None), group * inside + channel, *place)],
                            w[(group * inside + channel, slice(None), *tap)],
                        )
                        y[there] = np.multiply.outer(left, right)
                elif "overlaps overwritten" in mistakes or (
                    "first overlap stays" in mistakes and overlap[at] == 1
                ):
                    y[there] = product
                elif "first overlap stays" not in mistakes:
                    y[there] += product
                if "accumulated in float16" in mistakes:
                    y[there] = y[there].astype(np.float16)
                if "accumulated in bfloat16" in mistakes:
                    y[there] = y[there].astype(ml_dtypes.bfloat16)
    if "overlaps averaged" in mistakes:
        y = y / np.maximum(overlap, 1)
    if b is not None:
        given = np.broadcast_to(b.reshape(-1, *[1] * rank), y.shape[1:]).copy()
        if "no bias on the border" in mistakes:
            for axis, (lo, hi) in enumerate(zip(low, high, strict=True)):
                for cut in (slice(0, max(-lo, 0)), slice(y.shape[axis + 2] - max(-hi, 0), None)):
                    given[(slice(None),) * (axis + 1) + (cut,)] = 0
        y = y + given
    if "output_padding zeros" in mistakes:
        if min(low) < 0:
            return None
        for axis, q in enumerate(extra):
            if q > 0:
                y[(slice(None),) * (axis + 2) + (slice(-q, None),)] = 0
    if "output_padding bias alone" in mistakes:
        if min(low) < 0 or b is None:
            return None
        for axis, q in enumerate(extra):
            if q > 0:
                cut = (slice(None),) * (axis + 2) + (slice(-q, None),)
                y[cut] = np.broadcast_to(b.reshape(-1, *[1] * rank), y.shape)[cut]
    if "result moved round the ends" in mistakes:
        y = np.roll(y, 1, axis=2)
    if "result moved, zeros left" in mistakes:
        if y.shape[-1] == 1:
            return None
        y = np.concatenate([np.zeros_like(y[..., :1]), y[..., :-1]], axis=-1)
    if "result in bfloat16" in mistakes:
        y = y.astype(ml_dtypes.bfloat16).astype(float)
    if "subnormals flushed" in mistakes:
        y[abs(y) < 2.0**-126] = 0
    if "output read channels last" in mistakes:
        y = np.moveaxis(y, 1, -1).reshape(y.shape)
    if "batch repeated" in mistakes:
        y = np.stack([y[0]] * len(y))
    if "channels dealt out" in mistakes:
        if groups == 1 or per_group == 1:
            return None
        y = y[:, [g * per_group + c for c in range(per_group) for g in range(groups)]]
    if "memory not written" in mistakes:
        if y.size < 3 or not 1e-30 < truth.magnitude.max() < 1e29:
            return None
        y.ravel()[-(y.size // 3) :: 2] = 4.1e33
        y.ravel()[-(y.size // 3) + 1 :: 2] = 2.8e-44
    if "memory repeated" in mistakes:
        if len(np.unique(y.ravel()[: y.size // 2])) < 8:
            return None
        y.ravel()[y.size - y.size // 2 :] = y.ravel()[: y.size // 2].copy()
    return y


NAMES = {
    "ends swapped": "ends-swapped",
    "strides swapped": "strides-swapped",
    "dilations swapped": "dilations-swapped",
    "paddings swapped": "paddings-swapped",
    "output_padding ignored": "output-padding-ignored",
    "output_padding at the start": "output-padding-at-start",
    "window shifted": "shifted-window",
    "dilation ignored": "dilation-ignored",
    "kernel not flipped": "kernel-not-flipped",
    "kernel transposed": "kernel-axes-transposed",
    "channels exchanged": "channels-exchanged",
    "kernel transposed in memory": "kernel-axes-transposed",
    "kernel read channels first": "kernel-layout",
    "first kernel": "first-kernel-for-all",
    "first bias": "first-bias-for-all",
    "bias dropped": "bias-dropped",
    "bias twice": "bias-twice",
    "bias reversed": "bias-reversed",
    "input read channels last": "input-layout",
    "input read channels first": "input-layout-reversed",
    "input repeated": "input-repeated",
    "stride ignored": "stride-ignored",
    "dilation of the input": "dilation-of-input",
    "padding ignored": "padding-ignored",
    "padding of the input": "padding-of-input",
    "padding of the dilated input": "padding-of-dilated-input",
    "paddings alone swapped": "paddings-swapped",
    "output_paddings swapped": "output-paddings-swapped",
    "channels reinterpreted": "channels-reinterpreted",
    "groups ignored": "groups-ignored",
    "one group": "groups-ignored",
    "channels dealt to groups": "input-channels-interleaved",
    "bias moved on": "bias-rolled",
    "bias shuffled": "bias-permuted",
    "no bias on the border": "no-bias-on-border",
    "output_padding zeros": "output-padding-zeros",
    "output_padding bias alone": "output-padding-bias-alone",
    "result moved round the ends": "shifted-window",
    "result moved, zeros left": "shifted-window",
    "output read channels last": "output-layout",
    "overlaps overwritten": "overlaps-overwritten",
    "first overlap stays": "overlaps-overwritten",
    "last product stays": "overlaps-overwritten",
    "overlaps averaged": "overlaps-averaged",
    "batch repeated": "batch-repeated",
    "channels dealt out": "output-channels-interleaved",
    "operands in float16": "low-precision",
    "operands in bfloat16": "low-precision",
    "result in bfloat16": "low-precision",
    "accumulated in float16": "low-precision-accumulation",
    "accumulated in bfloat16": "low-precision-accumulation",
    "subnormals flushed": "subnormals-flushed",
    "memory not written": "uninitialised-memory",
    "memory repeated": "repeated-memory",
}


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


@pytest.mark.slow
@pytest.mark.parametrize("mistake", NAMES)
def test_every_mistake_gets_its_name_wherever_it_shows(
    mistake: str, truths: dict[str, Truth]
) -> None:
    """On every small shipped case that can notice it, it is among the names that explain every
    element.
    """
    noticed, cases = 0, list(truths.items())
    first = list(NAMES).index(mistake) % EVERY
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
            assert NAMES[mistake] in named(said), f"{name}: {mistake} is said to be {said['text']}"
            assert said["share"] == 1.0
    assert noticed >= 2, f"only {noticed} cases notice it"


def test_a_right_answer_is_never_explained_away(truths: dict[str, Truth]) -> None:
    """The engine without a mistake agrees on every case, so that nothing is diagnosed."""
    for name, truth in list(truths.items())[::EVERY]:
        right = engine(truth)
        assert right is not None
        assert diagnosis(truth, right) == (None, False), name


WINDOWS = {
    *(
        "ends swapped",
        "paddings swapped",
        "paddings alone swapped",
        "output_paddings swapped",
        "output_padding ignored",
    ),
    *(
        "output_padding at the start",
        "window shifted",
        "padding ignored",
        "padding of the dilated input",
    ),
    *("result moved round the ends", "result moved, zeros left"),
}
"""Two of these are one other window, for which one name is enough."""

ROUNDING = {mistake for mistake, name in NAMES.items() if name.startswith("low-precision")}
"""Of two of these the coarser hides the finer."""


@pytest.mark.slow
def test_two_mistakes_at_once_are_both_named(truths: dict[str, Truth]) -> None:
    """In nine of ten random pairs and cases that can notice both: each alone changes the result,
    both together otherwise.
    """
    random = np.random.RandomState(3)
    names, cases = list(NAMES), list(truths.values())
    found, missed = 0, []
    while found + len(missed) < 100:
        truth, (first, second) = (
            cases[random.randint(len(cases))],
            (names[i] for i in random.choice(len(names), 2, replace=False)),
        )
        if NAMES[first] == NAMES[second] or any(
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
            if {NAMES[first], NAMES[second]} <= named(said):
                found += 1
            else:
                missed.append((first, second, said and said["name"]))
    assert found >= 90, "; ".join(map(str, missed))


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
    assert text.index("due is that of") < text.index("padding=1, output_padding=1")


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
    assert said["text"].startswith(f"the result has a precision of {bits} bits: {formats} (")


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
    wrong = engine(truth, "kernel not flipped")
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
    began = time.perf_counter()
    assert engine(truth) is not None
    once = time.perf_counter() - began
    began = time.perf_counter()
    diagnosis(truth, noise)
    assert time.perf_counter() - began < 1000 * once


@np.errstate(all="ignore")
def test_every_name_is_documented(truths: dict[str, Truth]) -> None:
    """The table of docs/diagnosis.md has every name that the shipped cases can show, and those that
    need other numbers.
    """
    page = (CHECKOUT / "docs" / "diagnosis.md").read_text()
    documented = {line.split("`")[1] for line in page.splitlines() if line.startswith("| `")}
    shown = {
        "other-window",
        "scaled",
        "bias-permuted",
        "left-zero",
        "subnormals-flushed",
        "zero-times-infinity",
        "dilations-swapped",
    }
    for truth in list(truths.values())[::EVERY]:
        shown |= {mistake.name for mistake in made_mistakes(truth)}
    assert documented == shown
