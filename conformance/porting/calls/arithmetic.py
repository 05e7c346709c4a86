"""The arithmetic that a call may have in its arguments: numbers that Python would work out alike.

Only literals, `+ - * / // % **`, `ceil`, `floor` and `int` of numbers, a sequence times a number,
and names that are given a number before the call. Nothing is looked up or called, and what is
worked out stays small: the cost of a text is bounded by its length.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from conformance.errors import PortError

LARGEST = 2**31 - 1
"""The largest number that a call may have: beyond it no framework has a size."""
DEEPEST = 100
MOST_ENTRIES = 64  # of a sequence that is repeated
MOST_CHARACTERS = 100_000

_OPERATORS: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_SIGNS: Mapping[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}
_FUNCTIONS: Mapping[str, Callable[[Any], int]] = {
    f"{prefix}{name}": function
    for prefix in ("", "math.", "np.", "numpy.")
    for name, function in (("ceil", math.ceil), ("floor", math.floor))
} | {"int": int}


class NotWorkedOut(ValueError):  # noqa: N818 - it is no error where an expression may stand
    """An expression has a name or a call in it, whose value only its program knows."""


def check_size(tree: ast.AST) -> None:
    """Raise PortError for a tree that is too deep, or has a number that no call has."""
    for node, depth in _walk(tree):
        if depth > DEEPEST:
            raise PortError(f"the call is nested too deeply, should be at most {DEEPEST} deep")
        value = node.value if isinstance(node, ast.Constant) else None
        if isinstance(value, int) and value > LARGEST:
            raise PortError(f"a number in the call is too large, should be at most {LARGEST}")


def _walk(tree: ast.AST) -> Iterator[tuple[ast.AST, int]]:
    """Every node with its depth, without recursion."""
    left = [(tree, 0)]
    while left:
        node, depth = left.pop()
        yield node, depth
        left += [(child, depth + 1) for child in ast.iter_child_nodes(node)]


def worked_out(node: ast.expr, names: Mapping[str, Any]) -> Any:
    """The value of an expression, tuples as lists. Raises NotWorkedOut where it is not arithmetic
    of literals, PortError where Python would raise or the result is too large.
    """
    match node:
        case ast.Constant():
            return node.value
        case ast.Tuple() | ast.List():
            return [worked_out(entry, names) for entry in node.elts]
        case ast.Name() if node.id in names:
            return names[node.id]
        case ast.UnaryOp() if type(node.op) in _SIGNS:
            return _computed(_SIGNS[type(node.op)], node, worked_out(node.operand, names))
        case ast.BinOp() if type(node.op) in _OPERATORS:
            return _binary(node, worked_out(node.left, names), worked_out(node.right, names))
        case ast.Call(func=ast.Name() | ast.Attribute(), args=[argument], keywords=[]):
            name = ast.unparse(node.func)
            if name in _FUNCTIONS:
                return _computed(_FUNCTIONS[name], node, worked_out(argument, names))
    raise NotWorkedOut


def _binary(node: ast.BinOp, left: Any, right: Any) -> Any:
    if isinstance(node.op, ast.Mult) and isinstance(left, list) != isinstance(right, list):
        entries, times = (left, right) if isinstance(left, list) else (right, left)
        if type(times) is not int or len(entries) * times > MOST_ENTRIES:
            raise PortError(f"{_text(node)} should have at most {MOST_ENTRIES} entries")
        return entries * times
    if isinstance(node.op, ast.Pow) and not (_is_number(right) and abs(right) < 64):
        raise PortError(f"{_text(node)} should have an exponent below 64")
    return _computed(_OPERATORS[type(node.op)], node, left, right)


def _computed(function: Callable[..., Any], node: ast.expr, *operands: Any) -> Any:
    """A function of numbers, whose result has to be one of usual size."""
    if not all(map(_is_number, operands)):
        raise NotWorkedOut
    try:
        value = function(*operands)
    except (ArithmeticError, ValueError) as error:
        raise PortError(f"{_text(node)} cannot be worked out: {error}") from None
    if not _is_number(value) or not abs(value) <= LARGEST:
        raise PortError(f"{_text(node)} should be a number of at most {LARGEST}")
    return value


def _text(node: ast.expr) -> str:
    text = ast.unparse(node)
    return text if len(text) <= 200 else f"{text[:200]}..."


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
