"""Sweeps real frameworks with random calls: does each take the window that its convention module
predicts, and no other?

    python tools/corpus/sweep_conventions.py [--count 2000] [--seed 1] [ADAPTER...]

For every adapter (all of the table, unless named), COUNT times each:

- native: a random call in the framework's own arguments, legal or not. Where it is accepted, shape
  and numbers must be the oracle's on the window that `geometry(native)` predicts. Being refused is
  always fine.
- geometry: a random window. Where `native(geometry)` gives arguments, they must be accepted and
  agree. Where it says Unrepresentable, every call in generous ranges that is predicted to take this
  window, documented or not, must be refused.

Operands are integers from -4 to 4, none of them 0, so that agreeing means equal bits. An adapter
runs in its own process: an abort costs one call. Known defects of frameworks are recognised one by
one in `sweeping.known`; anything else ends in exit code 1.
"""

from __future__ import annotations

import argparse
import sys
import time

from conformance.adapters import REGISTRY
from conformance.workers.answers import Greeting
from conformance.workers.engine import Engine
from conformance.workers.spec import Spec
from sweeping.findings import Sweep
from sweeping.judgement import judge
from sweeping.questions import UnrepresentableWindow, calls
from sweeping.report import report


def sweep(adapter: str, count: int, seed: int) -> Sweep:
    """Ask one adapter everything; raises RuntimeError where it does not start."""
    began = time.monotonic()
    engine = Engine(Spec.of(adapter, label=adapter, python=sys.executable), timeout=60.0)
    result = Sweep(adapter=adapter)
    try:
        greeting = engine.start()
        if not isinstance(greeting, Greeting):
            raise RuntimeError(f"{adapter} does not start: {greeting}")
        for call in calls(greeting.convention, count, seed):
            if isinstance(call, UnrepresentableWindow):
                result.unrepresentable += 1
                result.cut += call.total > call.tried
                continue
            if not engine.running and not isinstance(again := engine.start(), Greeting):
                raise RuntimeError(f"{adapter} does not start again: {again}")
            tensors = call.tensors()
            outcome = engine.call(tensors, call.native, greeting.devices[0])
            result.findings.append(judge(adapter, call, tensors, outcome))
    finally:
        engine.kill()
    result.seconds = time.monotonic() - began
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "adapters",
        nargs="*",
        metavar="ADAPTER",
        help=f"of {', '.join(REGISTRY)}; all of them if none is named",
    )
    options = parser.parse_args()
    failures = 0
    for adapter in options.adapters or REGISTRY:
        result = sweep(adapter, options.count, options.seed)
        failures += len(result.failures)
        print("\n".join(report(result)), flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
