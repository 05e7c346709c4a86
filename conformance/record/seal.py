"""The seal of a record: every line ends with a digest of all bytes before it, so that no change is
read as something that a run has said.
"""

from __future__ import annotations

import hashlib
import re

DIGITS = 16
"""The hexadecimal digits of the SHA-256 that stand in a line: against chance, not against intent,
for whoever writes a record can seal it."""

KEYS = ("check", "sha256")
"""The keys of a line that seal it, and say nothing of the run."""

_END = re.compile(rb',"check":"([0-9a-f]{%d})"}\n' % DIGITS)
_LENGTH = len(b',"check":""}\n') + DIGITS


class Seal:
    """The running digest of a record: SHA-256 over every byte of it, as it is written or read."""

    def __init__(self) -> None:
        self._state = hashlib.sha256()

    def sealed(self, line: bytes) -> bytes:
        """The next line, a JSON object without its end, with the digest as its last key."""
        self._state.update(line[:-1])
        end = b',"check":"%s"}\n' % self._state.hexdigest()[:DIGITS].encode()
        self._state.update(end)
        return line[:-1] + end

    def holds(self, line: bytes) -> bool | None:
        """Take in the next line with its end: whether its digest is that of all bytes before it;
        None where it ends with none.
        """
        end = _END.fullmatch(line[-_LENGTH:])
        if end is None:
            self._state.update(line)
            return None
        self._state.update(line[:-_LENGTH])
        holds = self._state.hexdigest()[:DIGITS].encode() == end[1]
        self._state.update(line[-_LENGTH:])
        return holds

    def copy(self) -> Seal:
        """The same so far; each goes on by itself."""
        other = Seal()
        other._state = self._state.copy()
        return other

    @property
    def digest(self) -> str:
        """The SHA-256 of all bytes so far, in hexadecimal."""
        return self._state.hexdigest()
