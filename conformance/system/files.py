"""Files, written whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write to, whose file then takes the place of another, or is new, with the mode of
    that or of a new file, whatever writes it. Where the writing fails, nothing has changed. Raises
    OSError.
    """
    path = path.resolve()  # what a link points to, not the link
    partial = path.with_name(path.name + ".part")
    try:
        partial.unlink(missing_ok=True)
        partial.touch()
        mode = (path if path.exists() else partial).stat().st_mode
        yield partial
        partial.chmod(mode & 0o7777)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def replace_file(path: Path, text: str) -> None:
    """Write a file whole or not at all. Raises OSError, and the file is then what it was."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="")
