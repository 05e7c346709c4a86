"""Writes the native cases of `cases/conventions/`: each framework's own arguments, with what the
oracle makes of them.

    python tools/corpus/native_cases.py [FOLDER]

The tables in `native` choose the calls, few of them: every framework sees kernels 1 to 5, strides 1
to 4, dilation 1 and 2, odd and even sizes, one to three spatial axes and each of its ways to say
padding, but no full product. The axes of one call differ from each other, so that exchanged axes
show. Identifiers, summaries and `expected` follow from the arguments; running this again changes
nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from native.files import FILES, text

FOLDER = Path(__file__).resolve().parents[2] / "cases" / "conventions"


def main(arguments: Sequence[str]) -> None:
    folder = Path(arguments[0]) if arguments else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for stem in FILES:
        (folder / f"{stem}.yaml").write_text(text(stem), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
