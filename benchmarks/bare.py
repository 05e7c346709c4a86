"""The calls of a record made bare, on one adapter in this process: `python benchmarks/bare.py
ADAPTER RECORD FIRST PACKAGE...`.

Every line printed is [calls made, [seconds, processor seconds] they took, the same clocks now]:
before a call that may be the last, and at the end. What counts is import, compilation and calls,
from call number FIRST on. The adapter's PACKAGES come before anything of ours, so that what both
need, NumPy and much of the standard library, is theirs.
"""

from __future__ import annotations

import sys
import time

BEGAN = time.perf_counter(), time.process_time()

for package in sys.argv[4:]:
    __import__(package)

SPENT = time.perf_counter() - BEGAN[0], time.process_time() - BEGAN[1]

import contextlib  # noqa: E402
import importlib  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
from collections.abc import Callable  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

from conformance.adapters import REGISTRY  # noqa: E402
from conformance.conventions import Unrepresentable  # noqa: E402
from conformance.corpus.files import load_cases, shipped_cases  # noqa: E402
from conformance.corpus.tensors import cotangent_of, tensors_of  # noqa: E402
from conformance.record.reader import read_record  # noqa: E402

LEFT_OUT = ("unavailable", "timed-out")


class Clock:
    """Seconds and processor seconds spent in the calls that it makes."""

    def __init__(self) -> None:
        self.spent = list(SPENT)

    def __call__(self, call: Callable[..., Any], *arguments: Any) -> Any:
        clock, processor = time.perf_counter(), time.process_time()
        try:
            return call(*arguments)
        finally:
            self.spent[0] += time.perf_counter() - clock
            self.spent[1] += time.process_time() - processor

    def tell(self, made: int) -> None:
        print(
            json.dumps([made, self.spent, [time.perf_counter(), time.process_time()]]), flush=True
        )


def main(adapter: str, record: str, first: int) -> None:
    verdicts = [
        v
        for v in read_record(Path(record)).verdicts
        if v.adapter == adapter and v.status not in LEFT_OUT
    ]
    cases = {case.name: case for case in load_cases(shipped_cases())}
    timed, entry = Clock(), REGISTRY[adapter]
    engine: Any = timed(
        lambda: getattr(importlib.import_module(entry.module), entry.adapter)(**entry.options)
    )
    device = timed(engine.devices)[0]
    for number, verdict in enumerate(verdicts[first:], first):
        case = cases[verdict.case]
        native = case.arguments(engine.convention)
        if isinstance(native, Unrepresentable):
            continue
        tensors, cotangent = tensors_of(case), cotangent_of(case)
        if verdict.status == "crashed":
            timed.tell(number)
        with contextlib.suppress(Exception):  # what is refused takes its time too
            if verdict.quantity == "gradients":
                timed(engine.gradients, *tensors, native, cotangent, device)
            else:
                timed(engine.call, *tensors, native, device)
    timed.tell(len(verdicts))
    os._exit(0)  # taking an engine down is not asked for


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
