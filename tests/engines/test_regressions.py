"""The cases of public bugs name where the bug was reported, and the table of proofs fits them."""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any

import helpers
import pytest
from helpers import CHECKOUT
from packaging.version import Version

from conformance.adapters import REGISTRY
from conformance.corpus.case import Case
from conformance.corpus.files import load_cases

TOOL = CHECKOUT / "tools" / "releases" / "prove_regressions.py"
URL = re.compile(r"https://[\w.-]+/[^\s:]+")

pytestmark = pytest.mark.skipif(
    not TOOL.is_file(), reason="the tool is in a checkout, not in a source distribution"
)


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    """The committed cases of public bugs and public suites."""
    return list(load_cases(CHECKOUT / "cases" / "regressions"))


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    """The tool as a module."""
    return helpers.tool("prove_regressions")


def urls(case: Case) -> list[str]:
    return URL.findall(case.source)


def test_at_least_forty_public_bugs(cases: list[Case]) -> None:
    """At least forty different issues have a case."""
    assert len({url for case in cases for url in urls(case)}) >= 40


def test_every_bug_names_its_issue(cases: list[Case]) -> None:
    """A case of a bug begins with the address of its report and tells what came out, or says that
    there is none.
    """
    bare = [
        case.name
        for case in cases
        if not re.search("/(public_suites|gradients)/", case.name)
        and "no public report was found" not in case.source
        and not re.match(rf"{URL.pattern}( and \d+)?: \S", case.source)
    ]
    assert bare == []


def test_one_case_per_bug_and_window(cases: list[Case]) -> None:
    """No two cases of one issue are the same call on the same arrays."""
    seen: dict[Any, str] = {}
    for case in cases:
        key = (
            case.source.split(": ")[0],
            case.dtype,
            case.native and str(case.native),
            str(case.geometry),
            str(case.kernel),
        )
        assert key not in seen, f"{case.name} repeats {seen[key]}"
        seen[key] = case.name


def test_proofs_name_cases_and_adapters_that_exist(cases: list[Case], tool: ModuleType) -> None:
    """Every proof is of a case of this folder and of an adapter of the table, and names the issue
    that the case names.
    """
    by_name = {case.name: case for case in cases}
    for proof in tool.proofs().values():
        assert proof["adapter"] in REGISTRY
        assert proof["issue"] in urls(by_name[proof["case"]])


def test_at_least_three_proofs_have_a_wrong_and_a_right_version(tool: ModuleType) -> None:
    """Three bugs at least are proved, each by a version that has it and one that has not."""
    both = [
        proof
        for proof in tool.proofs().values()
        if [run["which"] for run in proof["runs"]] == ["wrong", "right"]
    ]
    assert len(both) >= 3
    assert len(both) == len(tool.proofs())


def test_proofs_differ_in_one_package(tool: ModuleType) -> None:
    """The wrong and the right environment differ in the version of one package, so that nothing
    else explains the verdict.
    """
    for proof in tool.proofs().values():
        wrong, right = (tool.run_of(proof, which)["requires"] for which in ("wrong", "right"))
        changed = [name for name in wrong if Version(wrong[name]) != Version(right[name])]
        assert wrong.keys() == right.keys()
        assert len(changed) == 1


def test_told_reads_a_verdict(tool: ModuleType) -> None:
    """A verdict without mismatch and diagnosis is told with nulls, one with both by their names."""
    assert tool.outcome_of({"status": "conforms", "mismatch": None, "diagnosis": None}) == {
        "status": "conforms",
        "kind": None,
        "diagnosis": None,
    }
    found = tool.outcome_of(
        {"status": "differs", "mismatch": {"kind": "shape"}, "diagnosis": {"name": "other-window"}}
    )
    assert found == {"status": "differs", "kind": "shape", "diagnosis": "other-window"}
