"""Disagreements of shape functions and their engines about what is legal, as records tell them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from helpers import CHECKOUT, tool

from conformance.record.record import RECORD, verdict_line
from conformance.record.writer import Writer
from conformance.verdicts.verdict import Verdict

pytestmark = pytest.mark.skipif(
    not (CHECKOUT / "tools" / "records" / "legality.py").is_file(),
    reason="the tool is in a checkout, not in a source distribution",
)

LEGAL = {"case": "folder/file/legal", "summary": "One.", "expected": {"shape": [1, 1, 2]}}
ILLEGAL = {"case": "folder/file/illegal", "summary": "Two.", "expected": None}

Told = Callable[..., tuple[int, list[str]]]


@pytest.fixture
def legality() -> ModuleType:
    return tool("legality")


@pytest.fixture
def told(
    legality: ModuleType,
    tmp_path: Path,
    run_line: dict[str, Any],
    verdict: Callable[..., Verdict],
    capsys: pytest.CaptureFixture[str],
) -> Told:
    """The exit code and the lines for verdicts of torch and of torch-meta, each in a record of its
    own; a verdict is its case, its status, and what else is to be told of it.
    """

    def record(adapter: str, quantity: str, verdicts: Sequence[Any]) -> Path:
        writer = Writer(tmp_path / adapter / RECORD)
        named = [{"label": f"my-{adapter}", "asked": adapter, "adapter": adapter}]
        writer.write(
            "run",
            run_line
            | {
                "adapters": named,
                "versions": {f"my-{adapter}": {}},
                "devices": {f"my-{adapter}": ["cpu"]},
            },
        )
        for case in (LEGAL, ILLEGAL):
            writer.write("case", case)
        for case, status, *more in verdicts:
            fields: Any = dict(*more)
            line = verdict(
                case=case["case"],
                adapter=f"my-{adapter}",
                quantity=quantity,
                status=status,
                **fields,
            )
            writer.write("verdict", verdict_line(line))
        writer.close()
        return tmp_path / adapter

    def run(computed: Sequence[Any], said: Sequence[Any]) -> tuple[int, list[str]]:
        folders = [record("torch", "output", computed), record("torch-meta", "shape", said)]
        code = legality.main([str(folder) for folder in folders])
        return code, capsys.readouterr().out.splitlines()

    return run


def test_a_shape_of_what_the_engine_refuses_is_named(told: Told) -> None:
    """The engine is right about a case that must be refused; nothing says that the other is
    not.
    """
    code, lines = told([(ILLEGAL, "conforms")], [(ILLEGAL, "differs")])
    assert (code, lines) == (
        1,
        [
            "torch-meta: 1 cases that torch answers too, 1 with a shape that it refuses, 0 that it "
            "computes and have no shape",
            "folder/file/illegal: torch-meta takes it, torch refuses it, and neither is declared",
        ],
    )


def test_what_is_computed_and_has_no_shape_is_named(told: Told) -> None:
    """The shape function raises."""
    code, lines = told([(LEGAL, "conforms")], [(LEGAL, "raised")])
    assert code == 1
    assert lines[1].endswith("torch takes it, torch-meta refuses it, and neither is declared")


@pytest.mark.parametrize("side", ["engine", "function"])
def test_a_known_difference_of_either_side_declares_it(told: Told, side: str) -> None:
    """An engine that refuses what is legal is in the wrong itself."""
    known = {"known": "It refuses what is legal."}
    computed = (LEGAL, "raised", known if side == "engine" else {})
    said = (LEGAL, "conforms", known if side == "function" else {})
    code, lines = told([computed], [said])
    assert (code, len(lines)) == (0, 1)
    assert "1 with a shape that it refuses" in lines[0]


@pytest.mark.parametrize("status", ["unsupported", "crashed", "timed-out", "unavailable"])
def test_no_answer_is_no_disagreement(told: Told, status: str) -> None:
    """Then nothing was compared, which is no success."""
    code, lines = told([(LEGAL, status)], [(LEGAL, "conforms")])
    assert (code, lines) == (1, ["no shape function and its engine have a case in common"])


def test_agreement_about_both_is_counted(told: Told) -> None:
    """A wrong output of a legal case is an output."""
    both = [(LEGAL, "differs"), (ILLEGAL, "conforms")]
    code, lines = told(both, both)
    assert (code, len(lines)) == (0, 1)
    assert lines[0].startswith("torch-meta: 2 cases that torch answers too, 0 with a shape")


def test_what_is_no_record_is_said_in_a_sentence(
    legality: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2, and one line that names the file."""
    assert legality.main([str(tmp_path / "nothing.jsonl")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "nothing.jsonl" in line
