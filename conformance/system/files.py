"""Files, written whole or not at all, and folders that one process writes to at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOCK_TABLE = Path("/proc/locks")
"""Where Linux tells who holds a lock."""


@contextmanager
def replacing(path: Path, *, through_links: bool = False) -> Iterator[Path]:
    """A path to write to, whose file then takes the place of another, or is new, with the mode of
    that or of a new file, whatever writes it. Where the writing fails, nothing has changed. Raises
    OSError.

    A link that stands there is replaced, unless the user named it and it is to be written
    `through_links`. Nobody can guess the path, nor write to it before it is whole.
    """
    path = path.resolve() if through_links else path
    partial = path.with_name(f".{path.name[:100]}.{secrets.token_hex(8)}.part")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
        mode = _mode(path, os.fstat(descriptor).st_mode)
        os.fchmod(descriptor, 0o600)
        os.close(descriptor)
        yield partial
        with partial.open("rb") as stream:
            os.fsync(stream.fileno())  # else the power may take both, the old one and the new one
        partial.chmod(mode & 0o7777)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _mode(path: Path, of_new: int) -> int:
    """The mode of the file that is there, which a link is not, or of a new one."""
    try:
        return of_new if path.is_symlink() else path.stat().st_mode
    except FileNotFoundError:
        return of_new


def replace_file(path: Path, text: str, *, through_links: bool = False) -> None:
    """Write a file whole or not at all. Raises OSError, and the file is then what it was."""
    with replacing(path, through_links=through_links) as partial:
        partial.write_text(text, encoding="utf-8", newline="")


def sync_folder(folder: Path) -> None:
    """Have the names of new files in a folder on the disk; nothing where that cannot be done."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class Locked(OSError):  # noqa: N818 - a state of the folder
    """A folder that another process is writing to; `holder` names it."""

    def __init__(self, holder: str) -> None:
        super().__init__(0, f"{holder} is writing there")
        self.holder = holder


def locked(folder: Path) -> int:
    """Lock a folder until the descriptor that is returned is closed, or the process has ended in
    whatever way. Raises Locked.

    The folder itself is locked: no file is left that would outlive its process. Where the file
    system knows no such lock, as some across a network, there is none.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = _holder(os.fstat(descriptor).st_ino)
        os.close(descriptor)
        raise Locked(holder) from None
    except OSError:
        pass
    return descriptor


def _holder(inode: int) -> str:
    """The process that holds the lock of a file, as far as the system tells."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in _LOCK_TABLE.read_text(encoding="ascii").splitlines():
            words = line.split()  # 1: FLOCK ADVISORY WRITE PID MAJOR:MINOR:INODE 0 EOF
            if words[1] == "FLOCK" and int(words[5].rpartition(":")[2]) == inode:
                return f"process {words[4]}"
    return "another process"
