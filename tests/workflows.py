"""As much of GitHub's runner as the tests need: the steps of a job, and of a composite action in
it, each in a shell.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml


@dataclass(kw_only=True)
class Job:
    """What became of a job: its log, the exit code of the step that ended it, the summary, uploads
    and outputs.
    """

    log: str = ""
    code: int = 0
    summary: str = ""
    uploads: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)

    @property
    def errors(self) -> list[str]:
        """The annotations: commands in the log that nothing had stopped."""
        found, token = [], None
        for line in self.log.splitlines():
            if token is None and line.startswith("::stop-commands::"):
                token = line.removeprefix("::stop-commands::")
            elif line == f"::{token}::":
                token = None
            elif token is None and line.startswith("::error "):
                found.append(line)
        return found


def run_job(
    text: str, *, action: str, root: Path, folder: Path, environment: dict[str, str]
) -> Job:
    """The first job of a workflow: what it `uses` by the name `action` is the composite action at
    `root`; others are left out.
    """
    [steps] = [job["steps"] for job in yaml.safe_load(text)["jobs"].values()][:1]
    asked = [
        step.get("with", {}) for step in steps if re.split("@", step.get("uses", ""))[0] == action
    ]
    assert asked, f"the workflow does not use {action}"
    job = Job()
    for inputs in asked:
        run_action(job, root, inputs, folder, environment)
    return job


def run_action(
    job: Job, root: Path, inputs: dict[str, Any], folder: Path, environment: dict[str, str]
) -> None:
    """The steps of the composite action at `root`; a step after a failed one runs only if it says
    always().
    """
    action = yaml.safe_load((root / "action.yml").read_text())
    unknown = set(inputs) - set(action["inputs"])
    assert not unknown, f"the action has no inputs {unknown}"
    given = {
        name: str(inputs.get(name, about.get("default", "")))
        for name, about in action["inputs"].items()
    }
    outputs: dict[str, dict[str, str]] = {}
    for step in action["runs"]["steps"]:
        condition = step.get("if", "success()")
        if (job.code and "always()" not in condition) or not _holds(condition, given, outputs):
            continue
        if "uses" in step:
            settings = {
                key: _filled(str(value), given, outputs) for key, value in step["with"].items()
            }
            job.uploads[settings["name"]] = settings["path"]
            continue
        code, written = _step(job, root, step, given, outputs, folder, environment)
        outputs[step.get("id", "")] = written
        job.code = job.code or code
    job.outputs = {
        name: _filled(about["value"], given, outputs) for name, about in action["outputs"].items()
    }


def _step(
    job: Job, root: Path, step: Any, given: Any, outputs: Any, folder: Path, environment: Any
) -> tuple[int, dict[str, str]]:
    files = {
        name: folder.parent / f"{name.lower()}.{os.urandom(4).hex()}"
        for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")
    }
    for file in files.values():
        file.touch()
    own = {name: _filled(str(value), given, outputs) for name, value in step.get("env", {}).items()}
    words = [
        "bash",
        "--noprofile",
        "--norc",
        "-eo",
        "pipefail",
        "-c",
        _filled(step["run"], given, outputs),
    ]
    told = {
        **environment,
        "GITHUB_ACTION_PATH": str(root),
        **{name: str(file) for name, file in files.items()},
        **own,
    }
    done = subprocess.run(
        words,
        cwd=folder,
        env=told,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=900,
    )
    job.log += done.stdout
    job.summary += files["GITHUB_STEP_SUMMARY"].read_text()
    lines = files["GITHUB_OUTPUT"].read_text().splitlines()
    return done.returncode, dict(line.split("=", 1) for line in lines)


def _value(name: str, given: dict[str, str], outputs: dict[str, dict[str, str]]) -> str:
    if name.startswith("inputs."):
        return given[name.removeprefix("inputs.")]
    _, step, _, key = name.split(".")
    return outputs.get(step, {}).get(key, "")


def _filled(text: str, given: dict[str, str], outputs: dict[str, dict[str, str]]) -> str:
    return re.sub(r"\$\{\{ ([\w.-]+) \}\}", lambda found: _value(found[1], given, outputs), text)


def _holds(condition: str, given: dict[str, str], outputs: dict[str, dict[str, str]]) -> bool:
    """`success()`, `always()` and `NAME != ''`, joined by &&."""
    for part in condition.removeprefix("${{ ").removesuffix(" }}").split(" && "):
        if part in ("always()", "success()"):
            continue
        found = re.fullmatch(r"([\w.-]+) != ''", part)
        assert found, part
        if not _value(found[1], given, outputs):
            return False
    return True
