"""The entry point: what a user did wrong is one sentence a problem on stderr, never a traceback."""

from __future__ import annotations

import gc
import sys

from conformance.cli.app import app
from conformance.printing import complain, guard_standard_streams


def main() -> None:
    """Entry point: what a user did wrong is one sentence a problem on stderr and exit 2, what the
    suite did wrong one paragraph and exit 70, never a bare traceback.
    """
    from conformance.errors import ConformanceError

    guard_standard_streams()
    gc.set_threshold(
        50_000, 20, 20
    )  # cases and records live until the end: to look through them for garbage finds none
    try:
        app()
    except ConformanceError as error:
        _complain(*error.lines)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # nothing else catches what nobody foresaw
        from conformance.cli import fault

        sys.exit(fault.tell(error))


def _complain(*lines: str) -> None:
    complain(*lines)
    sys.exit(2)
