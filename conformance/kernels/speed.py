"""How fast a kernel is beside torch: both in turns, on the kernel's own call, by our clock."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import Any

from conformance.kernels.call import KernelCall, products
from conformance.kernels.process import Asked
from conformance.kernels.subject import Subject
from conformance.record.timing import Interval, interval

ROUNDS = 12
MOST_SECONDS = 8.0
MOST_PRODUCTS = 2 * 10**10
"""Of a call that is raced: a larger one takes seconds."""
SHORTEST = 0.02
"""Seconds of one turn, so that asking is no part of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds of one call of the kernel and of torch, and how many times longer the first takes."""

    call: KernelCall
    kernel: float
    torch: float
    ratio: Interval

    def __str__(self) -> str:
        durations = f"{_duration(self.kernel)} beside {_duration(self.torch)} a call"
        return (
            f"{self.ratio.ratio:.2f} times torch's time (95 % interval {self.ratio.low:.2f} to "
            f"{self.ratio.high:.2f}): {durations}"
        )

    def as_json(self) -> dict[str, Any]:
        """For a program, in seconds."""
        return {
            "call": str(self.call),
            "kernel": self.kernel,
            "torch": self.torch,
            "ratio": self.ratio.ratio,
            "interval": [self.ratio.low, self.ratio.high],
        }


def race(subject: Subject, call: KernelCall) -> Pace | None:
    """The pace of a call that is right; None where one takes too long. Raises NotAnsweredError."""
    if call.arguments is not None and products(call) > MOST_PRODUCTS:
        return None
    with subject.at_the_start(call) as (inputs, reference):
        x = inputs[:1] if not subject.is_module else inputs
        reference.ask("call", inputs=x)
        began = time.perf_counter()
        one = max(_turn(subject.candidate, 1), _turn(reference, 1), 1e-6)
        if (time.perf_counter() - began) * 3 > MOST_SECONDS:
            return None
        times = max(1, int(SHORTEST / one) + 1)
        rounds = max(3, min(ROUNDS, int(MOST_SECONDS / (2 * times * one))))
        durations: tuple[list[float], list[float]] = ([], [])
        for number in range(rounds):
            turns = [(subject.candidate, durations[0]), (reference, durations[1])]
            for bench, its in turns if number % 2 else reversed(turns):
                its.append(_turn(bench, times) / times)
    ratio = interval(*durations)
    if ratio is None:
        return None
    medians = [statistics.median(each) for each in durations]
    return Pace(call=call, kernel=medians[0], torch=medians[1], ratio=ratio)


def _turn(bench: Asked, times: int) -> float:
    began = time.perf_counter()
    bench.ask("repeat", times=times)
    return time.perf_counter() - began


def _duration(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size or unit == "us":
            return f"{seconds / size:.3g} {unit}"
    raise AssertionError("some unit fits")
