"""Files that say again what another one says: versions and pins agree."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from helpers import CHECKOUT

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
