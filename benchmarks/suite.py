"""Loading, reading and the page, each against the least that it could take: `python
benchmarks/suite.py [RESULTS] [ROUNDS]`.

Without RESULTS it is the reference record. All are made in turn, round after round; what is printed
is the median of the rounds' ratios, since absolute times drift on a shared machine.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from conformance.corpus.expected import check_guards
from conformance.corpus.files import load_cases, shipped_cases
from conformance.corpus.selection import select
from conformance.corpus.truths import Truths
from conformance.record.changes import changes
from conformance.record.reader import read_record
from conformance.record.record import RECORD
from conformance.report import write_page

REFERENCE = Path(__file__).resolve().parent.parent / "reports" / "reference"


def ways(file: Path, folder: Path) -> dict[str, tuple[Callable[[], Any], str | None]]:
    """By name: a function of nothing, and the name of what it is held against, which is measured
    too.
    """
    files = sorted(path for path in shipped_cases().rglob("*.yaml"))
    record, selection = read_record(file), select([])
    return {
        "YAML alone": (
            lambda: [yaml.compose(path.read_text(), yaml.CSafeLoader) for path in files],
            None,
        ),
        "loading the corpus": (lambda: load_cases(shipped_cases()), "YAML alone"),
        "the oracle on the corpus, with its guards": (
            lambda: check_guards(selection.cases, Truths()),
            "YAML alone",
        ),
        "JSON alone": (lambda: [json.loads(line) for line in file.read_bytes().splitlines()], None),
        "reading the record": (lambda: read_record(file), "JSON alone"),
        "the page": (lambda: write_page(record, folder), "JSON alone"),
        "changes from the record to itself": (lambda: changes(record, record), "JSON alone"),
    }


def main(file: Path, rounds: int) -> None:
    file = file / RECORD if file.is_dir() else file
    with tempfile.TemporaryDirectory() as folder:
        made = ways(file, Path(folder))
        taken: dict[str, list[float]] = {name: [] for name in made}
        for _ in range(rounds):
            for name, (run, _) in made.items():
                start = time.perf_counter()
                run()
                taken[name].append(time.perf_counter() - start)
    for name, (_, against) in made.items():
        told = ""
        if against is not None:
            told = f"   {np.median(np.divide(taken[name], taken[against])):6.2f} times {against}"
        print(f"{name:42} {np.median(taken[name]):8.3f} s{told}")
    print(f"{rounds} rounds, {file}")


if __name__ == "__main__":
    main(
        Path(sys.argv[1]) if len(sys.argv) > 1 else REFERENCE,
        int(sys.argv[2]) if len(sys.argv) > 2 else 5,
    )
