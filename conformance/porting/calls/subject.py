"""The transposed convolution in an expression: the call itself, or the one that stands inside of a
normalisation, a container or a conversion.
"""

from __future__ import annotations

import ast
import re
import textwrap
import warnings
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any

from conformance.errors import PortError
from conformance.porting.calls.arithmetic import (
    MOST_CHARACTERS,
    NotWorkedOut,
    check_size,
    worked_out,
)

_MADE_OF_IT = ("Parametrized", "WN")
"""Beginnings of the names of a layer's normalised form: torch's own, and that of audio codecs."""

_SAY_NOTHING = frozenset(
    ("to", "cuda", "cpu", "eval", "train", "apply", "requires_grad_", "compile", "append", "add")
)
"""Wrappers and methods that change nothing of what is ported."""

_NORMALISES = re.compile(r"weight_?norm|spectral_?norm|orthogonal|parametriz|^norm_f$|^wn$", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The call that is to be ported, the call of what it returns, and what stands round it."""

    node: ast.Call
    after: ast.Call | None
    prefix: tuple[str, ...]
    function: str
    notes: tuple[str, ...] = ()
    normalised: str | None = None


def expression(text: str, example: str) -> tuple[ast.expr, dict[str, Any]]:
    """The one expression of the text, which may stand in an assignment, end in a comma, or follow a
    printed name, `(up): `, or assignments of numbers, which are returned by name.
    """
    wrong = PortError(
        f"{text if len(text) < 200 else text[:200] + '...'!r} is not one Python expression, should "
        f"be a call such as {example}"
    )
    if len(text) > MOST_CHARACTERS:
        raise PortError(f"the call has {len(text)} characters, should be at most {MOST_CHARACTERS}")
    try:
        source = re.sub(r"^\([\w.]+\):", "", textwrap.dedent(text).strip()).strip()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)  # of texts such as 3if
            body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise wrong from None
    for statement in body:
        check_size(statement)
    last = body[-1] if body else None
    value = (
        last.value if isinstance(last, (ast.Expr, ast.Assign, ast.AnnAssign, ast.Return)) else None
    )
    if value is None or (len(body) > 1 and not isinstance(value, ast.Call)):
        raise wrong
    names: dict[str, Any] = {}
    for statement in body[:-1]:
        names |= _assigned(statement, names, wrong)
    if isinstance(value, ast.Tuple) and len(value.elts) == 1:
        value = value.elts[0]
    return value, names


def _assigned(statement: ast.stmt, names: dict[str, Any], wrong: PortError) -> dict[str, Any]:
    """The names that an assignment gives to numbers: `k = 4`, or `k, s = 4, 2`."""
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        raise wrong
    target = statement.targets[0]
    try:
        value = worked_out(statement.value, names)
    except NotWorkedOut:
        return {}
    if isinstance(target, ast.Name):
        return {target.id: value}
    targets = target.elts if isinstance(target, (ast.Tuple, ast.List)) else []
    ids = [name.id for name in targets if isinstance(name, ast.Name)]
    if not ids or len(ids) != len(targets) or not isinstance(value, list) or len(value) != len(ids):
        raise wrong
    return dict(zip(ids, value, strict=True))


def dotted_name(node: ast.expr) -> tuple[str, ...] | None:
    """The parts of the name that an expression calls: ("torch", "nn", "ConvTranspose2d"); ("up",)
    where something else than names stands before the last. That of aten's overloads is the
    function's.
    """
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Call):
        node = node.func
    if not isinstance(node, ast.Call):
        return None
    parts: list[str] = []
    function: ast.expr = node.func
    while isinstance(function, ast.Attribute):
        parts.append(function.attr)
        function = function.value
    if isinstance(function, ast.Name):
        parts.append(function.id)
    parts.reverse()
    if "aten" in parts[:-1]:
        parts = parts[: parts.index("aten") + 2]
    return tuple(parts) or None


def subject_of(node: ast.expr, known: Collection[str]) -> Subject | None:
    """The call of a known function in an expression; None if there is none. Raises PortError where
    there are several.
    """
    return _subject(node, known)


def _subject(node: ast.expr, known: Collection[str]) -> Subject | None:
    if not isinstance(node, ast.Call):
        return None
    function = node.func
    if isinstance(function, ast.Call):
        own = _own(function, known)
        if own is not None:
            return replace(own, after=node)
    own = _own(node, known)
    return own if own is not None else _inside(node, known)


def _own(node: ast.Call, known: Collection[str]) -> Subject | None:
    """The subject if a call is it: by its name, or by that of its normalised form."""
    dotted = dotted_name(node) if not isinstance(node.func, ast.Call) else None
    if dotted is None:
        return None
    *prefix, function = dotted
    for beginning in ("", *_MADE_OF_IT):
        if function.startswith(beginning) and function.removeprefix(beginning) in known:
            plain = function.removeprefix(beginning)
            subject = Subject(node=node, after=None, prefix=tuple(prefix), function=plain)
            return _normalised(subject, function) if beginning else subject
    return None


def _inside(node: ast.Call, known: Collection[str]) -> Subject | None:
    """The one subject among what a call is given, or is a method of."""
    if isinstance(node.func, ast.Call) and (called := _subject(node.func, known)) is not None:
        return called
    inner = [subject for part in _parts(node) if (subject := _subject(part, known)) is not None]
    if len(inner) > 1:
        raise PortError(f"the call has {len(inner)} transposed convolutions, should have one")
    if not inner:
        return None
    name = (dotted_name(node) or ("a call",))[-1]
    if name in _SAY_NOTHING:
        return inner[0]
    if _NORMALISES.search(name):
        return _normalised(inner[0], name)
    note = f"It stands in {name}, which is left to you: the call alone is ported."
    return replace(inner[0], notes=(*inner[0].notes, note))


def _parts(node: ast.Call) -> Iterator[ast.expr]:
    yield from node.args
    yield from (keyword.value for keyword in node.keywords)
    if isinstance(node.func, ast.Attribute):
        yield node.func.value


def _normalised(subject: Subject, name: str) -> Subject:
    note = f"{name} normalises its weights: those to convert are the effective ones"
    if name[0].islower() or name.startswith(_MADE_OF_IT):  # torch's
        note += ", as they are after remove_parametrizations or remove_weight_norm"
    return replace(subject, notes=(*subject.notes, f"{note}."), normalised=name)
