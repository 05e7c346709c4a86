"""The grammar that the calls of all frameworks share: a function by its last name, and arguments
that are literals.

Text is parsed and never evaluated. Only literals count. What has no bearing on the result's window,
such as an initializer, may be any expression; an operand may be a name, or its shape as a tuple.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from conformance.conventions.arguments import is_integer
from conformance.errors import PortError


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Parameters, with blanks between them: by position or name, by name alone, and those of a call
    of what is returned.
    """

    positional: str = ""
    named: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A function's last name, its arguments by name, and those of the call of what it returns.
    Methods raise PortError.
    """

    text: str
    function: str
    arguments: Mapping[str, ast.expr]
    after: Mapping[str, ast.expr]

    def wrong(self, text: str) -> PortError:
        """The error of this call that is to be raised."""
        return PortError(f"{self.function}: {text}")

    def _node(self, key: str) -> ast.expr | None:
        return self.arguments.get(key, self.after.get(key))

    def value(self, key: str, default: Any = None) -> Any:
        """The literal that an argument is, tuples as lists."""
        node = self._node(key)
        if node is None:
            return default
        try:
            return _listed(ast.literal_eval(node))
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            raise self.wrong(
                f"{key} is {ast.unparse(node)}, should be a literal: nothing is evaluated"
            ) from None

    def needed(self, *keys: str) -> list[Any]:
        """The literals of arguments that have to be there."""
        for key in keys:
            if key not in self.arguments:
                raise PortError(f"{self.function} needs {key}")
        return [self.value(key) for key in keys]

    def native_arguments(self, *keys: str, **renamed: str) -> dict[str, Any]:
        """Those of the arguments that are there and not None; `theirs="ours"` gives one the
        convention's name.
        """
        names = {key: key for key in keys} | renamed
        values = {ours: self.value(theirs) for theirs, ours in names.items()}
        return {key: value for key, value in values.items() if value is not None}

    def absent(self, key: str) -> bool:
        """Whether an argument is not given, or is None."""
        node = self._node(key)
        return node is None or (isinstance(node, ast.Constant) and node.value is None)

    def count(self, key: str, value: Any) -> int:
        if not is_integer(value) or value < 1:
            raise self.wrong(f"{key} is {value!r}, should be a whole number of at least 1")
        return int(value)

    def flag(self, key: str, default: bool) -> bool:
        value = self.value(key, default)
        if not isinstance(value, bool):
            raise self.wrong(f"{key} is {value!r}, should be True or False")
        return value

    def kernel_size(self, rank: int) -> tuple[int, ...]:
        value = self.value("kernel_size")
        sizes = [value] * rank if is_integer(value) else value
        if not is_shape(sizes) or len(sizes) != rank:
            raise self.wrong(
                f"kernel_size is {value!r}, should be a whole number or {rank} of them, each at "
                "least 1"
            )
        return tuple(sizes)

    def shape(self, key: str) -> list[int] | None:
        """The shape that stands in an operand's place; None for a name or any other expression."""
        node = self._node(key)
        if not isinstance(node, (ast.Tuple, ast.List)):
            return None
        value = self.value(key)
        if not is_shape(value):
            raise self.wrong(f"{key} is {ast.unparse(node)}, should be a shape, or a name")
        return list(value)

    def operand(self, key: str, example: str) -> list[int]:
        """The shape of an operand that has to be known."""
        shape = self.shape(key)
        if shape is None:
            raise self.wrong(
                f"the kernel's size is not known, {key} should be its shape, such as {example}"
            )
        return shape

    def dtype_notes(self) -> tuple[str, ...]:
        """Notes on what is left to the reader: element types."""
        kinds = [
            f"{key}={ast.unparse(self.arguments[key])}"
            for key in ("dtype", "param_dtype")
            if key in self.arguments
        ]
        return (
            (
                (
                    f"{kinds[0]} says nothing about the window, and is left to you: the proof is "
                    "in "
                    "float32."
                ),
            )
            if kinds
            else ()
        )


def is_shape(value: Any) -> bool:
    """Whether it is a list of whole numbers of at least 1, and not empty."""
    return (
        isinstance(value, (list, tuple))
        and all(is_integer(entry) and entry >= 1 for entry in value)
        and len(value) > 0
    )


def parsed(
    text: str, framework: str, tables: Mapping[str, Mapping[str, Signature]], example: str
) -> Call:
    """The call of one of a framework's functions. `tables` has the functions of every framework, to
    say whose a name is.
    """
    text = text.strip()
    node, after = _expression(text, example), None
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Call):
        node, after = node.func, node
    function = _last_name(node.func) if isinstance(node, ast.Call) else None
    if function is None or not isinstance(node, ast.Call):
        raise PortError(f"{text!r} is no call by a name, should be one such as {example}")
    known = tables[framework]
    if function not in known:
        theirs = [other for other, table in tables.items() if function in table]
        hint = f" (that is {theirs[0]}'s)" if theirs else ""
        raise PortError(
            f"{function} is no transposed convolution of {framework}{hint}, should be one of "
            f"{', '.join(known)}"
        )
    signature = known[function]
    arguments = _bound(function, node, signature.positional.split(), signature.named.split())
    return Call(
        text=text,
        function=function,
        arguments=arguments,
        after=_bound_after(function, after, signature),
    )


def _expression(text: str, example: str) -> ast.expr:
    """The one expression of the text, which may stand in an assignment, end in a comma, or follow a
    printed name: `(up): `.
    """
    try:
        body = ast.parse(re.sub(r"^\(\w+\):", "", text).strip()).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        body = []
    value = (
        body[0].value
        if len(body) == 1 and isinstance(body[0], (ast.Expr, ast.Assign, ast.AnnAssign, ast.Return))
        else None
    )
    if value is None:
        raise PortError(
            f"{text!r} is not one Python expression, should be a call such as {example}"
        )
    return value.elts[0] if isinstance(value, ast.Tuple) and len(value.elts) == 1 else value


def _last_name(node: ast.expr) -> str | None:
    return (
        node.id
        if isinstance(node, ast.Name)
        else node.attr
        if isinstance(node, ast.Attribute)
        else None
    )


def _bound_after(function: str, node: ast.Call | None, signature: Signature) -> dict[str, ast.expr]:
    if node is None:
        return {}
    if not signature.after:
        raise PortError(f"{function} is called twice, should be called once: it returns the output")
    return _bound(f"the call of {function}", node, signature.after.split(), [])


def _bound(
    function: str, node: ast.Call, positional: list[str], named: list[str]
) -> dict[str, ast.expr]:
    """Arguments by name, as Python would bind them."""
    if any(isinstance(argument, ast.Starred) for argument in node.args) or any(
        k.arg is None for k in node.keywords
    ):
        raise PortError(
            f"{function} is given unpacked arguments (* or **), should be given each by itself"
        )
    if len(node.args) > len(positional):
        raise PortError(
            f"{function} is given {len(node.args)} arguments by position, should be at most "
            f"{len(positional)}"
        )
    bound = dict(zip(positional, node.args, strict=False))
    known = [*positional, *named]
    for keyword in node.keywords:
        name = str(keyword.arg)
        if name in bound:
            raise PortError(f"{function} is given {name} twice")
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"should be one of {', '.join(known)}"
            raise PortError(f"{function} has no argument {name}, {hint}")
        bound[name] = keyword.value
    return bound


def _listed(value: Any) -> Any:
    return [_listed(entry) for entry in value] if isinstance(value, (list, tuple)) else value
