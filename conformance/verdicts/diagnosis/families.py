"""Kinds of mistakes that are read off a wrong result: a factor or an order per slice, wherever it
is, and a known mistake that is made in some slices alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from conformance.oracle.reference import Float64
from conformance.oracle.truth import SIGNIFICAND_BITS
from conformance.verdicts.diagnosis.channels import channel_mistakes
from conformance.verdicts.diagnosis.contributions import at_position, contribution_mistakes
from conformance.verdicts.diagnosis.factors import Reading, factor_mistakes
from conformance.verdicts.diagnosis.fit import matching_elements
from conformance.verdicts.diagnosis.mistake import Call, Mistake
from conformance.verdicts.diagnosis.orders import permuted_phases, permuted_slices
from conformance.verdicts.diagnosis.regions import Region
from conformance.verdicts.diagnosis.slices import result_slicings
from conformance.verdicts.diagnosis.wrong_result import Scored, WrongResult

FEW_ULPS = 4
"""Units in the last place by which a product with a factor may be rounded otherwise."""

LOOSEST = 0.03
"""The relative error of a factor that is read off numbers of few bits."""


def family_mistakes(wrong: WrongResult, call: Call) -> Iterator[Mistake]:
    """The kinds that explain every element of a result of the right shape."""
    if wrong.got.shape != wrong.truth.y.shape:
        return
    bits = SIGNIFICAND_BITS[wrong.truth.dtype]
    tolerance = min(2.0 ** (8 - bits), LOOSEST)
    reading = Reading(call=call, y=wrong.truth.y, got=wrong.got, tolerance=tolerance)
    families = (
        factor_mistakes(reading),
        permuted_slices(reading, wrong.truth.dtype, wrong.slack),
        permuted_phases(call, wrong.got),
        channel_mistakes(reading),
        contribution_mistakes(reading),
    )
    for family in families:
        yield from _explaining(wrong, family, bits)


def _explaining(wrong: WrongResult, mistakes: Iterable[Mistake], bits: int) -> Iterator[Mistake]:
    for mistake in mistakes:
        y = mistake.output() if mistake.shape == wrong.got.shape else None
        if y is None or not wrong.differs_from(y):
            continue
        with np.errstate(invalid="ignore"):
            limit = wrong.slack + FEW_ULPS * 2.0**-bits * np.abs(y)
        if wrong.share(y, limit) == 1.0:
            yield mistake


def partial_mistakes(
    wrong: WrongResult, singles: Iterable[Scored], region: Region
) -> Iterator[Mistake]:
    """The mistakes that are made everywhere in a region, outside of which all is right."""
    inside = region.mask
    least = float(inside.mean())  # what explains the region explains so large a part of it all
    for mistake, share in singles:
        y = mistake.output() if share >= least and mistake.name != "scaled" else None
        if y is None:
            continue
        matching = matching_elements(wrong.got[inside], y[inside], wrong.truth.dtype, wrong.slack)
        if matching.all() and (y[inside] != wrong.truth.y[inside]).any():
            yield replace(mistake, text=f"{mistake.text}, in {region.text}")


def made_families(call: Call, y: Float64) -> Iterator[Mistake]:
    """The kinds made of a call and its output y (N, C_out, *out): the last slice left out, the
    first one doubled, the order reversed.
    """
    bias = np.zeros(1) if call.bias is None else call.bias.reshape(-1, *[1] * call.geometry.rank)
    for slicing in result_slicings(call.geometry, y.shape):
        for kind, chosen, factor in (("left-out", -1, 0.0), ("scaled", 0, 2.0)):
            factors = np.ones(slicing.count)
            factors[chosen] = factor
            text = f"one {slicing.noun} is {kind.replace('-', ' ')}"
            wrong = slicing.spread(factors, y.ndim) * (y - bias) + bias
            yield Mistake(name=f"{slicing.key}-{kind}", text=text, y=wrong)
    for axis, length in enumerate(y.shape):
        name = ("samples", "output-channels", "output-positions")[min(axis, 2)]
        if length > 1:
            text = f"the {name} are moved round by one"
            yield Mistake(name=f"{name}-permuted", text=text, y=np.roll(y, 1, axis))
    if call.bias is not None:
        text = "the bias is multiplied by 0.5"
        yield Mistake(name="bias-scaled", text=text, y=y - 0.5 * bias)
    yield from _made_of_operands(call)


def _made_of_operands(call: Call) -> Iterator[Mistake]:
    """The last channel, position or tap of an operand left out, or their order reversed."""
    groups = call.geometry.groups
    inside = len(call.w) // groups
    if inside > 1:
        by_group = call.w.reshape(groups, inside, *call.w.shape[1:])
        unread, unweighted = by_group.copy(), by_group.copy()
        unread[:, -1], unweighted[:, -1] = 0, 1
        for name, w in (
            ("input-channels-left-out", unread),
            ("input-channels-unweighted", unweighted),
            ("input-channels-permuted", by_group[:, ::-1]),
        ):
            wrong = replace(call, w=np.ascontiguousarray(w).reshape(call.w.shape))
            yield Mistake(name=name, text="of the last input channel", call=wrong)
    if groups > 1:
        order = np.arange(len(call.w)).reshape(groups, inside)[::-1].ravel()
        wrong = replace(call, x=call.x[:, order])
        yield Mistake(name="groups-permuted", text="the groups are reversed", call=wrong)
    factors = np.resize([1.0, 2.0], len(call.w)).reshape(-1, *[1] * (call.w.ndim - 1))
    wrong = replace(call, w=call.w * factors)
    yield Mistake(name="input-channels-scaled", text="every second one is doubled", call=wrong)
    for axis in range(call.geometry.rank):
        if call.w.shape[axis + 2] > 1:
            wrong = replace(call, w=np.roll(call.w, 1, axis + 2))
            yield Mistake(name="taps-permuted", text="the taps are moved round by one", call=wrong)
        for name, operand in (("input-positions", call.x), ("taps", call.w)):
            if operand.shape[axis + 2] < 2:
                continue
            for kind, factor in (("left-out", 0), ("scaled", 2)):
                changed = operand.copy()
                changed[at_position(axis, -1)] *= factor
                of_input = operand is call.x
                wrong = replace(call, x=changed) if of_input else replace(call, w=changed)
                yield Mistake(name=f"{name}-{kind}", text=f"the last is {kind}", call=wrong)
