"""Work on a Dask cluster: the same results, also when a worker dies; what a worker carries; and
what is refused.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers import CUT, EMPTY, GAPS, command, corpus, environment, eventually

from conformance.cluster.crew import engine_name
from conformance.record.reader import read_record

psutil = pytest.importorskip("psutil")
pytest.importorskip("distributed")

pytestmark = pytest.mark.slow

SWEEP = ("sweep", "-a", "mine=miniatures:RarelyWrong", "--rank", "1", "--dtype", "float32")


def found(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def at_work(words: Any, cwd: Path, **more: str) -> subprocess.Popen[str]:
    """A command of Dask, or of ours, that goes on meanwhile."""
    return subprocess.Popen(
        [sys.executable, "-m", *map(str, words)], cwd=cwd, env=environment(**more), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def workers_of(process: Any, count: int) -> list[Any]:
    """The processes of a local cluster's workers, once each has an engine."""
    while True:
        assert process.poll() is None, process.stdout.read()
        children = psutil.Process(process.pid).children()
        workers = [one for one in children if "spawn_main" in " ".join(one.cmdline())]
        if len(workers) == count and all(worker.children() for worker in workers):
            return workers
        time.sleep(0.05)


def test_a_sweep_finds_the_same_while_a_worker_is_killed(tmp_path: Path) -> None:
    """Byte for byte; what the worker was at is asked elsewhere, and its engines end with it."""
    words = [*SWEEP, "--count", 1100, "--no-gradients"]
    whole = command(*words, "-o", "whole", cwd=tmp_path)
    assert whole.returncode == 1, whole.stderr
    process = at_work(["conformance", *words, "--dask", "local:2", "-o", "dask"], tmp_path)
    victim = workers_of(process, 2)[0]
    engines = victim.children(recursive=True)
    victim.kill()
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 1, output
    assert found(tmp_path / "dask") == found(tmp_path / "whole")
    assert psutil.wait_procs(engines, timeout=20)[1] == []


def test_a_run_has_the_verdicts_of_the_pool(tmp_path: Path) -> None:
    """Of engines that are right, wrong, and die; and what the run was asked for is as without."""
    cases = corpus(tmp_path / "cases", CUT, GAPS, EMPTY)
    names = ("Right", "BiasDropped", "AbortsWithBias", "UnknownConvention")
    adapters = [word for name in names for word in ("-a", f"miniatures:{name}")]
    words = ["run", cases, *adapters, "--timing", "off"]
    plain = command(*words, "-o", "plain", cwd=tmp_path)
    spread = command(*words, "--dask", "local:2", "-o", "spread", cwd=tmp_path)
    assert (plain.returncode, spread.returncode) == (1, 1), spread.stderr
    records = [read_record(tmp_path / name) for name in ("plain", "spread")]
    keys = [
        {(v.case, v.adapter, v.device, v.quantity): (v.status, v.kind) for v in record.verdicts}
        for record in records
    ]
    assert keys[0] == keys[1]
    assert len(keys[0]) > 8
    assert {status for status, _ in keys[0].values()} >= {"conforms", "differs", "crashed"}
    assert records[0].run["corpus"] == records[1].run["corpus"]
    assert records[0].run["cpu"] == records[1].run["cpu"]


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[Path]:
    """A scheduler of its own, with two workers that carry another engine each."""
    file = tmp_path / "scheduler.json"
    words = ["--port", "0", "--no-dashboard", "--host", "127.0.0.1", "--scheduler-file", file]
    processes = [at_work(["distributed.cli.dask_scheduler", *words], tmp_path)]
    assert eventually(file.exists)
    for name in ("left", "right"):
        words = ["--scheduler-file", file, "--nthreads", 1, "--no-nanny", "--no-dashboard"]
        carries = f"engine:{name}=1,side:{name}=1"
        worker = ["distributed.cli.dask_worker", *words, "--resources", carries]
        log = str(tmp_path / f"{name}.log")
        processes.append(at_work(worker, tmp_path, MINIATURES_LOG=log))
    yield file
    for process in reversed(processes):
        process.kill()
    for process in processes:
        process.communicate(timeout=20)


def test_work_goes_where_it_can_run(tmp_path: Path, scheduler: Path) -> None:
    """Each engine beside the worker that carries it, and none where nobody does."""
    cases = corpus(tmp_path / "cases", CUT, GAPS, EMPTY)
    words = ["run", cases, "--timing", "off", "--dask", scheduler, "-o", "out"]
    logs = {name: tmp_path / f"{name}.log" for name in ("left", "right")}
    done = command(*words, "-a", "right=miniatures:Right", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (logs["left"].exists(), logs["right"].exists()) == (False, True)
    logs["right"].unlink()
    done = command(*words, "-a", "left=miniatures:Right", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (logs["left"].exists(), logs["right"].exists()) == (True, False)
    nobody = command(*words, "-a", "third=miniatures:Right", cwd=tmp_path)
    assert (nobody.returncode, "no worker carries engine:third" in nobody.stderr) == (2, True)
    apart = command(*words, "-a", "left=miniatures:Right", "--needs", "side:right", cwd=tmp_path)
    assert (apart.returncode, "no worker carries side:right and" in apart.stderr) == (2, True)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--dask", "nowhere"], "should be local, local:N, the address of a scheduler"),
        (["--dask", "local:0"], "should be local, local:N"),
        (["--needs", "gpu:h100"], "is for --dask, should come with it"),
        (["--dask", "local:1", "--needs", "h100"], "should be KIND:NAME"),
        (["--dask", "local:1", "--needs", "gpu:h100"], "no worker carries gpu:h100"),
        (["--dask", "local:1", "--timing", "quick"], "should be --timing off with --dask"),
        (["--dask", "local:1", "-s"], "should be without --dask"),
        (["--dask", "tcp://there:1", "--sandbox"], "should be without --dask tcp://there:1"),
    ],
)
def test_what_cannot_be_is_one_sentence(tmp_path: Path, words: list[str], sentence: str) -> None:
    """Before any engine starts."""
    cases = corpus(tmp_path / "cases", CUT, GAPS, EMPTY)
    timing = [] if "--timing" in words else ["--timing", "off"]
    done = command("run", cases, "-a", "miniatures:Right", *timing, *words, cwd=tmp_path)
    *before, last = done.stderr.splitlines()
    assert (done.returncode, sentence in last) == (2, True), done.stderr
    assert all(line.startswith("Dask: ") for line in before)


def test_a_variant_is_where_its_adapter_is() -> None:
    """Workers need not name all variants; an engine of one's own goes by its label."""
    names = [engine_name("torch-channels-last", "x"), engine_name("keras-torch", "keras-torch")]
    assert names == ["torch", "keras-torch"]
    assert engine_name("package.module:Class", "mine") == "mine"
