"""Two mistakes at once that explain every element of a wrong result."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from conformance.oracle.reference import Float64
from conformance.verdicts.diagnosis.arguments import argument_mistakes
from conformance.verdicts.diagnosis.fit import matching_elements
from conformance.verdicts.diagnosis.memory import remembered
from conformance.verdicts.diagnosis.mistake import Call, Mistake, part
from conformance.verdicts.diagnosis.orders import exchanged_axes
from conformance.verdicts.diagnosis.outputs import arrangements, moved_results, result_mistakes
from conformance.verdicts.diagnosis.rounding import FORMATS, to_format
from conformance.verdicts.diagnosis.windows import neighbours, shifted_windows
from conformance.verdicts.diagnosis.wrong_result import (
    Scored,
    WrongResult,
    has_products,
    permuted,
    single_mistakes,
)


def pairs_of_mistakes(wrong: WrongResult, call: Call) -> Iterator[Mistake]:
    """Two mistakes at once that explain every element: the second is made of what the first one
    made.
    """
    piece = _piece(wrong)
    for first in argument_mistakes(call):
        y = first.output()
        if y is None or first.call is None or not wrong.differs_from(y):
            continue
        yield from _then(wrong, first, first.call, y, piece)
    for shift, moved in neighbours(call):
        y = moved.output()
        if y is not None and y.shape == wrong.got.shape:
            first = Mistake(
                name="shifted-window",
                text=f"the window is shifted by {shift if len(shift) > 1 else shift[0]}",
            )
            yield from _matching(wrong, first, y, piece, result_mistakes(moved, y))
    for first in result_mistakes(call, wrong.truth.y):
        y = first.output()
        if y is None or not wrong.differs_from(y):
            continue
        yield from _matching(wrong, first, y, piece, exchanged_axes(y, wrong.got.shape))
        if y.shape == wrong.got.shape:
            yield from _matching(wrong, first, y, piece, arrangements(call, y))
            yield from _matching(wrong, first, y, piece, moved_results(y, wrong.got))


def _then(
    wrong: WrongResult, first: Mistake, made: Call, y: Float64, piece: _Piece
) -> Iterator[Mistake]:
    """The first mistake, about the arguments, with any second one; y is what the first one makes
    alone.
    """
    if y.shape[:2] == wrong.got.shape[:2]:
        for lows, window in shifted_windows(wrong.got, made):
            if wrong.share(window) == 1.0 and has_products(window, made):
                shift = tuple(
                    low - axis.crop_low for low, axis in zip(lows, made.geometry.axes, strict=True)
                )
                if any(shift):
                    yield _both(
                        first,
                        Mistake(name="shifted-window", text=f"the window is shifted by {shift}"),
                    )
    yield from _matching(wrong, first, y, piece, argument_mistakes(made))
    yield from _matching(wrong, first, y, piece, exchanged_axes(y, wrong.got.shape))
    if y.shape == wrong.got.shape:
        yield from _matching(wrong, first, y, piece, result_mistakes(made, y))
        yield from _matching(wrong, first, y, piece, moved_results(y, wrong.got))
        yield from _matching(wrong, first, y, piece, filter(None, [permuted(wrong, made)]))


def _matching(
    wrong: WrongResult, first: Mistake, y: Float64, piece: _Piece, seconds: Iterable[Mistake]
) -> Iterator[Mistake]:
    """Both mistakes by name, for every second one that changes y and then explains every
    element.
    """
    for second in seconds:
        if (
            second.name == first.name
            or second.shape != wrong.got.shape
            or not piece.fits(second, wrong)
        ):
            continue
        z = second.output()
        if (
            z is not None
            and not (z.shape == y.shape and np.array_equal(z, y, equal_nan=True))
            and wrong.share(z) == 1.0
        ):
            yield _both(first, second)


def _both(first: Mistake, second: Mistake) -> Mistake:
    names = sorted((first.name, second.name))
    return Mistake(name=" + ".join(names), text=f"{first.text}, and {second.text}")


PROBE = 3  # positions per axis of the piece of an output that is looked at first


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """A small part of the output, looked at before all of it is computed."""

    starts: tuple[int, ...]
    lengths: tuple[int, ...]

    def fits(self, mistake: Mistake, wrong: WrongResult) -> bool:
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
            matching_elements(wrong.got[there], y, wrong.truth.dtype, wrong.slack).all()
        )


def _piece(wrong: WrongResult) -> _Piece:
    """In the last quarter, where few windows that differ agree."""
    out = wrong.got.shape[2:]
    lengths = tuple(min(PROBE, n) for n in out)
    return _Piece(
        starts=tuple((n - length) * 3 // 4 for n, length in zip(out, lengths, strict=True)),
        lengths=lengths,
    )


LEAST_WRITTEN = (
    0.3  # of an output, the part that one mistake must explain before the rest is taken for memory
)


def half_written(wrong: WrongResult, singles: Iterable[Scored]) -> Iterator[Mistake]:
    """A mistake in the part of memory that was written, and another part that was not, or that
    repeats it.
    """
    for mistake, share in singles:
        y = mistake.output() if share >= LEAST_WRITTEN and mistake.name != "scaled" else None
        if y is not None:
            right = matching_elements(wrong.got, y, wrong.truth.dtype, wrong.slack)
            yield from (
                _both(mistake, other)
                for other, all_of_it in remembered(wrong.got, y, wrong.truth, right)
                if all_of_it == 1.0
            )


NEARLY = 2.0**-5  # of the error: what a mistake may leave to rounding


def rounded_mistakes(wrong: WrongResult, call: Call) -> Iterator[Mistake]:
    """A mistake and low precision: rounded operands that explain every element, or errors as small
    as rounding leaves.
    """
    if wrong.got.shape != wrong.truth.y.shape or not np.isfinite(wrong.got).all():
        return
    error = float(np.linalg.norm(wrong.got - wrong.truth.y))
    for mistake in single_mistakes(wrong, call, np.zeros(wrong.got.shape, bool)):
        y = (
            mistake.output()
            if mistake.shape == wrong.got.shape and mistake.name != "scaled"
            else None
        )
        if y is None or not wrong.differs_from(y):
            continue
        for format in FORMATS:
            lower = _in_format(mistake, format)
            if lower is not None and not np.array_equal(lower, y) and wrong.share(lower) == 1.0:
                yield _both(
                    mistake, Mistake(name="low-precision", text=f"operands are rounded to {format}")
                )
        if float(np.linalg.norm(wrong.got - y)) <= NEARLY * error:
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
