"""Give the readers of strangers' files very many inputs, and say how many each accepted.

    python tools/fuzz/readers.py [--inputs N | --minutes N] [--seed 1] [--keep FOLDER] [READER ...]

An input is a valid one with none to three twists. A fault is an exception that is not the reader's
own, or more than 2 s for 100 kB; it is written to the folder, and the exit code is 1. Memory is
limited to 4 GiB, so that what takes more is a fault too. The tests of `tests/fuzz` do the same with
Hypothesis on fewer inputs; a seed and its twists are the same in both.
"""

from __future__ import annotations

import argparse
import faulthandler
import math
import random
import resource
import sys
import time
import traceback
from collections import Counter
from pathlib import Path

from fuzzing.all import READERS
from fuzzing.reader import Fault, Reader

MEMORY = 4 * 2**30
STUCK = 120.0  # seconds after which a reader is said to hang, with its stack


def twists_of(draw: random.Random) -> list[int]:
    """None to three twists."""
    return [draw.randrange(2**32) for _ in range(draw.choice([0, 1, 1, 2, 3]))]


def fuzz(reader: Reader, inputs: int, seconds: float, seed: int, keep: Path) -> bool:
    """Read that many inputs, or for so long, and print what came of them; whether there was no
    fault.
    """
    draw = random.Random(f"{reader.name} {seed}")
    counts: Counter[str] = Counter()
    faults: dict[str, str] = {}
    begun = time.monotonic()
    while sum(counts.values()) < inputs and time.monotonic() - begun < seconds:
        number, twists = draw.randrange(2**32), twists_of(draw)
        content = reader.made(number, twists)
        faulthandler.dump_traceback_later(STUCK, exit=True)
        try:
            counts["accepted" if reader.accepts(content) else "refused"] += 1
        except Fault as fault:
            counts["faults"] += 1
            place = _place(fault)
            if place not in faults:
                faults[place] = f"{fault} (seed {number}, twists {twists})"
                keep.mkdir(parents=True, exist_ok=True)
                (keep / f"{reader.name}-{len(faults)}").write_bytes(content)
        faulthandler.cancel_dump_traceback_later()
    total = sum(counts.values())
    share = counts["accepted"] / max(total, 1)
    print(
        f"{reader.name}: {total} inputs, {counts['accepted']} accepted ({share:.0%}), "
        f"{counts['faults']} faults of {len(faults)} kinds, {time.monotonic() - begun:.0f} s",
        flush=True,
    )
    for place, told in faults.items():
        print(f"  {place}: {told}", flush=True)
    return not faults


def _place(fault: Fault) -> str:
    """The kind of a fault: the exception, and where it was raised."""
    cause = fault.__cause__
    if cause is None:
        return " ".join(str(fault).split()[:3])
    frames = traceback.extract_tb(cause.__traceback__)
    ours = [frame for frame in frames if "/conformance/" in frame.filename] or frames
    return f"{type(cause).__name__} at {Path(ours[-1].filename).name}:{ours[-1].lineno}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("readers", nargs="*", metavar="READER", help=", ".join(READERS))
    parser.add_argument("--inputs", type=int, default=sys.maxsize, help="of each reader")
    parser.add_argument("--minutes", type=float, default=math.inf, help="of all readers together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=Path("fuzz-faults"))
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    if options.inputs == sys.maxsize and math.isinf(options.minutes):
        parser.error("should be given --inputs or --minutes")
    chosen = [READERS[name] for name in options.readers or READERS]
    seconds = 60 * options.minutes / len(chosen)
    clean = [fuzz(one, options.inputs, seconds, options.seed, options.keep) for one in chosen]
    sys.exit(0 if all(clean) else 1)


if __name__ == "__main__":
    main()
