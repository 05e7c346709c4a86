"""Where between two releases a change came: bisection over an ordered list, around releases that
cannot be judged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    """Two positions of the list with other answers, `before` < `after`; all positions between them,
    if any, could not be judged.
    """

    before: int
    after: int
    unjudged: tuple[int, ...]


def boundary(count: int, test: Callable[[int], bool | None]) -> Boundary:
    """A position where the answer changes, of `count` positions whose first and last answer
    differently.

    `test(position)` is asked for positions between them only: whether it answers as the first does,
    or None if it cannot be judged. Where answers change more than once one of the changes is found.
    A position is asked once, and about log2(count) positions are.
    """
    if count < 2:
        raise ValueError(f"count={count}, should be at least 2: a first place and a last one")
    low, high = 0, count - 1
    unjudged: set[int] = set()
    while left := [position for position in range(low + 1, high) if position not in unjudged]:
        middle = min(left, key=lambda position: (abs(2 * position - low - high), position))
        answer = test(middle)
        if answer is None:
            unjudged.add(middle)
        elif answer:
            low = middle
        else:
            high = middle
    return Boundary(before=low, after=high, unjudged=tuple(range(low + 1, high)))
