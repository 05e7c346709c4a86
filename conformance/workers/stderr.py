"""What an engine writes to its stderr: its end is kept for messages, and all of it is shown live
where that is asked for.
"""

from __future__ import annotations

import re
import threading
from io import BufferedReader

from conformance.printing import MOST_CHARACTERS, complain
from conformance.workers.frames import parted

TAIL_BYTES = 64 * 1024
TAIL_LINES = 12
LONGEST_LINE = 500
_REASON = re.compile(
    r"Check failed|[Aa]ssert|Fatal|terminate called|what\(\):"
)  # above a stack trace stands why it died
_PIECE = 1 << 20


class Stderr:
    """The stderr of a process, which is read until it ends, so that nobody waits to write there.

    With a `label` every line is shown on our own stderr as it comes, with the label before it.
    """

    def __init__(self, stream: BufferedReader, *, label: str | None = None) -> None:
        self._label = label
        self._tail, self._line = bytearray(), bytearray()
        self._drain = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._drain.start()

    def join(self, seconds: float) -> None:
        """Wait for its end, at most so long."""
        self._drain.join(seconds)

    def tail(self) -> str:
        """The end of what was written, as a text to append; empty if nothing was. What faulthandler
        wrote is told by `frames`.
        """
        text, _ = parted(bytes(self._tail).decode(errors="replace").strip())
        lines = [line[:LONGEST_LINE] for line in text.splitlines() if line.strip()]
        last = lines[-TAIL_LINES:]
        reason = next((line for line in lines if _REASON.search(line)), None)
        shown = last if reason is None or reason in last else [reason, "...", *last]
        return "\n" + "\n".join(shown) if shown else ""

    def frames(self) -> str:
        """The frames of Python in which the process died, if faulthandler has told."""
        return parted(bytes(self._tail).decode(errors="replace"))[1]

    def _read(self, stream: BufferedReader) -> None:
        while piece := stream.read1(_PIECE):
            self._tail += piece
            del self._tail[:-TAIL_BYTES]
            if self._label is not None:
                self._show(piece)
        if self._line:
            self._show(b"\n")
        stream.close()

    def _show(self, piece: bytes) -> None:
        """Show the lines that are whole now, and of one that does not end what is too long to be
        kept.
        """
        *lines, left = bytes(self._line + piece).split(b"\n")
        whole = len(left) - len(left) % MOST_CHARACTERS
        self._line = bytearray(left[whole:])
        for line in [*lines, *filter(None, [left[:whole]])]:
            line = line.removesuffix(b"\r")
            for start in range(0, max(1, len(line)), MOST_CHARACTERS):
                text = line[start : start + MOST_CHARACTERS].decode(errors="replace")
                complain(f"{self._label}| {text.expandtabs()}")
