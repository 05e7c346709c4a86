"""Runs the cases, tells GitHub what came of it, and says the exit code as an output, so that later
steps still happen.

Everything comes from the environment: CONFORMANCE_CASES, _ADAPTERS, _KNOWN and _OPTIONS are words
quoted as for a shell, _BASELINE and _MAX_SLOWDOWN are for `conformance diff`, _OUTPUT is a folder.
What GitHub names by GITHUB_OUTPUT and GITHUB_STEP_SUMMARY is written to, where it is set:

    CONFORMANCE_CASES=cases CONFORMANCE_ADAPTERS=torch python action/gate.py
"""

from __future__ import annotations

import os
import secrets
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from conformance.errors import RecordError
from conformance.record.reader import read_record
from conformance.record.record import RECORD
from conformance.report import github

CONFORMANCE = [sys.executable, "-m", "conformance"]


def words(environment: Mapping[str, str]) -> list[str]:
    """The command line of `conformance run`. Raises ValueError for a quote that is not closed."""

    def input_words(name: str) -> list[str]:
        try:
            return shlex.split(environment.get(f"CONFORMANCE_{name}", ""))
        except ValueError as error:
            raise ValueError(
                f"{name.lower()}: {error}, should be words quoted as for a shell"
            ) from None

    adapters = [word for adapter in input_words("ADAPTERS") for word in ("-a", adapter)]
    known = [word for file in input_words("KNOWN") for word in ("--known", file)]
    return [
        "run",
        *input_words("CASES"),
        *adapters,
        *known,
        *input_words("OPTIONS"),
        "-o",
        str(folder(environment)),
    ]


def folder(environment: Mapping[str, str]) -> Path:
    return Path(environment.get("CONFORMANCE_OUTPUT") or "conformance-report")


def main() -> int:
    """Always 0: the exit code of the gate is an output, `exit-code`."""
    record = folder(os.environ) / RECORD
    record.unlink(missing_ok=True)  # an older one would be taken for this run's
    try:
        code, message = _quietly([*CONFORMANCE, *words(os.environ)])
    except ValueError as error:
        code, message = 2, str(error)
    outputs = []
    if code in (0, 1):
        code, outputs = _published(record, code)
    else:
        print(github.error(message.strip() or f"conformance run ended with {code}"))
        _append("GITHUB_STEP_SUMMARY", github.fitting(github.failure(message)))
    _append(
        "GITHUB_OUTPUT",
        f"exit-code={code}\n" + "".join(f"{name}={path}\n" for name, path in outputs),
    )
    return 0


def _published(record: Path, code: int) -> tuple[int, list[tuple[str, Path]]]:
    """Annotations and the summary of a record; the exit code, with that of the comparison, and the
    outputs.
    """
    try:
        read = read_record(record)
    except RecordError as error:
        print(github.error(str(error)))
        return 2, []
    for line in github.annotation_lines(read):
        print(line)
    text = github.summary(read)
    baseline = os.environ.get("CONFORMANCE_BASELINE", "")
    if baseline:
        compared, comparison = _compared(baseline, record.parent)
        code, text = max(code, compared), f"{text}\n\n{comparison}"
    _append("GITHUB_STEP_SUMMARY", github.fitting(text))
    return code, [("record", record), ("page", record.with_name("index.html"))]


def _compared(baseline: str, new: Path) -> tuple[int, str]:
    """The output of `conformance diff`, as Markdown, and its exit code."""
    limit = os.environ.get("CONFORMANCE_MAX_SLOWDOWN", "")
    arguments = [
        "diff",
        baseline,
        str(new),
        "--format",
        "markdown",
        *(["--max-slowdown", limit] if limit else []),
    ]
    done = subprocess.run([*CONFORMANCE, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        print(
            github.error(
                done.stderr.strip()
                or f"worse than {baseline}: the summary of the job has what changed"
            )
        )
    heading = "## Since the baseline\n\n"
    return done.returncode, heading + (
        done.stdout if done.returncode < 2 else github.failure(done.stderr)
    )


def _quietly(command: list[str]) -> tuple[int, str]:
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


def _append(variable: str, text: str) -> None:
    """Add text to the file that a variable names, if it is set."""
    if os.environ.get(variable):
        with Path(os.environ[variable]).open("a", encoding="utf-8") as stream:
            stream.write(text + ("" if text.endswith("\n") else "\n"))


if __name__ == "__main__":
    sys.exit(main())
