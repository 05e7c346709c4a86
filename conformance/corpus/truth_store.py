"""Arrays that follow from what a case says, kept between runs by that content: a corpus is run more
often than it changes.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from conformance.corpus.truths import Arrays, Truths
from conformance.system import cache

MOST_BYTES = 2**30
"""The most bytes of a folder; of more, what was used longest ago is let go when the folder is
opened the next time."""


class ArrayStore:
    """A folder of arrays by content and part. A file that cannot be read or written is as good as
    none.
    """

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        self._folder = folder
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            self._let_go(most_bytes)

    def __call__(self, content: object, part: str, make: Callable[[], Arrays]) -> Arrays:
        """That part of what follows from the content: kept from before, bit for bit, or made now
        and kept.
        """
        path = self._folder / f"{key_of(content)}-{part}.npz"
        arrays = _read(path)
        if arrays is None:
            arrays = make()
            _write(path, arrays)
        return arrays

    def _let_go(self, most_bytes: int) -> None:
        files = [(path.stat(), path) for path in self._folder.glob("*.npz")]
        total = 0
        for status, path in sorted(files, key=lambda entry: -entry[0].st_mtime):
            total += status.st_size
            if total > most_bytes:
                path.unlink(missing_ok=True)


def kept_truths() -> Truths:
    """Truths that are kept between runs, beside what frameworks have compiled."""
    return Truths(keep=ArrayStore(cache.folder() / "truths"))


def key_of(content: object) -> str:
    """The key of content: its repr, together with everything that numbers are made of it by: our
    own code and NumPy's.
    """
    return hashlib.sha256(f"{_makers()}\n{content!r}".encode()).hexdigest()[:32]


@functools.cache
def _makers() -> str:
    package = Path(__file__).parent.parent
    state = hashlib.sha256(np.__version__.encode())
    for path in [
        package / "geometry.py",
        package / "corpus" / "tensors.py",
        *sorted(package.joinpath("oracle").rglob("*.py")),
    ]:
        state.update(path.read_bytes())
    return state.hexdigest()


def _read(path: Path) -> Arrays | None:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as zipped:
            arrays = {name: zipped[name] for name in zipped.files}
        os.utime(path)
    except (
        Exception
    ):  # absent, or damaged in whatever way: a zip file holds a checksum of every array
        return None
    return arrays


def _write(path: Path, arrays: Arrays) -> None:
    with contextlib.suppress(OSError):
        handle, name = tempfile.mkstemp(dir=path.parent, suffix="-part.npz")
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(file, allow_pickle=False, **arrays)
            Path(name).replace(path)  # whole, or not there
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
