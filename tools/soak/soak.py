"""Hours of engines that go wrong in every way at random: `soak.py [--minutes 60] [--seed 0]`.

Round after round, one process of the suite runs a case for each fault of `tests/faulty_engine.py`,
right ones between, in another order and on more than one engine at once. Every verdict must have
the status that its fault earns; memory, descriptors, threads, processes and temporary files must
stay what they were once it was warm. The table is Markdown, for docs/reliability.md. Exit 1
if anything is not as it must be.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gc
import os
import random
import resource
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT / "tests"))

from faulty_engine import FAULTS  # noqa: E402 - of the tests, which are no package

from conformance.corpus.selection import select  # noqa: E402
from conformance.run.observer import Silent  # noqa: E402
from conformance.run.request import Request  # noqa: E402
from conformance.run.runner import execute  # noqa: E402
from conformance.system.process_tree import adopting_orphans  # noqa: E402
from conformance.workers.spec import Spec  # noqa: E402

TIMEOUT = 2.0
"""Seconds; a shorter limit would be reached by a busy machine."""
MEMORY = 200 * 2**20
ENGINES = 2
MOST_GROWTH = 5 * 2**20
"""Bytes that the suite may grow by once it is warm."""
WARM_MINUTES = 1.0
"""How long what is imported, compiled and kept on first use may grow."""
M_ARENA_MAX = -8
"""Of the GNU C library's mallopt. It keeps an arena for every thread that ever asked it for memory
at the same time as others, and what is kept so is not held by the suite: without a limit it comes
to some 40 MiB within six rounds, and stays.
"""
CASE = """\
  - id: {name}
    summary: A call at which an engine does what its number says.
    source: written for the soak
    input: [[{number}, 2], [3, 4]]
    kernel: [[1, 2, 3], [2, 2, 1], [3, 2, 1]]
    stride: 2
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What the suite holds between two rounds; `memory` is in bytes."""

    memory: int
    descriptors: int
    threads: int
    processes: int
    files: int


def main() -> None:
    """Soak, print the table, and exit."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)
    chance = random.Random(options.seed)
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    held: list[tuple[float, Held]] = []
    began = time.monotonic()
    print("| minutes | faults | wrong | MiB | descriptors | threads | processes | files |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder, adopting_orphans():
        os.environ["TMPDIR"] = tempfile.tempdir = folder  # where only this leaves anything
        while time.monotonic() - began < 60 * options.minutes:
            for fault, due, came, said in soak_once(Path(folder), chance):
                counts[fault] += 1
                if came != due:
                    wrong.append(f"{fault}: {came}, should be {due}: {said}")
                    print(wrong[-1], file=sys.stderr, flush=True)
            minutes = (time.monotonic() - began) / 60
            if not held or minutes - held[-1][0] >= 1:
                held.append((minutes, now := what_is_held()))
                print(_row(minutes, counts.total() - counts["right"], len(wrong), now), flush=True)
    problems = [*wrong, *leaks(held)]
    print("", *problems, f"{counts.total()} verdicts, {len(counts) - 1} kinds of fault", sep="\n")
    sys.exit(bool(problems))


def soak_once(folder: Path, chance: random.Random) -> Iterator[tuple[str, str, str, str | None]]:
    """The fault, the status that it earns, the one that came, and its message, of every call of a
    round.
    """
    faults = [*FAULTS]
    chance.shuffle(faults)
    numbers = {fault: number for number, fault in enumerate(FAULTS, 1)}
    cases = {}
    for place, fault in enumerate(faults):
        cases[f"{place:03}-{fault.lower()}"] = fault
        cases[f"{place:03}-right"] = "right"
    root = folder / "cases"
    root.mkdir(exist_ok=True)
    texts = [CASE.format(name=n, number=numbers.get(fault, 0)) for n, fault in cases.items()]
    (root / "soak.yaml").write_text("format: 1\ncases:\n" + "\n".join(texts), encoding="utf-8")
    words = (sys.executable, str(CHECKOUT / "tests" / "faulty_engine.py"), "by-input")
    made = [
        Spec.of("cmd:", label=f"faulty-{n}", python=sys.executable, words=words)
        for n in range(ENGINES)
    ]
    specs = [Spec(label=s.label, adapter=s.adapter, command=s.command, memory=MEMORY) for s in made]
    request = Request(
        selection=select([str(root)]),
        specs=specs,
        texts_by_label={spec.label: spec.label for spec in specs},
        folder=folder / "out",
        timeout=TIMEOUT,
        jobs=ENGINES,
    )
    record = execute(request, Silent())
    assert len(record.verdicts) == ENGINES * len(cases), "every call has a verdict"
    for verdict in record.verdicts:
        fault = cases[verdict.case.rpartition("/")[2]]
        yield fault, FAULTS.get(fault, "conforms"), verdict.status, verdict.message


def what_is_held() -> Held:
    """What the process holds now; memory that is free and that the allocator keeps is not held."""
    gc.collect()
    with contextlib.suppress(AttributeError, OSError):  # the GNU C library's
        ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return Held(
        memory=pages * resource.getpagesize(),
        descriptors=len([*Path("/proc/self/fd").iterdir()]),
        threads=threading.active_count(),
        processes=sum(_is_of_a_soak(file) for file in Path("/proc").glob("[0-9]*/cmdline")),
        files=len([*Path(tempfile.gettempdir()).rglob("*")]),
    )


def leaks(held: list[tuple[float, Held]]) -> list[str]:
    """What grew once the suite was warm."""
    later = [now for minutes, now in held if minutes >= WARM_MINUTES]
    if not later:
        return ["too short: nothing can be said of what is held"]
    first, last = later[0], later[-1]
    found = []
    if last.memory - first.memory > MOST_GROWTH:
        found.append(f"memory grew by {(last.memory - first.memory) / 2**20:.1f} MiB")
    for name in ("descriptors", "threads", "processes", "files"):
        if getattr(last, name) > getattr(first, name):
            found.append(f"{name} grew from {getattr(first, name)} to {getattr(last, name)}")
    return found


def _is_of_a_soak(file: Path) -> bool:
    """Whether a process is one that an engine has started, or the engine."""
    try:
        words = file.read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return False
    return "left behind" in words or "by-input" in words


def _row(minutes: float, faults: int, wrong: int, now: Held) -> str:
    return (
        f"| {minutes:.1f} | {faults} | {wrong} | {now.memory / 2**20:.1f} | {now.descriptors} "
        f"| {now.threads} | {now.processes} | {now.files} |"
    )


if __name__ == "__main__":
    main()
