"""What the suite adds to what the engines themselves take, on the whole corpus: `python benchmarks/overhead.py [ADAPTER...]`.

The same calls are made twice. Bare: for each adapter one process imports it and makes its calls one after the other, and only
import, compilation and calls count; where a call ends the process, another one goes on behind it. Then by
`conformance run --timing off`. Both are done with an empty folder for compiled code (cold) and again with what is in it then
(warm). What is printed are ratios of one run:

    overhead   processor seconds of the suite and its engines, over those of the bare processes, less 1
    wall       seconds of the run, over the larger of (sum of the bare seconds / cores) and those of the slowest engine
    memory     the most that the suite's own process held, its engines not counted
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
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from conformance.adapters import REGISTRY, thread_environment
from conformance.machine import physical_cores

LEFT_OUT = ("unavailable", "timed-out")


class Seconds(NamedTuple):
    clock: float
    processor: float

    @staticmethod
    def now() -> Seconds:
        return Seconds(time.perf_counter(), time.process_time())

    def __add__(self, other: Any) -> Seconds:
        return Seconds(self.clock + other.clock, self.processor + other.processor)

    def __sub__(self, other: Seconds) -> Seconds:
        return Seconds(self.clock - other.clock, self.processor - other.processor)


def bare(adapter: str, record: str, first: int) -> None:
    """Make the calls of the record on one adapter from number `first` on in this process; tell what they took.

    Every line printed is [calls made, seconds they took, the clocks now]: at the end, and before a call that may be the last.
    """
    from conformance.casefile import load_cases, shipped_cases
    from conformance.conventions import Unrepresentable
    from conformance.results import read_record
    from conformance.tensors import cotangent_of, tensors_of

    verdicts = [v for v in read_record(Path(record)).verdicts if v.adapter == adapter and v.status not in LEFT_OUT]
    cases = {case.name: case for case in load_cases(shipped_cases())}
    spent = Seconds(0.0, 0.0)

    def timed(call: Callable[..., Any], *arguments: Any) -> Any:
        nonlocal spent
        start = Seconds.now()
        try:
            return call(*arguments)
        finally:
            spent += Seconds.now() - start

    entry = REGISTRY[adapter]
    engine: Any = timed(lambda: getattr(importlib.import_module(entry.module), entry.adapter)(**entry.options))
    device = timed(engine.devices)[0]
    for number, verdict in enumerate(verdicts[first:], first):
        case = cases[verdict.case]
        native = case.arguments(engine.convention)
        if isinstance(native, Unrepresentable):
            continue
        tensors, cotangent = tensors_of(case), cotangent_of(case)
        if verdict.status == "crashed":
            print(json.dumps([number, spent, Seconds.now()]), flush=True)
        with contextlib.suppress(Exception):  # what is refused takes its time too
            if verdict.quantity == "gradients":
                timed(engine.gradients, *tensors, native, cotangent, device)
            else:
                timed(engine.call, *tensors, native, device)
    print(json.dumps([len(verdicts), spent, Seconds.now()]), flush=True)
    os._exit(0)  # taking an engine down is not asked for


def bare_seconds(adapter: str, record: Path, environment: Mapping[str, str]) -> Seconds:
    """What all calls of one adapter take, over as many processes as it takes."""
    variables = {**os.environ, **environment, **REGISTRY[adapter].environment}
    whole, first = Seconds(0.0, 0.0), 0
    while True:
        command = [sys.executable, __file__, "--bare", adapter, str(record), str(first)]
        with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
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


def suite_seconds(adapters: list[str], output: Path, environment: Mapping[str, str]) -> tuple[Seconds, int]:
    """What a whole run takes, its engines counted, and the most bytes that its own process held."""
    words = [word for adapter in adapters for word in ("-a", adapter)]
    command = [sys.executable, __file__, "--run", *words, "--timing", "off", "-o", str(output)]
    before, start = _of_children(), time.perf_counter()
    done = subprocess.run(
        command, env={**os.environ, **environment}, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    return Seconds(time.perf_counter() - start, _of_children() - before), int(done.stderr.splitlines()[-1])


def run(words: list[str]) -> None:
    """`conformance run`, and then the most bytes that this process held on the last line of stderr."""
    from conformance.cli import main as command_line

    sys.argv = ["conformance", "run", *words]
    try:
        command_line()
    finally:
        print(1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main(adapters: list[str]) -> None:
    cores = physical_cores()
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("cold", "warm"):
            suite = {"CONFORMANCE_CACHE": f"{folder}/of-the-suite"}
            alone = {"CONFORMANCE_CACHE": f"{folder}/bare", **thread_environment(cores)}
            whole, held = suite_seconds(adapters, Path(folder) / "record", suite)
            own = {adapter: bare_seconds(adapter, Path(folder) / "record", alone) for adapter in adapters}
            for adapter, seconds in own.items():
                print(f"  {adapter:20} {seconds.clock:8.1f} s, processor {seconds.processor:8.1f} s")
            every = sum(own.values(), Seconds(0.0, 0.0))
            least = max(every.clock / cores, *(seconds.clock for seconds in own.values()))
            added = whole.processor / every.processor - 1
            print(f"{kind}: overhead {added:+.1%} of processor time ({whole.processor:.1f} s for {every.processor:.1f} s)")
            print(f"{kind}: wall {whole.clock / least:.2f} times ({whole.clock:.1f} s for {least:.1f} s)")
            print(f"{kind}: memory {held / 2**20:.0f} MiB", flush=True)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--bare", adapter, record, first]:
            bare(adapter, record, int(first))
        case ["--run", *words]:
            run(words)
        case adapters:
            main(adapters or [name for name, entry in REGISTRY.items() if entry.variant_of is None])
