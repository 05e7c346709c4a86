"""Which arguments have the levels of a row that leaves small numbers: large strides and kernels,
wide or long outputs, many channels, crops beyond the kernel's reach?
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from math import isqrt, prod

from covering.arguments import Arguments, Pair, geometry_of
from covering.designs import Design, Row

WIDE = range(33, 71)
"""How long an axis of a wide output is; one of any other is shorter."""

SIZES = (1, 2, 2, 3, 3, 4, 5, 7)
"""Of the input, along an axis whose output is not wide."""

SPREAD = 40
"""How far beyond its limit a long output may be, beside a twentieth of the limit."""

WIDE_AXES = {"first": (0,), "middle": (1,), "last": (-1,), "both": (0, 1), "wide": (0,)}
LONG_AXES = {"line": (0,), "row": (1,), "column": (0,), "square": (0, 1)}
GROUPS = {"one": 1, "two": 2, "three": 3}

MOST_PRODUCTS = {"far": 2_000_000, "long": 4_000_000}
MOST_OUTPUTS = {"far": 200_000, "long": 550_000}

MOST_PLACED = 530_000
"""How many products are placed, those of all channels of a group counted as one: engines that place
them one by one take seconds for a million.
"""


def far(design: Design, row: Row, numbers: random.Random) -> Arguments | None:
    """One attempt at arguments of the row's levels."""
    kernel, stride, dilation = (
        numbers.choice(design.factors[factor][row[factor]])
        for factor in ("kernel", "stride", "dilation")
    )
    if row["dilation"] != "one" and all(
        k == 1 or d == 1 for k, d in zip(kernel, dilation, strict=True)
    ):
        return None
    extent = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    extra = given_back(row, stride, dilation, numbers)
    padding = lost(row["padding"], extent, stride, numbers)
    counts = channels_of(design, row, numbers)
    if extra is None or kind_of_loss(padding, extent) != row["padding"] or counts is None:
        return None
    size = [
        numbers.choice(SIZES)
        if length == 0
        else max(1, -((e + more - length - low - high) // s) + 1)
        for length, (low, high), more, e, s in zip(
            lengths(design, row, numbers), padding, extra, extent, stride, strict=True
        )
    ]
    drawn = Arguments(
        kernel=kernel,
        stride=stride,
        dilation=dilation,
        size=size,
        padding=padding,
        output_padding=extra,
        batch=numbers.choice(design.factors["batch"][row["batch"]]),
        channels=counts[0],
        outputs=counts[1],
        groups=counts[2],
        values="integers",
        dtype=row["dtype"],
        is_far=True,
    )
    return drawn if has_lengths(design, row, drawn) and is_small(design, drawn) else None


def given_back(
    row: Row, stride: Sequence[int], dilation: Sequence[int], numbers: random.Random
) -> list[int] | None:
    """output_padding, some or none; None where it came to the other."""
    if row.get("output_padding", "none") == "none":
        return [0] * len(stride)
    extra = [numbers.randint(0, max(s, d) - 1) for s, d in zip(stride, dilation, strict=True)]
    return extra if any(extra) else None


def lost(
    level: str, extent: Sequence[int], stride: Sequence[int], numbers: random.Random
) -> list[Pair]:
    """The crops of the axes; `start`, `end` and `both` crop on one axis more than the
    kernel reaches.
    """
    which = numbers.randrange(len(extent))
    found = []
    for axis, (e, s) in enumerate(zip(extent, stride, strict=True)):
        most = e + numbers.randint(0, s + 1)
        within = numbers.randint(0, min(e - 1, 3)), numbers.randint(0, min(e - 1, 3))
        beyond = {
            "start": (most, numbers.randint(0, min(e - 1, 2))),
            "end": (numbers.randint(0, min(e - 1, 2)), most),
            "both": (most, most),
            "appended": (numbers.randint(-2, 0), numbers.randint(-3, 1)),
            "within": within if numbers.random() < 0.4 else (within[0], within[0]),
        }
        found.append(beyond.get(level, (0, 0)) if axis == which or level == "within" else (0, 0))
    return found


def kind_of_loss(padding: Sequence[Pair], extent: Sequence[int]) -> str:
    """The level of the padding of all axes."""
    if any(min(pair) < 0 for pair in padding):
        return "appended"
    start = any(low >= e for (low, _), e in zip(padding, extent, strict=True))
    end = any(high >= e for (_, high), e in zip(padding, extent, strict=True))
    if start or end:
        return "both" if start and end else "start" if start else "end"
    return "within" if any(map(any, padding)) else "none"


def channels_of(design: Design, row: Row, numbers: random.Random) -> tuple[int, int, int] | None:
    """Channels of the input and of the output, and groups; None where none go together."""
    outputs = design.factors["outputs"][row["outputs"]]
    pairs = [
        (c, o, groups)
        for c in design.factors["channels"][row["channels"]]
        for o in outputs
        if (groups := groups_of(row["groups"], c, o)) is not None
    ]
    return numbers.choice(pairs) if pairs else None


def groups_of(level: str, channels: int, outputs: int) -> int | None:
    """How many groups of that level so many channels make."""
    if channels * outputs == 1:
        return None
    inside, outside = divmod(channels, outputs), divmod(outputs, channels)
    match level:
        case "depthwise":
            return channels if channels == outputs else None
        case "multiplier":
            return channels if channels > 1 and outside in ((2, 0), (3, 0)) else None
        case "single":
            return outputs if outputs > 1 and inside[0] > 1 and inside[1] == 0 else None
        case _:
            groups = GROUPS[level]
            whole = groups == 1 or (min(channels, outputs) > groups)
            return groups if whole and channels % groups == outputs % groups == 0 else None


def lengths(design: Design, row: Row, numbers: random.Random) -> list[int]:
    """How long the output should be along each axis; 0 where it is short."""
    wanted = [0] * design.rank
    if "width" in row:
        for axis in WIDE_AXES.get(row["width"], ()):
            wanted[axis] = numbers.choice(WIDE)
        return wanted
    limit, axes = int(row["positions"]), LONG_AXES[row.get("shape", "line")]
    for axis in axes:
        length = limit if len(axes) == 1 else isqrt(limit)
        wanted[axis] = length + 1 + numbers.randint(0, 2)
    return wanted


def has_lengths(design: Design, row: Row, drawn: Arguments) -> bool:
    """Whether the output is as long as the row says, and along no axis empty."""
    out = geometry_of(drawn).out
    if min(out) < 1:
        return False
    if "width" in row:
        wide = [axis % design.rank for axis in WIDE_AXES.get(row["width"], ())]
        return all(
            length in WIDE if axis in wide else length < WIDE[0] for axis, length in enumerate(out)
        )
    limit, axes = int(row["positions"]), LONG_AXES[row.get("shape", "line")]
    places = prod(out[axis] for axis in axes)
    rest = prod(out) // places
    return limit < places <= limit + limit // 20 + SPREAD and rest <= 3


def is_small(design: Design, drawn: Arguments) -> bool:
    kind = design.name.partition("_")[0]
    outputs = drawn.batch * drawn.outputs * prod(geometry_of(drawn).out)
    placed = drawn.products // (drawn.channels // drawn.groups)
    return (
        drawn.products <= MOST_PRODUCTS[kind]
        and outputs <= MOST_OUTPUTS[kind]
        and placed <= MOST_PLACED
    )
