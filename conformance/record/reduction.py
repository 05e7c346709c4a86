"""A record without what can be made again: arrays of which it has the recipe, and the oracle's."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from conformance.record.record import Record

ARRAYS = ("input", "kernel", "bias", "gradients", "expected")
"""The keys of a case's line that hold an array."""


def can_be_made_again(key: str, array: Mapping[str, Any] | None, most: int) -> bool:
    """Whether an array of a case's line has more than `most` elements, and the recipe or the oracle
    makes it again.
    """
    return (
        array is not None
        and math.prod(array["shape"]) > most
        and ("make" in array or key == "expected")
    )


def reduced_line(line: Mapping[str, Any], most: int) -> dict[str, Any]:
    """A case's line without the values of arrays that can be made again."""
    reduced = dict(line)
    for key in ARRAYS:
        array = line.get(key)
        if array is not None and can_be_made_again(key, array, most):
            reduced[key] = {name: value for name, value in array.items() if name != "values"}
    return reduced


def reduced(record: Record, most: int) -> Record:
    """The record with the line of every case reduced."""
    return replace(
        record, cases={name: reduced_line(line, most) for name, line in record.cases.items()}
    )
