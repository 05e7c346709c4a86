"""Runs the cases, tells GitHub what came of it, and says the exit code as an output, so that later
steps still happen.

Everything comes from the environment: CONFORMANCE_CASES, _ADAPTERS, _KNOWN and _OPTIONS are words
quoted as for a shell, _SHARD is I/N, _GATE is true or false, _BASELINE and _MAX_SLOWDOWN are for
`conformance diff`, _OUTPUT is a folder and _ARTIFACT the name of its upload. What GitHub names by
GITHUB_OUTPUT and GITHUB_STEP_SUMMARY is written to, where it is set:

    CONFORMANCE_CASES=cases CONFORMANCE_ADAPTERS=torch python action/gate.py
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import runner
from conformance.errors import RecordError
from conformance.record.reader import read_record
from conformance.record.record import RECORD
from conformance.report import github


def words(environment: Mapping[str, str]) -> list[str]:
    """The command line of `conformance run`. Raises ValueError for a quote that is not closed."""
    adapters = runner.input_words(environment, "ADAPTERS")
    known = runner.input_words(environment, "KNOWN")
    shard = environment.get("CONFORMANCE_SHARD", "")
    return [
        "run",
        *runner.input_words(environment, "CASES"),
        *(word for adapter in adapters for word in ("-a", adapter)),
        *(word for file in known for word in ("--known", file)),
        *runner.input_words(environment, "OPTIONS"),
        *(["--shard", shard] if shard else []),
        "-o",
        str(runner.folder(environment)),
    ]


def gates(environment: Mapping[str, str]) -> bool:
    """Whether what differs fails the job: where nothing is said, not in a shard, whose merge does
    that. Raises ValueError for anything but true and false.
    """
    said = environment.get("CONFORMANCE_GATE", "")
    if said not in ("", "true", "false"):
        raise ValueError(f"gate: {said!r} is not known, should be true, false or empty")
    return said == "true" or not (said or environment.get("CONFORMANCE_SHARD"))


def artifact(environment: Mapping[str, str]) -> str:
    """The name of the upload: that of a shard ends in its number, for no two may have one name."""
    name = environment.get("CONFORMANCE_ARTIFACT", "")
    shard = environment.get("CONFORMANCE_SHARD", "").replace("/", "-of-")
    return f"{name}-{shard}" if name and shard else name


def main() -> int:
    """Always 0: the exit code of the gate is an output, `exit-code`."""
    record = runner.folder(os.environ) / RECORD
    record.unlink(missing_ok=True)  # an older one would be taken for this run's
    is_gate = True
    try:
        is_gate = gates(os.environ)
        code, message = runner.quietly([*runner.CONFORMANCE, *words(os.environ)])
    except ValueError as error:
        code, message = 2, str(error)
    written: dict[str, Path] = {}
    if code in (0, 1):
        code, written = _published(record, code, is_gate)
    else:
        runner.could_not(message, f"conformance run ended with {code}")
    if code == 1 and not is_gate:
        code = 0
    runner.put_out(exit_code=code, artifact=artifact(os.environ), **written)
    return 0


def _published(record: Path, code: int, is_gate: bool) -> tuple[int, dict[str, Path]]:
    """Annotations, which a shard leaves to the merge, and the summary of a record; the exit code,
    with that of the comparison, and the outputs.
    """
    try:
        read = read_record(record)
    except RecordError as error:
        print(github.error(str(error)))
        return 2, {}
    for line in github.annotation_lines(read) if is_gate else ():
        print(line)
    text = github.summary(read)
    baseline = os.environ.get("CONFORMANCE_BASELINE", "")
    if baseline:
        limit = os.environ.get("CONFORMANCE_MAX_SLOWDOWN", "")
        compared, comparison = runner.compared(baseline, record.parent, limit)
        code, text = max(code, compared), f"{text}\n\n{comparison}"
    runner.summarize(text)
    return code, {"record": record, "page": record.with_name("index.html")}


if __name__ == "__main__":
    sys.exit(main())
