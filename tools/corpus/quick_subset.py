"""Writes `cases/subsets/quick.txt`: few shipped cases that still detect every mistake and meet
every pair of factors.

    python tools/corpus/quick_subset.py [--check]

What a member is good for: the mistakes of the diagnosis that it detects (of those that a convention
can spell, three must detect each, for every convention); the pairs of levels of the covering design
of `cases/arithmetic/`; and the pairs of `factors`, which every case has. Members are chosen
greedily, then those that the others make needless are left out, and a seeded search exchanges some
of them for fewer. With `--check` nothing is written, and the exit status is 1 where the file is not
what would be.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from quick.candidates import CASES, candidates
from quick.problem import DETECTIONS, Problem

FILE = CASES / "subsets" / "quick.txt"

HEADER = """\
# The smallest set found in which {least} cases or more detect each of {mistakes} mistakes, and
# every pair of factors meets. Written by `python tools/corpus/quick_subset.py`: run it when
# cases change.
"""


def written() -> str:
    """The text of the file."""
    problem = Problem(candidates())
    names = [case.name for case in problem.solution()]
    head = HEADER.format(mistakes=len(problem.mistakes), least=DETECTIONS)
    return head + "".join(f"{name}\n" for name in names)


def main(arguments: Sequence[str]) -> int:
    text = written()
    if "--check" not in arguments:
        FILE.parent.mkdir(exist_ok=True)
        FILE.write_text(text, encoding="utf-8")
        return 0
    is_current = FILE.is_file() and FILE.read_text(encoding="utf-8") == text
    print(f"{FILE.name} is {'what the cases say' if is_current else 'out of date'}")
    return not is_current


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
