"""The arrays of a case: YAML -> model."""

from __future__ import annotations

from typing import Any

from conformance.conventions.arguments import is_integer
from conformance.corpus.case import (
    DEFAULT_SEEDS,
    KINDS_OF_VALUES,
    ArrayLiteral,
    Filed,
    Made,
    Shape,
    Source,
)
from conformance.corpus.nested import fits, flat, is_number, shape_of
from conformance.corpus.strict_yaml import Item
from conformance.corpus.tensor_file import filed
from conformance.wording import counted, instead, quoted

Lines = dict[str, int]
"""The line of every dotted key met, for messages about the case later on."""


def read_array(item: Item, role: str, rank: int, lines: Lines) -> Source | None:
    """The input or the kernel: numbers written out, or a recipe. What is wrong is noted as a
    problem and gives None.
    """
    if item.has("file"):
        return _filed(item, rank + 2, lines)
    if item.is_mapping():
        return _recipe(item, role, rank, lines)
    if not item.is_sequence():
        item.wrong("should be nested numbers, or a mapping with shape and values")
        return None
    return _nested(item, rank)


def _filed(item: Item, axes: int, lines: Lines) -> Filed | None:
    """A tensor of a safetensors file, with all axes."""
    entries = item.items(("file", "tensor"))
    lines.update({entry.key: entry.line for entry in entries.values()})
    if "tensor" not in entries:
        item.problems.add(item.line, item.below("tensor"), "missing, should be a tensor's name")
        return None
    name, tensor = entries["file"].text(), entries["tensor"].text()
    if name is None or tensor is None:
        return None
    try:
        source = filed(item.problems.file.parent, name, tensor)
    except ValueError as error:
        entries["file"].wrong(str(error))
        return None
    if len(source.shape) != axes:
        entries["tensor"].wrong(
            f"has {counted(len(source.shape), 'axis', 'axes')}, should have {axes}"
        )
        return None
    return source


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
        entries["shape"].wrong(f"is {quoted(shape)}, should be a list of whole numbers")
        return None
    if len(shape) not in (rank, rank + 2):
        entries["shape"].wrong(
            f"has {counted(len(shape), 'axis', 'axes')}, "
            f"should have {rank + 2}, or {rank} (the spatial ones alone)"
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
            entries["values"].wrong(f"is {quoted(value)}, {instead(value, KINDS_OF_VALUES)}")
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
            entries["seed"].wrong(f"is {quoted(number)}, should be below 2^32")
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
        if not isinstance(value, list) or len(value) != 2 or not is_number(value[1]):
            entry.wrong(f"is {quoted(value)}, should be [index, number]")
            continue
        index = _index(entry, value[0], shape, ones)
        if index is not None:
            placements.append((index, float(value[1])))
    return tuple(placements)


def read_bias(item: Item, channels: int, lines: Lines) -> Source | None:
    """The bias: one number per output channel, or a recipe for as many."""
    if item.has("file"):
        return _filed(item, 1, lines)
    if item.is_mapping():
        entries = item.items(("values", "seed", "index", "put"))
        lines.update({entry.key: entry.line for entry in entries.values()})
        return _checked_recipe(item, entries, "bias", (max(channels, 0),), ())
    value = item.value()
    if not isinstance(value, list) or not all(map(is_number, value)):
        item.wrong(
            f"is {quoted(value)}, should be a list of numbers, one per output channel, or a "
            "mapping with values"
        )
        return None
    return ArrayLiteral(shape=(len(value),), numbers=tuple(map(float, value)))


def read_cotangent(item: Item, shape: Shape, lines: Lines) -> Source | None:
    """The cotangent of an output (N, C_out, *out): numbers written out, or a recipe for its
    shape.
    """
    if item.is_sequence():
        written = _nested(item, len(shape) - 2)
        if written is None or written.shape == shape:
            return written
        item.wrong(
            f"is of shape {list(written.shape)}, should be of the output's shape {list(shape)}"
        )
        return None
    if not item.is_mapping():
        item.wrong(
            f"is {quoted(item.value())}, should be nested numbers of the output's shape "
            f"{list(shape)}, or a mapping with values, as in {{values: integers, seed: 4}}"
        )
        return None
    entries = item.items(("values", "seed", "put"))
    lines.update({entry.key: entry.line for entry in entries.values()})
    return _checked_recipe(item, entries, "gradients", shape, ())


def _nested(item: Item, rank: int) -> ArrayLiteral | None:
    """Nested lists of numbers with all axes, or the spatial ones alone: then the others are 1."""
    value = item.value()
    shape = shape_of(value)
    if len(shape) not in (rank, rank + 2):
        item.wrong(
            f"has {counted(len(shape), 'axis', 'axes')}, "
            f"should have {rank + 2}, or {rank} (the spatial ones alone)"
        )
        return None
    if not fits(value, shape):
        item.wrong(
            f"is ragged, should be nested lists of shape {quoted(shape)}, as its first entries are"
        )
        return None
    numbers = list(flat(value))
    for number in numbers:
        if not is_number(number):
            item.wrong(f"has {quoted(number)}, should have numbers alone")
            return None
    return ArrayLiteral(
        shape=(*(1,) * (rank + 2 - len(shape)), *shape), numbers=tuple(map(float, numbers))
    )


def _index(item: Item, value: Any, shape: Shape, ones: Shape) -> Shape | None:
    """A full index into shape; axes that the recipe's shape left out may be left out here too."""
    if not isinstance(value, list) or not all(map(is_integer, value)):
        item.wrong(f"index {quoted(value)}, should be whole numbers, one per axis")
        return None
    index = (*(0,) * len(ones), *value) if len(value) == len(shape) - len(ones) else tuple(value)
    if len(index) != len(shape) or not all(0 <= i < n for i, n in zip(index, shape, strict=True)):
        item.wrong(
            f"index {quoted(value)} is outside of shape {list(shape)}, should count from 0 on "
            "every axis"
        )
        return None
    return index
