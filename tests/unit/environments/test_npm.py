"""What an engine in JavaScript needs: pinned by a lock without a registry, brought by npm."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from conformance import environments
from conformance.adapters import REGISTRY
from conformance.environments import npm

PROJECTS = sorted({entry.node[0] for entry in REGISTRY.values() if entry.node})
NPM = """#!/bin/sh
echo "$@" > said
mkdir node_modules && echo "$npm_tests" > node_modules/there
"""
FAILING = """#!/bin/sh
mkdir node_modules
echo 'npm warn something' >&2
echo 'npm error code E404' >&2
echo 'npm error 404 Not Found' >&2
exit 1
"""


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where an npm of the test's own is written; the cache is empty."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("CONFORMANCE_CACHE", str(tmp_path / "cache"))
    return folder / "npm"


def write(tool: Path, text: str) -> None:
    tool.write_text(text)
    tool.chmod(0o755)


@pytest.mark.parametrize("project", PROJECTS)
def test_a_lock_pins_everything_and_names_no_registry(project: str) -> None:
    """Each package has a version and a digest, and npm asks the registry of its own settings."""
    folder = npm.PROGRAMS / project
    wanted = json.loads((folder / "package.json").read_text())["dependencies"]
    lock = json.loads((folder / "package-lock.json").read_text())
    root, *packages = lock["packages"].values()
    assert root["dependencies"] == wanted
    assert all(version[0].isdigit() for version in wanted.values())
    assert all(package["version"] and package["integrity"] for package in packages)
    assert not any("resolved" in package for package in packages)


def test_variants_share_what_npm_brings(tool: Path) -> None:
    """It is brought once, from the lock, without running a script of a package; and removed."""
    write(tool, NPM)
    assert environments.find("tfjs") is None
    made = environments.install("tfjs-webgpu")
    assert environments.find("tfjs") == environments.find("tfjs-wasm") == made
    assert environments.find("onnxruntime-web") is None
    assert made.environment.installed["@tensorflow/tfjs"] == "4.22.0"
    words = (made.folder / "said").read_text().split()
    assert words[0] == "ci"
    assert "--ignore-scripts" in words
    assert sorted(path.name for path in made.folder.iterdir()) == [
        "conformance.json",
        "node_modules",
        "package-lock.json",
        "package.json",
        "said",
    ]
    assert environments.remove("tfjs")
    assert environments.find("tfjs-webgpu") is None


def test_another_lock_is_another_folder(
    tool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was brought by an older release of the suite is not taken for what this one pins."""
    write(tool, NPM)
    environments.install("tfjs")
    folder = tmp_path / "web" / "tfjs"
    folder.mkdir(parents=True)
    (folder / "package-lock.json").write_text("{}")
    monkeypatch.setattr(npm, "PROGRAMS", tmp_path / "web")
    assert environments.find("tfjs") is None
    assert environments.advice("tfjs") == "conformance engines install 'tfjs'"


def test_what_npm_cannot_bring_is_one_sentence(tool: Path) -> None:
    """Its own words, without its warnings; nothing is left behind."""
    write(tool, FAILING)
    with pytest.raises(environments.NotInstalled, match=r"^code E404 404 Not Found$"):
        environments.install("tfjs")
    assert list((tool.parent.parent / "cache" / "engines").iterdir()) == []


def test_without_npm_there_is_a_sentence(tool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what brings npm."""
    monkeypatch.setenv("PATH", str(tool.parent))
    with pytest.raises(environments.NotInstalled, match="npm is not installed: it comes with"):
        environments.install("tfjs")
