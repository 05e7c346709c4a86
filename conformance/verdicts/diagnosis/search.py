"""What a wrong transposed convolution is instead: the mistake that explains every element, or the
one that explains most.

A result is held against what well-known mistakes compute on the same numbers: single ones, then two
at once. Explanations that fit equally are all given. It is asked only where a result differs, so it
costs nothing where results conform.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from conformance.corpus.tensors import Array
from conformance.oracle import Truth
from conformance.oracle.reference import Float64
from conformance.outcomes import Outcome, Output
from conformance.verdicts.diagnosis.arguments import argument_mistakes, permuted_bias
from conformance.verdicts.diagnosis.fit import is_right, matching_elements, slack
from conformance.verdicts.diagnosis.memory import memory_mistakes, remembered
from conformance.verdicts.diagnosis.mistake import Call, Mistake, part
from conformance.verdicts.diagnosis.outputs import (
    arrangements,
    moved_results,
    result_mistakes,
    scaled_results,
)
from conformance.verdicts.diagnosis.rounding import FORMATS, rounding, rounding_mistakes, to_format
from conformance.verdicts.diagnosis.sums import not_a_number_beyond
from conformance.verdicts.diagnosis.windows import neighbours, shifted_windows, window_text
from conformance.verdicts.verdict import Verdict

LEAST_SHARE = 0.5
MOST_FOR_PAIRS = 2**18  # elements of an output for which two mistakes at once are tried
PROBE = 3  # positions per axis of the piece of an output that is looked at first
LEAST_WRITTEN = (
    0.3  # of an output, the part that one mistake must explain before the rest is taken for memory
)
NEARLY = 2.0**-5  # of the error: what a mistake may leave to rounding

Scored = tuple[Mistake, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """A wrong result (N, C_out, *out) in float64, the truth, and how near an explanation has to
    come.
    """

    got: Float64
    truth: Truth
    slack: float

    def share(self, y: Float64) -> float:
        """The part of the elements that y, of the same shape, explains."""
        return float(matching_elements(self.got, y, self.truth.dtype, self.slack).mean())

    def is_near_the_truth(self) -> bool:
        """Whether the right output explains the result as far as any mistake could: then only
        rounding can be told.
        """
        return self.got.shape == self.truth.y.shape and self.share(self.truth.y) == 1.0

    def is_bit_for_bit(self, mistake: Mistake) -> bool:
        """Whether the mistake makes exactly this result, which is not the right one."""
        y = mistake.output() if mistake.shape == self.got.shape else None
        return (
            y is not None
            and self.differs_from(y)
            and bool(matching_elements(self.got, y, self.truth.dtype, 0.0).all())
        )

    def differs_from(self, y: Float64) -> bool:
        """Whether a right result would not be the same as y."""
        return y.shape != self.truth.y.shape or not np.array_equal(y, self.truth.y, equal_nan=True)


def diagnose(
    got: Array, truth: Truth, precision: Mapping[str, Any] | None = None
) -> dict[str, Any] | None:
    """{"name", "text", "share", "also"} of what explains a result that differs; None if nothing
    does.

    got is (N, C_out, *out) of any shape and real dtype; `precision` is what `compare` found.
    `share` is the part of the elements that is explained, and `also` has the other explanations
    that fit equally.
    """
    if np.iscomplexobj(got) or got.ndim != truth.y.ndim or not got.size:
        return None
    with np.errstate(
        over="ignore", invalid="ignore", divide="ignore"
    ):  # of numbers that nobody vouches for
        return _explained(got.astype(np.float64), truth, precision)


def _explained(
    values: Float64, truth: Truth, precision: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    right = (
        is_right(values, truth) if values.shape == truth.y.shape else np.zeros(values.shape, bool)
    )
    if right.all():
        return None  # the numbers are right: the dtype is not, or the sign of a zero
    call = Call(x=truth.x, w=truth.kernel, bias=truth.bias, geometry=truth.geometry)
    seen = _Seen(got=values, truth=truth, slack=slack(truth))
    rounded, certain = rounding(values, truth, precision)
    if rounded is not None and seen.is_near_the_truth():
        same = {
            mistake.name: mistake
            for mistake in _singles(seen, call, right)
            if seen.is_bit_for_bit(mistake)
        }
        also = [
            {"name": mistake.name, "text": mistake.text}
            for mistake in same.values()
            if mistake.name != "scaled"
        ]
        return {**rounded, "also": [*rounded["also"], *also]}
    singles = [*_windows(seen, call), *_scored(_singles(seen, call, right), seen)]
    if (
        rounded is not None
        and certain
        and not any(mistake.name != "scaled" for mistake, _ in _wholly(singles))
    ):
        windows = [
            {"name": mistake.name, "text": mistake.text}
            for mistake, _ in _wholly(list(_windows(seen, call, empty=True)))
        ]
        return {**rounded, "also": [*rounded["also"], *windows[:1]]}
    in_memory = (
        list(remembered(values, truth.y, truth, right)) if values.shape == truth.y.shape else []
    )
    whole = _wholly([*singles, *in_memory, *_windows(seen, call, empty=True)])
    if rounded is not None:
        whole = [(mistake, share) for mistake, share in whole if mistake.name != "scaled"]
    if not whole and values.size <= MOST_FOR_PAIRS:
        pairs = [*_pairs(seen, call), *_forgotten(seen, singles)] or list(_rounded(seen, call))
        whole = [(mistake, 1.0) for mistake in pairs]
    if not whole and rounded is not None:
        return rounded
    found = whole or _most([*singles, *in_memory], float(right.mean()))
    return None if not found else _told(found)


def diagnosed(verdict: Verdict, outcome: Outcome, truth: Truth | None) -> Verdict:
    """The verdict, with a diagnosis where a result differs in shape, pattern or values."""
    if verdict.status != "differs" or truth is None or not isinstance(outcome, Output):
        return verdict
    return replace(verdict, diagnosis=_once(outcome.y, truth, verdict.precision))


def _once(got: Array, truth: Truth, precision: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """`diagnose`, but what several engines make alike, bit for bit, is looked into once as long as
    the truth is kept.
    """
    told = _TOLD.setdefault(truth, {})
    key = (got.shape, got.dtype.name, blake2b(np.ascontiguousarray(got).tobytes()).digest())
    if key not in told:
        told[key] = diagnose(got, truth, precision)
    return told[key]


_TOLD: WeakKeyDictionary[Truth, dict[tuple[tuple[int, ...], str, bytes], dict[str, Any] | None]] = (
    WeakKeyDictionary()
)


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
    yield from rounding_mistakes(truth)
    yield from memory_mistakes(truth)


def _singles(seen: _Seen, call: Call, right: NDArray[np.bool_]) -> Iterator[Mistake]:
    """Every mistake that this call could show, and those that are read off the result."""
    yield from argument_mistakes(call)
    yield from result_mistakes(call, seen.truth.y)
    if seen.got.shape == seen.truth.y.shape:
        yield from moved_results(seen.truth.y, seen.got)
        yield from filter(None, [_permuted(seen, call), not_a_number_beyond(seen.got, call, right)])
        yield from scaled_results(call, seen.truth.y, seen.got)


def _permuted(seen: _Seen, call: Call) -> Mistake | None:
    """The bias in another order, for which the sums without it are needed."""
    plain = None if call.bias is None else replace(call, bias=None).output()
    return None if plain is None else permuted_bias(call, seen.got, plain)


def _scored(mistakes: Iterable[Mistake], seen: _Seen) -> Iterator[Scored]:
    """Mistakes that change something and give an output of this shape, with the share of elements
    that they explain.
    """
    for mistake in mistakes:
        y = mistake.output() if mistake.shape == seen.got.shape else None
        if y is not None and seen.differs_from(y):
            yield mistake, seen.share(y)


def _windows(seen: _Seen, call: Call, *, empty: bool = False) -> Iterator[Scored]:
    """Every other window of the full output that `got` is for the most part; `empty`: those that no
    product reaches.
    """
    if seen.got.shape[:2] != seen.truth.y.shape[:2]:
        return
    for lows, window in shifted_windows(seen.got, call):
        if seen.differs_from(window) and _has_products(window, call) is not empty:
            name = "shifted-window" if window.shape == seen.truth.y.shape else "other-window"
            yield (
                Mistake(name=name, text=window_text(call, lows, window.shape[2:])),
                seen.share(window),
            )


def _has_products(window: Float64, call: Call) -> bool:
    """Whether a window shows more than the bias; where there are no products at all, every window
    counts.
    """
    return 0 in call.x.shape or bool(
        (
            window
            != (0.0 if call.bias is None else call.bias.reshape(-1, *[1] * call.geometry.rank))
        ).any()
    )


def _pairs(seen: _Seen, call: Call) -> Iterator[Mistake]:
    """Two mistakes at once that explain every element: the second is made of what the first one
    made.
    """
    piece = _piece(seen)
    for first in argument_mistakes(call):
        y = first.output()
        if y is None or first.call is None or not seen.differs_from(y):
            continue
        yield from _then(seen, first, first.call, y, piece)
    for shift, moved in neighbours(call):
        y = moved.output()
        if y is not None and y.shape == seen.got.shape:
            first = Mistake(
                name="shifted-window",
                text=f"the window is shifted by {shift if len(shift) > 1 else shift[0]}",
            )
            yield from _matching(seen, first, y, piece, result_mistakes(moved, y))
    for first in result_mistakes(call, seen.truth.y):
        y = first.output() if first.shape == seen.got.shape else None
        if y is not None and seen.differs_from(y):
            yield from _matching(seen, first, y, piece, arrangements(call, y))
            yield from _matching(seen, first, y, piece, moved_results(y, seen.got))


def _then(seen: _Seen, first: Mistake, wrong: Call, y: Float64, piece: _Piece) -> Iterator[Mistake]:
    """The first mistake, about the arguments, with any second one; y is what the first one makes
    alone.
    """
    if y.shape[:2] == seen.got.shape[:2]:
        for lows, window in shifted_windows(seen.got, wrong):
            if seen.share(window) == 1.0 and _has_products(window, wrong):
                shift = tuple(
                    low - axis.crop_low for low, axis in zip(lows, wrong.geometry.axes, strict=True)
                )
                if any(shift):
                    yield _both(
                        first,
                        Mistake(name="shifted-window", text=f"the window is shifted by {shift}"),
                    )
    yield from _matching(seen, first, y, piece, argument_mistakes(wrong))
    if y.shape == seen.got.shape:
        yield from _matching(seen, first, y, piece, result_mistakes(wrong, y))
        yield from _matching(seen, first, y, piece, moved_results(y, seen.got))
        yield from _matching(seen, first, y, piece, filter(None, [_permuted(seen, wrong)]))


def _matching(
    seen: _Seen, first: Mistake, y: Float64, piece: _Piece, seconds: Iterable[Mistake]
) -> Iterator[Mistake]:
    """Both mistakes by name, for every second one that changes y and then explains every
    element.
    """
    for second in seconds:
        if (
            second.name == first.name
            or second.shape != seen.got.shape
            or not piece.fits(second, seen)
        ):
            continue
        z = second.output()
        if (
            z is not None
            and not (z.shape == y.shape and np.array_equal(z, y, equal_nan=True))
            and seen.share(z) == 1.0
        ):
            yield _both(first, second)


def _both(first: Mistake, second: Mistake) -> Mistake:
    names = sorted((first.name, second.name))
    return Mistake(name=" + ".join(names), text=f"{first.text}, and {second.text}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """A small part of the output, looked at before all of it is computed."""

    starts: tuple[int, ...]
    lengths: tuple[int, ...]

    def fits(self, mistake: Mistake, seen: _Seen) -> bool:
        """Whether the mistake's output, of the shape of the result, agrees with what was got
        there.
        """
        there = (
            slice(-1, None),
            slice(None),
            *(
                slice(start, start + length)
                for start, length in zip(self.starts, self.lengths, strict=True)
            ),
        )
        if mistake.call is None:
            y = None if mistake.y is None else mistake.y[there]
        else:
            few = part(mistake.call, self.starts, self.lengths)
            y = replace(mistake, call=replace(few, x=few.x[-1:])).output()
        return y is not None and bool(
            matching_elements(seen.got[there], y, seen.truth.dtype, seen.slack).all()
        )


def _piece(seen: _Seen) -> _Piece:
    """In the last quarter, where few windows that differ agree."""
    out = seen.got.shape[2:]
    lengths = tuple(min(PROBE, n) for n in out)
    return _Piece(
        starts=tuple((n - length) * 3 // 4 for n, length in zip(out, lengths, strict=True)),
        lengths=lengths,
    )


def _forgotten(seen: _Seen, singles: Iterable[Scored]) -> Iterator[Mistake]:
    """A mistake in the part of memory that was written, and another part that was not, or that
    repeats it.
    """
    for mistake, share in singles:
        y = mistake.output() if share >= LEAST_WRITTEN and mistake.name != "scaled" else None
        if y is not None:
            right = matching_elements(seen.got, y, seen.truth.dtype, seen.slack)
            yield from (
                _both(mistake, other)
                for other, all_of_it in remembered(seen.got, y, seen.truth, right)
                if all_of_it == 1.0
            )


def _rounded(seen: _Seen, call: Call) -> Iterator[Mistake]:
    """A mistake and low precision: rounded operands that explain every element, or errors as small
    as rounding leaves.
    """
    if seen.got.shape != seen.truth.y.shape or not np.isfinite(seen.got).all():
        return
    error = float(np.linalg.norm(seen.got - seen.truth.y))
    for mistake in _singles(seen, call, np.zeros(seen.got.shape, bool)):
        y = (
            mistake.output()
            if mistake.shape == seen.got.shape and mistake.name != "scaled"
            else None
        )
        if y is None or not seen.differs_from(y):
            continue
        for format in FORMATS:
            lower = _in_format(mistake, format)
            if lower is not None and not np.array_equal(lower, y) and seen.share(lower) == 1.0:
                yield _both(
                    mistake, Mistake(name="low-precision", text=f"operands are rounded to {format}")
                )
        if float(np.linalg.norm(seen.got - y)) <= NEARLY * error:
            for name in ("low-precision", "low-precision-accumulation"):
                yield _both(
                    mistake,
                    Mistake(
                        name=name, text="what remains is rounding: the result has low precision"
                    ),
                )


def _in_format(mistake: Mistake, format: str) -> Float64 | None:
    """What a mistake about the arguments makes of operands rounded to a format."""
    if mistake.call is None:
        return None
    x, w = (to_format(format, operand, False) for operand in (mistake.call.x, mistake.call.w))
    return replace(mistake, call=replace(mistake.call, x=x, w=w)).output()


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


def _told(found: Sequence[tuple[Mistake, float]]) -> dict[str, Any]:
    (first, share), *others = found
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
    return {"name": first.name, "text": text, "share": share, "also": also}
