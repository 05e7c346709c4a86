"""Results in which the part of an input position or a tap has a factor of its own, is left out, or
is another's.

Every part is computed alone; the factors with which they add up to the result solve a system of
linear equations, of a piece of the output that has enough of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conformance.geometry import Axis
from conformance.oracle.reference import Float64
from conformance.verdicts.diagnosis.factors import Reading
from conformance.verdicts.diagnosis.mistake import Call, Mistake, part
from conformance.verdicts.diagnosis.slices import factors_text, listed

MOST_UNKNOWNS = 256
"""Factors that a system of equations is solved for: 16 channels, each with every one's weights."""

MOST_PRODUCTS = 2**22
"""Numbers of all contributions together that are computed for it."""

MOST_TAPS = 8
"""Taps of an axis of which every order is sought."""

LEAST_APART = 1e-3
"""Of the largest element: what an error has at least that tells where an input is not read."""

LEAST_EQUATIONS = 1.5
"""Elements per unknown without which anything could be explained."""

EQUATIONS = 4
"""Elements that are taken per unknown, as far as there are so many."""


def contribution_mistakes(reading: Reading) -> Iterator[Mistake]:
    """Every reading of the result as the right parts with other factors, or in other places."""
    if not reading.is_finite:
        return
    for mistakes in (_taps, _input_positions, _unread_ends):
        yield from mistakes(reading)
    yield from _likely(reading.call)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A piece of a call without its bias, and the sums (N, C_out, *out) that a result has there."""

    call: Call
    sums: Float64
    reading: Reading

    def solution(self, contributions: Sequence[Float64]) -> NDArray[np.float64] | None:
        """The factors (contributions,) with which these add up to the sums; None where they are not
        determined.
        """
        count = len(contributions)
        columns = np.stack([each.ravel() for each in contributions], axis=1)
        telling = np.flatnonzero(columns.any(axis=1))
        if len(telling) > 2 * EQUATIONS * count:
            random = np.random.RandomState(0)
            telling = random.choice(telling, 2 * EQUATIONS * count, replace=False)
        if len(telling) < LEAST_EQUATIONS * count:
            return None
        wanted = self.sums.ravel()[telling]
        factors, _, rank, _ = np.linalg.lstsq(columns[telling], wanted, rcond=1e-9)
        return self.reading.simple(factors.astype(np.float64)) if rank == count else None


def probe(reading: Reading, unknowns: int, whole: int | None = None) -> Probe | None:
    """A piece of the result's middle that has equations for so many unknowns, with the `whole` of
    one spatial axis; None where that would be too much.
    """
    call, sums = reading.call, reading.got - reading.bias
    if not 0 < unknowns <= MOST_UNKNOWNS:
        return None
    out, samples = list(sums.shape[2:]), len(sums)
    lengths, wanted = list(out), EQUATIONS * unknowns
    for axis in range(len(out)):
        if axis != whole:
            others = int(np.prod([n for number, n in enumerate(lengths) if number != axis]))
            lengths[axis] = min(out[axis], max(MOST_TAPS * 2, -(-wanted // max(others, 1))))
    size = sums.shape[1] * int(np.prod(lengths))
    samples = min(samples, max(1, -(-wanted // max(size, 1))))
    if unknowns * samples * size > MOST_PRODUCTS:
        return None
    starts = [(n - length) // 2 for n, length in zip(out, lengths, strict=True)]
    piece = part(replace(call, bias=None), starts, lengths)
    window = tuple(slice(a, a + n) for a, n in zip(starts, lengths, strict=True))
    return Probe(
        call=replace(piece, x=piece.x[:samples]),
        sums=sums[(slice(0, samples), slice(None), *window)],
        reading=reading,
    )


def at_position(axis: int, number: int | slice) -> tuple[Any, ...]:
    """The index of one position, or several, of a spatial axis."""
    return (*(slice(None),) * (axis + 2), number)


def _only(operand: Float64, at: tuple[Any, ...], values: Float64) -> Float64:
    """Zeros of the operand's shape, but these values there."""
    alone = np.zeros_like(operand)
    alone[at] = values
    return alone


def _sums(call: Call, *, x: Float64 | None = None, w: Float64 | None = None) -> Float64:
    """The output of the call with another x or w."""
    y = replace(call, x=call.x if x is None else x, w=call.w if w is None else w).output()
    assert y is not None, "only numbers changed"
    return y


def _where(call: Call, axis: int) -> str:
    return f" on axis {axis}" if call.geometry.rank > 1 else ""


def _taps(reading: Reading) -> Iterator[Mistake]:
    """Taps of one axis, or of all: multiplied, left out, or where another one belongs."""
    kernel = reading.call.w.shape[2:]
    for axis, length in enumerate(kernel):
        if length > 1:
            yield from _taps_of_axis(reading, axis, length)
    if len(kernel) > 1 and int(np.prod(kernel)) > 1:
        yield from _all_taps(reading, kernel)


def _taps_of_axis(reading: Reading, axis: int, length: int) -> Iterator[Mistake]:
    """Tap j's weights where tap i's belong, for all pairs of a short kernel, else for i = j."""
    numbers = range(length)
    taps = np.moveaxis(reading.call.w, axis + 2, 0)
    for pairs in (
        [(i, j) for i in numbers for j in numbers] if length <= MOST_TAPS else [],
        [(i, i) for i in numbers],
    ):
        factors = _factors_of_taps(reading, axis, pairs)
        if factors is not None:
            break
    else:
        return
    matrix = np.zeros((length, length))
    for (i, j), factor in zip(pairs, factors, strict=True):
        matrix[i, j] = factor
    named = _axis_taps_text(matrix, _where(reading.call, axis))
    if named is not None:
        mixed = np.moveaxis(np.tensordot(matrix, taps, 1), 0, axis + 2)
        yield Mistake(name=named[0], text=named[1], call=replace(reading.call, w=mixed))


def _factors_of_taps(
    reading: Reading, axis: int, pairs: Sequence[tuple[int, int]]
) -> NDArray[np.float64] | None:
    """The factors with which tap j's weights stand where tap i's belong, for every (i, j)."""
    piece, w = probe(reading, len(pairs)), reading.call.w
    if piece is None:
        return None
    taps = np.moveaxis(w, axis + 2, 0)
    return piece.solution(
        [_sums(piece.call, w=_only(w, at_position(axis, i), taps[j])) for i, j in pairs]
    )


def _axis_taps_text(matrix: NDArray[np.float64], where: str) -> tuple[str, str] | None:
    """(name, text) of the factors with which tap j's weights stand where tap i's belong."""
    diagonal = matrix.diagonal()
    if np.count_nonzero(matrix) == np.count_nonzero(diagonal):
        if (diagonal == diagonal[0]).all():
            return None
        kind, text = factors_text(diagonal, "tap", f" of the kernel{where}")
        return f"taps-{kind}", text
    if (np.count_nonzero(matrix, axis=1) == 1).all() and set(matrix[matrix != 0]) == {1.0}:
        order = listed(matrix.argmax(axis=1))
        return "taps-permuted", f"the kernel's taps{where} are in another order: {order}"
    return None


def _all_taps(reading: Reading, kernel: Sequence[int]) -> Iterator[Mistake]:
    """Every tap of a kernel of several axes with a factor of its own."""
    w = reading.call.w
    piece = probe(reading, int(np.prod(kernel)))
    if piece is None:
        return
    taps: list[tuple[Any, ...]] = [(slice(None), slice(None), *tap) for tap in np.ndindex(*kernel)]
    factors = piece.solution([_sums(piece.call, w=_only(w, at, w[at])) for at in taps])
    if factors is None or (factors == factors[0]).all():
        return
    wrong = replace(reading.call, w=w * factors.reshape(kernel))
    kind = "left-out" if set(factors.tolist()) == {0.0, 1.0} else "scaled"
    yield Mistake(name=f"taps-{kind}", text=_taps_text(factors.reshape(kernel)), call=wrong)


def _taps_text(factors: NDArray[np.float64]) -> str:
    others = np.argwhere(factors != 1)
    if len(others) <= 2:
        taps = " and ".join(str(tuple(int(i) for i in tap)) for tap in others)
        values = [factors[tuple(tap)] for tap in others]
        verb = "is" if len(others) == 1 else "are"
        if not any(values):
            return f"tap {taps} of the kernel {verb} left out"
        return f"tap {taps} of the kernel {verb} multiplied by {listed(values)}"
    if not factors[factors != 1].any():
        return f"{len(others)} of {factors.size} taps of the kernel are left out"
    values_of_all = listed(factors.ravel())
    return f"every tap of the kernel is multiplied by a factor of its own: {values_of_all}"


def _likely(call: Call) -> Iterator[Mistake]:
    """The first or the last tap or input position left out, and taps moved round by one, where
    equations cannot tell.
    """
    for axis, length in enumerate(call.w.shape[2:]):
        where = _where(call, axis)
        for by in (1, -1) if length > 2 else ():
            order = listed(np.roll(np.arange(length), by))
            text = f"the kernel's taps{where} are in another order: {order}"
            rolled = replace(call, w=np.roll(call.w, by, axis + 2))
            yield Mistake(name="taps-permuted", text=text, call=rolled)
        for end, which in ((-1, "last"), (0, "first")) if length > 1 else ():
            w = call.w.copy()
            w[at_position(axis, end)] = 0
            text = f"the {which} tap of the kernel{where} is left out"
            yield Mistake(name="taps-left-out", text=text, call=replace(call, w=w))
    for axis, size in enumerate(call.x.shape[2:]):
        for end, which in ((-1, "last"), (0, "first")) if size > 1 else ():
            x = call.x.copy()
            x[at_position(axis, end)] = 0
            text = f"the {which} input position{_where(call, axis)} is left out"
            yield Mistake(name="input-positions-left-out", text=text, call=replace(call, x=x))


def _input_positions(reading: Reading) -> Iterator[Mistake]:
    """Positions of the input on one axis: multiplied or left out."""
    call = reading.call
    for axis, size in enumerate(call.x.shape[2:]):
        piece = probe(reading, size, whole=axis) if size > 1 else None
        if piece is None:
            continue
        rows = np.moveaxis(piece.call.x, axis + 2, 0)
        contributions = {
            position: _sums(piece.call, x=_only(piece.call.x, at_position(axis, position), row))
            for position, row in enumerate(rows)
        }
        reaching = [position for position, each in contributions.items() if each.any()]
        if len(rows) != size or not reaching:
            continue
        solved = piece.solution([contributions[position] for position in reaching])
        if solved is None:
            continue
        factors = np.ones(size)
        factors[reaching] = solved
        if (factors == factors[0]).all():
            continue
        kind, text = factors_text(factors, "input position", _where(call, axis))
        spread = factors.reshape(-1, *[1] * (call.geometry.rank - axis - 1))
        wrong = replace(call, x=call.x * spread)
        yield Mistake(name=f"input-positions-{kind}", text=text, call=wrong)


def _unread_ends(reading: Reading) -> Iterator[Mistake]:
    """Input positions that are not read from some number on, of many: what lies beyond a limit."""
    for number, axis in enumerate(reading.call.geometry.axes):
        if axis.size > MOST_UNKNOWNS // EQUATIONS:
            yield from _unread_positions(reading, number, axis)


def _unread_positions(reading: Reading, number: int, axis: Axis) -> Iterator[Mistake]:
    """Input positions from some number on, which is told from the first wrong output position."""
    call, y = reading.call, reading.y
    others = tuple(other for other in range(y.ndim) if other != number + 2)
    apart = np.abs(reading.got - y) > LEAST_APART * np.abs(y).max()
    wrong = np.flatnonzero(apart.any(axis=others))
    if not wrong.size:
        return
    start = int(wrong[0]) + axis.crop_low
    first, last = (start - axis.extent) // axis.stride, start // axis.stride + 1
    for limit in range(max(first, 1), min(last, axis.size - 1) + 1):
        x = call.x.copy()
        x[at_position(number, slice(limit, None))] = 0
        text = f"input positions from {limit} on{_where(call, number)} are left out"
        yield Mistake(name="input-positions-left-out", text=text, call=replace(call, x=x))
