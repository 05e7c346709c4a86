"""How far two runs with timings agree: `python benchmarks/repeatability.py RESULTS RESULTS`.

Every case and every two adapters that both runs have timed give a ratio of times in either run.
What is printed is by how much the two ratios disagree, by pair of adapters and over all.
"""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from conformance.record.reader import read_record
from conformance.record.record import Record
from conformance.record.timing import interval

Rounds = Mapping[str, Mapping[str, list[float]]]


def rounds_of(record: Record) -> Rounds:
    """By case and adapter on its device: the medians of the rounds."""
    found: dict[str, dict[str, list[float]]] = {}
    for verdict in record.verdicts:
        if verdict.timing is not None:
            found.setdefault(verdict.case, {})[f"{verdict.adapter} ({verdict.device})"] = (
                verdict.timing["rounds"]
            )
    return found


def disagreements(one: Rounds, other: Rounds) -> dict[tuple[str, str], list[float]]:
    """By pair of adapters, for every case: by how much the larger ratio is larger than the
    other.
    """
    found: dict[tuple[str, str], list[float]] = {}
    for case in one.keys() & other.keys():
        for pair in itertools.combinations(sorted(one[case].keys() & other[case].keys()), 2):
            ratios = [
                interval(*(rounds[case][adapter] for adapter in pair)) for rounds in (one, other)
            ]
            first, second = (None if each is None else each.ratio for each in ratios)
            if first is not None and second is not None:
                found.setdefault(pair, []).append(math.expm1(abs(math.log(first / second))))
    return found


def main(one: Path, other: Path) -> None:
    found = disagreements(rounds_of(read_record(one)), rounds_of(read_record(other)))
    for pair, of_pair in sorted(found.items(), key=lambda item: -float(np.median(item[1]))):
        print(
            f"{' / '.join(pair):50} median {np.median(of_pair):6.1%}, largest "
            f"{max(of_pair):6.1%}, {len(of_pair)} cases"
        )
    every = [each for of_pair in found.values() for each in of_pair]
    print(
        f"all: median {np.median(every):.1%}, nine tenths within {np.quantile(every, 0.9):.1%}, "
        f"{len(every)} ratios"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
