"""What is expected of a case: YAML -> model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.conventions.arguments import is_integer
from conformance.corpus.array_reader import Lines
from conformance.corpus.case import OPERANDS, Expected, Guard, Shape
from conformance.corpus.nested import fits, flat, is_number, shape_of
from conformance.corpus.strict_yaml import Item
from conformance.wording import quoted

_NUMBERS = ("values", "sha256", "sum_abs")


def read_expected(item: Item, rank: int, lines: Lines) -> tuple[bool, Expected | None]:
    """(whether the call must be refused, what guards the oracle)."""
    if not item.is_mapping():
        item.wrong("should be a mapping with shape and values, sha256 or sum_abs, or {error: true}")
        return False, None
    entries = item.items(("shape", *_NUMBERS, "gradients", "error"))
    lines.update({entry.key: entry.line for entry in entries.values()})
    if "error" in entries:
        if entries["error"].value() is not True:
            entries["error"].wrong(
                f"is {quoted(entries['error'].value())}, should be true or left out"
            )
        for key in entries.keys() - {"error"}:
            entries[key].wrong("stands beside error: true, should be left out")
        return entries["error"].value() is not False, None  # what is neither is told once, as above
    return False, Expected(
        shape=_expected_shape(entries.get("shape"), rank),
        gradients=_gradients(entries.get("gradients"), lines),
        **_numbers_of(entries),
    )


def _gradients(item: Item | None, lines: Lines) -> dict[str, Guard] | None:
    """What guards the gradients, by operand."""
    if item is None:
        return None
    guards = {}
    if not item.is_mapping():
        item.wrong("should be a mapping of input, kernel and bias")
        return None
    for operand, entry in item.items(OPERANDS).items():
        lines[entry.key] = entry.line
        if not entry.is_mapping():
            entry.wrong("should be a mapping with values, sha256 or sum_abs")
            continue
        entries = entry.items(_NUMBERS)
        lines.update({inner.key: inner.line for inner in entries.values()})
        guards[operand] = Guard(**_numbers_of(entries))
    return guards


def _numbers_of(entries: Mapping[str, Item]) -> dict[str, Any]:
    """What is said of the numbers of one array."""
    return {
        "numbers": _expected_numbers(entries.get("values")),
        "sha256": _expected_digest(entries.get("sha256")),
        "sum_abs": entries["sum_abs"].number() if "sum_abs" in entries else None,
    }


def _expected_shape(item: Item | None, rank: int) -> Shape | None:
    if item is None:
        return None
    shape = item.value()
    if (
        not isinstance(shape, list)
        or len(shape) != rank + 2
        or not all(is_integer(n) and n >= 0 for n in shape)
    ):
        item.wrong(f"is {quoted(shape)}, should be the {rank + 2} whole numbers (N, C_out, *out)")
        return None
    return tuple(shape)


def _expected_numbers(item: Item | None) -> tuple[float, ...] | None:
    if item is None:
        return None
    value = item.value()
    numbers = list(flat(value))
    if not item.is_sequence() or not all(map(is_number, numbers)):
        item.wrong("should be nested numbers")
        return None
    if not fits(value, shape_of(value)):
        item.wrong(
            f"is ragged, should be nested lists of shape {shape_of(value)}, as its first entries "
            "are, or a flat list"
        )
        return None
    return tuple(map(float, numbers))


def _expected_digest(item: Item | None) -> str | None:
    if item is None:
        return None
    value = item.value()
    if not isinstance(value, str) or len(value) != 64 or not set(value) <= set("0123456789abcdef"):
        item.wrong(f"is {quoted(value)}, should be 64 hexadecimal digits in quotes")
        return None
    return value
