"""How many pieces of work one Dask scheduler hands out in a second: pieces that do nothing, on the
workers of this machine.

    python benchmarks/scheduler.py [WORKERS [PIECES]]

A piece of a campaign takes about a second, so that this is also about how many workers one
scheduler keeps busy.
"""

from __future__ import annotations

import sys
import time

from conformance.cluster import Piece, crew_at


def nothing() -> None:
    """A piece that is done at once."""


def main(workers: int, count: int) -> int:
    """Print pieces a second, from handing out to the last result."""
    with crew_at(f"local:{workers}") as crew:
        crew.result(Piece(tag=0, function=nothing))
        began = time.monotonic()
        for _ in crew.results(Piece(tag=at, function=nothing) for at in range(count)):
            pass
        print(f"{count / (time.monotonic() - began):.0f} pieces a second on {workers} workers")
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(int, [*sys.argv[1:3], *["2", "2000"][len(sys.argv) - 1 :]])))
