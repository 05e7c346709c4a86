"""The native arguments that a convention accepts, and their one normal form: every spatial argument
one per axis.

A convention lists its arguments in a table of `Argument`s. `normalise` checks a mapping against the
table, so that an adapter never meets a number where it expects a list, nor a key that its framework
does not have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.wording import counted, instead, quoted

Native = dict[str, Any]
"""A framework's own arguments by its own names, in JSON types; spatial ones are lists, one per
axis."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unrepresentable:
    """A convention has no arguments for a geometry, and why, in one sentence a porter
    understands.
    """

    reason: str


class ArgumentError(ValueError):
    """A native argument of the wrong form: `key`, and what is wrong and what would be right."""

    def __init__(self, key: str, text: str) -> None:
        super().__init__(f"{key if len(key) <= 60 else quoted(key)}: {text}")
        self.key = key
        self.text = text


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """How to read one argument; an `optional` one stays absent, others get their default."""

    read: Callable[[Any, int], Any]
    default: Any = None
    optional: bool = False


def is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def per_axis(value: Any, rank: int) -> list[int]:
    """A whole number, or one per spatial axis."""
    if is_integer(value):
        return [value] * rank
    if isinstance(value, Sequence) and not isinstance(value, str) and all(map(is_integer, value)):
        if len(value) == rank:
            return list(value)
        raise ValueError(
            f"has {counted(len(value), 'number')}, should have one per spatial axis: {rank}"
        )
    raise ValueError(f"is {quoted(value)}, should be a whole number or {rank} of them")


def per_axis_or_none(value: Any, rank: int) -> list[int] | None:
    return None if value is None else per_axis(value, rank)


def pairs(value: Any, rank: int) -> list[list[int]]:
    """[low, high] for every spatial axis; a number per axis, or one for all, stands for both
    ends.
    """
    if is_integer(value):
        return [[value, value] for _ in range(rank)]
    if isinstance(value, Sequence) and not isinstance(value, str):
        if len(value) != rank:
            raise ValueError(
                f"has {counted(len(value), 'entry', 'entries')}, "
                f"should have one per spatial axis: {rank}"
            )
        if all(map(is_integer, value)):
            return [[number, number] for number in value]
        if all(is_pair(entry) for entry in value):
            return [list(entry) for entry in value]
    raise ValueError(
        f"is {quoted(value)}, should be a whole number, or per spatial axis a number or [low, high]"
    )


def is_pair(value: Any) -> bool:
    return (
        isinstance(value, Sequence)
        and not isinstance(value, str)
        and len(value) == 2
        and all(map(is_integer, value))
    )


def number(value: Any, rank: int) -> int:
    if is_integer(value):
        return int(value)
    raise ValueError(f"is {quoted(value)}, should be a whole number")


def boolean(value: Any, rank: int) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError(f"is {quoted(value)}, should be true or false")


def word(*choices: str) -> Callable[[Any, int], str]:
    """One of the given words, as spelled."""

    def read(value: Any, rank: int) -> str:
        if value in choices:
            return str(value)
        raise ValueError(f"is {quoted(value)}, {instead(value, choices)}")

    return read


def word_or(
    choices: Sequence[str], otherwise: Callable[[Any, int], Any]
) -> Callable[[Any, int], Any]:
    """One of the given words, else whatever `otherwise` reads."""

    def read(value: Any, rank: int) -> Any:
        if isinstance(value, str):
            return word(*choices)(value, rank)
        return otherwise(value, rank)

    return read


def normalise(arguments: Mapping[str, Argument], native: Mapping[str, Any], rank: int) -> Native:
    """The native arguments with one value per spatial axis and the framework's defaults filled in.

    Raises ArgumentError for a key that is not in the table and for a value of the wrong form.
    """
    for key in native:
        if key not in arguments:
            raise ArgumentError(key, f"unknown argument, {instead(key, arguments)}")
    normal = {}
    for key, argument in arguments.items():
        if key not in native and argument.optional:
            continue
        try:
            normal[key] = argument.read(native.get(key, argument.default), rank)
        except ValueError as error:
            raise ArgumentError(key, str(error)) from None
    return normal
