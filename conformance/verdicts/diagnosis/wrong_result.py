"""A wrong result beside the truth, and how much of it a mistake explains."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from conformance.oracle import Truth
from conformance.oracle.reference import Float64
from conformance.verdicts.diagnosis.arguments import argument_mistakes
from conformance.verdicts.diagnosis.fit import matching_elements
from conformance.verdicts.diagnosis.mistake import Call, Mistake
from conformance.verdicts.diagnosis.operands import permuted_bias
from conformance.verdicts.diagnosis.orders import exchanged_axes
from conformance.verdicts.diagnosis.outputs import moved_results, result_mistakes, scaled_results
from conformance.verdicts.diagnosis.sums import not_a_number_beyond
from conformance.verdicts.diagnosis.windows import shifted_windows, window_text


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongResult:
    """A wrong result (N, C_out, *out) in float64, the truth, and how near an explanation has to
    come.
    """

    got: Float64
    truth: Truth
    slack: float

    def share(self, y: Float64, limit: float | Float64 | None = None) -> float:
        """The part of the elements that y, of the same shape, explains, within the limit or the
        slack.
        """
        allowed = self.slack if limit is None else limit
        return float(matching_elements(self.got, y, self.truth.dtype, allowed).mean())

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


Scored = tuple[Mistake, float]


def scored_windows(wrong: WrongResult, call: Call, *, empty: bool = False) -> Iterator[Scored]:
    """Every other window of the full output that `got` is for the most part; `empty`: those that no
    product reaches.
    """
    if wrong.got.shape[:2] != wrong.truth.y.shape[:2]:
        return
    for lows, window in shifted_windows(wrong.got, call):
        if wrong.differs_from(window) and has_products(window, call) is not empty:
            name = "shifted-window" if window.shape == wrong.truth.y.shape else "other-window"
            yield (
                Mistake(name=name, text=window_text(call, lows, window.shape[2:])),
                wrong.share(window),
            )


def has_products(window: Float64, call: Call) -> bool:
    """Whether a window shows more than the bias; where there are no products at all, every window
    counts.
    """
    return 0 in call.x.shape or bool(
        (
            window
            != (0.0 if call.bias is None else call.bias.reshape(-1, *[1] * call.geometry.rank))
        ).any()
    )


def scored(mistakes: Iterable[Mistake], wrong: WrongResult) -> Iterator[Scored]:
    """Mistakes that change something and give an output of this shape, with the share of elements
    that they explain.
    """
    for mistake in mistakes:
        y = mistake.output() if mistake.shape == wrong.got.shape else None
        if y is not None and wrong.differs_from(y):
            yield mistake, wrong.share(y)


def single_mistakes(wrong: WrongResult, call: Call, right: NDArray[np.bool_]) -> Iterator[Mistake]:
    """Every mistake that this call could show, and those that are read off the result."""
    yield from argument_mistakes(call)
    yield from result_mistakes(call, wrong.truth.y)
    yield from exchanged_axes(wrong.truth.y, wrong.got.shape)
    if wrong.got.shape == wrong.truth.y.shape:
        yield from moved_results(wrong.truth.y, wrong.got)
        yield from filter(
            None, [permuted(wrong, call), not_a_number_beyond(wrong.got, call, right)]
        )
        yield from scaled_results(call, wrong.truth.y, wrong.got)


def permuted(wrong: WrongResult, call: Call) -> Mistake | None:
    """The bias in another order, for which the sums without it are needed."""
    plain = None if call.bias is None else replace(call, bias=None).output()
    return None if plain is None else permuted_bias(call, wrong.got, plain)
