"""Declared failures: does a known failure explain what a drawn call does?

An entry names cases, and no drawn call is one of them. What was refused is held against what the
engine says of those cases now, and so is a wrong shape; a wrong result against the entry's
diagnosis, and the dtypes and ranks of its cases.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from conformance.corpus.case import DTYPES, ArrayLiteral, Case, Filed, Source
from conformance.corpus.files import load_cases
from conformance.sweep.attempt import Attempt, Caller, FailureSignature, skeleton
from conformance.sweep.call import SweepCall
from conformance.system.machine import circumstances
from conformance.verdicts.known import Difference
from conformance.verdicts.known_reader import load_differences
from conformance.verdicts.verdict import Verdict
from conformance.verdicts.version_range import Position
from conformance.workers.answers import Greeting

MOST_ASKED = 2  # cases of an entry and a dtype that are put to the engine, the smallest first
UNDIAGNOSED = ("shape", "nonfinite")
"""Kinds of mismatches that no diagnosis has to explain to be the same in other calls."""


@dataclass(frozen=True, kw_only=True)
class Declared:
    """The known failures of some corpora that speak of one engine."""

    caller: Caller
    greeting: Greeting
    corpora: Sequence[Path]
    _answers: dict[str, list[tuple[Verdict, FailureSignature | None]]] = field(default_factory=dict)

    def reason(self, attempt: Attempt) -> str | None:
        """The reason that is declared for a failure like this one, if any is. Raises LostError."""
        verdict = attempt.diagnosed()
        for entry in self._entries:
            if not entry.fits(verdict):
                continue
            if verdict.quantity == "shape":
                if any(attempt.signature == signature for signature in self._signatures(entry)):
                    return entry.reason
            elif verdict.message is None:
                if entry.quantity == verdict.quantity and self._is_alike(entry, attempt.call):
                    return entry.reason
            elif _telling(verdict.message, verdict.status) in self._messages(entry):
                return entry.reason
        return None

    @cached_property
    def _entries(self) -> list[Difference]:
        spec = self.caller.standby.spec
        here = replace(circumstances(), facts=self.greeting.facts)
        return [
            entry
            for entry in load_differences(self.corpora)
            if entry.is_of(spec.label, spec.adapter)
            and entry.where_holds(self.caller.device, here)
            and entry.position(self.greeting.versions) in (Position.WITHIN, Position.BEYOND)
        ]

    @cached_property
    def _cases(self) -> list[Case]:
        cases = load_cases(self.corpora)
        return sorted(
            (case for case in cases if case.geometry is not None), key=lambda case: case.products
        )

    def _is_alike(self, entry: Difference, call: SweepCall) -> bool:
        """Whether the entry's cases have this dtype and this rank, if not together, and what else
        decides where no diagnosis tells what goes wrong.
        """
        if entry.diagnosis is None and entry.kind not in UNDIAGNOSED:
            return False
        declared = [_traits(case, entry) for case in self._cases if entry.names(case.name)]
        return bool(declared) and all(
            trait in traits
            for trait, traits in zip(
                _traits(call.case, entry), zip(*declared, strict=True), strict=True
            )
        )

    def _messages(self, entry: Difference) -> frozenset[str]:
        """The messages with which the entry's cases fail."""
        return frozenset(
            _telling(verdict.message, entry.status)
            for verdict, _ in self._asked(entry)
            if verdict.status in ("raised", "crashed") and verdict.message is not None
        ) - {""}

    def _signatures(self, entry: Difference) -> list[FailureSignature | None]:
        """The ways in which the entry's cases fail."""
        return [signature for _, signature in self._asked(entry) if signature is not None]

    def _asked(self, entry: Difference) -> list[tuple[Verdict, FailureSignature | None]]:
        """The verdicts on the entry's smallest cases of every dtype, asked once."""
        if entry.at not in self._answers:
            cases = [case for case in self._cases if entry.names(case.name)]
            of_dtype = [[case for case in cases if case.dtype == dtype] for dtype in DTYPES]
            asked = [case for each in of_dtype for case in each[:MOST_ASKED]]
            answers = (self.caller.verdict_on(case, entry.quantity) for case in asked)
            self._answers[entry.at] = [answer for answer in answers if answer is not None]
        return self._answers[entry.at]


def _telling(message: str, status: str) -> str:
    """The part of a message that tells failures apart: of a death what was said before it."""
    if status == "crashed":
        message = message.partition("\n")[2]
    return skeleton(message)


def _traits(case: Case, entry: Difference) -> tuple[object, ...]:
    """The traits of a case that have to agree for a mismatch to be the entry's: whether something
    is empty for a shape, where something is not finite for what is not finite.
    """
    if entry.diagnosis is None and entry.kind == "shape":
        return (0 in case.input.shape or 0 in case.kernel.shape,)
    if entry.kind == "nonfinite":
        return case.dtype, (_is_not_finite(case.input), _is_not_finite(case.kernel))
    return case.dtype, case.spatial


def _is_not_finite(operand: Source) -> bool:
    assert not isinstance(operand, Filed), "what is drawn lies in no file"
    numbers = (
        operand.numbers
        if isinstance(operand, ArrayLiteral)
        else [value for _, value in operand.put]
    )
    return not all(map(math.isfinite, numbers))
