"""Writes the covering design of `cases/arithmetic/`: few cases in which the levels of all factors
meet, by pairs and by triples.

    python tools/corpus/covering_design.py [--check] [FOLDER]

`factors.yaml` in that folder says which levels there are and which cannot meet. A row, a level of
every factor, is chosen as in AETG (Cohen, Dalal, Fredman and Patton, IEEE Trans. Softw. Eng. 23(7),
1997): of some candidates, each grown from a tuple that is not covered yet by the level that covers
most, the best one. Then arguments are drawn that have those levels, so that single axes meet new
numbers too. The generator of random numbers starts from a fixed seed: running this again changes
nothing. With `--check` nothing is written, and the exit status is 1 where the files are not what
would be.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from covering.files import FOLDER, files


def stale(folder: Path, written: Mapping[str, str]) -> Iterable[str]:
    """Names of files in the folder that are not what is written."""
    for name, text in written.items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            yield name


def main(arguments: Sequence[str]) -> int:
    folder = Path(next((word for word in arguments if not word.startswith("-")), FOLDER))
    written = files(folder)
    if "--check" in arguments:
        old = list(stale(folder, written))
        print(
            f"out of date: {', '.join(old)}"
            if old
            else f"{len(written)} files are what the design says"
        )
        return bool(old)
    for name, text in written.items():
        (folder / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
