"""Runs the corpus on engines that are held to one instruction set, against the same known
failures as every other run.

    python tools/processors/isa.py NAME [OPTION OF conformance run]...
    python tools/processors/isa.py --keep NAME...
    python tools/processors/isa.py --page

NAME is a row of `isa.yaml` beside this file; `isa-` may stand before it, so that the name of the
tox environment will do. The record and the page go to `reports/isa/NAME/`, and the exit code is
that of `conformance run`. On a processor that has less, the verdicts that another machine left in
`reports/isa/NAME.json` are held against the known failures of today instead: whoever edits them
sees what they break there. `--keep` writes that file from the record, and `--page`
docs/processors.md from all of them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from conformance.corpus.files import shipped_cases
from conformance.system.processor import isa
from conformance.verdicts.known_reader import load_differences
from instructions.explanations import unexpected
from instructions.kept import RECORDS, file_of, keep, read
from instructions.page import page
from instructions.rows import Row, matrix

PAGE = Path(__file__).resolve().parents[2] / "docs" / "processors.md"


def run(row: Row, options: Sequence[str]) -> int:
    """The run of a row; its exit code."""
    words = [
        sys.executable,
        "-m",
        "conformance",
        "run",
        *row.cases,
        "--timing",
        "off",
        "-o",
        str(RECORDS / row.name),
    ]
    words += [word for name in row.adapters for word in ("-a", name)]
    environment = {**os.environ, **row.environment}
    with tempfile.TemporaryDirectory() as folder:
        if row.emulated is not None:
            python = Path(folder) / "python"
            python.write_text(
                f'#!/bin/sh\nexec qemu-x86_64 -cpu "{row.emulated}" "{sys.executable}" "$@"\n'
            )
            python.chmod(0o755)
            words += [
                "--timeout",
                "300",
                *(word for name in row.adapters for word in ("--python", f"{name}={python}")),
            ]
        return subprocess.run(
            [*words, *row.options, *options], env=environment, check=False
        ).returncode


def check(name: str) -> int:
    """Hold a row's committed verdicts against the known failures of today."""
    lines = unexpected(read(name), load_differences([shipped_cases()]))
    print(
        f"{name}: this processor has {isa()}, so that reports/isa/{name}.json is held against the "
        "known failures:"
        f" {len(lines)} unexpected"
    )
    for line in lines:
        print(line)
    return 1 if lines else 0


def main(words: Sequence[str]) -> int:
    rows = matrix()
    if words[:1] == ["--page"]:
        contents = {name: read(name) for name in rows if file_of(name).exists()}
        PAGE.write_text(page(contents, load_differences([shipped_cases()])), encoding="utf-8")
        return 0
    names = [
        word.removeprefix("isa-") for word in (words[1:] if words[:1] == ["--keep"] else words[:1])
    ]
    wrong = [name for name in names if name not in rows]
    if wrong or not names:
        print(
            f"tools/processors/isa.py {' '.join(wrong)}: should be one of {', '.join(rows)}",
            file=sys.stderr,
        )
        return 2
    if words[0] == "--keep":
        for name in names:
            keep(name)
        return 0
    row = rows[names[0]]
    return run(row, words[1:]) if row.is_here else check(row.name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
