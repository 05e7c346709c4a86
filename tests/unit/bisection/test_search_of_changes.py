"""Which of many changes matter: the search, on environments that are made up."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.bisection.subsets import Search, Space

NAMES = [f"p{number:02}" for number in range(40)]
ENDS = 2


def driven(search: Search, ask: Any) -> tuple[Any, list[list[Any]]]:
    """What a search finds, and the lists of mixes that it asked."""
    steps, asked = search.steps(), []
    try:
        mixes = next(steps)
        while True:
            asked.append(mixes)
            mixes = steps.send({mix: ask(mix) for mix in mixes})
    except StopIteration as done:
        return done.value, asked


@st.composite
def needs(draw: Any) -> dict[str, set[str]]:
    """Who needs whom, circles among them."""
    pairs = draw(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=30))
    found: dict[str, set[str]] = {}
    for one, other in pairs:
        found.setdefault(one, set()).add(other)
    return found


@given(
    culprit=st.sampled_from(NAMES),
    needed=needs(),
    likely=st.lists(st.sampled_from(NAMES), max_size=5),
)
def test_one_culprit_of_forty_takes_twelve_environments(
    culprit: Any, needed: Any, likely: Any
) -> None:
    """Both ends, and at most ten mixes, each of which has all that its members need: the culprit,
    and what cannot move without it, is found.
    """
    space = Space(NAMES, needed, likely)
    found, asked = driven(Search(space), lambda mix: culprit in mix)
    (group,) = found.groups
    assert culprit in group.changes
    assert group.changes in space.groups(space.all)
    assert found.moved == space.closed(frozenset({culprit}))
    assert found.complete
    mixes = [mix for several in asked for mix in several]
    assert all(space.closed(mix) == mix for mix in mixes)
    assert len(set(mixes)) == len(mixes) <= 12 - ENDS


@given(culprits=st.sets(st.sampled_from(NAMES), min_size=2, max_size=3), needed=needs())
def test_what_must_change_together_is_found_whole(culprits: Any, needed: Any) -> None:
    """Each of the culprits is in a group of its own, or comes with one that needs it; nothing less
    is bad.
    """
    space = Space(NAMES, needed)

    def is_bad(mix: Any) -> bool:
        return culprits <= mix

    found, asked = driven(Search(space), is_bad)
    assert is_bad(found.moved)
    for group in found.groups:
        assert not is_bad(space.without(found.moved, group.changes))
        assert group.needed
    most = 1 + len(found.groups) * (math.ceil(math.log2(len(NAMES))) + 1)
    assert sum(map(len, asked)) <= most


@given(
    culprit=st.sampled_from(NAMES),
    pairs=st.lists(st.lists(st.sampled_from(NAMES), min_size=2, max_size=2), max_size=4),
)
def test_mixes_that_cannot_be_judged_are_stepped_around(culprit: Any, pairs: Any) -> None:
    """Where no metadata tells of pairs that go together, the culprit is found alone, or with what
    cannot be judged without it.
    """

    both = [*map(tuple, pairs), *((b, a) for a, b in pairs)]
    # never told to the search, only to this test
    space = Space(NAMES, {a: {y for x, y in both if x == a} for a in NAMES})

    def is_bad(mix: Any) -> bool | None:
        return (
            culprit in mix if all((one in mix) == (other in mix) for one, other in pairs) else None
        )

    found, asked = driven(Search(Space(NAMES, {})), is_bad)
    assert found.complete
    assert is_bad(found.moved)
    changes = frozenset().union(*(group.changes for group in found.groups))
    together = space.closed(frozenset({culprit}))
    assert together <= changes
    if all(len(group) <= 2 for group in space.groups(space.all)):
        assert changes == together
    assert all(group.needed is False for group in found.groups[1:])
    mixes = [mix for several in asked for mix in several]
    assert len(set(mixes)) == len(mixes)


@given(
    culprit=st.sampled_from(NAMES),
    glue=st.lists(st.sampled_from(NAMES), min_size=1, max_size=2, unique=True),
)
def test_what_the_likely_lacks_is_learned(culprit: Any, glue: Any) -> None:
    """An engine that does not start without another package's version, of which no metadata tells:
    bisection finds the other, and it counts as needed from then on.
    """

    def is_bad(mix: Any) -> bool | None:
        return None if any((one in mix) != (culprit in mix) for one in glue) else culprit in mix

    search = Search(Space(NAMES, {}, [culprit]))
    found, asked = driven(search, is_bad)
    assert found.moved == {culprit, *glue}
    assert search.space.learned == set(glue) - {culprit}
    assert sum(map(len, asked)) <= 10 * len(glue)


@pytest.mark.parametrize("width", [2, 4, 8])
def test_several_at_once_take_fewer_rounds(width: Any) -> None:
    """The mixes of a round are known together, as a pool of workers wants them."""
    rounds = []
    for culprit in NAMES:
        found, asked = driven(Search(Space(NAMES, {}), width=width), lambda mix: culprit in mix)  # noqa: B023 - used at once
        assert found.moved == {culprit}
        assert max(map(len, asked)) <= width
        rounds.append(len(asked))
    assert max(rounds) <= 2 + math.ceil(math.log(len(NAMES), width + 1)) < 8


def test_the_likely_are_tried_first() -> None:
    """What the engine is made of, with what that needs, is the first mix; where it is the culprit
    nothing else is asked.
    """
    space = Space(NAMES, {"p30": ["p31"]}, ["p30"])
    found, asked = driven(Search(space), lambda mix: "p30" in mix)
    assert asked == [[frozenset({"p30", "p31"})], [frozenset({"p31"})]]
    assert found.moved == {"p30", "p31"}
    assert [group.changes for group in found.groups] == [{"p30"}]


def test_a_limit_ends_the_search_with_what_is_left() -> None:
    """And says that less may do."""
    found, asked = driven(Search(Space(NAMES, {}), most=3), lambda mix: "p07" in mix)
    assert len(asked) == 3
    assert not found.complete
    assert "p07" in found.groups[0].changes
    assert len(found.groups[0].changes) == 5
