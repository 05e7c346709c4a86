"""Somebody new, in an empty folder, with a case and the workflow file of the gatekeeper's page: do
they have a gate?
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from helpers import CHECKOUT
from test_packaging import run
from workflows import Job, run_job

ACTION = "OWNER/conv-transpose-conformance"
REFUSED = """\
  - id: dilated
    summary: The end gets one element back, below the dilation, which ONNX Runtime refuses.
    source: written for the tests
    input: {shape: [1, 8, 5, 7], values: integers}
    kernel: {shape: [8, 4, 3, 3], values: integers}
    dilation: 2
    output_padding: 1
"""


def files_of_page() -> dict[str, str]:
    """The case file and the first workflow of the gatekeeper's page, by their names;
    of the cases the first alone, which conforms.
    """
    text = (CHECKOUT / "docs" / "gatekeeper.md").read_text(encoding="utf-8")
    found = re.findall(r"^```yaml\n(# (\S+)\n.*?)^```$", text, re.MULTILINE | re.DOTALL)
    files = {name: content for content, name in reversed(found)}
    cases, workflow = "cases/mine.yaml", ".github/workflows/conformance.yml"
    first, second, _ = files[cases].partition("  - id: dilated")
    assert second
    return {cases: first, workflow: files[workflow]}


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """An empty folder with those two files, and the environment variables of a fresh virtual
    environment.
    """
    folder = tmp_path_factory.mktemp("newcomer") / "project"
    files = files_of_page()
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    virtual = folder.parent / "venv"
    run(sys.executable, "-m", "venv", virtual, cwd=folder)
    plain = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "PIP_CONSTRAINT", "VIRTUAL_ENV"))
    }
    return folder, {**plain, "PATH": f"{virtual / 'bin'}{os.pathsep}{os.environ['PATH']}"}


@pytest.fixture(scope="module")
def first(newcomer: Any) -> Job:
    """The job on the first push: the action installs from this checkout, as GitHub would from its
    own.
    """
    folder, environment = newcomer
    workflow = (folder / ".github/workflows/conformance.yml").read_text()
    return run_job(workflow, action=ACTION, root=CHECKOUT, folder=folder, environment=environment)


def test_the_first_push_passes(newcomer: Any, first: Job) -> None:
    """The framework's wheel is there, the case conforms, and record, page, summary and upload are
    what they should be.
    """
    folder, _ = newcomer
    assert (first.code, first.errors) == (0, []), first.log
    assert "Conforms: 1 check on 1 case, no new failures" in first.log
    assert re.search(
        r"^\| onnxruntime \| onnxruntime [\d.]+, onnx [\d.]+ \| 1 \|  \|  \|$",
        first.summary,
        re.MULTILINE,
    )
    assert first.uploads == {"conformance": "conformance-report"}
    assert (folder / first.outputs["page"]).is_file()


def test_a_case_that_fails_fails_the_gate(newcomer: Any, first: Job) -> None:
    """Exit 1, with an annotation at the line of the new case; declared, it passes again."""
    folder, environment = newcomer
    cases = folder / "cases" / "mine.yaml"
    before = cases.read_text()
    cases.write_text(before + REFUSED)
    workflow = (folder / ".github/workflows/conformance.yml").read_text()
    job = run_job(workflow, action=ACTION, root=CHECKOUT, folder=folder, environment=environment)
    assert job.code == 1
    [error] = job.errors
    assert error.startswith(
        f"::error file=cases/mine.yaml,line={before.count(chr(10)) + 1},title=onnxruntime (cpu) "
        "raised in"
    )
    command = [
        Path(environment["PATH"].split(os.pathsep)[0]) / "conformance",
        "run",
        "cases",
        "-a",
        "onnxruntime",
    ]
    run(*command, "--accept", "cases/known_differences/mine.yaml", cwd=folder)
    assert "1 known failure" in run(*command, cwd=folder)


def test_pytest_finds_the_plugin_of_an_installation(newcomer: Any, first: Job) -> None:
    """From the wheel, by its entry point: the plugin is there and does nothing unasked."""
    folder, environment = newcomer
    python = Path(environment["PATH"].split(os.pathsep)[0]) / "python"
    code = (
        "from importlib.metadata import entry_points as e; print(*[p.value for p in "
        "e(group='pytest11')])"
    )
    assert "conformance.pytest_plugin" in run(python, "-c", code, cwd=folder).split()
