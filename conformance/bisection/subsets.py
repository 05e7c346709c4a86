"""Which of many changes matter: delta debugging over the sets of changes that go together.

A mix is a set of changes that were made; no change is good, all changes are bad. A change may need
others, so that only sets with all that their members need are tried. Prefixes of an order in which
each change comes after what it needs are such sets, and bisection over them takes log2 of their
number. Where a mix cannot be judged, smaller and smaller parts are added to the good side, and
taken from the bad side, as Zeller's dd does. Then the change that was found is tried alone, and
more are sought as long as it is not enough: each costs log2 of what is left.

The search is a generator: it yields mixes that may be tried at once, and is sent their answers.

A. Zeller, R. Hildebrandt, Simplifying and isolating failure-inducing input, IEEE TSE 28 (2002);
J. Marques-Silva, M. Janota, A. Belov, Minimal sets over monotone predicates in Boolean formulae,
CAV 2013 (the change after change of `Search.steps`).
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

Changes = frozenset[str]
Answers = Mapping[Changes, bool | None]
"""By mix: whether it is bad, None where it cannot be judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Changes that could not be told apart. `needed` is why they are there: without them the mix of
    the groups before is good; if false it could not be judged.
    """

    changes: Changes
    needed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolated:
    """The changes that make the difference together; `moved` are all that were made in the smallest
    bad mix, these and those that they need. `complete` is false where the limit of mixes came
    first, so that fewer may do.
    """

    groups: tuple[Group, ...]
    moved: Changes
    complete: bool = True


Steps = Generator[list[Changes], Answers, None]


class Space:
    """The sets that go together, and the order in which the changes are tried: those that are
    `likely`, the first most of all, and what they need, come first.
    """

    def __init__(
        self, changes: Iterable[str], needs: Mapping[str, Iterable[str]], likely: Iterable[str] = ()
    ) -> None:
        self.all = frozenset(changes)
        self.needs = {name: set(needs.get(name, ())) & self.all for name in self.all}
        self.named = [name for name in likely if name in self.all]
        self.learned: Changes = frozenset()
        """What another change cannot be judged without, though no metadata says so."""
        self._order()

    def learn(self, name: str, needed: Changes) -> None:
        """What metadata does not say: a change cannot be judged without others."""
        self.learned |= needed
        self.needs[name] |= needed
        self._order()

    def _order(self) -> None:
        self._closure = {name: _reached(name, self.needs) for name in self.all}
        self._needing = {
            name: frozenset(other for other in self.all if name in self._closure[other])
            for name in self.all
        }
        self.likely = self.closed(frozenset(self.named))
        # of two changes one of which needs the other, its closure is the larger one
        self.order = sorted(
            self.all, key=lambda name: (name not in self.likely, len(self._closure[name]), name)
        )

    def closed(self, changes: Changes) -> Changes:
        """These and all that they need."""
        return changes.union(*(self._closure[name] for name in changes))

    def without(self, changes: Changes, removed: Changes) -> Changes:
        """These without the removed ones and all that needs one of them."""
        return changes.difference(*(self._needing[name] for name in removed))

    def groups(self, changes: Changes) -> list[Changes]:
        """The changes in the order, those in one group that need each other."""
        groups = dict.fromkeys(
            self._closure[name] & self._needing[name] for name in self.order if name in changes
        )
        return list(groups)


class Search:
    """One search; at most `width` mixes are asked at once, and `most` in all.

    Where several sets of changes make the difference, one of them is found. No mix is asked twice.
    """

    def __init__(self, space: Space, *, width: int = 1, most: int = 1000) -> None:
        self.space, self.width, self.most = space, width, most
        self.known: dict[Changes, bool | None] = {}
        self.low, self.high = frozenset[str](), space.all

    def steps(self) -> Generator[list[Changes], Answers, Isolated]:
        """Yields lists of mixes, is sent their answers, and returns what was found."""
        groups: list[Group] = []
        needed = True
        yield from self._guess()
        while True:
            yield from self._narrow()
            groups.append(Group(changes=self.high - self.low, needed=needed))
            self.low = self.space.closed(frozenset().union(*(one.changes for one in groups)))
            if self.low == self.high or self._is_spent():
                return Isolated(
                    groups=tuple(groups), moved=self.high, complete=not self._is_spent()
                )
            yield from self._ask([self.low])
            if self.known[self.low]:
                return Isolated(groups=tuple(groups), moved=self.low)
            needed = self.known[self.low] is False

    def _guess(self) -> Steps:
        """Try what is likely, with what that needs; where it cannot be judged, the likeliest alone,
        and learn what that lacks.
        """
        yield from self._ask_between([self.space.likely])
        if self.known.get(self.space.likely, True) is not None:
            return
        likeliest = self.space.named[0]
        mix = self.space.closed(frozenset({likeliest}))
        yield from self._ask_between([mix])
        while self.known.get(mix, True) is None and not self._is_spent():
            lacking = yield from self._lacking(mix)
            self.space.learn(likeliest, lacking)
            mix = self.space.closed(mix)
            yield from self._ask_between([mix])

    def _lacking(self, mix: Changes) -> Generator[list[Changes], Answers, Changes]:
        """The group of changes without which a mix, with others, cannot be judged and with which it
        can: bisection over what may be added to it.
        """
        rest = self.space.groups(self.space.all - mix)
        short, enough = 0, len(rest)
        while enough - short > 1 and not self._is_spent():
            middle = (short + enough) // 2
            candidate = self.space.closed(mix.union(*rest[:middle]))
            yield from self._ask_between([candidate])
            if self.known.get(candidate, True) is None:
                short = middle
            else:
                enough = middle
        return rest[enough - 1]

    def _narrow(self) -> Steps:
        """Bring `low`, which is not bad, and `high`, which is, as near to each other as can be
        told.
        """
        parts = 2
        self._settle()
        while len(left := self.space.groups(self.high - self.low)) > 1 and not self._is_spent():
            candidates = [
                mix
                for mix in dict.fromkeys(self._candidates(left, parts))
                if self.low < mix < self.high and mix not in self.known
            ]
            if candidates:
                yield from self._ask(candidates[: self.width])
                if self._settle():
                    parts = max(2, min(parts, len(self.high - self.low)) // 2)
            elif parts > len(left):
                break
            else:
                parts = min(2 * parts, len(left)) if parts < len(left) else parts + 1

    def _settle(self) -> bool:
        """Bring both as near as what is known allows; whether they moved."""
        before = self.low, self.high
        bad = [mix for mix, answer in self.known.items() if answer and self.low < mix < self.high]
        self.high = min(bad, key=len, default=self.high)
        good = [
            mix
            for mix, answer in self.known.items()
            if answer is False and self.low < mix < self.high
        ]
        self.low = max(good, key=len, default=self.low)
        return before != (self.low, self.high)

    def _ask_between(self, mixes: Sequence[Changes]) -> Steps:
        yield from self._ask([mix for mix in mixes if mix and mix != self.space.all])

    def _ask(self, mixes: Sequence[Changes]) -> Steps:
        new = [mix for mix in mixes if mix not in self.known]
        if new:
            self.known |= yield new

    def _is_spent(self) -> bool:
        return len(self.known) >= self.most

    def _candidates(self, left: Sequence[Changes], parts: int) -> Iterable[Changes]:
        """Mixes between the two, the best first; `left` are the groups between them."""
        space, low, high = self.space, self.low, self.high
        if parts == 2:
            cuts = range(1, len(left))
            near = sorted(cuts, key=lambda cut: _distance(cut, len(left), self.width))
            for cut in near[: self.width]:
                yield low.union(*left[:cut])
        size = -(-len(left) // parts)
        chunks = [frozenset().union(*left[at : at + size]) for at in range(0, len(left), size)]
        if parts > len(left):  # no group moves by itself: two may
            chunks = [one | other for one, other in combinations(left, 2)]
        for chunk in chunks:
            yield low | (space.closed(chunk) & high)
        for chunk in chunks:
            yield low | space.without(high, chunk)


def _distance(cut: int, count: int, width: int) -> tuple[float, int]:
    """How far a cut is from the nearest of those that make equal parts for `width` mixes."""
    return min(abs(cut - count * (one + 1) / (width + 1)) for one in range(width)), cut


def _reached(name: str, needs: Mapping[str, Iterable[str]]) -> Changes:
    reached, left = {name}, [name]
    while left:
        for other in needs.get(left.pop(), ()):
            if other not in reached:
                reached.add(other)
                left.append(other)
    return frozenset(reached)
