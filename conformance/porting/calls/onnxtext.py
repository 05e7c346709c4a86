"""A ConvTranspose node as programs print it: torch's exporters, ONNX' printer and protobuf, and the
properties that viewers show.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.errors import PortError
from conformance.porting.calls.arithmetic import LARGEST, MOST_CHARACTERS

_KEYS = r"auto_pad|dilations|group|kernel_shape|output_padding|output_shape|pads|strides"
_OPERATOR = re.compile(r"\bConvTranspose\s*(?=[\[<({])")
_CALLED = re.compile(r"\s*(?:[\w.]+\s*=\s*)?(?:\w+\.)*(?:make_node|ConvTranspose)\s*\(")
MOST_BEFORE, MOST_OF_A_LINE = 300, 1000  # characters that are looked at
_PAIRS = {"(": ")", "[": "]", "<": ">", "{": "}"}
_VALUE = r"\[[^\[\]]*\]|\([^()]*\)|\"[^\"]*\"|'[^']*'|[-\w.]+"
_ATTRIBUTE = re.compile(rf"\s*(\w+)\s*(?::\s*\w+\s*)?=\s*({_VALUE})\s*(?:,|$)")
_PROPERTY = re.compile(rf"\s*({_KEYS})\s*[:=]?\s*(.+?)\s*$")
_HEADINGS = re.compile(
    r"\s*(node properties|attributes|(type|name|domain|module|op_type|operator)\b.*|ConvTranspose)?"
    r"\s*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node that was printed; `weights` and `shape` are those of W and X where the text has
    them.
    """

    attributes: Mapping[str, Any]
    name: str | None
    bias: bool
    weights: list[int] | None = None
    shape: list[int] | None = None


def node(text: str) -> Node | None:
    """The node that a text has in one of the printed forms; None where it is in none of them.
    Raises PortError.
    """
    if len(text) > MOST_CHARACTERS:
        raise PortError(f"the text has {len(text)} characters, should be at most {MOST_CHARACTERS}")
    if re.search(r'op_type: "ConvTranspose"', text):
        return _protobuf(text)
    is_call = _CALLED.match(text) and not re.search(r"\)\s*[<{]", text)
    matches = [] if is_call else [*_OPERATOR.finditer(text)]
    if len(matches) > 1:
        raise PortError(f"the text has {len(matches)} ConvTranspose nodes, should have one")
    if matches:
        return _printed(text, matches[0])
    lines = [line[:MOST_OF_A_LINE] for line in text.strip().splitlines()]
    return _properties(lines) if len(lines) > 1 and _HEADINGS.match(lines[0]) else None


def _protobuf(text: str) -> Node:
    """A node in protobuf's text format."""
    attributes = {}
    for block in re.findall(r"attribute \{([^{}]*)\}", text):
        name = re.search(r'name: "(\w+)"', block)
        words = re.findall(r'\bs: "([^"]*)"', block)
        many = re.findall(r"\bints: (-?\d+)", block)
        one = re.findall(r"\bi: (-?\d+)", block)
        if name:
            value = words[0] if words else [*map(_integer, many)] if many else None
            attributes[name[1]] = _integer(one[0]) if one else value
    outside = re.sub(r"attribute \{[^{}]*\}", "", text)
    name = re.search(r'^[ \t]*name: "([^"]*)"', outside, re.MULTILINE)
    inputs = re.findall(r'input: "([^"]*)"', outside)
    return Node(
        attributes=attributes,
        name=name[1] if name else None,
        bias=len(inputs) > 2 and inputs[2] != "",
    )


def _printed(text: str, operator: re.Match[str]) -> Node:
    """A node of one line: brackets with attributes and with operands, in either order."""
    parts = dict(_brackets(text, operator.end()))
    operands = _operands(parts.pop("(", ""))
    words = next((part for bracket, part in parts.items() if bracket in "[<{"), "")
    attributes = _attributes(words)
    name = attributes.pop("onnx_name", None)
    before = text[: operator.start()].splitlines()[-1:] or [""]
    before = [before[0][-MOST_BEFORE:]]
    labelled = re.search(r"\[([^\]]+)\]\s*\S+\s*=\s*$", before[0])
    output = re.search(r"%?\"?([\w./:-]+)\"?\s*(?:<.*>)?\s*(?::.*)?(?:=|⬅️)\s*\S*$", before[0])
    return Node(
        attributes=attributes,
        name=name or (labelled[1] if labelled else output[1] if output else None),
        bias=len(operands) > 2 and operands[2] != "",
        weights=_declared(text, operands[1]) if len(operands) > 1 else None,
        shape=_declared(text, operands[0]) if operands else None,
    )


def _brackets(text: str, start: int) -> Iterator[tuple[str, str]]:
    """What the one or two brackets after an operator hold, by the bracket that opens."""
    for _ in range(2):
        start += len(text[start:]) - len(text[start:].lstrip())
        opens = text[start : start + 1]
        if opens not in _PAIRS or not opens:
            return
        end = _closing(text, start)
        yield opens, text[start + 1 : end]
        start = end + 1


def _closing(text: str, start: int) -> int:
    """The place of the bracket that closes the one at `start`; strings count as they stand."""
    left, quote = [], ""
    for position in range(start, len(text)):
        letter = text[position]
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter in _PAIRS:
            left.append(_PAIRS[letter])
        elif left and letter == left[-1]:
            left.pop()
            if not left:
                return position
    raise PortError(f"{text[start : start + 60]!r} is not closed, should be a whole node")


def _operands(text: str) -> list[str]:
    """The names of a node's inputs, without signs, quotes and values."""
    bare = re.sub(r"\{[^{}]*\}", "", text)
    return [name.strip().lstrip("%").strip("\"' ") for name in bare.split(",")] if bare else []


def _attributes(text: str) -> dict[str, Any]:
    attributes, position = {}, 0
    while text[position:].strip():
        item = _ATTRIBUTE.match(text, position)
        if item is None:
            raise PortError(f"{text[position : position + 60].strip()!r} should be an attribute")
        attributes[item[1]] = _value(item[2])
        position = item.end()
    return attributes


def _value(text: str) -> Any:
    """A number, a list of numbers, or a word."""
    numbers = re.fullmatch(r"[\[(]?\s*(-?\d+(?:\s*,\s*-?\d+)*)?\s*,?\s*[\])]?", text)
    if numbers is None:
        return text.strip("\"'")
    values = [_integer(number) for number in re.findall(r"-?\d+", text)]
    return values if text[0] in "[(" else values[0]


def _integer(text: str) -> int:
    if len(text) > len(str(LARGEST)) + 1 or abs(int(text)) > LARGEST:
        raise PortError(f"a number of the node is too large, should be at most {LARGEST}")
    return int(text)


def _declared(text: str, name: str) -> list[int] | None:
    """The shape that the text gives a value: `%w : Float(4, 3, ...)`, `%"w"<FLOAT,[4,3]>`,
    `float[4,3] w`.
    """
    word = re.escape(name)
    for pattern in (
        rf"%\"?{word}\"?\s*:\s*\w+\(((?:\d+,?\s*)+)",
        rf"%\"{word}\"<\w+,\[([\d,]+)\]>",
        rf"\b\w+\[([\d,]+)\] {word}\b",
    ):
        match = re.search(pattern, text)
        if match:
            return [_integer(size) for size in re.findall(r"\d+", match[1])]
    return None


def _properties(lines: Sequence[str]) -> Node | None:
    """The properties of a node as a viewer lists them; None where a line is none."""
    attributes: dict[str, Any] = {}
    has_bias = True
    for number, line in enumerate(lines):
        match = _PROPERTY.match(line)
        if match and re.fullmatch(_VALUE, match[2]):
            value = _value(match[2])
            attributes[match[1]] = value if match[1] in ("group", "auto_pad") else _listed(value)
        elif match and re.fullmatch(r"-?\d+(\s*,\s*-?\d+)*", match[2]):
            attributes[match[1]] = _value(f"[{match[2]}]")
        elif re.match(r"\s*(inputs|outputs)\b", line, re.IGNORECASE):
            has_bias = any(re.match(r"\s*B\b", other) for other in lines[number:])
            break
        elif not _HEADINGS.match(line):
            return None
    return Node(attributes=attributes, name=None, bias=has_bias) if attributes else None


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]
