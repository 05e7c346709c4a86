"""KernelBench's 48 problems, each judged on right candidates and on three wrong ones.

    python tools/kernels/judge_problems.py [--only LEVEL/NUMBER]... [--reduced]

A right candidate is torch's own layer, at the published shapes of level 1 and at those of
`judged` elsewhere, and one that is computed otherwise, at tiny shapes. docs/kernels.md sums its
table up. Exit 1 if a right one is rejected or a wrong one passes. `--reduced` takes tiny
shapes throughout: minutes instead of an hour.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT / "tests"))

from kernels import problems  # noqa: E402 - of the tests, which are no package

from conformance.kernels.judge import Report, judge  # noqa: E402
from conformance.kernels.options import Options  # noqa: E402
from conformance.system.keeper import children  # noqa: E402

RUNGS = ("own", "values")
WRONG = 3
PREFERRED = (
    *("shifted-window", "kernel-not-flipped", "last-channel-left-out", "half-precision"),
    *("left-zero-tail", "bias-dropped", "padding-ignored", "groups-ignored"),
)
"""Faults in the order in which three are taken of those that the problem shows."""


def main() -> None:
    """Judge, print the table, and exit."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--only", action="append", default=[], metavar="LEVEL/NUMBER")
    parser.add_argument("--reduced", action="store_true")
    options = parser.parse_args()
    failed = 0
    print("| problem | right | otherwise | wrong ones | seconds | MiB |")
    print("| --- | --- | --- | --- | ---: | ---: |")
    for problem in problems.problems():
        number = f"{problem.level}/{problem.number}"
        if options.only and number not in options.only:
            continue
        row, is_good = row_of(problem, reduced=options.reduced)
        failed += not is_good
        print(f"| {number} | {row} |", flush=True)
    print(f"\n{failed} problems with a right one rejected or a wrong one passed")
    sys.exit(bool(failed))


def row_of(problem: problems.Problem, *, reduced: bool) -> tuple[str, bool]:
    """The cells of a problem, and whether all is as it must be."""
    tiny = problems.tiny(problem)
    shown = problem if not reduced else tiny
    shapes = shown.inputs if shown.level == 1 else shown.judged
    text = problems.reference(shown, shapes)
    same = text.replace("class Model(", "class ModelNew(").replace("super(Model", "super(ModelNew")
    began, peak = time.monotonic(), 0.0
    with watched() as used:
        whole = verdict(text, same)
    took, peak = time.monotonic() - began, used[0]
    otherwise = verdict(problems.reference(tiny), problems.candidate(tiny))
    faults = [f for f in PREFERRED if f in problems.faults(problem) and f not in unseen(problem)]
    wrong = {
        fault: verdict(problems.reference(tiny), problems.candidate(tiny, fault))
        for fault in faults[:WRONG]
    }
    rights = [whole.passes, otherwise.passes]
    is_good = all(rights) and not any(report.passes for report in wrong.values())
    told = "; ".join(f"{fault}: {cause(report)}" for fault, report in wrong.items())
    cells = [whole.verdict, otherwise.verdict, told, f"{took:.0f}", f"{peak / 2**20:.0f}"]
    return " | ".join(cells), is_good


def unseen(problem: problems.Problem) -> list[str]:
    """Faults that a problem is known to hide."""
    return list(problem.unseen)


def cause(report: Report) -> str:
    """What a wrong candidate was told."""
    first = next(iter(report.failing), None)
    return "PASSES" if first is None else f"{first.status}, {first.cause or 'not named'}"


def verdict(problem: str, candidate: str) -> Report:
    """The report on a candidate."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "problem.py").write_text(problem)
        (Path(folder) / "candidate.py").write_text(candidate)
        return judge(
            Options(
                file=Path(folder) / "candidate.py",
                problem=Path(folder) / "problem.py",
                rungs=RUNGS,
                speed=False,
            )
        )


@contextlib.contextmanager
def watched() -> Iterator[list[float]]:
    """The most memory that this process, what it has started, and shared arrays have together."""
    most, done = [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(0.3):
            most[0] = max(most[0], float(sum(map(_bytes, _all_of(os.getpid())))))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield most
    finally:
        done.set()
        thread.join()


def _all_of(process: int) -> Iterator[int]:
    yield process
    for child in children(process):
        yield from _all_of(child)


def _bytes(process: int) -> int:
    """The proportional part of memory of a process: what is shared counts once."""
    try:
        text = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0
    line = next((line for line in text.splitlines() if line.startswith("Pss:")), "Pss: 0")
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    main()
