"""What changed between two records, each kind of change made alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conformance.record.changes import changes
from conformance.record.record import Record
from conformance.verdicts.verdict import Key, Verdict

RIGHT = {"status": "conforms"}
TIMING = {
    "mode": "quick",
    "threads": 1,
    "first": 1.0,
    "minimum": 0.9,
    "lower": 1.0,
    "median": 1.1,
    "upper": 1.2,
    "count": 9,
}


@pytest.fixture
def record(run_line: dict[str, Any], verdict: Callable[..., Verdict]) -> Callable[..., Record]:
    """A whole record of these verdicts, each given by what is not usual about it."""

    def build(
        *verdicts: dict[str, Any], problems: Any = (), cases: Any = None, **run: Any
    ) -> Record:
        found = tuple(verdict(**one) for one in verdicts)
        lines = {one.case: {"case": one.case, "dtype": "float32"} for one in found}
        end = {"counts": {}, "duration": 1.0, "problems": list(problems)}
        return Record(run={**run_line, **run}, cases=cases or lines, verdicts=found, end=end)

    return build


def names(found: Any) -> list[tuple[str, ...]]:
    return [change.what for change in found]


def test_equal_records_have_no_changes(record: Callable[..., Record]) -> None:
    """A record against itself: everything is compared, nothing is told."""
    one = record(RIGHT, {"case": "a/b/c"}, {"case": "a/b/d", "timing": TIMING, **RIGHT})
    found = changes(one, one)
    assert [
        found.newly_failing,
        found.newly_passing,
        found.changed,
        found.versions,
        found.settings,
    ] == [()] * 5
    assert not found.fails
    assert (found.compared, len(found.paces), found.slower, found.faster) == (3, 1, (), ())


def test_what_conformed_and_differs_is_newly_failing(record: Callable[..., Record]) -> None:
    """With its key and what changed of it; the other way round it is newly passing."""
    old, new = record(RIGHT), record({"mismatch": {"kind": "values"}})
    [change] = changes(old, new).newly_failing
    assert change.key == Key("folder/file/one", "engine", "cpu", "output")
    assert change.what == ("status", "kind")
    back = changes(new, old)
    assert (len(back.newly_passing), back.newly_failing, back.fails) == (1, (), False)


def test_a_new_failure_that_is_known_is_told_and_fails_nothing(
    record: Callable[..., Record],
) -> None:
    """The engine did change; the gate asks for what nobody declared."""
    found = changes(record(RIGHT), record({"known": "a reason"}))
    assert names(found.newly_failing) == [("status",)]
    assert not found.fails


def test_what_is_known_of_a_failure_is_no_change(record: Callable[..., Record]) -> None:
    """An upgrade beyond the range of an entry changes nothing that the engine does, whether the
    entry holds there or not.
    """
    note = {"entry": "a.yaml:1", "text": "for engine 2.0: seen in engine ==1.*"}
    sides = [
        record({"known": "a reason"}),
        record({}),
        record({"known": "a reason", "known_unconfirmed": note}),
    ]
    for old in sides:
        for new in sides:
            found = changes(old, new)
            assert (found.newly_failing, found.changed, found.fails) == ((), (), False)


def test_another_failure_that_nobody_declared_is_newly_failing(
    record: Callable[..., Record],
) -> None:
    """What was known was the other way to fail."""
    found = changes(record({"known": "a reason"}), record({"status": "crashed"}))
    assert (names(found.newly_failing), found.fails) == ([("status",)], True)


def test_a_stale_entry_is_newly_passing(record: Callable[..., Record]) -> None:
    """The engine conforms, whatever an entry says of it; the run itself fails on the entry."""
    stale = record({**RIGHT, "known_problem": {"entry": "a.yaml:1", "problem": "is stale"}})
    found = changes(record({"known": "a reason"}), stale)
    assert (len(found.newly_passing), found.newly_failing, found.fails) == (1, (), False)


def test_facts_of_engines_are_told_with_their_versions(record: Callable[..., Record]) -> None:
    """Where both records have them: an older one has none, which says nothing."""
    told, other = ({"engine": {"onednn": True, "isa": isa}} for isa in ("avx512", "avx2"))
    found = changes(record(RIGHT, facts=told), record(RIGHT, facts=other))
    assert [(fact.adapter, fact.name, fact.old, fact.new) for fact in found.versions] == [
        ("engine", "isa", "avx512", "avx2")
    ]
    assert changes(record(RIGHT), record(RIGHT, facts=other)).versions == ()


def test_a_failing_verdict_that_was_not_there_is_newly_failing(
    record: Callable[..., Record],
) -> None:
    """A new case that fails has no old verdict; one that conforms is only told as new."""
    old, new = record(RIGHT), record(RIGHT, {"case": "a/b/c"}, {"case": "a/b/d", **RIGHT})
    found = changes(old, new)
    [change] = found.newly_failing
    assert (change.old, change.key.case) == (None, "a/b/c")
    assert found.only_new.cases == ("a/b/c", "a/b/d")
    assert changes(new, old).only_old.cases == ("a/b/c", "a/b/d")


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        (
            {"diagnosis": {"name": "flipped"}},
            {"diagnosis": {"name": "shifted-window"}},
            "diagnosis",
        ),
        ({"mismatch": {"kind": "values"}}, {"mismatch": {"kind": "shape"}}, "kind"),
        ({"status": "raised"}, {"status": "crashed"}, "status"),
        (
            RIGHT | {"precision": None},
            RIGHT | {"precision": {"bits": 11, "formats": ["TF32", "float16"]}},
            "precision",
        ),
    ],
)
def test_another_way_to_fail_is_a_change(
    record: Callable[..., Record], before: Any, after: Any, what: str
) -> None:
    """Diagnosis, kind, status or precision alone."""
    assert names(changes(record(before), record(after)).changed) == [(what,)]


def test_rounding_in_the_own_dtype_is_no_change_of_precision(record: Callable[..., Record]) -> None:
    """An exact result and one rounded as its dtype rounds are equally precise."""
    rounded = record(RIGHT | {"precision": {"bits": 23, "formats": ["float32"]}})
    assert changes(record(RIGHT), rounded).changed == ()


@pytest.mark.parametrize(
    ("factor", "slower", "faster"),
    [(1.0, False, False), (1.15, False, False), (1.5, True, False), (0.5, False, True)],
)
def test_quartiles_that_overlap_show_no_difference(
    record: Callable[..., Record], factor: float, slower: bool, faster: bool
) -> None:
    """Only where the quartiles are apart is there a difference; the limit holds for the ratio of
    medians.
    """
    later = {
        key: value * factor if key in ("lower", "median", "upper") else value
        for key, value in TIMING.items()
    }
    found = changes(record(RIGHT | {"timing": TIMING}), record(RIGHT | {"timing": later}))
    [pace] = found.paces
    assert pace.ratio == pytest.approx(factor)
    assert (pace.slower, pace.faster) == (slower, faster)
    assert bool(found.too_slow(1.3)) == slower
    assert not found.too_slow(1.6)


def test_a_single_call_shows_no_difference(record: Callable[..., Record]) -> None:
    """Its quartiles are all the same number, and say nothing of how calls scatter."""
    once = {**TIMING, "lower": 1.0, "median": 1.0, "upper": 1.0, "count": 1}
    later = {**once, "lower": 3.0, "median": 3.0, "upper": 3.0}
    [pace] = changes(record(RIGHT | {"timing": once}), record(RIGHT | {"timing": later})).paces
    assert (pace.ratio, pace.slower, pace.faster) == (3.0, False, False)


def test_times_of_other_processors_are_not_compared(record: Callable[..., Record]) -> None:
    """Nor of other numbers of threads; the reason is told."""
    timed = RIGHT | {"timing": TIMING}
    for run in ({"cpu": {"model": "Other"}}, {"threads": 2}):
        found = changes(record(timed), record(timed, **run))
        assert found.paces == ()
        assert "another" in str(found.untimed)


def test_versions_and_settings_are_told_apart(record: Callable[..., Record]) -> None:
    """A distribution's version belongs to its adapter; the suite's own is a setting."""
    found = changes(
        record(RIGHT),
        record(RIGHT, versions={"engine": {"engine": "2.0", "more": "1"}}, conformance="9"),
    )
    assert [(fact.adapter, fact.name, fact.old, fact.new) for fact in found.versions] == [
        ("engine", "engine", "1.0", "2.0"),
        ("engine", "more", None, "1"),
    ]
    assert [(fact.name, fact.new) for fact in found.settings] == [("conformance", "9")]


def test_an_adapter_of_one_record_alone_is_told(
    record: Callable[..., Record], run_line: dict[str, Any]
) -> None:
    """By its label; a device of one record alone is told by its verdicts."""
    two = [*run_line["adapters"], {"label": "other"}]
    found = changes(record(RIGHT), record(RIGHT, RIGHT | {"device": "npu"}, adapters=two))
    assert found.only_new.adapters == ("other",)
    assert found.only_new.verdicts == (Key("folder/file/one", "engine", "npu", "output"),)


def test_a_new_entry_that_matches_no_case_fails(record: Callable[..., Record]) -> None:
    """A lost entry fails the run, so it fails here; one that was lost before is nothing new."""
    lost = record(RIGHT, problems=[{"entry": "a.yaml:1", "problem": "matches no case"}])
    assert changes(record(RIGHT), lost).fails
    assert not changes(lost, lost).fails


def test_one_name_for_two_calls_is_told(record: Callable[..., Record]) -> None:
    """Another input under the same name is another case; another summary is not, nor a key that an
    old record lacks.
    """
    cases = [
        {"folder/file/one": {"case": "folder/file/one", "summary": text, **rest}}
        for text, rest in (
            ("A.", {"input": 1}),
            ("B.", {"input": 1, "dtype": "float32"}),
            ("A.", {"input": 2}),
        )
    ]
    first, summary, other = (record(RIGHT, cases=lines) for lines in cases)
    assert changes(first, summary).redefined == ()
    assert changes(first, other).redefined == ("folder/file/one",)


def test_an_array_is_compared_as_far_as_both_records_tell_it(record: Callable[..., Record]) -> None:
    """A record without recipes, or without the numbers of large arrays, is no other call; another
    recipe or shape is.
    """
    whole = {"shape": [2], "values": [1.0, 2.0], "make": {"seed": 1}}
    numbers, recipe = (
        {key: value for key, value in whole.items() if key != left} for left in ("make", "values")
    )
    others = {**numbers, "values": [1.0, 3.0]}, {**recipe, "make": {"seed": 2}}, {"shape": [3]}

    def redefined(*arrays: object) -> bool:
        cases = [
            {"folder/file/one": {"case": "folder/file/one", "summary": "A.", "input": array}}
            for array in arrays
        ]
        return bool(changes(*(record(RIGHT, cases=lines) for lines in cases)).redefined)

    assert not any(
        redefined(one, other)
        for one in (whole, numbers, recipe)
        for other in (whole, numbers, recipe)
    )
    assert all(redefined(whole, other) for other in others)
