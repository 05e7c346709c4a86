"""Files, written whole or not at all."""

from __future__ import annotations

import shutil
from pathlib import Path


def replace_file(path: Path, text: str) -> None:
    """Write a file whole or not at all. Raises OSError, and the file is then what it was."""
    path = path.resolve()  # what a link points to, not the link
    partial = path.with_name(path.name + ".part")
    try:
        partial.write_text(text, encoding="utf-8", newline="")
        if path.exists():
            shutil.copymode(path, partial)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
