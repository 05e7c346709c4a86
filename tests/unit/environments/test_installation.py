"""An engine's own environment: made of its pinned packages, found by its name, and of no use any
more once what it leans on has changed.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from releases import wheel
from typer.testing import CliRunner

from conformance import environments
from conformance.adapters import REGISTRY
from conformance.cli import app
from conformance.environments import installation
from conformance.errors import UsageError

pytestmark = pytest.mark.slow


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of an engine whose packages are on a shelf: pip's own configuration says that this
    is all there is.
    """
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    wheel(shelf, "1.1", "", requires=["numpy", "tiny-helper>=2"])
    wheel(shelf, "2.1", "", name="tiny_helper", module="tinyhelper")
    settings = {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(shelf),
        "PIP_CONFIG_FILE": "/dev/null",
        "CONFORMANCE_CACHE": str(tmp_path / "cache"),
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    row = replace(REGISTRY["torch"], packages=("tiny-engine==1.1", "numpy"), needs=("tinyengine",))
    others = {name: entry for name, entry in REGISTRY.items() if not entry.is_apart}
    monkeypatch.setattr(installation, "REGISTRY", {**others, "tiny": row, "gone": GONE})
    return "tiny"


GONE = replace(REGISTRY["torch"], packages=("tiny-engine==9.9",))


def test_an_environment_is_made_found_and_removed(tiny: str) -> None:
    """It has the engine and what the suite's interpreter lacks; NumPy is the interpreter's own."""
    assert environments.interpreter(tiny) == sys.executable
    assert environments.find(tiny) is None
    made = environments.install(tiny)
    assert made.environment.installed == {"tiny-engine": "1.1", "tiny-helper": "2.1"}
    assert made.environment.leans_on == {"numpy": np.__version__}
    assert environments.find(tiny) == environments.install(tiny) == made
    assert environments.interpreter(tiny) == made.environment.python
    code = "import tinyengine, numpy; print(tinyengine.__file__, numpy.__version__)"
    told = subprocess.run(
        [made.environment.python, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert told == [told[0], np.__version__]
    assert Path(told[0]).is_relative_to(made.folder)
    assert environments.remove(tiny)
    assert not environments.remove(tiny)
    assert environments.interpreter(tiny) == sys.executable


def test_an_interpreter_that_has_the_packages_needs_no_environment(
    tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In whatever version: who installed another one wants to see that one."""
    environments.install(tiny)
    monkeypatch.setattr(installation, "_version", lambda name: "3.0")
    assert environments.interpreter(tiny) == sys.executable


def test_an_environment_whose_packages_went_is_made_again(
    tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not used, the advice says why, and installing makes it anew."""
    environments.install(tiny)
    changed = {"numpy": "1.0"}
    told = installation._version
    monkeypatch.setattr(installation, "_version", lambda name: changed.get(name) or told(name))
    assert environments.find(tiny) is None
    assert environments.interpreter(tiny) == sys.executable
    assert environments.advice(tiny) == (
        "conformance engines install 'tiny' (again: packages that its environment leans on have "
        "changed)"
    )
    monkeypatch.setattr(installation, "_version", told)
    assert environments.install(tiny) == environments.find(tiny)


def test_what_is_not_there_is_one_sentence(tiny: str) -> None:
    """A release that no index has; nothing is left behind."""
    with pytest.raises(environments.NotInstalled, match=r"tiny[-_]engine"):
        environments.install("gone")
    assert environments.find("gone") is None
    assert environments.find(tiny) is None


def test_a_cache_that_cannot_be_written_is_one_sentence(
    tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says which file, and what to set."""
    blocked = tmp_path / "blocked"
    blocked.write_text("a file is where the folder should be")
    monkeypatch.setenv("CONFORMANCE_CACHE", str(blocked))
    with pytest.raises(environments.NotInstalled, match="CONFORMANCE_CACHE names another folder"):
        environments.install(tiny)


def test_an_engine_without_packages_of_its_own_has_no_environment(tiny: str) -> None:
    """The sentence has the names that have one."""
    with pytest.raises(UsageError, match="torch has no environment of its own, should be one of"):
        environments.install("torch")
    assert (
        environments.interpreter("torch")
        == environments.interpreter("some:Class")
        == sys.executable
    )


def test_the_command_says_what_cannot_be_installed_and_exits_1(tiny: str) -> None:
    """One line for each; `list` has every name and the line that brings it."""
    done = CliRunner().invoke(app, ["engines", "install", "gone"])
    assert done.exit_code == 1
    assert done.stderr.startswith("gone cannot be installed: ")
    assert len(done.stderr.strip().splitlines()) == 1
    listed = CliRunner().invoke(app, ["engines", "list"])
    assert f"{tiny}: conformance engines install '{tiny}'\n" in listed.stdout
    removed = CliRunner().invoke(app, ["engines", "remove", tiny])
    assert removed.stdout == f"{tiny}: was not installed\n"


def test_what_is_missing_is_told_with_the_line_that_brings_it() -> None:
    """An environment brings the row's packages and no framework, which an extra brings."""
    row = REGISTRY["torch>onnx>tract"]
    assert row.advice("chain", "tract") == "conformance engines install 'chain'"
    assert row.advice("chain", "torch") == (
        "pip install 'conv-transpose-conformance[torch,onnx,export]'"
    )
    assert (
        REGISTRY["torch>litert"].advice("chain", "litert_torch").startswith("conformance engines")
    )
    assert REGISTRY["mlx"].advice("mlx", "mlx") == "conformance engines install 'mlx'"
