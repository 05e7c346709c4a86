"""One drawn call put to an engine: whether it fails, and in which way."""

from __future__ import annotations

import re
from dataclasses import dataclass

from conformance.conventions import Native
from conformance.corpus.case import Case
from conformance.corpus.tensors import Array, Tensors
from conformance.corpus.truths import prepare
from conformance.outcomes import Outcome
from conformance.sweep.call import Drawn
from conformance.sweep.standby import Standby
from conformance.verdicts.assessment import assess_gradients, assess_output
from conformance.verdicts.diagnosis import diagnosed, diagnosed_gradients
from conformance.verdicts.verdict import Verdict

LONGEST_KIND = 400
_NUMBERS = re.compile(r"\d+(?:(?:, ?| ?x ?|\.)\d+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How a call fails: two calls that fail in the same way are taken for the same failure while
    one is shrunk.
    """

    quantity: str
    status: str
    kind: str

    def like(self, other: Way | None) -> bool:
        """Whether the other is the same way; memory that nobody wrote holds NaN now and numbers
        then.
        """
        if other is None or (self.quantity, self.status) != (other.quantity, other.status):
            return False
        return self.kind.replace("nonfinite", "values") == other.kind.replace("nonfinite", "values")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A call that was made, what came of it and the verdict; `way` is None where it does not
    fail.
    """

    drawn: Drawn
    outcome: Outcome
    verdict: Verdict
    way: Way | None

    def diagnosed(self) -> Verdict:
        """The verdict with its diagnosis, which takes longer than the call."""
        if self.verdict.quantity == "gradients":
            return diagnosed_gradients(self.verdict, self.outcome, self.drawn.gradient_truths)
        return diagnosed(self.verdict, self.outcome, self.drawn.truth)


class Caller:
    """Puts calls to one adapter on one device."""

    def __init__(self, standby: Standby, *, convention: str, device: str) -> None:
        self.standby, self.convention, self.device = standby, convention, device
        self.calls = 0

    def tried(self, drawn: Drawn, quantity: str) -> Tried:
        """The result of one call. Raises LostError."""
        native = drawn.case.arguments(self.convention)
        assert isinstance(native, dict), "drawn for this convention"
        outcome = self._asked(drawn.tensors, drawn.cotangent, native, quantity)
        case, label, device = drawn.case, self.standby.spec.label, self.device
        if quantity == "gradients":
            truths = drawn.gradient_truths
            verdict = assess_gradients(case, truths, outcome, adapter=label, device=device)
        else:
            verdict = assess_output(case, drawn.truth, outcome, adapter=label, device=device)
        return Tried(drawn=drawn, outcome=outcome, verdict=verdict, way=_way(verdict))

    def said(self, case: Case, quantity: str) -> str | None:
        """The message with which a case of a file fails, None where it has another answer or
        cannot be asked. Raises LostError.
        """
        native = case.arguments(self.convention)
        prepared = prepare(case)
        cotangent = prepared.cotangent
        if not isinstance(native, dict) or (quantity == "gradients" and cotangent is None):
            return None
        answer = self._asked(prepared.tensors, cotangent, native, quantity)
        label, device = self.standby.spec.label, self.device
        if quantity == "gradients":
            truths = prepared.gradients
            verdict = assess_gradients(case, truths, answer, adapter=label, device=device)
        else:
            verdict = assess_output(case, prepared.truth, answer, adapter=label, device=device)
        return verdict.message if verdict.status in ("raised", "crashed") else None

    def _asked(
        self, tensors: Tensors, cotangent: Array | None, native: Native, quantity: str
    ) -> Outcome:
        engine = self.standby.ready()
        self.calls += 1
        if quantity == "gradients":
            assert cotangent is not None, "asked for gradients"
            return engine.gradients(tensors, cotangent, native, self.device)
        return engine.call(tensors, native, self.device)


def _way(verdict: Verdict) -> Way | None:
    if not verdict.fails:
        return None
    mismatch = verdict.mismatch
    kind = skeleton(verdict.message or "") if mismatch is None else mismatch["kind"]
    if mismatch is not None and "gradient" in mismatch:
        kind = f"{kind} of d{mismatch['gradient']}"
    return Way(quantity=verdict.quantity, status=verdict.status, kind=kind)


def skeleton(message: str) -> str:
    """The first line of a message without its numbers: what messages about other sizes have in
    common.
    """
    return _NUMBERS.sub("N", message.partition("\n")[0])[:LONGEST_KIND].strip()
