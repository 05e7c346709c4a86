"""Files that say again what another one says: versions and pins agree."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from helpers import CHECKOUT, tool
from packaging.utils import canonicalize_name

import conformance

PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
FORMS = sorted((CHECKOUT / ".github" / "ISSUE_TEMPLATE").glob("[!c]*.yml"))


def loaded(name: str) -> Any:
    return yaml.safe_load((CHECKOUT / name).read_text(encoding="utf-8"))


def test_the_citation_is_of_this_version() -> None:
    """Version and licence are the package's."""
    citation = loaded("CITATION.cff")
    assert citation["version"] == conformance.__version__
    assert citation["license"] == PROJECT["project"]["license"]


def test_the_hooks_have_the_pinned_versions() -> None:
    """What is checked before a commit is what CI checks."""
    pinned = dict(
        word.split("==")
        for kind in ("lint", "type")
        for word in PROJECT["dependency-groups"][kind]
        if "==" in word
    )
    found = {
        repo["repo"].rpartition("/")[2]: repo.get("rev")
        for repo in loaded(".pre-commit-config.yaml")["repos"]
    }
    assert found == {
        "ruff-pre-commit": f"v{pinned['ruff']}",
        "mirrors-mypy": f"v{pinned['mypy']}",
        "local": None,
    }


def test_every_python_that_is_claimed_is_tested() -> None:
    """The classifiers are the matrix of the quick tests, and begin with the oldest that is
    allowed.
    """
    claimed = re.findall(r":: (3\.\d+)", "\n".join(PROJECT["project"]["classifiers"]))
    jobs = loaded(".github/workflows/checks.yml")["jobs"]
    assert jobs["quick"]["strategy"]["matrix"]["python"] == claimed
    assert PROJECT["project"]["requires-python"] == f">={claimed[0]}"


def names_of(requirements: list[str]) -> set[str]:
    """The distributions of requirements, as the lock spells them."""
    return {canonicalize_name(re.match(r"[\w.-]+", one)[0]) for one in requirements}


def locked() -> dict[str, set[str]]:
    """Name -> versions of requirements.lock; every one with digests of its files."""
    text = (CHECKOUT / "requirements.lock").read_text(encoding="utf-8")
    found: dict[str, set[str]] = {}
    for entry in re.split(r"\n(?=\w)", text.partition("\n")[2]):
        name, version = re.match(r"([\w.-]+)==([^\s;]+)", entry).groups()
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), name
        found.setdefault(canonicalize_name(name), set()).add(version)
    return found


def test_the_lock_has_the_pins_and_all_that_is_asked_for() -> None:
    """Every pin of constraints.txt, every dependency, extra and group; and no address of an
    index.
    """
    lines = (CHECKOUT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    lock = locked()
    assert {name: lock.get(canonicalize_name(name)) for name in pins} == {
        name: {version} for name, version in pins.items()
    }
    groups = PROJECT["dependency-groups"]
    extras = PROJECT["project"]["optional-dependencies"]
    asked = [*PROJECT["project"]["dependencies"]]
    for extra in re.search(r"\[(.*)\]", extras["all"][0])[1].split(","):
        asked += extras[extra]
    for group in ("unit", "docs", "test", "lint", "type"):
        asked += [one for one in groups[group] if isinstance(one, str)]
    assert names_of(asked) <= set(lock)
    assert "://" not in (CHECKOUT / "requirements.lock").read_text(encoding="utf-8")


def test_the_page_of_licences_is_of_what_is_locked() -> None:
    """Every distribution of the lock, and every package of the locks of npm."""
    text = (CHECKOUT / "docs" / "licences.md").read_text(encoding="utf-8")
    python, _, web = text.partition("## In a browser")
    rows = re.findall(r"^\| ([\w@/.-]+) \| (.+) \|$", python, re.MULTILINE)
    absent = re.search(r"^Not installed where .*: (.*)\.$", python, re.MULTILINE)[1].split(", ")
    told = {name for name, _ in rows[1:]} | set(absent)
    assert told - {"---"} == set(locked())
    licences = tool("licences")
    assert re.findall(r"^\| ([\w@/.-]+) \| (.+) \|$", web, re.MULTILINE)[2:] == list(
        licences.web_rows()
    )


@pytest.mark.parametrize(
    "file",
    [*sorted((CHECKOUT / ".github" / "workflows").glob("*.yml")), CHECKOUT / "action.yml",
     CHECKOUT / "action" / "merge" / "action.yml",
     CHECKOUT / "docs" / "gatekeeper.md"],
    ids=lambda path: "-".join(path.parts[-2:]),
)  # fmt: skip
def test_an_action_is_named_by_its_commit(file: Path) -> None:
    """With its version beside it; a tag may lead somewhere else tomorrow. All say the same one."""
    used = re.findall(r"uses: (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    others = [one for one in used if one != "./" and not one.startswith("OWNER/")]
    assert others
    for one in others:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one), one
    everything = "".join(
        path.read_text(encoding="utf-8")
        for path in [*CHECKOUT.glob(".github/workflows/*.yml"), CHECKOUT / "action.yml"]
    )
    for one in others:
        commits = set(re.findall(rf"{one.partition('@')[0]}@(\w+)", everything))
        assert commits <= {one.partition("@")[2].partition(" ")[0]}


def test_changes_are_gathered() -> None:
    """The changelog begins with what no release has yet."""
    text = (CHECKOUT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE)[0] == "Unreleased"


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.stem)
def test_an_issue_form_is_one(form: Path) -> None:
    """It has what GitHub asks for, and each id once."""
    content = loaded(str(form.relative_to(CHECKOUT)))
    assert content["name"]
    assert content["description"]
    assert all(entry["attributes"]["label"] for entry in content["body"])
    ids = [entry["id"] for entry in content["body"]]
    assert len(ids) == len(set(ids)) > 2
    assert {entry["type"] for entry in content["body"]} <= {"input", "textarea", "dropdown"}
