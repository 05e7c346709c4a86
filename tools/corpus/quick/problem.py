"""The search for a few candidates that cover everything."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from functools import cached_property

from conformance.corpus.case import Case
from quick.candidates import Candidate

DETECTIONS = 3

SEED = 17

ROUNDS = 200

SHARE = 0.12
"""The share of the members that a round of the search tries to do without."""


class Problem:
    """The needs to be covered, how often, and the candidates that cover them, as bits of
    integers.
    """

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self.candidates = candidates
        exact = set().union(*(candidate.meets for candidate in candidates))
        meets = [
            candidate.meets | (candidate.inexact - exact) for candidate in candidates
        ]  # bounds count where nothing else does
        needs = sorted(set().union(*meets), key=str)
        bit = {need: 1 << number for number, need in enumerate(needs)}
        self.mistakes = {need[1] for need in needs if need[0] == "mistake"}
        self.sets = [sum(bit[need] for need in met) for met in meets]
        mistakes = sum(bit[need] for need in needs if need[0] == "mistake")
        reached = self.counted(range(len(candidates)))
        often = [reached[count] & ~reached[count + 1] & mistakes for count in range(DETECTIONS)]
        # self.times[k]: what must be covered k + 1 times; a mistake that fewer cases detect, by all
        # of them
        self.times = [
            reached[0] & ~mistakes | often[0],
            *often[1 : DETECTIONS - 1],
            reached[DETECTIONS - 1] & mistakes,
        ]

    @cached_property
    def order(self) -> list[int]:
        """The candidates, cheap ones first."""
        return sorted(
            range(len(self.candidates)),
            key=lambda number: (self.candidates[number].cost, self.candidates[number].case.name),
        )

    def counted(self, members: Iterable[int]) -> list[int]:
        """For each k what at least k + 1 of the members cover."""
        levels = [0] * (DETECTIONS + 1)
        for member in members:
            for level in range(DETECTIONS, 0, -1):
                levels[level] |= levels[level - 1] & self.sets[member]
            levels[0] |= self.sets[member]
        return levels

    def left(self, levels: Sequence[int]) -> int:
        """The needs that members of these counts leave uncovered."""
        return sum(needed & ~level for needed, level in zip(self.times, levels, strict=False))

    def completed(self, members: set[int], numbers: random.Random | None) -> set[int]:
        """The members and those that cover most of what is left, one after the other; ties to what
        is cheap, or by lot.
        """
        members = set(members)
        order = list(self.order)
        if numbers is not None:
            numbers.shuffle(order)
        while left := self.left(self.counted(members)):
            members.add(
                max(
                    (n for n in order if n not in members),
                    key=lambda n: (self.sets[n] & left).bit_count(),
                )
            )
        return members

    def pruned(self, members: set[int]) -> set[int]:
        """The members without those that the others make needless, the dearest first."""
        members = set(members)
        for member in reversed(self.order):
            if member in members and not self.left(self.counted(members - {member})):
                members.discard(member)
        return members

    def price(self, members: Iterable[int]) -> tuple[int, int]:
        """How many there are, and their products."""
        chosen = list(members)
        return len(chosen), sum(self.candidates[member].cost[0] for member in chosen)

    def solution(self) -> list[Case]:
        """Few candidates that cover everything, in the order of their files."""
        numbers = random.Random(SEED)
        best = self.pruned(self.completed(set(), None))
        for _ in range(ROUNDS):
            without = set(numbers.sample(sorted(best), round(len(best) * SHARE)))
            tried = self.pruned(self.completed(best - without, numbers))
            best = min(tried, best, key=self.price)
        return [self.candidates[member].case for member in sorted(best)]
