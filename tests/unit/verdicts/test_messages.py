"""The one message grammar: who, where, what, how many, how to see it again, and the sentence of a
whole record.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

import pytest

from conformance.record import messages as record_messages
from conformance.record.record import Record
from conformance.verdicts import messages
from conformance.verdicts.facts import explanation
from conformance.verdicts.verdict import STATUSES, Verdict


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_has_a_headline(verdict: Callable[..., Verdict], status: str) -> None:
    """Who did what, where, for all statuses."""
    line = messages.headline(verdict(status=status, device="cuda"))
    assert line.startswith("engine (cuda) ")
    assert line.endswith(" in folder/file/one")
    assert "  " not in line


def test_details_are_in_the_order_of_the_grammar(verdict: Callable[..., Verdict]) -> None:
    """Mismatch, error, precision, diagnosis, message, traceback, known reason, and the entry that
    does not fit.
    """
    found = verdict(
        mismatch={
            "kind": "values",
            "text": "out[0]=1, should be 2; 1 of 3 elements differ",
            "abs_error": 1.0,
            "allowed": 2.7e-07,
        },
        error_over_bound=12345.678,
        precision={"bits": 11, "formats": ["TF32", "float16"]},
        diagnosis={"name": "shifted", "text": "it is the window one earlier"},
        message="first\nsecond\n",
        traceback='File "engine.py", line 3, in call\n    launch()',
        known="because",
        known_problem={"entry": "a.yaml:3", "problem": "stale"},
    )
    assert explanation(found) == [
        "out[0]=1, should be 2; 1 of 3 elements differ",
        "max abs error 1 (allowed 2.7e-07)",
        "about 11 significant bits: TF32 or float16",
        "it is the window one earlier",
        "first",
        "second",
        'File "engine.py", line 3, in call',
        "    launch()",
        "known: because",
        "a.yaml:3: stale",
    ]


def test_exact_sums_allow_no_error(verdict: Callable[..., Verdict]) -> None:
    """Every bit is compared, and there is no bound to tell."""
    found = verdict(
        mismatch={
            "kind": "values",
            "text": "out[0]=1, should be 2",
            "abs_error": 1.0,
            "allowed": 0.0,
        }
    )
    assert explanation(found)[1] == "max abs error 1 (none is allowed: every sum is exact)"


def test_a_message_says_what_the_case_is_about(
    verdict: Callable[..., Verdict], run_line: dict[str, Any]
) -> None:
    """Its summary and where it comes from, below the headline."""
    case = {"summary": "The last row is kept.", "source": "a textbook"}
    lines = messages.message(verdict(), run_line, case).split("\n")
    assert lines[1] == "    The last row is kept. (source: a textbook)"


def test_what_conforms_has_no_error_to_explain(verdict: Callable[..., Verdict]) -> None:
    """Errors and precision within the bound are facts of the record, not details of a message."""
    found = verdict(
        status="conforms", error_over_bound=0.5, precision={"bits": 24, "formats": ["float32"]}
    )
    assert explanation(found) == []


def test_a_precision_of_no_format_says_so(verdict: Callable[..., Verdict]) -> None:
    """Bits that no format has are given without one."""
    assert explanation(verdict(precision={"bits": 16, "formats": []})) == [
        "about 16 significant bits; matches no standard format"
    ]


def test_again_is_a_command_for_a_shell(
    verdict: Callable[..., Verdict], run_line: dict[str, Any]
) -> None:
    """Paths, the case, the adapter as it was asked for and the device, quoted where a shell needs
    it.
    """
    run_line["adapters"] = [
        {"label": "old", "asked": "old=cmd:./engine --fast", "adapter": "cmd:./engine --fast"}
    ]
    run_line["paths"] = ["my cases"]
    found = verdict(adapter="old", device="cuda", case="folder/file/a b")
    command = messages.reproduction(found, run_line)
    assert shlex.split(command)[:5] == ["conformance", "run", "my cases", "folder/file/a b", "-a"]
    assert shlex.split(command)[5:] == ["old=cmd:./engine --fast", "--device", "cuda"]


def test_the_first_device_needs_no_option(
    verdict: Callable[..., Verdict], run_line: dict[str, Any]
) -> None:
    """On the CPU the command is as short as it can be."""
    assert messages.reproduction(verdict(), run_line) == "conformance run folder/file/one -a engine"


@pytest.mark.parametrize("words", [["--threads", "3"], ["--threads=3"]])
def test_a_number_of_threads_that_was_asked_for_is_asked_for_again(
    verdict: Callable[..., Verdict], run_line: dict[str, Any], words: list[str]
) -> None:
    """One that was not is the machine's own, and another machine has another."""
    run_line["threads"], run_line["command"] = 3, ["conformance", "run", *words]
    assert (
        messages.reproduction(verdict(), run_line)
        == "conformance run folder/file/one -a engine --threads 3"
    )
    run_line["command"] = ["conformance", "run"]
    assert messages.reproduction(verdict(), run_line) == "conformance run folder/file/one -a engine"


def test_the_message_is_headline_details_and_command(
    verdict: Callable[..., Verdict], run_line: dict[str, Any]
) -> None:
    """Several lines, of which all but the first are indented."""
    lines = messages.message(verdict(message="why"), run_line).split("\n")
    assert lines == [
        "engine (cpu) differs from the oracle in folder/file/one:",
        "    why",
        "    reproduce: conformance run folder/file/one -a engine",
    ]


@pytest.mark.parametrize(
    ("end", "changes", "sentence"),
    [
        (None, {}, "The run was cut: 1 check on 1 case so far, 1 new failure."),
        (
            {"problems": []},
            {"status": "conforms"},
            "Conforms: 1 check on 1 case, no new failures, 0 known failures.",
        ),
        (
            {"problems": []},
            {"known": "because"},
            "Conforms: 1 check on 1 case, no new failures, 1 known failure.",
        ),
        (
            {"problems": []},
            {},
            "Does not conform: 1 new failure in 1 check on 1 case, 0 known failures.",
        ),
        (
            {"problems": [{"entry": "a:1", "problem": "lost"}]},
            {"known": "because"},
            "Does not conform: no new failures in 1 check on 1 case, 1 entry that "
            "matches no case,"
            " 1 known failure.",
        ),
    ],
)
def test_the_sentence_of_a_record_agrees_with_the_gate(
    run_line: dict[str, Any],
    verdict: Callable[..., Verdict],
    end: dict[str, Any] | None,
    changes: dict[str, Any],
    sentence: str,
) -> None:
    """It says Conforms exactly where the gate passes, with how many of what."""
    record = Record(
        run=run_line, cases={"folder/file/one": {}}, verdicts=(verdict(**changes),), end=end
    )
    assert record_messages.summary(record) == sentence
    assert sentence.startswith("Conforms") == record.ok


def test_releases_beyond_the_entries_are_told_once(
    run_line: dict[str, Any], verdict: Callable[..., Verdict]
) -> None:
    """How much is as before and what is mended, per release; and the sentence counts the
    unconfirmed apart.
    """
    note = {"entry": "known.yaml:3", "text": "for engine 2.0: seen in engine ==1.*"}
    verdicts = (
        verdict(known="a reason", known_unconfirmed=note),
        verdict(case="folder/file/two", known="a reason", known_unconfirmed=note),
        verdict(
            case="folder/file/three", status="conforms", mended={**note, "entry": "known.yaml:9"}
        ),
        verdict(case="folder/file/four", status="conforms"),
    )
    record = Record(
        run=run_line, verdicts=verdicts, end={"counts": {}, "duration": 1.0, "problems": []}
    )
    assert record_messages.news(record) == [
        "engine 2.0 is newer than the entries: 2 known failures are as before, 1 check "
        "mended (known.yaml:9);"
        " conformance confirm brings them up to date"
    ]
    assert "2 known failures (2 unconfirmed)" in record_messages.summary(record)
    lines = explanation(verdicts[0])
    assert "known: a reason" in lines
    assert any(
        line.startswith("unconfirmed for engine 2.0: seen in engine ==1.*") for line in lines
    )
