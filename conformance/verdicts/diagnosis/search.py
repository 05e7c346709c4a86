"""What a wrong transposed convolution is instead: the mistake that explains every element, or the
one that explains most.

A result is held against what well-known mistakes compute on the same numbers: single ones, then two
at once. Explanations that fit equally are all given. It is asked only where a result differs, so it
costs nothing where results conform.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from conformance.corpus.tensors import Array
from conformance.geometry import Geometry
from conformance.oracle import GradientTruth, Truth
from conformance.oracle.reference import Float64
from conformance.outcomes import Gradients, Outcome, Output
from conformance.verdicts.compare import compare
from conformance.verdicts.diagnosis.arguments import argument_mistakes
from conformance.verdicts.diagnosis.families import family_mistakes, made_families, partial_mistakes
from conformance.verdicts.diagnosis.fit import is_right, slack
from conformance.verdicts.diagnosis.gradients import diagnose_gradient
from conformance.verdicts.diagnosis.memory import memory_mistakes, remembered
from conformance.verdicts.diagnosis.mistake import Call, Mistake
from conformance.verdicts.diagnosis.orders import exchanged_axes
from conformance.verdicts.diagnosis.outputs import (
    result_mistakes,
)
from conformance.verdicts.diagnosis.pairs import half_written, pairs_of_mistakes, rounded_mistakes
from conformance.verdicts.diagnosis.regions import (
    LEAST_FILLED,
    Region,
    region_of,
    rounded_positions,
)
from conformance.verdicts.diagnosis.rounding import rounding, rounding_mistakes
from conformance.verdicts.diagnosis.windows import neighbours
from conformance.verdicts.diagnosis.wrong_result import (
    Scored,
    WrongResult,
    scored,
    scored_windows,
    single_mistakes,
)
from conformance.verdicts.verdict import Verdict

IN_MEMORY = {"left-zero", "uninitialised-memory", "repeated-memory"}
"""Mistakes of which it is told where they are."""

NOT_NEAR_ONE = {"bias-scaled"}
"""Kinds whose factor is told also where errors are as small as those of rounding."""

DIFFERENTIATED = ("input", "kernel", "bias")
"""Operands in the order in which their gradients are told."""

TELLING = {"padding-beyond-reach", "paddings-regrouped"}
"""Mistakes that are told before the window that they make, which fits as well."""

NOT_SOUGHT = {
    "name": "not-sought",
    "text": "no single mistake explains it, and two at once were not tried: nothing explained "
    "what this engine made of the cases before",
    "share": 0.0,
    "also": [],
}
"""What is told where `briefly` found nothing."""

UNEXPLAINED = {None, "wrong-in-part", "not-sought"}
"""Names of a diagnosis that does not say what is computed instead."""

LEAST_SHARE = 0.5
MOST_FOR_PAIRS = 2**18  # elements of an output for which two mistakes at once are tried
MOSTLY_RIGHT = 0.9
"""The share of right elements from which on two mistakes at once are not tried: together they would
spoil more. The search is most of what a result takes that nothing explains."""


def diagnose(
    got: Array,
    truth: Truth,
    precision: Mapping[str, Any] | None = None,
    *,
    briefly: bool = False,
) -> dict[str, Any] | None:
    """{"name", "text", "share", "also"} of what explains a result that differs; None if nothing
    does.

    got is (N, C_out, *out) of any shape and real dtype; `precision` is what `compare` found.
    `share` is the part of the elements that is explained, and `also` has the other explanations
    that fit equally. `briefly`: by single mistakes alone, a fifth of the time where nothing does.
    """
    if np.iscomplexobj(got) or got.ndim != truth.y.ndim or not got.size:
        return None
    with np.errstate(
        over="ignore", invalid="ignore", divide="ignore"
    ):  # of numbers that nobody vouches for
        return _explained(got.astype(np.float64), truth, precision, briefly)


def _explained(
    values: Float64, truth: Truth, precision: Mapping[str, Any] | None, briefly: bool
) -> dict[str, Any] | None:
    right = (
        is_right(values, truth) if values.shape == truth.y.shape else np.zeros(values.shape, bool)
    )
    if right.all():
        return None  # the numbers are right: the dtype is not, or the sign of a zero
    call = Call(x=truth.x, w=truth.kernel, bias=truth.bias, geometry=truth.geometry)
    wrong = WrongResult(got=values, truth=truth, slack=slack(truth))
    rounded, is_certain = rounding(values, truth, precision)
    if rounded is not None and wrong.is_near_the_truth():
        return _with_others(rounded, _bit_for_bit(wrong, single_mistakes(wrong, call, right)))
    singles = [*scored_windows(wrong, call), *scored(single_mistakes(wrong, call, right), wrong)]
    is_plain = all(mistake.name == "scaled" for mistake, _ in _wholly(singles))
    if rounded is not None and is_certain and is_plain:
        windows = _wholly(list(scored_windows(wrong, call, empty=True)))
        return _with_others(rounded, [mistake for mistake, _ in windows[:1]])
    same_shape = values.shape == truth.y.shape
    in_memory = list(remembered(values, truth.y, truth, right)) if same_shape else []
    region = region_of(~right, truth.geometry) if same_shape else None
    whole = _wholly([*singles, *in_memory, *scored_windows(wrong, call, empty=True)])
    if rounded is not None:
        whole = [(mistake, share) for mistake, share in whole if mistake.name != "scaled"]
    if not briefly and values.any() and all(mistake.name in IN_MEMORY for mistake, _ in whole):
        of_part = region if rounded is None else None  # a few small errors are no mistake in part
        kinds = _kinds(wrong, call, singles, of_part)
        whole = [(kind, 1.0) for kind in kinds if rounded is None or not _is_near_one(kind)] + whole
    whole.sort(key=lambda scored: scored[0].name not in TELLING)
    pairs_may_tell = values.size <= MOST_FOR_PAIRS and right.mean() < MOSTLY_RIGHT
    if not whole and not briefly and pairs_may_tell:
        whole = [(mistake, 1.0) for mistake in _two_at_once(wrong, call, singles)]
    if not whole and rounded is not None:
        return rounded
    fitting = whole or _most([*singles, *in_memory], float(right.mean()))
    return _diagnosis_of(fitting, region) if fitting else _somewhere(~right, truth.geometry, region)


def _bit_for_bit(wrong: WrongResult, mistakes: Iterable[Mistake]) -> list[Mistake]:
    """The mistakes that make exactly the result."""
    return [each for each in mistakes if each.name != "scaled" and wrong.is_bit_for_bit(each)]


def _is_near_one(kind: Mistake) -> bool:
    """Whether a kind could be factors next to 1, which rounding leaves."""
    return kind.name.endswith("-scaled") and kind.name not in NOT_NEAR_ONE


def _kinds(
    wrong: WrongResult, call: Call, singles: Iterable[Scored], region: Region | None
) -> list[Mistake]:
    """The kinds of mistakes that explain everything, or a known one in a region alone."""
    families = list(family_mistakes(wrong, call))
    if families or region is None:
        return families
    return list(partial_mistakes(wrong, singles, region))


def _somewhere(
    wrong: NDArray[np.bool_], geometry: Geometry, region: Region | None
) -> dict[str, Any] | None:
    """A diagnosis that says where a result is wrong and not how, if that is in few slices."""
    if region is None:
        return None
    text = rounded_positions(wrong, geometry)
    if text is not None:
        name = "positions-in-low-precision"
    elif region.filled >= LEAST_FILLED:
        name, text = "wrong-in-part", f"all is right but {region.text}"
    else:
        return None
    return {"name": name, "text": text, "share": float((~wrong).mean()), "also": []}


def _two_at_once(wrong: WrongResult, call: Call, singles: Iterable[Scored]) -> list[Mistake]:
    pairs = [*pairs_of_mistakes(wrong, call), *half_written(wrong, singles)]
    return pairs or list(rounded_mistakes(wrong, call))


def _with_others(rounded: dict[str, Any], mistakes: Iterable[Mistake]) -> dict[str, Any]:
    """A diagnosis of rounding, and these mistakes as what fits equally, each name once."""
    by_name = {mistake.name: mistake for mistake in mistakes}
    also = [{"name": mistake.name, "text": mistake.text} for mistake in by_name.values()]
    return {**rounded, "also": [*rounded["also"], *also]}


def diagnosed(
    verdict: Verdict, outcome: Outcome, truth: Truth | None, *, briefly: bool = False
) -> Verdict:
    """The verdict, with a diagnosis where a result differs in shape, pattern or values."""
    if verdict.status != "differs" or truth is None or not isinstance(outcome, Output):
        return verdict
    diagnosis = _once(outcome.y, truth, verdict.precision, briefly)
    is_rounding = diagnosis is None or any(
        name.startswith("low-precision") for name in diagnosis["name"].split(" + ")
    )
    # of a mistake that explains the numbers, the size of the errors tells no precision
    return replace(
        verdict,
        diagnosis=NOT_SOUGHT if diagnosis is None and briefly else diagnosis,
        precision=verdict.precision if is_rounding else None,
    )


def diagnosed_gradients(
    verdict: Verdict, outcome: Outcome, truths: Mapping[str, GradientTruth]
) -> Verdict:
    """The verdict, with a diagnosis of the first gradient that differs and can be explained."""
    if verdict.status != "differs" or not isinstance(outcome, Gradients):
        return verdict
    for name in DIFFERENTIATED:
        gradient = getattr(outcome, name)
        if gradient is None or name not in truths:
            continue
        if compare(gradient, truths[name], briefly=True).mismatch is None:
            continue
        diagnosis = diagnose_gradient(gradient, truths[name])
        if diagnosis is not None:
            is_rounding = diagnosis["name"].startswith("low-precision")
            precision = verdict.precision if is_rounding else None
            return replace(verdict, diagnosis=diagnosis, precision=precision)
    return verdict


def _once(
    got: Array, truth: Truth, precision: Mapping[str, Any] | None, briefly: bool
) -> dict[str, Any] | None:
    """`diagnose`, but what several engines make alike, bit for bit, is looked into once as long as
    the truth is kept.
    """
    cache = _CACHE.setdefault(truth, {})
    digest = blake2b(np.ascontiguousarray(got).tobytes()).digest()
    key = (got.shape, got.dtype.name, digest, briefly)
    if key not in cache:
        cache[key] = diagnose(got, truth, precision, briefly=briefly)
    return cache[key]


_CACHE: WeakKeyDictionary[
    Truth, dict[tuple[tuple[int, ...], str, bytes, bool], dict[str, Any] | None]
] = WeakKeyDictionary()


def made_mistakes(truth: Truth) -> Iterator[Mistake]:
    """Every mistake that a case could show, made: of the arguments, the sums, the result, its
    precision and its memory.
    """
    call = Call(x=truth.x, w=truth.kernel, bias=truth.bias, geometry=truth.geometry)
    yield from (mistake for mistake in argument_mistakes(call) if mistake.shape is not None)
    for _, shifted in neighbours(call):
        if shifted.makes_sense:
            yield Mistake(name="shifted-window", text="the window is shifted", call=shifted)
    yield from result_mistakes(call, truth.y)
    yield from exchanged_axes(truth.y, truth.y.shape)
    yield from made_families(call, truth.y)
    yield from rounding_mistakes(truth)
    yield from memory_mistakes(truth)


def _wholly(scored: Sequence[Scored]) -> list[Scored]:
    return [(mistake, share) for mistake, share in scored if share == 1.0]


def _most(scored: Sequence[Scored], right: float) -> list[Scored]:
    """The mistake that explains the most, if that is most of the elements and more than the truth
    itself explains.
    """
    best = max((share for _, share in scored), default=0.0)
    if best < LEAST_SHARE or best <= right:
        return []
    return [(mistake, share) for mistake, share in scored if share == best]


def _diagnosis_of(fitting: Sequence[Scored], region: Region | None) -> dict[str, Any]:
    (first, share), *others = fitting
    also, names = [], {first.name}
    for mistake, _ in others:
        if mistake.name not in names:
            names.add(mistake.name)
            also.append({"name": mistake.name, "text": mistake.text})
    text = (
        first.text
        if share == 1.0
        else f"{share:.0%} of the elements are explained so: {first.text}"
    )
    if also:
        text += "; or, which fits as well: " + "; ".join(entry["text"] for entry in also[:6])
    if region is not None and first.name in IN_MEMORY:
        text += f": {region.text}"
    return {"name": first.name, "text": text, "share": share, "also": also}
