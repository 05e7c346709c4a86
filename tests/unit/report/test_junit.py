"""JUnit XML: what becomes of each verdict, and that the file is well formed whatever texts say."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers import CUT, EMPTY, GAPS, command, corpus

from conformance.record.record import Record
from conformance.report.junit import junit
from conformance.verdicts.verdict import Verdict

CASE = "folder/file/one"
ALLOWED = {
    "testsuites": ({"testsuite"}, {"name"}),
    "testsuite": (
        {"properties", "testcase"},
        {"name", "timestamp", "tests", "failures", "errors", "skipped"},
    ),
    "properties": ({"property"}, set()),
    "property": (set(), {"name", "value"}),
    "testcase": ({"failure", "skipped"}, {"classname", "name", "time"}),
    "failure": (set(), {"type", "message"}),
    "skipped": (set(), {"message"}),
}
"""By element what the schema of Jenkins lets stand in it, as far as it is used: elements, and
attributes.
"""


@pytest.fixture
def suites(
    run_line: dict[str, Any], verdict: Callable[..., Verdict]
) -> Callable[..., list[ElementTree.Element]]:
    """The suites of the record with such verdicts, after a look at their structure."""

    def make(*abouts: dict[str, Any], end: Any = None) -> list[ElementTree.Element]:
        record = Record(
            run=run_line,
            cases={CASE: {"case": CASE, "summary": "One.", "source": "made up"}},
            verdicts=tuple(verdict(**about) for about in abouts),
            end={"counts": {}, "duration": 1.0, "problems": [], "unchecked": []} | (end or {}),
        )
        root = ElementTree.fromstring(junit(record))
        check(root)
        return list(root)

    return make


def check(element: ElementTree.Element) -> None:
    """Elements and attributes are those of the schema, the required ones are there, and the counts
    of a suite are those of its tests.
    """
    elements, attributes = ALLOWED[element.tag]
    assert set(element.attrib) <= attributes
    assert attributes - set(element.attrib) <= {"time"}
    assert {child.tag for child in element} <= elements
    if element.tag == "testsuite":
        for key, path in {"tests": "", "failures": "/failure", "skipped": "/skipped"}.items():
            assert int(element.attrib[key]) == len(element.findall(f"testcase{path}"))
        assert "+" not in element.attrib["timestamp"]
    for child in element:
        check(child)


def test_each_verdict_is_a_test(suites: Any) -> None:
    """What conforms passes, what is unexpected fails with the message, what is known or not
    supported is skipped with the reason.
    """
    [suite] = suites(
        {"status": "conforms"},
        {"quantity": "gradients", "status": "raised", "message": "boom"},
        {"quantity": "shape", "status": "raised", "message": "boom", "known": "It is so."},
        {"status": "unsupported", "message": "It has no such argument."},
    )
    assert suite.get("name") == "engine (cpu)"
    right, wrong, known, unsupported = suite.findall("testcase")
    assert (right.get("classname"), right.get("name")) == ("folder/file", "one")
    assert list(right) == []
    failure = wrong.find("failure")
    assert wrong.get("name") == "one[gradients]"
    assert failure.get("type") == "raised"
    assert "boom" in failure.text
    assert f"reproduce: conformance run {CASE} -a engine" in failure.text
    assert known.find("skipped").get("message") == "known: It is so."
    assert "It has no such argument." in unsupported.find("skipped").get("message")


def test_what_fails_the_gate_without_a_verdict_fails(suites: Any) -> None:
    """An entry that matches nothing, and an adapter on which nothing was checked."""
    problem = {"entry": "known.yaml:1", "problem": "matches no case"}
    idle = {"adapter": "engine", "reason": "none of the cases concerns it"}
    _, whole = suites({"status": "conforms"}, end={"problems": [problem], "unchecked": [idle]})
    told = [failure.get("message") for failure in whole.findall("testcase/failure")]
    assert told == [
        "known.yaml:1: matches no case",
        "engine: nothing was checked: none of the cases concerns it",
    ]


def test_no_text_breaks_the_file(suites: Any) -> None:
    """Controls, halves of pairs and markup of an engine are told, and XML has none of them."""
    [suite] = suites({"status": "raised", "message": "\x00\x1b]0;\ud800 </failure> ]]> & \ufffe"})
    [failure] = suite.findall("testcase/failure")
    assert "\\x1b" in failure.text
    assert "</failure> ]]> &" in failure.text


@pytest.mark.slow
def test_a_run_writes_it(tmp_path: Path) -> None:
    """With `--junit`, into a folder that need not be there: as many failures as the gate has."""
    root = corpus(tmp_path, CUT, GAPS, EMPTY)
    words = ["-a", "right=miniatures:Right", "-a", "wrong=miniatures:OffByOne", "--jobs", 1]
    done = command("run", root, *words, "--junit", "ci/junit.xml", "-o", "out", cwd=tmp_path)
    assert done.returncode == 1
    tree = ElementTree.parse(tmp_path / "ci" / "junit.xml").getroot()
    check(tree)
    counts = {suite.get("name"): (suite.get("tests"), suite.get("failures")) for suite in tree}
    assert counts["right (cpu)"] == ("3", "0")
    assert counts["wrong (cpu)"][0] == "3"
    failures = sum(int(failed) for _, failed in counts.values())
    assert f"{failures} new failure" in done.stdout
    refused = command("run", root, *words, "--junit", "out", "-o", "out", cwd=tmp_path)
    assert refused.returncode == 2
    assert "out cannot be written" in refused.stderr
