"""What the suite adds to what the engines themselves take, on the whole corpus: `python benchmarks/overhead.py [ADAPTER...]`.

The same calls are made twice. Bare: for each adapter one process imports it and makes its calls one after the other, and only
import, compilation and calls count; what would end the process is left out. Then by `conformance run --timing off`. Both are done
with an empty folder for compiled code (cold) and again with what is in it then (warm). What is printed are ratios of one run:

    overhead   processor seconds of the suite and its engines, over those of the bare processes, less 1
    wall       seconds of the run, over the larger of (sum of the bare seconds / cores) and those of the slowest engine
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from conformance.adapters import REGISTRY, thread_environment
from conformance.machine import physical_cores

FATAL = ("crashed", "timed-out", "unsupported")  # an unsupported call is mostly none at all


def bare(adapter: str, record: str) -> None:
    """Make every call of the record on one adapter in this process, and print the seconds of the clock and of the processor."""
    from conformance import conventions
    from conformance.casefile import load_cases, shipped_cases
    from conformance.results import read_record
    from conformance.tensors import cotangent_of, tensors_of

    verdicts = [v for v in read_record(Path(record)).verdicts if v.adapter == adapter and v.status not in FATAL]
    cases = {case.name: case for case in load_cases(shipped_cases())}
    before = _clocks()
    entry = REGISTRY[adapter]
    engine: Any = getattr(importlib.import_module(entry.module), entry.adapter)(**entry.options)
    devices = engine.devices()
    spent = [after - start for start, after in zip(before, _clocks(), strict=True)]
    assert engine.convention in conventions.NAMES
    for verdict in verdicts:
        case = cases[verdict.case]
        native, tensors = case.arguments(engine.convention), tensors_of(case)
        cotangent = cotangent_of(case)
        start = _clocks()
        with contextlib.suppress(Exception):  # what is refused takes its time too
            if verdict.quantity == "gradients":
                engine.gradients(*tensors, native, cotangent, devices[0])
            else:
                engine.call(*tensors, native, devices[0])
        spent = [total + after - before for total, before, after in zip(spent, start, _clocks(), strict=True)]
    print(json.dumps(spent))


def _clocks() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def bare_seconds(adapter: str, record: Path, environment: dict[str, str]) -> tuple[float, float]:
    """(clock, processor) of one adapter."""
    command = [sys.executable, __file__, "--bare", adapter, str(record)]
    variables = {**os.environ, **environment, **REGISTRY[adapter].environment}
    done = subprocess.run(command, env=variables, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    clock, processor = json.loads(done.stdout.splitlines()[-1])
    return clock, processor


def suite_seconds(adapters: list[str], output: Path, environment: dict[str, str]) -> tuple[float, float]:
    """(clock, processor) of a whole run, its engines counted."""
    words = [word for adapter in adapters for word in ("-a", adapter)]
    command = [sys.executable, "-m", "conformance", "run", *words, "--timing", "off", "-o", str(output)]
    before, start = _of_children(), time.perf_counter()
    subprocess.run(command, env={**os.environ, **environment}, check=False, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start, _of_children() - before


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main(adapters: list[str]) -> None:
    cores = physical_cores()
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("cold", "warm"):
            suite = {"CONFORMANCE_CACHE": f"{folder}/of-the-suite"}
            alone = {"CONFORMANCE_CACHE": f"{folder}/bare", **thread_environment(cores)}
            whole = suite_seconds(adapters, Path(folder) / "record", suite)
            own = {adapter: bare_seconds(adapter, Path(folder) / "record", alone) for adapter in adapters}
            clocks, processors = ([seconds[i] for seconds in own.values()] for i in (0, 1))
            least = max(sum(clocks) / cores, max(clocks))
            for adapter, (clock, processor) in own.items():
                print(f"  {adapter:20} {clock:8.1f} s, processor {processor:8.1f} s")
            added = whole[1] / sum(processors) - 1
            print(f"{kind}: overhead {added:+.1%} of processor time ({whole[1]:.1f} s for {sum(processors):.1f} s)")
            print(f"{kind}: wall {whole[0] / least:.2f} times ({whole[0]:.1f} s for {least:.1f} s)", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--bare"]:
        bare(*sys.argv[2:])
    else:
        main(sys.argv[1:] or [name for name, entry in REGISTRY.items() if entry.variant_of is None])
