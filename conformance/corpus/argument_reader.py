"""The arguments of a case's call, generic or in the words of a framework: YAML -> model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from conformance import conventions
from conformance.conventions import ArgumentError, Native
from conformance.conventions.arguments import pairs, per_axis
from conformance.corpus.array_reader import Lines
from conformance.corpus.case import Shape
from conformance.corpus.limits import LARGEST_ARGUMENT
from conformance.corpus.strict_yaml import Item
from conformance.geometry import Geometry, from_padding

_TOO_LARGE = f"has a number beyond 2^64, should have numbers of at most {LARGEST_ARGUMENT}"
GENERIC = ("stride", "padding", "output_padding", "dilation", "groups")


@dataclass(frozen=True, slots=True, kw_only=True)
class Generic:
    """The arguments of the definition: a number per axis, (low, high) pairs of padding."""

    stride: list[int]
    padding: list[tuple[int, int]]
    output_padding: list[int]
    dilation: list[int]
    groups: int

    def geometry(self, size: Shape, kernel: Shape) -> Geometry:
        """The geometry that they are for these sizes. Raises ValueError where there is none."""
        return from_padding(
            size=size,
            kernel=kernel,
            stride=self.stride,
            padding=self.padding,
            output_padding=self.output_padding,
            dilation=self.dilation,
            groups=self.groups,
        )


def read_generic(entries: Mapping[str, Item], rank: int) -> Generic | None:
    """The generic arguments; None where one is wrong, which is noted as a problem."""
    readers = {
        "stride": per_axis,
        "padding": pairs,
        "output_padding": per_axis,
        "dilation": per_axis,
    }
    defaults = {"stride": 1, "padding": 0, "output_padding": 0, "dilation": 1}
    numbers: dict[str, Any] = {}
    for key, reader in readers.items():
        item = entries.get(key)
        try:
            numbers[key] = _within_limit(
                reader(defaults[key] if item is None else item.value(), rank)
            )
        except ValueError as error:
            assert item is not None
            item.wrong(error.text if isinstance(error, ArgumentError) else str(error))
    groups = entries["groups"].integer() if "groups" in entries else 1
    if groups is not None and abs(groups) > LARGEST_ARGUMENT:
        entries["groups"].wrong(_TOO_LARGE)
        return None
    if groups is None or len(numbers) < len(readers):
        return None
    if "output_padding" in entries and any(extra < 0 for extra in numbers["output_padding"]):
        entries["output_padding"].wrong(
            f"is {numbers['output_padding']}, should not be negative (padding may be)"
        )
        return None
    padding = [(low, high) for low, high in numbers.pop("padding")]
    return Generic(**numbers, padding=padding, groups=groups)


def _within_limit(value: Any, key: str = "") -> Any:
    """An argument without a number beyond the limit. Raises ArgumentError, a ValueError."""
    if isinstance(value, int):
        if not -LARGEST_ARGUMENT <= value <= LARGEST_ARGUMENT:
            raise ArgumentError(key, _TOO_LARGE)
    elif isinstance(value, list):
        for entry in value:
            _within_limit(entry, key)
    return value


def read_native(entries: Mapping[str, Item], rank: int, lines: Lines) -> tuple[str, Native] | None:
    """(framework, its arguments) of `native`; None where there is none, or one that is wrong."""
    item = entries.get("native")
    if item is None:
        return None
    for key in GENERIC:
        if key in entries:
            entries[key].wrong("stands beside native, should be left out: native replaces it")
    if not item.is_mapping() or len(item.node.value) != 1:
        item.wrong(
            "should be one framework with its arguments, as in {keras: {strides: 2, padding: same}}"
        )
        return None
    frameworks = item.items(conventions.NAMES)
    if not frameworks:
        return None
    (name, arguments), *_ = frameworks.items()
    lines[arguments.key] = arguments.line
    if not arguments.is_mapping():
        arguments.wrong(f"should be a mapping of {name}'s own arguments")
        return None
    values = arguments.items()
    lines.update({entry.key: entry.line for entry in values.values()})
    try:
        native = conventions.normal_form(
            name, {key: entry.value() for key, entry in values.items()}, rank
        )
        for key, value in native.items():
            _within_limit(value, key)
        return name, native
    except ArgumentError as error:
        where = values.get(error.key, arguments)
        item.problems.add(where.line, f"native.{name}.{error.key}", error.text)
        return None
