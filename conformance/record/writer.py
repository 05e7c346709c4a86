"""A record, written: strict JSON, one object a line, so that a cut one is seen and can go on."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from conformance.errors import RecordError
from conformance.record.record import Record, strict
from conformance.record.seal import Seal
from conformance.system.files import Locked, locked, sync_folder

SECONDS_AT_RISK = 5.0
"""What was recorded longer ago is on the disk itself, and survives that the power goes."""


class Writer:
    """Appends whole lines; a line that does not go through leaves the file as it was before it.

    As long as it is open the folder is locked: another run that would write there is refused.
    `seal` is that of all that was written.
    """

    def __init__(self, path: Path, *, after: Record | None = None) -> None:
        """Begin a new record, or go on behind the lines of one before its end. Raises RecordError.

        Of a new one the file is new too: what stood there, as a link that somebody planted, is
        taken away and not written through.
        """
        self.path = path
        self.seal = Seal() if after is None else after.seal.copy()
        self._size = 0 if after is None else after.bytes_before_end
        self._synced = time.monotonic()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = locked(path.parent)
            try:
                self._descriptor = _opened(path, is_new=after is None)
            except OSError:
                os.close(self._lock)
                raise
            os.ftruncate(self._descriptor, self._size)
            os.lseek(self._descriptor, self._size, os.SEEK_SET)
            sync_folder(path.parent)
        except Locked as error:
            raise RecordError(
                f"{path} cannot be written: {error.strerror}, should be a folder of one run at a "
                "time: wait for it to end, or name another --output"
            ) from None
        except OSError as error:
            reason = "it is a link" if error.errno == errno.ELOOP else error.strerror
            raise RecordError(
                f"{path} cannot be written: {reason}, should be a file in a folder with room"
            ) from None

    def write(self, kind: str, content: Mapping[str, Any]) -> None:
        """One line. Raises RecordError if it cannot be written; what was written before is kept."""
        whole = {"sha256": self.seal.digest} if kind == "end" else {}
        seal = self.seal.copy()
        line = seal.sealed(_json({"type": kind, **content, **whole}).encode())
        try:
            done = 0
            while done < len(line):
                done += os.write(self._descriptor, line[done:])
            self._size += len(line)
            self.seal = seal
            if kind == "end" or time.monotonic() - self._synced > SECONDS_AT_RISK:
                os.fsync(self._descriptor)
                self._synced = time.monotonic()
        except OSError as error:
            os.ftruncate(self._descriptor, self._size)
            os.lseek(self._descriptor, self._size, os.SEEK_SET)
            raise RecordError(
                f"{self.path} cannot be written: {error.strerror}. What was recorded is kept: "
                "make room and add --resume"
            ) from None

    def close(self) -> None:
        """Close the file and free the folder; what was written is on the disk then."""
        with contextlib.suppress(OSError):  # of a disk that failed; a line would have told it
            os.fsync(self._descriptor)
        os.close(self._descriptor)
        os.close(self._lock)


def _opened(path: Path, *, is_new: bool) -> int:
    """The file for writing, never through a link. What stands where a new one shall be is taken
    away. Raises OSError.
    """
    if is_new:
        path.unlink(missing_ok=True)
    flags = os.O_CREAT | os.O_EXCL if is_new else 0
    return os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | flags, 0o666)


def _json(content: Mapping[str, Any]) -> str:
    """One line of strict JSON. Most lines hold nothing that is not finite, and need no look at
    every number.
    """
    try:
        return json.dumps(content, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError):  # a mapping that is no dict, a number that is not finite
        return json.dumps(strict(content), allow_nan=False, separators=(",", ":"))
