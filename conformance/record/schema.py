"""The JSON Schema of a record's lines, `schema/record.schema.json`, as checks of what was read.

The schema says what this version writes. A reader bears more: keys of later versions, and keys that
an earlier one did not write, where the code that reads them does.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

Check = Callable[[Any], None]

_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "object": ((dict,), "an object"),
    "array": ((list,), "a list"),
    "string": ((str,), "a text"),
    "boolean": ((bool,), "true or false"),
    "null": ((type(None),), "null"),
    "integer": ((int,), "a whole number"),
    "number": ((int, float), "a number"),
}
_BITS = 128
"""Whole numbers of more bits are no count, size or time of anything; refused cases have 65."""
_MOST_NESTED = 16
"""More axes than any array has."""

_NOT_CHECKS = {
    "description", "default", "format", "unevaluatedProperties", "required", "additionalProperties",
}  # fmt: skip
"""Keywords that do not check by themselves."""


class Wrong(ValueError):  # noqa: N818 - it is told, and no error of the program
    """A value that is not allowed, the keys that lead to it, and what it should be."""

    def __init__(self, value: Any, should: str) -> None:
        super().__init__(should)
        self.value, self.should = value, should
        self.path: list[str] = []

    def below(self, key: object) -> Wrong:
        """The same, seen from a level above."""
        self.path.insert(0, str(key)[:80])
        return self

    @property
    def sentence(self) -> str:
        """What is wrong, where, and what it should be."""
        shown = json.dumps(self.value, default=str)
        shown = shown if len(shown) <= 80 else shown[:77] + "..."
        return f"{'.'.join(self.path)}: is {shown}, should be {self.should}"


class Missing(Wrong):
    """A key that is not there."""

    def __init__(self, key: str, should: str = "there") -> None:
        super().__init__(None, should)
        self.below(key)

    @property
    def sentence(self) -> str:
        return f"{'.'.join(self.path)}: is missing, should be {self.should}"


@cache
def definitions() -> Mapping[str, Mapping[str, Any]]:
    """The parts of the schema, by name."""
    file = resources.files("conformance").joinpath("schema", "record.schema.json")
    parts: Mapping[str, Mapping[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["$defs"]
    return parts


@cache
def check_of(name: str, needed: tuple[str, ...] | None = None) -> Check:
    """The check of a part of the schema, by its name, which raises Wrong. `needed` are the keys
    that must be there, where those are fewer than what is required of a new line.
    """
    if name == "numbers":
        return _numbers
    part = definitions()[name]
    return _check(part if needed is None else {**part, "required": needed})


def _check(part: Mapping[str, Any]) -> Check:
    """The check of a schema: of the type first, then of all that its keywords say."""
    names = part.get("type", [])
    names = [names] if isinstance(names, str) else names
    kinds = {kind for name in names for kind in _TYPES[name][0]}
    words = " or ".join(_TYPES[name][1] for name in names)
    makers = {key: value for key, value in part.items() if key not in {"type", *_NOT_CHECKS}}
    checks = [_KEYWORDS[key](value, part) for key, value in makers.items()]
    if dict in kinds or "required" in part:
        checks.insert(0, _object(part))

    def check(value: Any) -> None:
        kind = type(value)
        if kinds and kind not in kinds:
            raise Wrong(value, words)
        if value is None:
            if not kinds:
                for each in checks:
                    each(value)
            return
        if kind is float or kind is int:
            _finite(value)
        for each in checks:
            each(value)

    return check


def _finite(value: float) -> None:
    if type(value) is int:
        if value.bit_length() > _BITS:
            raise Wrong(value, f"a number of at most {_BITS} bits")
    elif not math.isfinite(value):
        raise Wrong(str(value), "a number that JSON has")


def _numbers(value: Any, depth: int = 0) -> None:
    """`numbers` of the schema: most of a record is these, so lists of plain numbers take no step a
    number.
    """
    if type(value) is not list:
        _number(value)
        return
    if depth == _MOST_NESTED:
        raise Wrong("[...", f"nested at most {_MOST_NESTED} deep")
    if {*map(type, value)} <= {float} and math.isfinite(sum(value)):
        return
    for number, entry in enumerate(value):
        try:
            _numbers(entry, depth + 1)
        except Wrong as wrong:
            raise wrong.below(number) from None


def _number(value: Any) -> None:
    if type(value) in (int, float):
        _finite(value)
    elif value not in ("NaN", "Infinity", "-Infinity"):
        raise Wrong(value, 'a number, or "NaN", "Infinity" or "-Infinity"')


def _object(part: Mapping[str, Any]) -> Check:
    """The check of what must be there, and of what is no named property."""
    known = part.get("properties", {})
    # an earlier version did not write a key that has a default
    required = [key for key in part.get("required", ()) if "default" not in known.get(key, {})]
    others = part.get("additionalProperties")
    others = _check(others) if isinstance(others, Mapping) else None

    def check(value: Any) -> None:
        if type(value) is not dict:
            return
        for key in required:
            if key not in value:
                raise Missing(key)
        if others is not None:
            for key, entry in value.items():
                if key not in known:
                    _below(others, key, entry)

    return check


def _below(check: Check, key: object, value: Any) -> None:
    try:
        check(value)
    except Wrong as wrong:
        raise wrong.below(key) from None


def _properties(properties: Mapping[str, Any], _: Mapping[str, Any]) -> Check:
    checks = {key: _check(part) for key, part in properties.items()}
    null = {key for key, each in checks.items() if _problem(each, None) is None}

    def check(value: Any) -> None:
        if type(value) is dict:
            for key, entry in value.items():
                if key in checks and (entry is not None or key not in null):  # most are null
                    _below(checks[key], key, entry)

    return check


def _property_names(part: Mapping[str, Any], _: Mapping[str, Any]) -> Check:
    names = _check(part)

    def check(value: Any) -> None:
        for key in value if type(value) is dict else ():
            _below(names, key, key)

    return check


def _items(part: Mapping[str, Any], whole: Mapping[str, Any]) -> Check:
    items, first = _check(part), len(whole.get("prefixItems", ()))

    def check(value: Any) -> None:
        if type(value) is list:
            for number, entry in enumerate(value[first:], first):
                _below(items, number, entry)

    return check


def _prefix_items(parts: Sequence[Mapping[str, Any]], _: Mapping[str, Any]) -> Check:
    checks = [_check(part) for part in parts]

    def check(value: Any) -> None:
        if type(value) is list:
            for number, (each, entry) in enumerate(zip(checks, value, strict=False)):
                _below(each, number, entry)

    return check


def _enum(allowed: Sequence[Any], _: Mapping[str, Any]) -> Check:
    pairs = {(type(word) is bool, word) for word in allowed}  # 1 is no true
    words = f"one of {', '.join(json.dumps(word) for word in allowed)}"

    def check(value: Any) -> None:
        if type(value) in (dict, list) or (type(value) is bool, value) not in pairs:
            raise Wrong(value, words)

    return check


def _count_of(parts: Sequence[Mapping[str, Any]], most: int) -> Check:
    checks = [_check(part) for part in parts]

    def check(value: Any) -> None:
        problems = [wrong for each in checks if (wrong := _problem(each, value)) is not None]
        if not 1 <= len(checks) - len(problems) <= most:  # of null or something, of the latter
            raise problems[-1] if problems else Wrong(value, "one thing alone")

    return check


def _problem(check: Check, value: Any) -> Wrong | None:
    try:
        check(value)
    except Wrong as wrong:
        return wrong
    return None


def _bound(kinds: tuple[type, ...], holds: Callable[[Any, Any], bool], words: str) -> Any:
    """The maker of checks for a keyword that bounds values of a kind."""

    def maker(limit: Any, _: Mapping[str, Any]) -> Check:
        def check(value: Any) -> None:
            if type(value) in kinds and not holds(value, limit):
                raise Wrong(value, words.format(limit))

        return check

    return maker


def _pattern(text: str, _: Mapping[str, Any]) -> Check:
    pattern = re.compile(text)

    def check(value: Any) -> None:
        if type(value) is str and not pattern.search(value):
            raise Wrong(value, f"a text like {text}")

    return check


_PLAIN = (int, float)
_KEYWORDS: dict[str, Callable[[Any, Mapping[str, Any]], Check]] = {
    "$ref": lambda name, _: check_of(name.rpartition("/")[2]),
    "anyOf": lambda parts, _: _count_of(parts, most=len(parts)),
    "const": lambda value, part: _enum([value], part),
    "enum": _enum,
    "exclusiveMinimum": _bound(_PLAIN, lambda value, limit: value > limit, "above {}"),
    "items": _items,
    "maxItems": _bound((list,), lambda value, most: len(value) <= most, "at most {} long"),
    "maxProperties": _bound((dict,), lambda value, most: len(value) <= most, "at most {} keys"),
    "maximum": _bound(_PLAIN, lambda value, limit: value <= limit, "at most {}"),
    "minItems": _bound((list,), lambda value, least: len(value) >= least, "at least {} long"),
    "minLength": _bound((str,), lambda value, least: len(value) >= least, "at least {} characters"),
    "minProperties": _bound((dict,), lambda value, least: len(value) >= least, "at least {} keys"),
    "minimum": _bound(_PLAIN, lambda value, limit: value >= limit, "at least {}"),
    "oneOf": lambda parts, _: _count_of(parts, most=1),
    "pattern": _pattern,
    "prefixItems": _prefix_items,
    "properties": _properties,
    "propertyNames": _property_names,
}
"""The keywords that the schema uses; another one is a KeyError as soon as it is read."""
