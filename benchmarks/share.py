"""How much of two busy cores engines get: a sweep in two shards, and the same on two Dask workers.

    python benchmarks/share.py [ROUNDS [SECONDS]]

Both keep two cores busy, so that what engines do not get is what asking them costs: drawing,
judging and, with Dask, its scheduler and workers. The efficiency is the share of the engines on
Dask over that of the shards. It does not depend on how fast the machine is at the moment, which on
shared hardware varies by a third from minute to minute; `efficiency.py` measures by the clock.
Needs two idle hardware threads, torch, and Linux.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

START_SECONDS = 12
"""Until all engines are at work."""

SWEEP = (
    *("sweep", "-a", "torch", "--rank", "1", "--dtype", "float32", "--no-gradients"),
    *("--seed", "7", "--count", "1000000"),
)
WAYS = {
    "two shards": (("--shard", "1/2"), ("--shard", "2/2")),
    "two workers": (("--dask", "local:2"),),
}
PARENT, USER, SYSTEM = 1, 11, 12
"""Fields of /proc/PID/stat behind the name."""


def stat(pid: int) -> list[str]:
    """The fields of a process behind its name; empty if it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def times(roots: Sequence[int]) -> dict[int, float]:
    """Processor seconds of these processes and of all below them."""
    fields = {int(entry.name): stat(int(entry.name)) for entry in Path("/proc").glob("[0-9]*")}
    family = list(roots)
    for one in family:
        family += [pid for pid, its in fields.items() if its and int(its[PARENT]) == one]
    ticks = os.sysconf("SC_CLK_TCK")
    return {
        pid: (int(fields[pid][USER]) + int(fields[pid][SYSTEM])) / ticks
        for pid in family
        if fields.get(pid)
    }


def is_engine(pid: int) -> bool:
    """Whether a process loads an adapter."""
    return b"importlib.util" in Path(f"/proc/{pid}/cmdline").read_bytes()


def share(ways: Sequence[Sequence[str]], seconds: float) -> tuple[float, float]:
    """(the engines' part of the processor time of a run, how many processors it had)."""
    with tempfile.TemporaryDirectory() as folder:
        runs = [
            subprocess.Popen(
                [sys.executable, "-m", "conformance", *SWEEP, *words, "-o", f"{folder}/{at}"],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            for at, words in enumerate(ways)
        ]
        try:
            time.sleep(START_SECONDS)
            before, began = times([run.pid for run in runs]), time.monotonic()
            time.sleep(seconds)
            after, ended = times([run.pid for run in runs]), time.monotonic()
            spent = {pid: after[pid] - first for pid, first in before.items() if pid in after}
            engines = sum(time for pid, time in spent.items() if is_engine(pid))
        finally:
            for run in runs:
                run.send_signal(signal.SIGINT)
                run.wait()
    return engines / sum(spent.values()), sum(spent.values()) / (ended - began)


def main(rounds: int, seconds: float) -> int:
    """Print the shares of every round, and the efficiency of their medians."""
    shares: dict[str, list[float]] = {name: [] for name in WAYS}
    for _ in range(rounds):
        for name, ways in WAYS.items():
            part, processors = share(ways, seconds)
            shares[name].append(part)
            print(f"{name}: {part:.3f} of {processors:.2f} processors", flush=True)
    plain, spread = (statistics.median(parts) for parts in shares.values())
    print(f"efficiency {spread / plain:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(int, [*sys.argv[1:3], *["3", "20"][len(sys.argv) - 1 :]])))
