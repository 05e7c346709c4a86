"""Nested lists of numbers, as YAML has them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any


def shape_of(value: Any) -> list[int]:
    """The lengths of a nested list, as its first entries have them."""
    shape = []
    while isinstance(value, list):
        shape.append(len(value))
        value = value[0] if value else None
    return shape


def fits(value: Any, shape: Sequence[int]) -> bool:
    """Whether a nested list is of that shape everywhere."""
    if not shape:
        return not isinstance(value, list)
    return (
        isinstance(value, list)
        and len(value) == shape[0]
        and all(fits(entry, shape[1:]) for entry in value)
    )


def flat(value: Any) -> Iterable[Any]:
    """The entries of a nested list in C order."""
    if isinstance(value, list):
        for entry in value:
            yield from flat(entry)
    else:
        yield value


def is_number(value: Any) -> bool:
    """Whether it is a number that float64 has room for."""
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and not (isinstance(value, int) and math.log2(abs(value) or 1) > 1023)
    )
