"""Text -> nodes of one YAML document, by PyYAML's C composer, within the limits of a file.

The limits are held while nodes are made: libyaml and PyYAML have none of their own that could be
relied on, and nesting ends the process where its stack does.
"""

from __future__ import annotations

from typing import Any

import yaml

from conformance.corpus.limits import DEEPEST, MOST_VALUES

try:
    from yaml import CBaseLoader as _Base
except ImportError:  # a PyYAML built without libyaml: slower, the same nodes
    from yaml import BaseLoader as _Base  # type: ignore[assignment]

TOO_DEEP = f"is nested more than {DEEPEST} deep, should be a case file"
UNTAGGED = "untagged"


class RefusedError(Exception):
    """Text that is no plain document: the line, and what is wrong and what would be right."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line, self.text = line, text


class _Loader(_Base):
    """Nodes whose tag is written in the file keep it; all others have `UNTAGGED`.

    The composer calls `descend_resolver` before it makes a node and `ascend_resolver` behind it.
    """

    depth = 0

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
        return UNTAGGED

    def descend_resolver(self, parent: Any, index: Any) -> None:
        self.depth += 1
        if self.depth > DEEPEST + 1:  # the innermost may be a scalar
            raise RefusedError(_line_of(parent), TOO_DEEP)

    def ascend_resolver(self) -> None:
        self.depth -= 1


class _CountingLoader(_Loader):
    """The loader of a text that is long enough to have too many nodes."""

    left = MOST_VALUES

    def descend_resolver(self, parent: Any, index: Any) -> None:
        super().descend_resolver(parent, index)
        self.left -= 1
        if self.left < 0:
            raise RefusedError(_line_of(parent), _too_many(f"more than {MOST_VALUES}"))


def _line_of(parent: Any) -> int:
    return parent.start_mark.line + 1 if isinstance(parent, yaml.Node) else 1


def compose(text: str) -> yaml.Node | None:
    """The root of the one document of a text; None where there is none. Raises RefusedError."""
    try:
        # a character makes at most two nodes: `{a,` has a key, and a value that is empty
        loader = (_Loader if 2 * len(text) <= MOST_VALUES else _CountingLoader)(text)
        try:
            node: yaml.Node | None = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise RefusedError(*_reason(error)) from None
    if node is not None:
        _Checks().size(node)
    return node


def _too_many(what: str) -> str:
    return (
        f"holds {what} values, an alias counted as what it stands for, should hold at most "
        f"{MOST_VALUES}"
    )


def _reason(error: yaml.YAMLError) -> tuple[int, str]:
    """The line of a syntax error, and what PyYAML says of it."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    parts = (getattr(error, "context", None), getattr(error, "problem", None))
    reason = ", ".join(str(part) for part in parts if part)
    reason = " ".join((reason or str(error)).split())
    line = mark.line + 1 if mark else 1
    if "nesting depth" in reason:  # PyYAML from 6.0.4 on has a limit of its own
        return line, TOO_DEEP
    return line, f"{reason}, should be one YAML document"


class _Checks:
    """What nodes may not be: tagged, inside of themselves, or too many once aliases are
    followed.
    """

    def __init__(self) -> None:
        self._sizes: dict[int, int] = {}
        self._open: set[int] = set()

    def size(self, node: yaml.Node) -> int:
        """The number of values of a node, itself included. Raises RefusedError.

        It recurses no deeper than the composer did. An alias inside of its own anchor has no value:
        it would be read for ever.
        """
        if node.tag != UNTAGGED:
            line = node.start_mark.line + 1
            raise RefusedError(line, f"tag {node.tag}, should be plain YAML without tags")
        if isinstance(node, yaml.ScalarNode):
            return 1
        known = self._sizes.get(id(node))
        if known is not None:
            return known
        if id(node) in self._open:
            text = "an alias refers to what contains it, should be a value"
            raise RefusedError(node.start_mark.line + 1, text)
        self._open.add(id(node))
        total = 1
        for child in node.value:
            for part in child if isinstance(child, tuple) else (child,):
                is_plain = part.__class__ is yaml.ScalarNode and part.tag == UNTAGGED
                total += 1 if is_plain else self.size(part)  # most are, and a call is slow
        self._open.remove(id(node))
        if total > MOST_VALUES:
            raise RefusedError(node.start_mark.line + 1, _too_many(str(total)))
        self._sizes[id(node)] = total
        return total
