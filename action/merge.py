"""Unites the records of a matrix of jobs, tells GitHub what came of the whole, and says the exit
code of the gate as an output, so that later steps still happen.

Everything comes from the environment: CONFORMANCE_RECORDS is records, folders with them and globs
of those, quoted as for a shell, _BASELINE and _MAX_SLOWDOWN are for `conformance diff`, _OUTPUT is
a folder, _COMMENT the name by which the comment on a pull request is known again, and _TOKEN what
may write it; without a token nothing is sent:

    CONFORMANCE_RECORDS='conformance-*' python action/merge.py
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import comment
import runner
from conformance.errors import RecordError
from conformance.record.merge import merge
from conformance.record.reader import read_record
from conformance.record.record import RECORD, Record
from conformance.report import github
from conformance.report.junit import write_junit
from conformance.report.markdown import plain

JUNIT = "junit.xml"


def records(patterns: Sequence[str]) -> list[Path]:
    """What the words name, folders of folders as a download of several artifacts leaves them.
    Raises ValueError where there is no record.
    """
    found: dict[Path, None] = {}
    for pattern in patterns:
        below = [file for path in _matching(Path(pattern)) for file in _below(path)]
        if not below:
            raise ValueError(
                f"records: {pattern} has no {RECORD}: no job of the matrix left its record, or "
                "none was downloaded to there"
            )
        found |= dict.fromkeys(below)
    if not found:
        raise ValueError("records: is empty, should name the folders of the records")
    return list(found)


def _matching(pattern: Path) -> list[Path]:
    """What is there of that name, or else what the glob matches."""
    if pattern.exists():
        return [pattern]
    anchor = Path(pattern.anchor)
    return sorted(anchor.glob(str(pattern.relative_to(anchor))))


def _below(path: Path) -> list[Path]:
    return [path] if path.is_file() else sorted(path.rglob(RECORD))


def main() -> int:
    """Always 0: the exit code of the gate is an output, `exit-code`."""
    folder = runner.folder(os.environ)
    (folder / RECORD).unlink(missing_ok=True)  # an older one would be taken for this one
    files: list[Path] = []
    try:
        files = records(runner.input_words(os.environ, "RECORDS"))
        words = ["merge", *map(str, files), "-o", str(folder)]
        code, message = runner.quietly([*runner.CONFORMANCE, *words])
    except ValueError as error:
        code, message = 2, str(error)
    outputs: dict[str, Path] = {}
    if code in (0, 1) and (folder / RECORD).is_file():
        code, outputs = _published(files, folder, code)
    else:
        if code == 1:
            message = "a verdict is recorded twice and not alike: the log has both"
        runner.could_not(message, f"conformance merge ended with {code}")
        _comment(github.failure(message))
    runner.put_out(exit_code=code, **outputs)
    return 0


def _published(files: Sequence[Path], folder: Path, code: int) -> tuple[int, dict[str, Path]]:
    """Annotations, summary, comment and JUnit XML; the exit code, with that of the comparison, and
    the outputs.
    """
    record = read_record(folder / RECORD)
    missing = _missing(files, record)
    for line in [*map(github.error, missing), *github.annotation_lines(record)]:
        print(line)
    write_junit(record, folder / JUNIT)
    text = github.summary(record)
    if missing:
        gone = [f"- {plain(line)}" for line in missing]
        text = "\n".join(["## Not the whole", "", *gone, "", text])
    baseline = os.environ.get("CONFORMANCE_BASELINE", "")
    if baseline:
        limit = os.environ.get("CONFORMANCE_MAX_SLOWDOWN", "")
        compared, comparison = runner.compared(baseline, folder, limit)
        code, text = max(code, compared), f"{text}\n\n{comparison}"
    runner.summarize(text)
    _comment(text)
    names = {"record": RECORD, "page": "index.html", "junit": JUNIT}
    return code, {key: folder / name for key, name in names.items()}


def _missing(files: Sequence[Path], record: Record) -> list[str]:
    """Why the whole has no end: what `conformance merge` says is missing."""
    if record.end is not None:
        return []
    return list(merge(files, [read_record(file) for file in files], []).missing)


def _comment(text: str) -> None:
    """Write it where it can be written; that it cannot is a warning, and no gate."""
    try:
        said = comment.write(text, os.environ)
    except (OSError, ValueError) as error:
        said = f"the comment could not be written: {error}"
        print(github.error(said).replace("::error ", "::warning ", 1))
    else:
        print(said)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RecordError as error:
        runner.could_not(str(error), "")
        runner.put_out(exit_code=2)
