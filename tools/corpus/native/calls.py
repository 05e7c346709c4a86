"""One call of a framework, and the windows that all of them see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One case: how its id begins, where its claim is documented, the spatial sizes and the
    framework's own arguments.

    `error` says, for arguments that the documentation rules out, what the rule is about; the
    summary is then made of it.
    """

    name: str
    source: str
    size: tuple[int, ...]
    kernel: tuple[int, ...]
    arguments: dict[str, Any]
    groups: int = 1
    error: str | None = None


# (size, kernel, stride) of every axis. Together they hold each kernel from 1 to 5 with each stride
# from 1 to 4.
WINDOWS = (
    ((5, 3, 2),),
    ((4, 2, 3),),
    ((3, 4, 2), (4, 5, 3)),
    ((4, 1, 1), (3, 2, 2)),
    ((5, 3, 1), (2, 4, 4)),
    ((2, 5, 2), (3, 3, 3)),
    ((3, 1, 2), (4, 3, 4)),
    ((2, 4, 1), (3, 2, 4)),
    ((3, 5, 4), (4, 4, 3)),
    ((2, 2, 1), (3, 1, 3), (2, 5, 1)),
    ((3, 2, 2), (2, 3, 2), (2, 1, 4)),
)

# Fewer, which still hold each kernel, each stride, each rank and kernels shorter than their
# strides.
FEWER = tuple(WINDOWS[number] for number in (1, 2, 3, 4, 6, 9))


def columns(window: Sequence[tuple[int, int, int]]) -> tuple[tuple[int, ...], ...]:
    """(sizes, kernels, strides) of a row of WINDOWS."""
    return tuple(zip(*window, strict=True))


def short(values: Sequence[int]) -> Any:
    """One number where all axes have the same, which every framework takes for all of them."""
    return values[0] if len(set(values)) == 1 else list(values)


def refused(what: str, **fields: Any) -> Call:
    """A call that the documentation rules out, and what its rule is about."""
    return Call(error=what, **fields)
