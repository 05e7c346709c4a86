"""The numbers of padding and output_padding of a level."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from covering.arguments import Pair

# level of output_padding -> the axes that have some, or for one axis the number
OUTPUT_PADDING: dict[str, Any] = {
    "none": 0,
    "first": (0,),
    "second": (1,),
    "both": (0, 1),
    "some": "some",
    "all": "all",
}
OUTPUT_PADDING |= {str(number): number for number in range(4)}


def extra_of(
    level: str, stride: Sequence[int], dilation: Sequence[int], numbers: random.Random
) -> list[int] | None:
    """An attempt at output_padding of that level; None where it came to another one."""
    most = [max(s, d) - 1 for s, d in zip(stride, dilation, strict=True)]
    extra = [
        numbers.choice((0, numbers.randint(0, limit)))
        if len(most) > 1
        else numbers.randint(0, limit)
        for limit in most
    ]
    return extra if OUTPUT_PADDING[level] == given_back(extra) else None


def given_back(extra: Sequence[int]) -> Any:
    """The entry of OUTPUT_PADDING for the level of these numbers."""
    axes = tuple(axis for axis, number in enumerate(extra) if number)
    if len(extra) == 1 or not axes:
        return extra[0]
    if len(extra) == 2:
        return axes
    return "all" if len(axes) == len(extra) else "some"


def padding_of(level: str, extent: int, numbers: random.Random) -> Pair:
    """The padding (low, high) drawn for one axis of that level."""
    match level:
        case "none":
            return 0, 0
        case "half":
            low = high = numbers.randint(0, extent // 2)
        case "beyond":
            low = high = numbers.randint(0, extent - 1)
        case "prepended":
            low, high = (
                numbers.randint(-3, min(extent - 1, 1)),
                numbers.randint(-2, min(extent - 1, 2)),
            )
        case "appended":
            low, high = (
                numbers.randint(0, min(extent - 1, 2)),
                numbers.randint(-3, min(extent - 1, 1)),
            )
        case _:  # start, end, crossed
            reverse = level == "start" or (level == "crossed" and numbers.random() < 0.5)
            low, high = sorted(
                (numbers.randint(0, extent - 1), numbers.randint(0, extent - 1)), reverse=reverse
            )
    return low, high


def kind_of_padding(padding: Sequence[Pair], extent: Sequence[int]) -> str:
    """The level of the padding of all axes; `crossed` is none of volume's."""
    if any(low < 0 for low, _ in padding):
        return "prepended"
    if any(high < 0 for _, high in padding):
        return "appended"
    directions = {(low > high) - (low < high) for low, high in padding} - {0}
    if len(directions) == 2:
        return "crossed"
    if directions:
        return "start" if 1 in directions else "end"
    if any(2 * low > e for (low, _), e in zip(padding, extent, strict=True)):
        return "beyond"
    return "half" if any(low for low, _ in padding) else "none"
