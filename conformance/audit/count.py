"""How many configurations could show a mistake, and how many notice it?

Every mistake of the diagnosis is made of every call, as `conformance lint --detects` does, and the
wrong result is held against the right one by the suite's own comparison. Where a mistake can be
made in several ways, a configuration notices it that notices one of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from conformance.audit.rules import Rule
from conformance.audit.suite import Configuration
from conformance.corpus.case import Case
from conformance.corpus.tensors import dtype_of
from conformance.corpus.truths import prepare
from conformance.oracle import Truth
from conformance.oracle.reference import Float64
from conformance.verdicts.diagnosis import made_mistakes
from conformance.verdicts.diagnosis.detection import Detection, detection

MOST_PRODUCTS = 30_000_000
"""A configuration of more is counted and not computed: every mistake would take seconds."""

OFTEN = 5
"""A mistake that fewer configurations notice hangs by a thread."""

ACTIVATIONS: dict[str | None, Callable[[Float64], Float64]] = {
    None: lambda y: y,
    "relu": lambda y: np.maximum(y, 0.0),
    "relu6": lambda y: np.clip(y, 0.0, 6.0),
}

Tell = Callable[[str], None]


@dataclass(slots=True, kw_only=True)
class Tally:
    """What the configurations of a suite notice, by name of the mistake."""

    slug: str
    name: str
    configurations: int = 0
    left_out: int = 0
    could_show: Counter[str] = field(default_factory=Counter)
    notices: Counter[str] = field(default_factory=Counter)

    def add(self, result: Detection) -> None:
        """Count one configuration."""
        self.could_show.update(result.detected | result.survived)
        self.notices.update(result.detected)

    def at_least(self, times: int) -> int:
        """How many mistakes so many configurations notice."""
        return sum(count >= times for count in self.notices.values())


def together(slug: str, name: str, tallies: Iterable[Tally]) -> Tally:
    """Several suites as one."""
    whole = Tally(slug=slug, name=name)
    for tally in tallies:
        whole.configurations += tally.configurations
        whole.left_out += tally.left_out
        whole.could_show.update(tally.could_show)
        whole.notices.update(tally.notices)
    return whole


def detection_by(truth: Truth, rule: Rule, activation: str | None = None) -> Detection:
    """The mistakes that a rule notices in a call, and those that could show in it and do not."""
    detected: set[str] = set()
    survived: set[str] = set()
    dtype, after = dtype_of(truth.dtype), ACTIVATIONS[activation]
    with np.errstate(over="ignore", invalid="ignore"):
        want = after(truth.y.astype(dtype).astype(np.float64))
        for mistake in made_mistakes(truth):
            y = mistake.output()
            wrong = y is not None and (
                y.shape != want.shape
                or not rule.passes(after(y.astype(dtype).astype(np.float64)), want)
            )
            (detected if wrong else survived).add(mistake.name)
    return Detection(detected=frozenset(detected), survived=frozenset(survived - detected))


def of_configurations(
    slug: str, name: str, configurations: Iterable[Configuration], tell: Tell
) -> Tally:
    """What the configurations of a public suite notice, each by its rule."""
    tally = Tally(slug=slug, name=name)
    for configuration in configurations:
        tally.configurations += 1
        if configuration.products > MOST_PRODUCTS:
            tally.left_out += 1
            continue
        tell(f"{slug}: configuration {tally.configurations}")
        truth = configuration.truth()
        tally.add(detection_by(truth, configuration.rule, configuration.activation))
    return tally


def of_cases(slug: str, name: str, cases: Sequence[Case], rule: Rule | None, tell: Tell) -> Tally:
    """What cases notice: by a rule, or by the bound of this suite where there is none. Cases that
    must be refused are not counted.
    """
    tally = Tally(slug=slug, name=name)
    for case in cases:
        if case.must_fail or case.geometry is None:
            continue
        tally.configurations += 1
        if case.products > MOST_PRODUCTS:
            tally.left_out += 1
            continue
        tell(f"{slug}: case {tally.configurations} of {len(cases)}")
        truth = prepare(case).truth
        assert truth is not None, "what must be refused was left out"
        tally.add(detection(truth) if rule is None else detection_by(truth, rule))
    return tally
