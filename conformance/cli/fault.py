"""The last catch: what nobody foresaw is told as a fault of the suite, in one paragraph.

The traceback is kept in a file, since it says nothing to who only wants to know what to do; where
files are gone afterwards, as in CI, or with CONFORMANCE_TRACEBACK, it is printed. An option would
have to be on every command, and would be read too late for some faults.
"""

from __future__ import annotations

import errno
import os
import platform
import sys
import tempfile
import traceback

from conformance.printing import complain, printable

EXIT_CODE = 70
"""EX_SOFTWARE of sysexits.h: no other end of a command has it."""
_OF_THE_MACHINE = frozenset(
    (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM)
)
_OF_A_NAME = frozenset((errno.ENAMETOOLONG, errno.ELOOP))


def tell(error: Exception) -> int:
    """Say on stderr what went wrong and what to do about it; the exit code."""
    if isinstance(error, MemoryError):
        complain("conformance: memory ran out, should have more or be asked for less")
        return 2
    from conformance.wording import quoted

    if isinstance(error, OSError) and error.errno in (*_OF_THE_MACHINE, *_OF_A_NAME):
        where = "" if error.filename is None else f"{quoted(error.filename, 200)}: "
        should = "be a path" if error.errno in _OF_A_NAME else "be there to be used"
        complain(f"conformance: {where}{error.strerror}, should {should}")
        return 2
    text = printable("".join(traceback.format_exception(error)))  # the message may quote a file
    first = quoted(str(error), 200)[1:-1]
    message = (
        f"conformance: a fault of conformance itself, and no answer: {type(error).__name__}: "
        f"{first}. Please report it where you have conformance from, as an issue, with the "
        f"command, what it read, and the traceback{_traceback_location(text)}"
    )
    complain(*message.split("\n"))
    return EXIT_CODE


def _traceback_location(text: str) -> str:
    """Where the traceback is, as the end of a sentence: in a file, or in the lines behind."""
    if not (os.environ.get("CONFORMANCE_TRACEBACK") or os.environ.get("CI")):
        try:
            with tempfile.NamedTemporaryFile(
                "w", prefix="conformance-fault-", suffix=".txt", delete=False, encoding="utf-8"
            ) as file:
                file.write(f"{_versions()}\n{' '.join(sys.argv)}\n\n{text}\n")
        except OSError:
            pass
        else:
            return f" in {file.name}; CONFORMANCE_TRACEBACK=1 shows it here."
    return f":\n{_versions()}\n{text}"


def _versions() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        ours = version("conv-transpose-conformance")
    except PackageNotFoundError:
        ours = "of a checkout"
    return f"conformance {ours}, Python {platform.python_version()}, {platform.platform()}"
