"""Failures that are alike are told once, with what their cases have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import conformance
from conformance.corpus.files import load_cases
from conformance.corpus.traits import rule, traits_of, traits_of_line
from conformance.record import signatures
from conformance.record.record import Record
from conformance.record.signatures import extent, groups_of
from conformance.verdicts.verdict import Verdict

DEEP = frozenset({"dilation above 1", "dilation above 2"})
GROUPS, DILATED, PLAIN = (
    frozenset({"groups above 1", "a bias"}),
    frozenset({"dilation above 1", "a bias"}),
    frozenset({"a bias", "one group"}),
)


@pytest.mark.parametrize(
    ("failing", "passing", "found"),
    [
        ([GROUPS, GROUPS | {"no dilation"}], [PLAIN, DILATED], ("groups above 1", True)),
        (
            [GROUPS, GROUPS],
            [PLAIN, frozenset({"groups above 1", "no bias"})],
            ("a bias and groups above 1", True),
        ),
        ([GROUPS, GROUPS], [PLAIN, PLAIN, PLAIN, GROUPS], ("groups above 1", False)),
        ([GROUPS, PLAIN], [PLAIN, GROUPS], ("", False)),
        (
            [DEEP, DEEP],
            [PLAIN, PLAIN, PLAIN, PLAIN, PLAIN, DEEP],
            ("dilation above 1", False),
        ),  # the other says no more
        ([GROUPS, DILATED], [], ("", False)),
        ([], [PLAIN], ("", False)),
    ],
)
def test_a_rule_is_true_of_all_that_fail(
    failing: Any, passing: Any, found: tuple[str, bool]
) -> None:
    """One trait before two, and one that no passing case has before one that some have; nothing
    where nothing separates.
    """
    assert rule(failing, passing) == found


def test_traits_of_a_case_are_those_of_its_line() -> None:
    """For every shipped case: what `check` says and what is read off a record are the same."""
    from conformance.corpus.truths import Truths
    from conformance.record.case_line import case_line

    truths = Truths()
    cases = [
        case
        for case in load_cases("cases/textbook") + load_cases("cases/edge")
        if "slow" not in case.tags
    ]
    assert len(cases) > 50
    for case in cases:
        assert traits_of(case) == traits_of_line(case_line(case, truths)), case.name


def test_a_line_that_says_too_little_has_no_traits() -> None:
    """A record of another version."""
    assert traits_of_line({"case": "a/b/c", "summary": ""}) == frozenset()


@pytest.fixture
def record(run_line: dict[str, Any], verdict: Callable[..., Verdict]) -> Callable[..., Record]:
    """A record of verdicts on cases whose size is their number."""

    def build(*changes: dict[str, Any]) -> Record:
        verdicts = tuple(verdict(case=f"a/b/{n}", **one) for n, one in enumerate(changes))
        lines = {
            v.case: {
                "case": v.case,
                "input": {"shape": [1, 1, 9 - n]},
                "kernel": {"shape": [1, 1, 1]},
            }
            for n, v in enumerate(verdicts)
        }
        return Record(run=run_line, cases=lines, verdicts=verdicts)

    return build


def test_failures_of_one_kind_are_one_group(record: Callable[..., Record]) -> None:
    """By diagnosis, or by a message without its numbers; the smallest case first, known and
    conforming ones left out.
    """
    shifted = {"mismatch": {"kind": "values"}, "diagnosis": {"name": "shifted-window"}}
    found = groups_of(
        record(
            shifted,
            {"status": "raised", "message": "RuntimeError: got 3 at 0x7f21"},
            {"status": "conforms"},
            {"status": "raised", "message": "RuntimeError: got 14 at 0x9c"},
            shifted,
            {**shifted, "known": "a reason"},
            {"status": "raised", "message": "ValueError: got 3"},
        )
    )
    assert [[verdict.case for verdict in group.verdicts] for group in found] == [
        ["a/b/4", "a/b/0"],
        ["a/b/3", "a/b/1"],
        ["a/b/6"],
    ]
    assert [extent(group) for group in found] == ["2 cases", "2 cases", ""]


def test_a_kernel_that_forgets_the_bias_in_groups_is_told_so() -> None:
    """On real cases: all with groups and a bias, and no case with that conforms."""

    def kernel(x: Any, w: Any, bias: Any, **arguments: Any) -> Any:
        kept = None if arguments["groups"] > 1 else bias
        return conformance.conv_transpose(x, w, kept, **arguments).astype(x.dtype)

    report = conformance.check(kernel, "arithmetic/*", progress=False)
    text = str(report)
    assert not report.ok
    assert "all with a bias and groups above 1, and no case with that conforms" in text
    assert "the bias is dropped" in text


def test_messages_without_their_numbers() -> None:
    """Addresses, sizes and decimals do not make two failures of one."""
    assert signatures.without_numbers("got 3.5 of [1, 2] at 0x7f") == "got # of [#, #] at #"
