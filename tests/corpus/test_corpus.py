"""The shipped corpus as a whole: how much of it there is, and that every mistake is noticed by
several cases.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict

import numpy as np
import pytest

from conformance.corpus.case import Case
from conformance.corpus.selection import select
from conformance.corpus.truths import prepare
from conformance.report import atlas
from conformance.verdicts.diagnosis.detection import detection

SMALL = 400  # elements of an output: making every mistake of larger cases would take minutes


@pytest.fixture(scope="module")
def cases() -> tuple[Case, ...]:
    return select(slow=True).cases


def test_the_corpus_is_large_enough(cases: tuple[Case, ...]) -> None:
    """At least 600 cases, 120 of them with one or three axes, and 150 with gradients, in every
    folder of the design.
    """
    assert len(cases) >= 600
    assert sum(case.spatial != 2 for case in cases) >= 120
    assert sum(case.gradients is not None for case in cases) >= 150
    folders = {
        "textbook",
        "arithmetic",
        "conventions",
        "networks",
        "numerics",
        "invalid",
        "edge",
        "regressions",
    }
    assert {case.name.partition("/")[0] for case in cases} == folders


def test_every_mistake_is_noticed_by_five_cases(cases: tuple[Case, ...]) -> None:
    """The mistakes of the diagnosis, made on small cases until each was noticed five times."""
    detected: Counter[str] = Counter()
    names: set[str] = set()
    small = [
        case
        for case in cases
        if not case.must_fail and case.geometry is not None and np.prod(case.output_shape) <= SMALL
    ]
    rare = [case for case in small if "numerics/" in case.name]
    for case in [*rare, *small[::12]]:
        truth = prepare(case).truth
        assert truth is not None
        found = detection(truth)
        detected.update(found.detected)
        names |= found.detected | found.survived
    assert {name: detected[name] for name in names if detected[name] < 5} == {}
    assert len(names) >= 40


def test_the_atlas_is_measured(cases: tuple[Case, ...]) -> None:
    """Every window that the atlas shows is a native case of that convention, so that a run measures
    it.
    """
    lines = {
        case.name: {"native": {case.native[0]: case.native[1]}, "geometry": asdict(case.geometry)}
        for case in cases
        if case.native is not None and case.geometry is not None
    }
    measured = atlas.measured_windows(
        lines, [(name, next(iter(line["native"]))) for name, line in lines.items()]
    )
    for kernel in atlas.KERNELS:
        for stride in atlas.STRIDES:
            missing = [
                window for window in atlas.windows(kernel, stride, measured) if not window.measured
            ]
            assert [(window.convention, window.spelling) for window in missing] == [], (
                kernel,
                stride,
            )
