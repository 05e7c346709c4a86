"""The comparison of two records: what counts as a difference, what does not, and its exit codes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from helpers import CHECKOUT, tool

from conformance.record.record import RECORD, verdict_line
from conformance.record.writer import Writer
from conformance.verdicts.verdict import Verdict

pytestmark = pytest.mark.skipif(
    not (CHECKOUT / "tools" / "records" / "compare.py").is_file(),
    reason="the tool is in a checkout, not in a source distribution",
)

CASE = {"case": "folder/file/one", "summary": "One.", "input": {"shape": [1, 1, 2]}}
OTHER = {"case": "folder/file/two", "summary": "Two."}
TIMED = {
    "mode": "quick", "threads": 1, "first": None, "minimum": 0.1, "lower": 0.1, "median": 0.1,
    "upper": 0.1, "count": 1, "rounds": [0.1],
}  # fmt: skip
WAITED = (
    "no answer within 60 s, of which its process computed 1.2 s: it waits, or the machine was busy "
    "with something else"
)
NO_RECORDS = (None, b"", b"{}\n", b"\xff\n", b'{"type": "run", "format": 9}\n')
END = {"counts": {"engine": {"differs": 1}}, "duration": 1.0, "problems": []}

Write = Callable[..., Path]


@pytest.fixture
def compare() -> ModuleType:
    return tool("compare")


@pytest.fixture
def write(tmp_path: Path, run_line: dict[str, Any], verdict: Callable[..., Verdict]) -> Write:
    """Writes a record into a folder of that name; what is not given is the same for all."""

    def build(name: str, *, run: Any = (), cases: Any = (CASE,), verdicts: Any = None,
              end: Any = END) -> Path:  # fmt: skip
        writer = Writer(tmp_path / name / RECORD)
        writer.write("run", run_line | dict(run))
        for case in cases:
            writer.write("case", case)
        for one in [verdict()] if verdicts is None else verdicts:
            writer.write("verdict", verdict_line(one))
        if end is not None:
            writer.write("end", end)
        writer.close()
        return tmp_path / name

    return build


def told(
    compare: ModuleType, capsys: pytest.CaptureFixture[str], old: Path, new: Path
) -> tuple[int, list[str]]:
    """The exit code, and the lines on stdout."""
    code = compare.main([str(old), str(new)])
    return code, capsys.readouterr().out.splitlines()


def test_times_and_order_are_no_difference(
    compare: ModuleType,
    write: Write,
    verdict: Callable[..., Verdict],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """When it began, how long it took, timings, kept programs and seconds in messages; cases and
    verdicts in another order. A file stands for itself, a folder for its record.
    """
    late = verdict(case="folder/file/two", status="timed-out", message=WAITED)
    old = write("old", cases=(CASE, OTHER), verdicts=[verdict(), late])
    busy = "no answer within 60 s, of which its process computed 59.8 s"
    timed = verdict(timing=TIMED, compiled={"hits": 1, "misses": 0})
    later = verdict(case="folder/file/two", status="timed-out", message=busy)
    new = write(
        "new",
        run={"started": "2027-01-01T00:00:00+00:00", "command": ["conformance", "run"]},
        cases=(OTHER, CASE),
        verdicts=[later, timed],
        end={**END, "duration": 2.0},
    )
    code, lines = told(compare, capsys, old, new / RECORD)
    assert (code, lines) == (0, ["the same but for times: 2 cases, 2 verdicts"])


def test_the_run_line_is_told_by_its_inner_keys(
    compare: ModuleType, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    """A version and a setting that changed, a line for each."""
    run = {"threads": 2, "versions": {"engine": {"engine": "1.1"}}}
    assert told(compare, capsys, write("old"), write("new", run=run)) == (
        1,
        ["run: threads is 2, was 1", 'run: versions.engine.engine is "1.1", was "1.0"'],
    )


def test_a_verdict_is_one_line(
    compare: ModuleType,
    write: Write,
    verdict: Callable[..., Verdict],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """All that differs in it, the new value first; long values are cut."""
    changed = verdict(status="raised", exact=None, message="E: " + "x" * 100)
    code, [line] = told(compare, capsys, write("old"), write("new", verdicts=[changed]))
    assert code == 1
    start = "verdict folder/file/one, engine, cpu, output: "
    assert line.startswith(start + 'status is "raised", was "differs"; exact is null, was true; ')
    assert line.endswith("x…, was null")


def test_what_only_one_has(
    compare: ModuleType,
    write: Write,
    verdict: Callable[..., Verdict],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Cases, verdicts (a second one of the same call, too), a key of a case, and the end."""
    both = [verdict(), verdict(case="folder/file/two")]
    old = write("old", cases=(CASE, OTHER), verdicts=both)
    bare = {key: value for key, value in CASE.items() if key != "input"}
    new = write("new", cases=(bare,), verdicts=[verdict(), verdict()], end=None)
    assert told(compare, capsys, old, new) == (
        1,
        [
            "case folder/file/one: input is only in OLD",
            "case folder/file/two: only in OLD",
            "verdict folder/file/one, engine, cpu, output: only in NEW",
            "verdict folder/file/two, engine, cpu, output: only in OLD",
            "end: only in OLD",
        ],
    )


def test_a_message_that_says_something_else_is_a_difference(
    compare: ModuleType,
    write: Write,
    verdict: Callable[..., Verdict],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The limit is no time of the run's, and neither are other numbers."""
    old = write("old", verdicts=[verdict(status="timed-out", message=WAITED)])
    new = write("new", verdicts=[verdict(status="timed-out", message=WAITED.replace("60", "90"))])
    code, [line] = told(compare, capsys, old, new)
    assert code == 1
    assert 'message is "no answer within 90 s", was "no answer within 60 s"' in line


def test_fifty_lines_at_most(
    compare: ModuleType, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    """Then how many more there are."""
    cases = [{"case": f"folder/file/{number}", "summary": "One."} for number in range(60)]
    code, lines = told(compare, capsys, write("old"), write("new", cases=(CASE, *cases)))
    assert (code, len(lines), lines[-1]) == (1, 51, "and 10 more")


@pytest.mark.parametrize("content", NO_RECORDS)
def test_what_is_no_record_is_said_in_a_sentence(
    compare: ModuleType,
    write: Write,
    tmp_path: Path,
    content: bytes | None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit 2, and one line on stderr that names the file; so on either side."""
    broken = tmp_path / "broken.jsonl"
    if content is not None:
        broken.write_bytes(content)
    for pair in ((broken, write("new")), (write("old"), broken)):
        assert compare.main([str(path) for path in pair]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert len(said.err.splitlines()) == 1
        assert str(broken) in said.err
