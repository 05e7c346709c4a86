"""One sweep in several ways: whole, in shards, and on Dask while a worker is killed.

    python benchmarks/campaign.py 1000000 FOLDER

The engine has a bug that one call in a hundred thousand shows (`planted.py`). Every way must find
the same failures, byte for byte. It prints how long each took, as JSON; what is in FOLDER already
is not made again.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

HERE = Path(__file__).resolve().parent
SWEEP = (
    "sweep", "-a", "planted:Rare", "--seed", "24", "--rank", "1", "--dtype", "float32",
    "--no-gradients",
)  # fmt: skip
SPLITS = (8, 64)
WORKERS = 4


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "conformance", *map(str, words)]


def started(*words: object) -> subprocess.Popen[bytes]:
    """The command at work, with the planted engine on its path."""
    path = os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.Popen(
        command(*words), env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.DEVNULL
    )


def swept(folder: Path, *words: object) -> float:
    """The seconds of a sweep into a folder. Raises RuntimeError where it could not be made."""
    began = time.monotonic()
    code = started(*SWEEP, *words, "-o", folder).wait()
    if code not in (0, 1):
        raise RuntimeError(f"{folder}: exit code {code}")
    return time.monotonic() - began


def in_shards(folder: Path, count: int, of: int, jobs: int) -> list[float]:
    """The seconds of every shard, `jobs` at a time; their union is in the folder then."""
    with ThreadPoolExecutor(jobs) as pool:
        parts = [folder / f"of-{of}" / str(number) for number in range(1, of + 1)]
        seconds = list(
            pool.map(
                lambda number: swept(
                    parts[number - 1], "--count", count, "--shard", f"{number}/{of}"
                ),
                range(1, of + 1),
            )
        )
    subprocess.run(command("merge", *parts, "-o", folder), stdout=subprocess.DEVNULL, check=False)
    return seconds


def on_dask(folder: Path, count: int, workers: int, *, kill_after: float | None) -> float:
    """The seconds of the sweep on local workers, one of which is killed in the middle."""
    began = time.monotonic()
    process = started(*SWEEP, "--count", count, "--dask", f"local:{workers}", "-o", folder)
    if kill_after is not None:
        victim = worker_of(process.pid, workers)
        time.sleep(kill_after)
        engines = victim.children(recursive=True)
        victim.kill()
        _, left = psutil.wait_procs(engines, timeout=10)
        print(
            f"killed worker {victim.pid} with {len(engines)} processes; left: {left}",
            file=sys.stderr,
        )
    if process.wait() not in (0, 1):
        raise RuntimeError(f"{folder}: exit code {process.returncode}")
    return time.monotonic() - began


def worker_of(pid: int, workers: int) -> psutil.Process:
    """One of the workers of a local cluster, once all have engines at work."""
    while True:
        children = psutil.Process(pid).children()
        found = [child for child in children if "spawn_main" in " ".join(child.cmdline())]
        if len(found) == workers and all(child.children() for child in found):
            return found[0]
        time.sleep(0.1)


def found(folder: Path) -> dict[str, bytes]:
    """By name: the files of what a sweep found."""
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir()) if file.is_file()}


def main(count: int, folder: Path, jobs: int) -> int:
    """Sweep in every way that is not in the folder yet, and compare."""
    figures: dict[str, object] = {"count": count, "jobs": jobs}
    whole = folder / "whole"
    if not whole.exists():
        figures["whole"] = swept(whole, "--count", count)
    ways = {"whole": whole}
    for of in SPLITS:
        ways[f"{of} shards"] = target = folder / f"shards-{of}"
        if not (target / "failures.json").exists():
            seconds = in_shards(target, count, of, jobs)
            figures[f"{of} shards"] = sum(seconds)
    ways["dask"] = target = folder / "dask"
    if not target.exists():
        figures["dask"] = on_dask(target, count, WORKERS, kill_after=count / 3000)
    expected = found(whole)
    figures["same"] = {name: found(way) == expected for name, way in ways.items()}
    figures["bytes"] = {name: len(text) for name, text in expected.items()}
    print(json.dumps(figures, indent=1))
    return 0 if all(found(way) == expected for way in ways.values()) else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), Path(sys.argv[2]), int(os.environ.get("JOBS", "2"))))
