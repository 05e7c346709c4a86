"""Where between two releases a change came: bisection over an ordered list, around releases that
cannot be judged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    """Two positions of the list with other answers, `before` < `after`; all positions between them,
    if any, could not be judged.
    """

    before: int
    after: int
    unjudged: tuple[int, ...]


def boundary(
    count: int,
    test: Callable[[int], bool | None],
    ahead: Callable[[Sequence[int]], None] = lambda positions: None,
) -> Boundary:
    """A position where the answer changes, of `count` positions whose first and last answer
    differently.

    `test(position)` is asked for positions between them only: whether it answers as the first does,
    or None if it cannot be judged. Where answers change more than once one of the changes is found.
    A position is asked once, and about log2(count) positions are. Before each, `ahead` is told all
    that may still be asked, the likeliest first.
    """
    if count < 2:
        raise ValueError(f"count={count}, should be at least 2: a first place and a last one")
    low, high = 0, count - 1
    unjudged: set[int] = set()
    while left := [position for position in range(low + 1, high) if position not in unjudged]:
        middle = min(left, key=lambda position: (abs(2 * position - low - high), position))
        ahead([middle, *(position for position in _halves(left) if position != middle)])
        answer = test(middle)
        if answer is None:
            unjudged.add(middle)
        elif answer:
            low = middle
        else:
            high = middle
    return Boundary(before=low, after=high, unjudged=tuple(range(low + 1, high)))


def _halves(positions: Sequence[int]) -> list[int]:
    """Positions in the order in which bisection may come to them: the middle, those of both halves,
    and so on.
    """
    order: list[int] = []
    pieces = [positions]
    while pieces:
        middles = [(len(piece) - 1) // 2 for piece in pieces]
        order += [piece[at] for piece, at in zip(pieces, middles, strict=True)]
        halves = [(piece[:at], piece[at + 1 :]) for piece, at in zip(pieces, middles, strict=True)]
        pieces = [half for both in halves for half in both if half]
    return order
