"""The quick subset: what it detects and meets is counted again, and its generator's search is tried
on small problems.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import test_covering_design as covering
from helpers import CHECKOUT, tool

from conformance import load_cases
from conformance.conventions import NAMES, Unrepresentable
from conformance.corpus.case import Case
from conformance.corpus.selection import select
from conformance.corpus.truths import prepare

TOOL = CHECKOUT / "tools" / "corpus" / "quick_subset.py"
PAGE = CHECKOUT / "docs" / "diagnosis.md"
LEAST = 3
GROUPS = {"groups-ignored", "first-kernel-for-all", "first-bias-for-all", "bias-interleaved"}
GROUPS |= {"input-channels-interleaved", "output-channels-interleaved", "groups-permuted"}
GROUPS |= {"groups-left-out", "groups-scaled"}
IMPOSSIBLE = {
    "flax": GROUPS,
    "keras": {*GROUPS, "output-padding-bias-alone", "padding-beyond-reach"},
}
"""Mistakes that no case of the corpus shows where a convention has no groups."""
SCARCE = {"keras": {"dilation-and-groups-exchanged"}}
"""Mistakes that fewer small cases of the whole corpus show: dilation there needs channels that it
divides, and no bias."""
READ_OFF = {"wrong-in-part", "phases-permuted", "positions-in-low-precision", "not-sought"}
OF_FEW_BITS = {"result-cut"}
"""Mistakes that show in dtypes of 16 bits."""
OF_GRADIENTS = {"averaged", "one-stands-for-all", "left-out-of-sum"}
OF_GRADIENTS |= {"gradient-axes-exchanged", "gradient-layout", "gradient-mirrored"}
"""Names that are read off a result, or off a gradient: nobody makes them of a case."""

pytestmark = pytest.mark.skipif(
    not TOOL.is_file(),
    reason="the generator is in a checkout, not in a source distribution",
)


@cache
def corpus() -> tuple[Case, ...]:
    return tuple(load_cases(CHECKOUT / "cases"))


@cache
def quick() -> tuple[Case, ...]:
    """The members."""
    return select(subset="quick").cases


def design_pairs(names: Iterable[str]) -> dict[str, set[Any]]:
    """By full name, the pairs of levels of the covering design, as its own test counts them."""
    wanted = set(names)
    return {
        case.name: {(design, *pair) for pair in combinations(row.items(), 2)}
        for design in covering.FILES
        for case, row in covering.cases(design)
        if case.name in wanted
    }


@pytest.fixture(scope="module")
def detections() -> dict[str, set[str]]:
    """By full name, the mistakes that a member detects when they are made."""
    truths = {case.name: prepare(case).truth for case in quick()}
    detected = tool("quick.mistakes").detected
    return {name: detected(truth) for name, truth in truths.items() if truth is not None}


@pytest.mark.parametrize("convention", NAMES)
def test_every_mistake_is_detected_by_three_members(
    detections: dict[str, set[str]], convention: str
) -> None:
    """Each name of the page of mistakes, by cases in float32 that the convention can spell, if it
    can show that mistake; those of few bits by cases of any dtype.
    """
    table = set(re.findall(r"^\| `([a-z-]+)`", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    assert len(table) >= 50
    spelt = [
        case for case in quick() if not isinstance(case.arguments(convention), Unrepresentable)
    ]
    times = Counter(
        name
        for case in spelt
        for name in detections.get(case.name, ())
        if case.dtype == "float32" or name in OF_FEW_BITS
    )
    made = table - READ_OFF - OF_GRADIENTS
    assert set(times) == made - IMPOSSIBLE.get(convention, set())
    few = {name for name, count in times.items() if count < LEAST}
    assert few - SCARCE.get(convention, set()) == set()


@pytest.mark.parametrize("design", covering.FILES)
def test_every_pair_of_the_covering_design_is_met(design: str) -> None:
    """Every legal pair of its levels is in a member."""
    names = {case.name for case in quick()}
    met = {
        pair
        for case, row in covering.cases(design)
        if case.name in names
        for pair in combinations(row.items(), 2)
    }
    assert len(met) > 900
    assert covering.legal(design, 2) - met == set()


def test_every_pair_of_factors_of_the_corpus_is_met() -> None:
    """What any two cases differ in together, slow ones and layers of networks among them, some
    member has.

    One pair is left out: the only case that has it is a layer of a network, and takes as long as
    many others.
    """
    pairs_of = tool("quick.factors").factor_pairs
    met = set().union(*map(pairs_of, quick()))
    everywhere = set().union(*map(pairs_of, corpus()))
    assert len(everywhere) > 700
    assert everywhere - met == {("factors", ("kernel channels", "whole"), ("groups", "some"))}


def test_no_member_is_needless() -> None:
    """Without any one of them something is detected less often, or no longer met."""
    pairs = design_pairs(case.name for case in quick())
    candidate = tool("quick.candidates").candidate
    given = [candidate(case, pairs.get(case.name, set())) for case in quick()]
    problem = tool("quick.problem").Problem(given)
    everyone = set(range(len(quick())))
    assert problem.pruned(everyone) == everyone


def test_members_are_small() -> None:
    """Neither slow, nor a layer of a network as it is, nor known to end an engine."""
    is_quick = tool("quick.candidates").is_quick
    assert [case.name for case in quick() if not is_quick(case)] == []
    assert len(quick()) < len(corpus()) / 4


def test_the_list_is_in_the_order_of_the_corpus() -> None:
    """One name a line, each once, so that a change of the list reads as what was added and
    removed.
    """
    lines = [
        line
        for line in tool("quick_subset").FILE.read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
    ]
    assert lines == [case.name for case in quick()]


def test_the_documentation_says_how_many_there_are() -> None:
    """Wherever it gives their number."""
    for page in ("commands.md", "decisions.md"):
        text = (CHECKOUT / "docs" / page).read_text(encoding="utf-8")
        numbers = re.findall(r"(?:`--subset quick`: |Most of its )(\d+)", text)
        assert numbers == [str(len(quick()))]


@pytest.mark.parametrize(
    ("good_for", "chosen"),
    [
        (
            ["ab", "bc", "cd", "d"],
            [0, 2],
        ),  # of two that are as good, the pair that leaves none over
        (["abc", "abd", "cd", "e"], [0, 1, 3]),
        (["M", "M", "Ma", "M", "b"], [2, 4, 0, 1]),  # three detect a mistake, the cheap ones
        (["M", "a", "Mb"], [0, 1, 2]),  # only two do: both of them
        (["Mab", "Ma", "Mb", "M"], [0, 1, 2]),
    ],
)
def test_the_search_covers_with_few(good_for: list[str], chosen: list[int]) -> None:
    """Small letters are pairs and must be met once, a capital is a mistake and must be detected
    three times.
    """
    case = corpus()[0]
    candidate = tool("quick.candidates").Candidate
    candidates = [
        candidate(
            case=case,
            meets=frozenset(
                ("mistake", letter) if letter.isupper() else ("pair", letter) for letter in letters
            ),
            inexact=frozenset(),
        )
        for letters in good_for
    ]
    problem = tool("quick.problem").Problem(candidates)
    members = problem.pruned(problem.completed(set(), None))
    assert len(members) == len(chosen)
    assert not problem.left(problem.counted(members))
    assert len(problem.solution()) == len(chosen)


def test_what_is_detected_by_a_bound_counts_where_nothing_else_is() -> None:
    """Another machine sums in another order: a detection bit for bit is the same everywhere."""
    a, b, none = ("mistake", "A"), ("mistake", "B"), frozenset[Any]()
    good_for = [*(({a, ("pair", number)}, none) for number in range(2)), (none, {a}), (none, {b})]
    candidate = tool("quick.candidates").Candidate
    given = [
        candidate(case=corpus()[0], meets=frozenset(meets), inexact=frozenset(inexact))
        for meets, inexact in good_for
    ]
    problem = tool("quick.problem").Problem(given)
    assert problem.completed(set(), None) == {0, 1, 3}


def test_a_list_that_is_not_current_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--check` exits 1 and writes nothing; without it the list is written, and then it is
    current.
    """
    module = tool("quick_subset")
    file = tmp_path / "subsets" / "quick.txt"
    monkeypatch.setattr(module, "FILE", file)
    monkeypatch.setattr(module, "written", lambda: "some/case\n")
    assert module.main(["--check"]) == 1
    assert not file.exists()
    assert "out of date" in capsys.readouterr().out
    assert module.main([]) == 0
    assert file.read_text() == "some/case\n"
    assert module.main(["--check"]) == 0
    file.write_text("another/case\n")
    assert module.main(["--check"]) == 1
