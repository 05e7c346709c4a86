"""`conformance bisect`: which release of a package, or which package of an upgrade, changed what a
case comes to.
"""

from __future__ import annotations

from conformance.commands import bisect_locks, bisect_releases
from conformance.commands.bisect_options import Options

__all__ = ["Options", "run"]


def run(options: Options) -> None:
    """Search, and tell what was found; what cannot be searched is a UsageError."""
    locks = options.locks()
    if locks is None:
        bisect_releases.run(options)
    else:
        bisect_locks.run(options, *locks)
