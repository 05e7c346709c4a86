"""What the action's scripts say to GitHub's runner, and how they read their words: all of it from
the environment, and to the files that GitHub names by GITHUB_OUTPUT and GITHUB_STEP_SUMMARY.
"""

from __future__ import annotations

import os
import secrets
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from conformance.report import github

CONFORMANCE = [sys.executable, "-m", "conformance"]


def input_words(environment: Mapping[str, str], name: str) -> list[str]:
    """The words of an input, quoted as for a shell. Raises ValueError for a quote that is not
    closed.
    """
    try:
        return shlex.split(environment.get(f"CONFORMANCE_{name}", ""))
    except ValueError as error:
        raise ValueError(
            f"{name.lower()}: {error}, should be words quoted as for a shell"
        ) from None


def folder(environment: Mapping[str, str]) -> Path:
    """The folder of the record and the page."""
    return Path(environment.get("CONFORMANCE_OUTPUT") or "conformance-report")


def quietly(command: Sequence[str]) -> tuple[int, str]:
    """Run a command whose output the runner must not take for commands of its own; the exit code
    and its standard error.
    """
    token = secrets.token_hex(16)
    print(f"::stop-commands::{token}", flush=True)
    try:
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
        print(done.stderr, end="", flush=True)
    finally:
        print(f"\n::{token}::", flush=True)
    return done.returncode, done.stderr


def compared(baseline: str, new: Path, limit: str) -> tuple[int, str]:
    """The output of `conformance diff`, as Markdown, and its exit code."""
    slowdown = ["--max-slowdown", limit] if limit else []
    words = ["diff", baseline, str(new), "--format", "markdown", *slowdown]
    done = subprocess.run([*CONFORMANCE, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        worse = f"worse than {baseline}: the summary of the job has what changed"
        print(github.error(done.stderr.strip() or worse))
    said = done.stdout if done.returncode < 2 else github.failure(done.stderr)
    return done.returncode, f"## Since the baseline\n\n{said}"


def could_not(message: str, what: str) -> None:
    """An annotation and a summary of what did not come about."""
    print(github.error(message.strip() or what))
    summarize(github.failure(message))


def summarize(text: str) -> None:
    """Add to the summary of the job."""
    _append("GITHUB_STEP_SUMMARY", github.fitting(text))


def put_out(**outputs: object) -> None:
    """Say the outputs of the step, an underscore for each hyphen."""
    lines = [f"{name.replace('_', '-')}={value}\n" for name, value in outputs.items()]
    _append("GITHUB_OUTPUT", "".join(lines))


def _append(variable: str, text: str) -> None:
    """Add text to the file that a variable names, if it is set."""
    if os.environ.get(variable):
        with Path(os.environ[variable]).open("a", encoding="utf-8") as stream:
            stream.write(text + ("" if text.endswith("\n") else "\n"))
