"""The arrays of a case and what is expected of it: YAML -> model."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from conformance.conventions.arguments import is_integer
from conformance.corpus.case import (
    DEFAULT_SEEDS,
    KINDS_OF_VALUES,
    Expected,
    Given,
    Made,
    Shape,
    Source,
)
from conformance.corpus.strict_yaml import Item

Lines = dict[str, int]
"""The line of every dotted key met, for messages about the case later on."""


def read_array(item: Item, role: str, rank: int, lines: Lines) -> Source | None:
    """The input or the kernel: numbers written out, or a recipe. What is wrong is noted as a
    problem and gives None.
    """
    if item.is_mapping():
        return _recipe(item, role, rank, lines)
    if not item.is_sequence():
        item.wrong("should be nested numbers, or a mapping with shape and values")
        return None
    return _nested(item, rank)


def _recipe(item: Item, role: str, rank: int, lines: Lines) -> Made | None:
    entries = item.items(("shape", "values", "seed", "index", "put"))
    lines.update({entry.key: entry.line for entry in entries.values()})
    if "shape" not in entries:
        item.problems.add(
            item.line, f"{role}.shape", "missing, should be all axes or the spatial ones alone"
        )
        return None
    shape = entries["shape"].value()
    if not isinstance(shape, list) or not all(is_integer(n) and n >= 0 for n in shape):
        entries["shape"].wrong(f"is {shape!r}, should be a list of whole numbers")
        return None
    if len(shape) not in (rank, rank + 2):
        entries["shape"].wrong(
            f"has {len(shape)} axes, should have {rank + 2}, or {rank} (the spatial ones alone)"
        )
        return None
    ones = (1,) * (rank + 2 - len(shape))
    return _checked_recipe(item, entries, role, (*ones, *shape), ones)


def _checked_recipe(
    item: Item, entries: dict[str, Item], role: str, shape: Shape, ones: Shape
) -> Made | None:
    """A recipe once its shape is known; indices may leave out the axes that the shape left out."""
    before = len(item.problems.lines)
    values = "integers"
    if "values" in entries:
        value = entries["values"].value()
        if value not in KINDS_OF_VALUES:
            entries["values"].wrong(f"is {value!r}, should be one of {', '.join(KINDS_OF_VALUES)}")
        else:
            values = str(value)
    else:
        item.problems.add(
            item.line, f"{role}.values", f"missing, should be one of {', '.join(KINDS_OF_VALUES)}"
        )
    seed = DEFAULT_SEEDS[role]
    if "seed" in entries:
        number = entries["seed"].integer(0)
        if number is not None and number >= 2**32:
            entries["seed"].wrong(f"is {number}, should be below 2^32")
        elif number is not None:
            seed = number
    index = None
    if "index" in entries:
        if values != "one-hot":
            entries["index"].wrong(
                f"stands beside values: {values}, should be left out: it is for one-hot"
            )
        index = _index(entries["index"], entries["index"].value(), shape, ones)
    put = _put(entries["put"], shape, ones) if "put" in entries else ()
    if values == "one-hot" and 0 in shape:
        entries["values"].wrong(
            f"is one-hot, should be another for an array of shape {list(shape)}"
        )
    if len(item.problems.lines) > before:
        return None
    return Made(shape=shape, values=values, seed=seed, index=index, put=put)


def _put(item: Item, shape: Shape, ones: Shape) -> tuple[tuple[Shape, float], ...]:
    placements: list[tuple[Shape, float]] = []
    if not item.is_sequence():
        item.wrong("should be a list of [index, number]")
        return ()
    for entry in item.entries():
        value = entry.value()
        if not isinstance(value, list) or len(value) != 2 or not _is_number(value[1]):
            entry.wrong(f"is {value!r}, should be [index, number]")
            continue
        index = _index(entry, value[0], shape, ones)
        if index is not None:
            placements.append((index, float(value[1])))
    return tuple(placements)


def read_bias(item: Item, channels: int, lines: Lines) -> Source | None:
    """The bias: one number per output channel, or a recipe for as many."""
    if item.is_mapping():
        entries = item.items(("values", "seed", "index", "put"))
        lines.update({entry.key: entry.line for entry in entries.values()})
        return _checked_recipe(item, entries, "bias", (max(channels, 0),), ())
    value = item.value()
    if not isinstance(value, list) or not all(map(_is_number, value)):
        item.wrong(
            f"is {value!r}, should be a list of numbers, one per output channel, or a mapping "
            "with values"
        )
        return None
    return Given(shape=(len(value),), numbers=tuple(map(float, value)))


def read_cotangent(item: Item, shape: Shape, lines: Lines) -> Made | None:
    """The cotangent of the output: a recipe for its shape."""
    if not item.is_mapping():
        item.wrong(
            f"is {item.value()!r}, should be a mapping with values, as in {{values: integers, "
            "seed: 4}"
        )
        return None
    entries = item.items(("values", "seed", "put"))
    lines.update({entry.key: entry.line for entry in entries.values()})
    return _checked_recipe(item, entries, "gradients", shape, ())


def read_expected(item: Item, rank: int, lines: Lines) -> tuple[bool, Expected | None]:
    """(whether the call must be refused, what guards the oracle)."""
    if not item.is_mapping():
        item.wrong("should be a mapping with shape and values, sha256 or sum_abs, or {error: true}")
        return False, None
    entries = item.items(("shape", "values", "sha256", "sum_abs", "error"))
    lines.update({entry.key: entry.line for entry in entries.values()})
    if "error" in entries:
        if entries["error"].value() is not True:
            entries["error"].wrong(f"is {entries['error'].value()!r}, should be true or left out")
        for key in entries.keys() - {"error"}:
            entries[key].wrong("stands beside error: true, should be left out")
        return entries["error"].value() is not False, None  # what is neither is told once, as above
    return False, Expected(
        shape=_expected_shape(entries.get("shape"), rank),
        numbers=_expected_numbers(entries.get("values")),
        sha256=_expected_digest(entries.get("sha256")),
        sum_abs=entries["sum_abs"].number() if "sum_abs" in entries else None,
    )


def _expected_shape(item: Item | None, rank: int) -> Shape | None:
    if item is None:
        return None
    shape = item.value()
    if (
        not isinstance(shape, list)
        or len(shape) != rank + 2
        or not all(is_integer(n) and n >= 0 for n in shape)
    ):
        item.wrong(f"is {shape!r}, should be the {rank + 2} whole numbers (N, C_out, *out)")
        return None
    return tuple(shape)


def _expected_numbers(item: Item | None) -> tuple[float, ...] | None:
    if item is None:
        return None
    value = item.value()
    numbers = list(_flat(value))
    if not item.is_sequence() or not all(map(_is_number, numbers)):
        item.wrong("should be nested numbers")
        return None
    if not _fits(value, _shape_of(value)):
        item.wrong(
            f"is ragged, should be nested lists of shape {_shape_of(value)}, as its first entries "
            "are, or a flat list"
        )
        return None
    return tuple(map(float, numbers))


def _expected_digest(item: Item | None) -> str | None:
    if item is None:
        return None
    value = item.value()
    if not isinstance(value, str) or len(value) != 64 or not set(value) <= set("0123456789abcdef"):
        item.wrong(f"is {value!r}, should be 64 hexadecimal digits in quotes")
        return None
    return value


def _nested(item: Item, rank: int) -> Given | None:
    """Nested lists of numbers with all axes, or the spatial ones alone: then the others are 1."""
    value = item.value()
    shape = _shape_of(value)
    if len(shape) not in (rank, rank + 2):
        item.wrong(
            f"has {len(shape)} axes, should have {rank + 2}, or {rank} (the spatial ones alone)"
        )
        return None
    if not _fits(value, shape):
        item.wrong(f"is ragged, should be nested lists of shape {shape}, as its first entries are")
        return None
    numbers = list(_flat(value))
    for number in numbers:
        if not _is_number(number):
            item.wrong(f"has {number!r}, should have numbers alone")
            return None
    return Given(
        shape=(*(1,) * (rank + 2 - len(shape)), *shape), numbers=tuple(map(float, numbers))
    )


def _shape_of(value: Any) -> list[int]:
    """The lengths of a nested list, as its first entries have them."""
    shape = []
    while isinstance(value, list):
        shape.append(len(value))
        value = value[0] if value else None
    return shape


def _fits(value: Any, shape: Sequence[int]) -> bool:
    if not shape:
        return not isinstance(value, list)
    return (
        isinstance(value, list)
        and len(value) == shape[0]
        and all(_fits(entry, shape[1:]) for entry in value)
    )


def _flat(value: Any) -> Iterable[Any]:
    if isinstance(value, list):
        for entry in value:
            yield from _flat(entry)
    else:
        yield value


def _index(item: Item, value: Any, shape: Shape, ones: Shape) -> Shape | None:
    """A full index into shape; axes that the recipe's shape left out may be left out here too."""
    if not isinstance(value, list) or not all(map(is_integer, value)):
        item.wrong(f"index {value!r}, should be whole numbers, one per axis")
        return None
    index = (*(0,) * len(ones), *value) if len(value) == len(shape) - len(ones) else tuple(value)
    if len(index) != len(shape) or not all(0 <= i < n for i, n in zip(index, shape, strict=True)):
        item.wrong(
            f"index {value!r} is outside of shape {list(shape)}, should count from 0 on every axis"
        )
        return None
    return index


def _is_number(value: Any) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and not (isinstance(value, int) and math.log2(abs(value) or 1) > 1023)
    )
