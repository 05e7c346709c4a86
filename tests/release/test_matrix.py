"""The version matrix: its table, the tox environments that stand for it, and the history that is
made of its records.
"""

from __future__ import annotations

import configparser
import re
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from helpers import CHECKOUT, tool
from packaging.version import Version

from conformance.adapters import REGISTRY
from conformance.record.reader import read_record

pytestmark = pytest.mark.skipif(
    not (CHECKOUT / "reports").is_dir(), reason="a source distribution has no reports"
)


@pytest.fixture(scope="module")
def compat() -> ModuleType:
    return tool("compat")


@pytest.fixture(scope="module")
def history() -> ModuleType:
    return tool("history")


def environments() -> set[str]:
    """The names of tox's compat environments."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(CHECKOUT / "tox.ini")
    found = set()
    for section in parser.sections():
        if match := re.fullmatch(r"testenv:(compat-[a-z]+-)\{(.*)\}", section):
            found |= {match[1] + release for release in match[2].split(",")}
    return found


def test_every_row_has_an_environment_and_the_other_way_round(compat: ModuleType) -> None:
    """Tox and the table name the same releases."""
    assert environments() == {f"compat-{name}" for name in compat.matrix()}


def test_the_newest_release_is_the_pinned_one_and_two_older_ones_follow(compat: ModuleType) -> None:
    """Each package is run in the version of constraints.txt, and all but flax in at least two older
    feature releases.
    """
    pinned = dict(
        line.split("==")
        for line in (CHECKOUT / "constraints.txt").read_text().splitlines()
        if "==" in line
    )
    releases: dict[str, list[str]] = {}
    for row in compat.matrix().values():
        releases.setdefault(row.package, []).append(row.release)
    assert set(releases) >= {"torch", "keras", "jax", "onnxruntime", "onnx", "tensorflow"}
    for package, versions in releases.items():
        assert versions[0] == pinned[package]
        assert versions == sorted(versions, key=Version, reverse=True)
        assert package == "flax" or len({Version(version).release[:2] for version in versions}) >= 3


def test_adapters_of_the_matrix_are_all_adapters(compat: ModuleType) -> None:
    """Every adapter that is no variant and has no environment of its own stands in one row of each
    of its package's releases.
    """
    named = {adapter for row in compat.matrix().values() for adapter in row.adapters}
    assert named == {
        name for name, entry in REGISTRY.items() if entry.variant_of is None and not entry.is_apart
    }


def test_a_row_is_run_in_its_own_interpreter(compat: ModuleType) -> None:
    """Every adapter of the row gets the interpreter, and what the user adds comes last."""
    words = compat.command(
        compat.matrix()["jax-0.9.2"], "/there/python", Path("out"), ["-k", "decoder"]
    )
    assert words[1:5] == ["-m", "conformance", "run", "--timing"]
    assert words[-2:] == ["-k", "decoder"]
    for adapter in ("jax", "jax-general"):
        assert words[words.index(adapter) + 1 : words.index(adapter) + 3] == [
            "--python",
            f"{adapter}=/there/python",
        ]


def test_the_page_is_made_of_the_history(history: ModuleType) -> None:
    """docs/history.md is what the tool writes, to the byte."""
    assert history.PAGE.read_text(encoding="utf-8") == history.page(history.read_history())


def test_the_history_holds_every_release_but_the_untried(
    history: ModuleType, compat: ModuleType
) -> None:
    """What the page has was run, and is all of the matrix but what it calls untried; two bugs at
    least were repaired.
    """
    found = history.read_history()
    run = {
        f"{package}-{version}"
        for package, releases in found.releases.items()
        for version in releases
    }
    assert run == {name for name, row in compat.matrix().items() if not row.untried}
    assert sum(not history._still(bug, found) for bug in found.bugs) >= 2


def test_a_record_becomes_its_part_of_the_history(history: ModuleType) -> None:
    """The reference record: its releases, every known failure counted once by case, nothing
    unexpected.
    """
    record = read_record(CHECKOUT / "reports" / "reference")
    found, unexpected = history.gather([record])
    assert unexpected == []
    assert list(found.releases["onnx"]) == [record.run["versions"]["onnx-reference"]["onnx"]]
    cases = {
        verdict.case
        for verdict in record.verdicts
        if verdict.adapter == "onnx-reference" and verdict.known
    }
    assert sum(sum(bug.failed.values()) for bug in found.bugs if bug.package == "onnx") >= len(
        cases
    )


def test_a_failure_without_a_reason_is_told(history: ModuleType) -> None:
    """A record in which something fails that no entry explains names package, release, adapter and
    case.
    """
    record = read_record(CHECKOUT / "reports" / "reference")
    conforming = next(
        one for one in record.verdicts if one.adapter == "torch" and one.status == "conforms"
    )
    broken = replace(record, verdicts=(replace(conforming, status="crashed"),))
    _, unexpected = history.gather([broken])
    assert unexpected == [f"torch 2.13.0: torch, {conforming.case}, output: crashed"]


def test_a_row_says_since_when_and_until_when(history: ModuleType) -> None:
    """Before the first release that was run, until the newest, and a gap between are told; markup
    in a reason is text.
    """
    bug = history.Bug(
        package="keras",
        reason="A | B <b>*",
        source="https://a.example/x_y",
        failed={"3.1": 2, "2.9": 1},
        adapters=("keras-torch",),
        case="one/two",
        diagnosis="differs",
    )
    found = history.History(
        releases={"keras": {version: {} for version in ("3.1", "3.0", "2.9")}}, bugs=(bug,)
    )
    row = history._row(bug, found)
    assert "| 2.9 or before | 3.1, the newest (not 3.0) | `one/two` and 1 more | differs |" in row
    assert "A \\| B \\<b>\\* Source: https://a.example/x_y |" in row
    later = replace(
        found, releases={"keras": {version: {} for version in ("3.2", "3.1", "3.0", "2.9", "2.8")}}
    )
    assert "| 2.9 | 3.1 (not 3.0) |" in history._row(bug, later)
