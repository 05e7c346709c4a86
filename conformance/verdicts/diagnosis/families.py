"""Kinds of mistakes that are read off a wrong result: a factor or an order per slice, wherever it
is, and a known mistake that is made in some slices alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from conformance.oracle.truth import SIGNIFICAND_BITS
from conformance.verdicts.diagnosis.channels import channel_mistakes
from conformance.verdicts.diagnosis.contributions import contribution_mistakes
from conformance.verdicts.diagnosis.factors import Reading, factor_mistakes
from conformance.verdicts.diagnosis.fit import matching_elements
from conformance.verdicts.diagnosis.mistake import Call, Mistake
from conformance.verdicts.diagnosis.orders import permuted_phases, permuted_slices
from conformance.verdicts.diagnosis.regions import Region
from conformance.verdicts.diagnosis.wrong_result import WrongResult

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
        fitting = list(_explaining(wrong, family, bits))
        yield from fitting
        if fitting:
            return


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
    wrong: WrongResult, mistakes: Iterable[Mistake], region: Region
) -> Iterator[Mistake]:
    """The mistakes that are made everywhere in a region, outside of which all is right."""
    inside = region.mask
    for mistake in mistakes:
        y = mistake.output() if mistake.shape == wrong.got.shape else None
        if y is None or mistake.name == "scaled":
            continue
        matching = matching_elements(wrong.got[inside], y[inside], wrong.truth.dtype, wrong.slack)
        if matching.all() and (y[inside] != wrong.truth.y[inside]).any():
            yield replace(mistake, text=f"{mistake.text}, in {region.text}")
