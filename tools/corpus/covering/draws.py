"""Arguments drawn for the levels of a row."""

from __future__ import annotations

import random
from collections.abc import Mapping
from math import fsum, log2, prod
from typing import Any

from conformance.corpus.expected import MOST_VALUES
from covering.arguments import Arguments, geometry_of, speakers, spoken
from covering.cases import valued
from covering.designs import Design, Row
from covering.far import far
from covering.padding import extra_of, kind_of_padding, padding_of

DRAWS = 400
"""The most attempts at arguments of a row's levels."""

ENOUGH = 12
"""The number of arguments from which the best are taken."""

MANY_PRODUCTS, MOST_PRODUCTS, MOST_OUTPUTS = 20_000, 60_000, 8192
"""Limits of one case: the first is respected where the levels allow it, the others always."""

MOST_WIDE_TERMS = 1024
"""The most terms of one sum of wide integers: 1024 * 8191 * 2 < 2^24, so that float32 holds it."""

OUTPUTS_PER_GROUP = {
    "one": (1, 2, 2, 3, 3, 4, 5, 8, 17, 64),
    "two": (2, 3),
    "three": (2, 3),
    "depthwise": (1,),
    "multiplier": (2, 3),
}


def arguments_of(
    design: Design, row: Row, numbers: random.Random, seen: Mapping[Any, int]
) -> Arguments | None:
    """Arguments of the row's levels: of a few, those whose axes have most that no other case has;
    None if there are none.
    """
    candidates = []
    for _ in range(DRAWS):
        drawn = (far if design.is_far else draw)(design, row, numbers)
        if drawn is not None and tells(drawn):
            candidates.append(drawn)
            if len(candidates) == ENOUGH:
                break
    candidates.sort(key=lambda drawn: -worth(drawn, seen))
    return next(filter(None, (valued(design, row, drawn) for drawn in candidates)), None)


def worth(drawn: Arguments, seen: Mapping[Any, int]) -> float:
    """How much a case of these arguments would add; more if it is cheap and its output is small
    enough to be written out.
    """
    geometry = geometry_of(drawn)
    new = fsum(
        1 / (1 + seen[atom]) ** 2 for atom in drawn.atoms()
    )  # fsum: a set has no order, and sum would depend on it
    size = drawn.batch * drawn.outputs * prod(geometry.out)
    met = prod(
        sum(map(bool, axis.overlap())) for axis in geometry.axes
    )  # positions where products land
    return (
        new
        + 2 * spoken(drawn)
        + (speakers(drawn) if drawn.is_far else 0)
        - 4 / met
        - 8 * max(drawn.products / MANY_PRODUCTS - 0.5, 0)
        - log2(max(size / MOST_VALUES, 1))
    )


def draw(design: Design, row: Row, numbers: random.Random) -> Arguments | None:
    """One attempt at arguments of the row's levels."""
    kernel, stride, dilation, size = (
        numbers.choice(design.factors[factor][row[factor]])
        for factor in ("kernel", "stride", "dilation", "input")
    )
    extent = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    gaps = any(s > e for s, e in zip(stride, extent, strict=True))
    if gaps != (row["gaps"] == "present"):
        return None
    extra = extra_of(row["output_padding"], stride, dilation, numbers)
    if extra is None:
        return None
    padding = [padding_of(row["padding"], e, numbers) for e in extent]
    if kind_of_padding(padding, extent) != row["padding"]:
        return None
    counts = channels_of(design, row, numbers)
    if counts is None:
        return None
    channels, outputs, groups = counts
    drawn = Arguments(
        kernel=kernel,
        stride=stride,
        dilation=dilation,
        size=size,
        padding=padding,
        output_padding=extra,
        batch=design.factors["batch"][row["batch"]][0],
        channels=channels,
        outputs=outputs,
        groups=groups,
        values=row["values"],
    )
    return drawn if is_small(drawn, row["values"]) else None


def channels_of(design: Design, row: Row, numbers: random.Random) -> tuple[int, int, int] | None:
    """Channels of the input and of the output, and groups; None where they do not go together."""
    channels = numbers.choice(design.factors["channels"][row["channels"]])
    groups = {"one": 1, "two": 2, "three": 3}.get(row["groups"], channels)
    if channels % groups or (row["groups"] in ("two", "three") and channels <= groups):
        return None
    outputs = [n for n in OUTPUTS_PER_GROUP[row["groups"]] if channels > 1 or n > 1]
    return channels, groups * numbers.choice(outputs), groups


def tells(drawn: Arguments) -> bool:
    """Whether there is an output with products along every axis: one of zeros notices little."""
    geometry = geometry_of(drawn)
    return min(geometry.out) >= 1 and all(any(axis.overlap()) for axis in geometry.axes)


def is_small(drawn: Arguments, values: str) -> bool:
    """Whether neither the products nor the output nor a sum of these values is too much."""
    if drawn.products > MOST_PRODUCTS:
        return False
    if drawn.batch * drawn.outputs * prod(geometry_of(drawn).out) > MOST_OUTPUTS:
        return False
    terms = drawn.channels // drawn.groups * prod(drawn.kernel) + 1
    return values != "wide" or terms <= MOST_WIDE_TERMS
