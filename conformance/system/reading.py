"""Files that a user names, read to a limit: a pipe or a device is refused instead of waited for."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def read_regular(path: Path, most: int) -> bytes:
    """The bytes of a regular file. Raises OSError, whose `strerror` says what is wrong: the
    system's own reason, no regular file, or more than `most` bytes.
    """
    # without O_NONBLOCK a pipe is opened once somebody writes to it, which may be never
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is a pipe or a device, no regular file")
        content = file.read(most + 1)
    if len(content) > most:
        size = max(status.st_size, len(content))
        raise OSError(errno.EFBIG, f"it has {size} bytes, more than {most}")
    return content
