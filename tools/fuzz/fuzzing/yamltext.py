"""A tree as YAML in one of the ways in which people write it."""

from __future__ import annotations

import json
import math
import random
from typing import Any


def yaml_text(tree: Any, draw: random.Random) -> str:
    """Lists and mappings down to a drawn depth as blocks, the rest in the flow style; a value that
    stands twice may be an anchor and its alias.
    """
    depth = draw.choice([1, 2, 3, 4])
    return "\n".join(_block(tree, depth, "", draw.random() < 0.1)) + "\n"


def _block(tree: Any, depth: int, indent: str, anchored: bool) -> list[str]:
    if depth and isinstance(tree, dict) and tree:
        return [
            line
            for key, value in tree.items()
            for line in _entry(f"{_key(key)}:", value, depth, indent, anchored)
        ]
    if depth and isinstance(tree, list) and tree:
        seen: list[Any] = []
        lines: list[str] = []
        for value in tree:
            known = seen.index(value) if anchored and value in seen else None
            if known is not None and _is_collection(value):
                lines.append(f"{indent}- *a{len(indent)}_{known}")
                continue
            mark = f" &a{len(indent)}_{len(seen)}" if anchored and _is_collection(value) else ""
            seen.append(value)
            lines += _entry(f"-{mark}", value, depth, indent, anchored)
        return lines
    return [indent + flow(tree)]


def _is_collection(value: Any) -> bool:
    return isinstance(value, dict | list)


def _entry(head: str, value: Any, depth: int, indent: str, anchored: bool) -> list[str]:
    if depth > 1 and isinstance(value, dict | list) and value:
        return [indent + head, *_block(value, depth - 1, indent + "  ", anchored)]
    return [f"{indent}{head} {flow(value)}"]


def _key(key: Any) -> str:
    text = str(key)
    return text if text.isidentifier() else json.dumps(text)


def flow(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(key)}: {flow(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list):  # as deep as it may be, without recursion where it is deepest
        opened = 0
        while isinstance(value, list) and len(value) == 1:
            opened, value = opened + 1, value[0]
        inner = f"[{', '.join(map(flow, value))}]" if isinstance(value, list) else flow(value)
        return "[" * opened + inner + "]" * opened
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return repr(value)
    return json.dumps(value)
