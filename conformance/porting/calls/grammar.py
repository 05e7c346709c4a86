"""The grammar that the calls of all frameworks share: a function by its last name, and arguments
that are arithmetic of literals.

Text is parsed and never evaluated. What has no bearing on the result's window, such as an
initializer, may be any expression; an operand may be a name, or its shape as a tuple; the number of
channels may be an expression of names, which is kept as it stands.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.conventions.arguments import is_integer
from conformance.errors import PortError
from conformance.models.formats import unreadable
from conformance.porting.calls.arithmetic import NotWorkedOut, worked_out
from conformance.porting.calls.libraries import check_prefix
from conformance.porting.calls.subject import dotted_name, expression, subject_of
from conformance.wording import counted, instead, quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Parameters, with blanks between them: by position or name, by name alone, and those of a call
    of what is returned. `variant` tells functions of one name apart, by a call and its prefix;
    `renamed` are other names of parameters.
    """

    positional: str = ""
    named: str = ""
    after: str = ""
    renamed: Mapping[str, str] = field(default_factory=dict)
    variant: Callable[[ast.Call, tuple[str, ...]], Signature] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A function's last name and what stands before it, its arguments by name, and those of the
    call of what it returns. Methods raise PortError.

    `names` are numbers and shapes that the text gives to names before the call; `notes` say what
    stands round it, and `normalised` what normalises its weights.
    """

    text: str
    function: str
    prefix: tuple[str, ...] = ()
    arguments: Mapping[str, ast.expr]
    after: Mapping[str, ast.expr]
    names: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    normalised: str | None = None

    def wrong(self, text: str) -> PortError:
        """The error of this call that is to be raised."""
        return PortError(f"{self.function}: {text}")

    def _node(self, key: str) -> ast.expr | None:
        return self.arguments.get(key, self.after.get(key))

    def value(self, key: str, default: Any = None) -> Any:
        """The literal that an argument is, or comes to; tuples as lists."""
        node = self._node(key)
        if node is None:
            return default
        try:
            return worked_out(node, self.names)
        except NotWorkedOut:
            raise self.wrong(
                f"{key} is {shown(node)}, should be a literal: nothing is evaluated but arithmetic"
            ) from None
        except PortError as error:
            raise self.wrong(f"{key}: {error}") from None

    def needed(self, *keys: str) -> list[Any]:
        """The literals of arguments that have to be there."""
        self.require(*keys)
        return [self.value(key) for key in keys]

    def require(self, *keys: str) -> None:
        """Raise PortError for an argument that has to be there and is not."""
        for key in keys:
            if key not in self.arguments:
                raise PortError(f"{self.function} needs {key}")

    def channels(self, key: str) -> tuple[int | None, str | None]:
        """A number of channels, or the expression of names that stands for it."""
        try:
            return self.count(key, worked_out(self.arguments[key], self.names)), None
        except NotWorkedOut:
            return None, shown(self.arguments[key])

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
            raise self.wrong(f"{key} is {quoted(value)}, should be a whole number of at least 1")
        return int(value)

    def flag(self, key: str, default: bool) -> bool:
        value = self.value(key, default)
        if not isinstance(value, bool):
            raise self.wrong(f"{key} is {quoted(value)}, should be True or False")
        return value

    def bias(self, key: str) -> bool:
        """Whether there is a bias: there is by default, and where an expression of names says."""
        return True if self.left_open(key) else self.flag(key, True)

    def left_open(self, key: str) -> bool:
        """Whether an argument is an expression of names."""
        node = self._node(key)
        if node is None:
            return False
        try:
            worked_out(node, self.names)
        except NotWorkedOut:
            return True
        return False

    def kernel_size(self, rank: int) -> tuple[int, ...]:
        value = self.value("kernel_size")
        sizes = [value] * rank if is_integer(value) else value
        if not is_shape(sizes) or len(sizes) != rank:
            raise self.wrong(
                f"kernel_size is {quoted(value)}, should be a whole number or {rank} of them, each "
                "at least 1"
            )
        return tuple(sizes)

    def shape(self, key: str) -> list[int] | None:
        """The shape that stands in an operand's place; None for a name or any other expression."""
        node = self._node(key)
        is_known = isinstance(node, ast.Name) and isinstance(self.names.get(node.id), list)
        if not is_known and not isinstance(node, (ast.Tuple, ast.List)):
            return None
        value = self.value(key)
        if not is_shape(value):
            raise self.wrong(f"{key} is {shown(node)}, should be a shape, or a name")
        return list(value)

    def operand(self, key: str, example: str) -> list[int]:
        """The shape of an operand that has to be known."""
        shape = self.shape(key)
        if shape is None:
            raise self.wrong(
                f"the kernel's size is not known, {key} should be its shape, such as {example}"
            )
        return shape

    def all_notes(self, bias: str | None = None) -> tuple[str, ...]:
        """Notes on what is left to the reader: what stands round the call, element types, and
        whether there is a bias where only the program knows.
        """
        notes = [*self.notes]
        for key in ("dtype", "param_dtype"):
            if key in self.arguments and not self.absent(key):
                notes.append(
                    f"{key}={shown(self.arguments[key])} says nothing about the window, and is "
                    "left to you: the proof is in float32."
                )
                break
        if bias is not None and self.left_open(bias):
            notes.append(f"{bias} is {shown(self._node(bias))}, which is left open: with a bias.")
        return tuple(notes)


def shown(node: ast.expr | str | None, most: int = 200) -> str:
    """An expression as a person reads it, not all of a long one."""
    text = node if isinstance(node, str) else ast.unparse(node) if node is not None else "absent"
    return text if len(text) <= most else f"{text[:most]}..."


def is_shape(value: Any) -> bool:
    """Whether it is a list of whole numbers of at least 1, and not empty."""
    return (
        isinstance(value, (list, tuple))
        and all(is_integer(entry) and entry >= 1 for entry in value)
        and len(value) > 0
    )


def parsed(
    text: str,
    framework: str,
    tables: Mapping[str, Mapping[str, Signature]],
    example: str,
    shapes: Mapping[str, list[int]] | None = None,
) -> Call:
    """The call of one of a framework's functions. `tables` has the functions of every framework, to
    say whose a name is; `shapes` are those of names that the text does not give itself.
    """
    text = text.strip()
    node, names = expression(text, example)
    known = tables[framework]
    subject = subject_of(node, known)
    if subject is None:
        raise _unknown(node, text, framework, tables, example)
    check_prefix(subject.prefix, subject.function, framework)
    signature = known[subject.function]
    if signature.variant is not None:
        signature = signature.variant(subject.node, subject.prefix)
    return Call(
        text=" ".join(text.split()),
        function=subject.function,
        prefix=subject.prefix,
        arguments=_bound(subject.function, subject.node, signature),
        after=_bound_after(subject.function, subject.after, signature),
        names={**(shapes or {}), **names},
        notes=subject.notes,
        normalised=subject.normalised,
    )


def _unknown(
    node: ast.expr,
    text: str,
    framework: str,
    tables: Mapping[str, Mapping[str, Signature]],
    example: str,
) -> PortError:
    """Why there is no call of the framework in an expression."""
    dotted = dotted_name(node)
    if dotted is None:
        wrong = unreadable(text)
        return PortError(
            f"{wrong}, or a call such as {example}"
            if wrong
            else f"{shown(text)!r} is not a call by a name, should be one such as {example}"
        )
    *prefix, function = dotted
    check_prefix(prefix, function, framework)
    owners = [other for other, table in tables.items() if function in table]
    hint = f" (that is {owners[0]}'s)" if owners else ""
    return PortError(
        f"{shown(function, 60)} is not a transposed convolution of {framework}{hint}, "
        f"{instead(function, tables[framework])}"
    )


def _bound_after(function: str, node: ast.Call | None, signature: Signature) -> dict[str, ast.expr]:
    if node is None:
        return {}
    if not signature.after:
        raise PortError(f"{function} is called twice, should be called once: it returns the output")
    called = Signature(positional=signature.after)
    return _bound(f"the call of {function}", node, called)


def _bound(function: str, node: ast.Call, signature: Signature) -> dict[str, ast.expr]:
    """Arguments by name, as Python would bind them."""
    positional = signature.positional.split()
    if any(isinstance(argument, ast.Starred) for argument in node.args) or any(
        k.arg is None for k in node.keywords
    ):
        raise PortError(
            f"{function} is given unpacked arguments (* or **), should be given each by itself"
        )
    if len(node.args) > len(positional):
        raise PortError(
            f"{function} is given {counted(len(node.args), 'argument')} "
            "by position, should be at most "
            f"{len(positional)}"
        )
    bound = dict(zip(positional, node.args, strict=False))
    known = [*positional, *signature.named.split()]
    for keyword in node.keywords:
        name = signature.renamed.get(str(keyword.arg), str(keyword.arg))
        if name in bound:
            raise PortError(f"{function} is given {name} twice")
        if name not in known:
            raise PortError(f"{function} has no argument {shown(name, 60)}, {instead(name, known)}")
        bound[name] = keyword.value
    return bound
