"""How much of two cores Dask uses: the same work by two processes of ours and by two workers.

    python benchmarks/efficiency.py [CALLS [ROUNDS]]

A sweep in two shards at once against one on `--dask local:2`, and the corpus on two adapters by
the pool with `--jobs 2` against the same on `--dask local:2`, turn and turn about. An efficiency is
the time of the first over that of the second, all starts counted; 1 is as fast.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

SWEEP = (
    "sweep",
    "-a",
    "torch",
    "--rank",
    "1",
    "--dtype",
    "float32",
    "--no-gradients",
    "--seed",
    "7",
)
RUN = ("run", "-a", "torch", "-a", "onnxruntime", "--timing", "off")


def seconds(commands: Sequence[Sequence[str]]) -> float:
    """The time until all of these have ended, begun at once."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        processes = [
            subprocess.Popen(
                [sys.executable, "-m", "conformance", *words, "-o", str(Path(folder) / str(at))],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for at, words in enumerate(commands)
        ]
        codes = {process.wait() for process in processes}
        if not codes <= {0, 1}:
            raise RuntimeError(f"exit codes {codes}")
        return time.monotonic() - began


def main(calls: int, rounds: int) -> int:
    """Print both efficiencies, of the medians."""
    sweep = (*SWEEP, "--count", str(calls))
    pairs: dict[str, tuple[list[Sequence[str]], list[Sequence[str]]]] = {
        "sweep": (
            [(*sweep, "--shard", f"{number}/2") for number in (1, 2)],
            [(*sweep, "--dask", "local:2")],
        ),
        "run": ([(*RUN, "--jobs", "2")], [(*RUN, "--dask", "local:2")]),
    }
    for name, (plain, spread) in pairs.items():
        taken: tuple[list[float], list[float]] = ([], [])
        for _ in range(rounds):
            for times, commands in zip(taken, (plain, spread), strict=True):
                times.append(seconds(commands))
        first, second = map(statistics.median, taken)
        print(f"{name}: {first:.1f} s, on Dask {second:.1f} s: efficiency {first / second:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(int, [*sys.argv[1:3], *["40000", "3"][len(sys.argv) - 1 :]])))
