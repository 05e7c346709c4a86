"""Results in which an input channel has a factor of its own, is left out, is added without weights,
or meets another's.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from conformance.oracle.reference import Float64
from conformance.verdicts.diagnosis.contributions import Probe, probe
from conformance.verdicts.diagnosis.factors import Reading
from conformance.verdicts.diagnosis.mistake import Call, Mistake
from conformance.verdicts.diagnosis.slices import chosen, factors_text, listed

TILES = (2, 4, 8, 16, 32, 64, 128, 256)
"""Of channels, what a kernel takes at once; what is left over may be forgotten."""


ONES, NOBODY = -1, -2
"""Whose weights a channel meets that is added without any, and one that is not read."""

MOST_GROUPS = 32
"""Groups of which every other one is tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Term:
    """One input channel of the call with one channel's weights (1, C_out / groups, *kernel);
    `number` and `whose` are channel numbers within the group.
    """

    channel: int
    weights: Float64
    number: int
    whose: int

    def sums(self, call: Call) -> Float64:
        """What it adds to its group's outputs: (N, C_out / groups, *out)."""
        return _alone(call, slice(self.channel, self.channel + 1), self.weights)


def _alone(call: Call, channels: slice, weights: Float64) -> Float64:
    """The sums (N, C_out / groups, *out) of some input channels with these weights."""
    geometry = replace(call.geometry, groups=1)
    alone = replace(call, x=call.x[:, channels], w=weights, bias=None, geometry=geometry)
    y = alone.output()
    assert y is not None, "a part of a call that makes sense does too"
    return y


def channel_mistakes(reading: Reading) -> Iterator[Mistake]:
    """Every reading of the result as one whose input channels have other factors or weights, or
    are not read from some number on, or whose groups are in another order.
    """
    if not reading.is_finite:
        return
    inside = _inside(reading.call)
    unknowns = ((_own_weights, inside), (_ones, 2 * inside), (_weights_of_others, inside**2))
    for terms, count in unknowns:
        piece = probe(reading, count)
        if piece is not None:
            yield from _solved(reading, terms, piece)
    yield from _unread_channels(reading.call)
    yield from _permuted_channels(reading.call)
    yield from _permuted_groups(reading)


def _solved(
    reading: Reading, terms: Callable[[Call, int], list[_Term]], piece: Probe
) -> Iterator[Mistake]:
    """The mistake that solves the equations of every group, each for itself."""
    call = reading.call
    per_group = call.w.shape[1]
    factors, weights = [], np.zeros_like(call.w)
    for group in range(call.geometry.groups):
        of_group = slice(group * per_group, (group + 1) * per_group)
        basis = terms(call, group)
        solved = replace(piece, sums=piece.sums[:, of_group]).solution(
            [term.sums(piece.call) for term in basis]
        )
        if solved is None:
            return
        pairs = ((term.number, term.whose) for term in basis)
        factors.append(dict(zip(pairs, map(float, solved), strict=True)))
        for factor, term in zip(solved, basis, strict=True):
            weights[term.channel] += factor * term.weights[0]
    named = _factors_text(factors, len(call.w) // call.geometry.groups)
    if named is not None:
        yield Mistake(name=named[0], text=named[1], call=replace(call, w=weights))


def _permuted_channels(call: Call) -> Iterator[Mistake]:
    """Orders of the input channels that are likely, where equations cannot tell all."""
    groups, inside = call.geometry.groups, _inside(call)
    numbers = np.arange(groups * inside).reshape(groups, inside)
    where = " of each group" if groups > 1 else ""
    orders = {"reversed": numbers[:, ::-1]} if inside > 1 else {}
    if inside > 2:
        orders |= {f"moved round by {by}": np.roll(numbers, by, axis=1) for by in (1, -1)}
    for how, order in orders.items():
        text = f"the input channels{where} are {how}"
        wrong = replace(call, x=call.x[:, order.ravel()])
        yield Mistake(name="input-channels-permuted", text=text, call=wrong)


def _permuted_groups(reading: Reading) -> Iterator[Mistake]:
    """Groups that have another one's input, kernel or both."""
    call = reading.call
    groups, inside, per_group = call.geometry.groups, _inside(call), call.w.shape[1]
    piece = probe(reading, 1) if 1 < groups <= MOST_GROUPS else None
    if piece is None:
        return
    sources: list[tuple[int, int]] = []
    for group in range(groups):
        wanted = piece.sums[:, group * per_group : (group + 1) * per_group]
        others = [other for other in range(groups) if other != group]
        pairs = [(group, group), *((other, group) for other in others)]
        pairs += [(group, other) for other in others] + [(other, other) for other in others]
        for source, kernel in pairs:
            of_source, of_kernel = (slice(n * inside, (n + 1) * inside) for n in (source, kernel))
            sums = _alone(piece.call, of_source, call.w[of_kernel])
            if np.allclose(sums, wanted, rtol=1e-2, atol=1e-2 * np.abs(wanted).max(initial=0)):
                sources.append((source, kernel))
                break
    if len(sources) < groups or sources == [(group, group) for group in range(groups)]:
        return
    order = [np.arange(n * inside, (n + 1) * inside) for n in range(groups)]
    x = call.x[:, np.concatenate([order[source] for source, _ in sources])]
    w = call.w[np.concatenate([order[kernel] for _, kernel in sources])]
    text = " and ".join(
        f"the groups of the {operand} are in another order: {listed(numbers)}"
        for operand, numbers in zip(("input", "kernel"), zip(*sources, strict=True), strict=True)
        if list(numbers) != list(range(groups))
    )
    yield Mistake(name="groups-permuted", text=text, call=replace(call, x=x, w=w))


def _inside(call: Call) -> int:
    """Input channels of a group."""
    return len(call.w) // call.geometry.groups


def _channels(call: Call, group: int) -> Iterable[tuple[int, int]]:
    """(number in the group, number) of a group's input channels."""
    inside = _inside(call)
    return enumerate(range(group * inside, (group + 1) * inside))


def _own_weights(call: Call, group: int) -> list[_Term]:
    return [
        _Term(channel=channel, weights=call.w[channel : channel + 1], number=number, whose=number)
        for number, channel in _channels(call, group)
    ]


def _ones(call: Call, group: int) -> list[_Term]:
    ones = np.ones_like(call.w[:1])
    return _own_weights(call, group) + [
        _Term(channel=channel, weights=ones, number=number, whose=ONES)
        for number, channel in _channels(call, group)
    ]


def _weights_of_others(call: Call, group: int) -> list[_Term]:
    pairs = itertools.product(_channels(call, group), repeat=2)
    return [
        _Term(channel=channel, weights=call.w[other : other + 1], number=number, whose=whose)
        for (number, channel), (whose, other) in pairs
    ]


def _factors_text(
    solved: Sequence[Mapping[tuple[int, int], float]], inside: int
) -> tuple[str, str] | None:
    """(name, text) of the factor with which a channel meets whose weights, by group; None where one
    meets several, or nothing is wrong.
    """
    groups, noun = len(solved), "input channel"
    factors, whose = np.zeros((groups, inside)), np.full((groups, inside), NOBODY)
    for group, of_group in enumerate(solved):
        for (number, other), factor in of_group.items():
            if factor and whose[group, number] != NOBODY:
                return None
            if factor:
                whose[group, number], factors[group, number] = other, factor
    own, ones = whose == np.arange(inside), whose == ONES
    where = " of each group" if groups > 1 else ""
    if (own | (whose == NOBODY)).all():
        alike = bool((factors == factors[0]).all())
        values = factors[0] if alike else factors.ravel()
        if (values == values[0]).all():
            return None
        kind, text = factors_text(values, noun, where if alike else "")
        return f"input-channels-{kind}", text
    if (own | ones).all() and len(set(factors[ones])) == 1:
        which, value = ones.any(axis=0), factors[ones][0]
        verb = "is" if which.sum() == 1 else "are"
        times = "" if value == 1 else f", times {value:.6g}"
        text = f"{chosen(which, noun)}{where} {verb} added without weights{times}"
        return "input-channels-unweighted", text
    if (factors == 1).all() and (whose == whose[0]).all():
        text = f"the input channels{where} meet the weights of the channels {listed(whose[0])}"
        return "input-channels-permuted", text
    return None


def _unread_channels(call: Call) -> Iterator[Mistake]:
    """Input channels that are not read, or added without weights, from some number on, where
    equations cannot tell: the last one, the left-over of a tile, or all beyond one.
    """
    groups, inside = call.geometry.groups, _inside(call)
    starts = {inside - 1, *(inside // tile * tile for tile in TILES), *TILES}
    for start in sorted((start for start in starts if 0 < start < inside), reverse=True):
        which = chosen(np.arange(inside) >= start, "input channel")
        where = " of each group" if groups > 1 else ""
        verb = "is" if start == inside - 1 else "are"
        for name, weight, how in (
            ("input-channels-left-out", 0.0, "left out"),
            ("input-channels-unweighted", 1.0, "added without weights"),
        ):
            w = call.w.copy()
            w.reshape(groups, inside, *w.shape[1:])[:, start:] = weight
            text = f"{which}{where} {verb} {how}"
            yield Mistake(name=name, text=text, call=replace(call, w=w))
