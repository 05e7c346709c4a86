"""What the suite adds to what the engines themselves take, on the whole corpus: `python
benchmarks/overhead.py [ADAPTER...]`.

The same calls are made twice, in the same environment: by `conformance run --timing off`, and bare
(bare.py), where for each adapter one process imports it and makes its calls one after the other;
where a call ends it, another one goes on behind it. As many bare processes run at once as there are
cores, as in the suite: what two engines take from each other is neither's own cost. With `--alone`
they run one after the other. Both are done with an empty folder for compiled programs (cold), and
then with what is in it (warm), ROUNDS times. What is printed are ratios of one run:

    overhead   processor seconds of the suite and its engines, over those of the bare calls, less 1
    wall       seconds of the run, over the larger of (sum of the bare seconds / cores) and those
               of the slowest engine
    memory     the most that the suite's own process held, its engines not counted

A machine's speed drifts by as much as the overhead is, within minutes. So every other round begins
with the bare calls, and the ratio that counts is that of the seconds of all rounds together: a
drift that goes on cancels in them.

The folders are in memory where that can be had: whoever reads a file first would pay for the disk.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from conformance.adapters import (
    NOT_ALONE,
    PRECISIONS,
    REGISTRY,
    precision_environment,
    thread_environment,
)
from conformance.system.machine import physical_cores

BARE = Path(__file__).with_name("bare.py")
MEMORY = Path("/dev/shm")
ROUNDS = 4


class Seconds(NamedTuple):
    clock: float
    processor: float

    def __add__(self, other: Any) -> Seconds:
        return Seconds(self.clock + other.clock, self.processor + other.processor)

    def __sub__(self, other: Seconds) -> Seconds:
        return Seconds(self.clock - other.clock, self.processor - other.processor)


def bare_seconds(adapter: str, record: Path, environment: Mapping[str, str]) -> Seconds:
    """What all calls of one adapter take, over as many processes as it takes."""
    variables = {**os.environ, **environment, **REGISTRY[adapter].environment}
    whole, first = Seconds(0.0, 0.0), 0
    while True:
        command = [
            sys.executable,
            str(BARE),
            adapter,
            str(record),
            str(first),
            *REGISTRY[adapter].needs,
        ]
        with subprocess.Popen(
            command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as process:
            assert process.stdout is not None
            lines = [json.loads(line) for line in process.stdout]
            _, status, used = os.wait4(process.pid, 0)
            end = Seconds(time.perf_counter(), used.ru_utime + used.ru_stime)
            process.returncode = os.waitstatus_to_exitcode(status)
        made, spent, then = lines[-1]
        if process.returncode == 0:
            return whole + Seconds(*spent)
        whole += Seconds(*spent) + (end - Seconds(*then))
        first = made + 1


class Run(NamedTuple):
    """A whole run: what it took, how much of the processor its own process did, and the most bytes
    that one held.
    """

    took: Seconds
    own: float
    held: int


def suite_seconds(adapters: list[str], output: Path, environment: Mapping[str, str]) -> Run:
    words = [word for adapter in adapters for word in ("-a", adapter)]
    command = [sys.executable, __file__, "--run", *words, "--timing", "off", "-o", str(output)]
    before, start = _used(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        command,
        env={**os.environ, **environment},
        check=False,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    took = Seconds(time.perf_counter() - start, _used(resource.RUSAGE_CHILDREN) - before)
    own, held = json.loads(done.stderr.splitlines()[-1])
    return Run(took, own, held)


def run(words: list[str]) -> None:
    """`conformance run`; the last line of stderr says how much processor time and memory this
    process took.
    """
    from conformance.cli import main as command_line

    sys.argv = ["conformance", "run", *words]
    try:
        command_line()
    finally:
        held = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(json.dumps([_used(resource.RUSAGE_SELF), held]), file=sys.stderr)


def _used(whose: int) -> float:
    used = resource.getrusage(whose)
    return used.ru_utime + used.ru_stime


class Compared(NamedTuple):
    """The same calls made by the suite and bare; `least` is what the bare ones would take with
    every core busy.
    """

    suite: Seconds
    bare: Seconds
    least: float

    def __add__(self, other: Any) -> Compared:
        return Compared(self.suite + other.suite, self.bare + other.bare, self.least + other.least)

    def __str__(self) -> str:
        return (
            f"overhead {self.suite.processor / self.bare.processor - 1:+.1%} of processor time "
            f"({self.suite.processor:.1f} s for {self.bare.processor:.1f} s), "
            f"wall {self.suite.clock / self.least:.2f} times ({self.suite.clock:.1f} s for "
            f"{self.least:.1f} s)"
        )


def main(adapters: list[str], at_once: int) -> None:
    print(f"bare processes at once: {at_once}")
    with tempfile.TemporaryDirectory(dir=MEMORY if os.access(MEMORY, os.W_OK) else None) as folder:
        print(f"cold: {compared(adapters, at_once, Path(folder))}", flush=True)
        together = Compared(Seconds(0.0, 0.0), Seconds(0.0, 0.0), 0.0)
        for number in range(ROUNDS):
            one = compared(adapters, at_once, Path(folder), bare_first=number % 2 == 1)
            print(f"warm: {one}", flush=True)
            together += one
    print(f"warm, {ROUNDS} rounds together: {together}")


def compared(
    adapters: list[str], at_once: int, folder: Path, *, bare_first: bool = False
) -> Compared:
    """The run and the bare calls of an earlier record or of this one, once; what is not a ratio of
    both is printed.
    """

    def suite() -> Run:
        return suite_seconds(
            adapters, folder / "record", {"CONFORMANCE_CACHE": str(folder / "of-the-suite")}
        )

    if bare_first:
        seconds, whole = all_bare(adapters, at_once, folder), suite()
    else:
        whole, seconds = suite(), all_bare(adapters, at_once, folder)
    for adapter, took in seconds.items():
        print(f"  {adapter:20} {took.clock:8.1f} s, processor {took.processor:8.1f} s")
    print(
        f"  the suite's own process: processor {whole.own:.1f} s, memory {whole.held / 2**20:.0f} "
        "MiB"
    )
    every = sum(seconds.values(), Seconds(0.0, 0.0))
    return Compared(
        whole.took,
        every,
        max(every.clock / physical_cores(), *(took.clock for took in seconds.values())),
    )


def all_bare(adapters: list[str], at_once: int, folder: Path) -> dict[str, Seconds]:
    """What the bare calls of each adapter take, in the environment that the suite gives them."""
    alone = {
        **thread_environment(physical_cores()),
        **precision_environment(PRECISIONS[0]),
        "CONFORMANCE_CACHE": str(folder / "bare"),
        **(NOT_ALONE if at_once > 1 else {}),
    }
    with ThreadPoolExecutor(at_once) as threads:
        took = threads.map(
            lambda adapter: bare_seconds(adapter, folder / "record", alone), adapters
        )
        return dict(zip(adapters, took, strict=True))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--run", *words]:
            run(words)
        case words:
            given = [word for word in words if word != "--alone"]
            every = [name for name, entry in REGISTRY.items() if entry.variant_of is None]
            main(
                given or every[::-1], 1 if "--alone" in words else physical_cores()
            )  # the slowest is the last of the table
