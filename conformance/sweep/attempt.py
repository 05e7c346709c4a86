"""One drawn call put to an engine: whether it fails, and how."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from conformance.conventions import Native
from conformance.corpus.case import Case
from conformance.corpus.truths import Prepared, prepare
from conformance.outcomes import Crashed, Outcome, Shape, TimedOut
from conformance.sweep.call import SweepCall
from conformance.sweep.standby import LostError, Standby
from conformance.verdicts.assessment import assess_gradients, assess_output
from conformance.verdicts.claim import assess_shape
from conformance.verdicts.diagnosis import diagnosed, diagnosed_gradients
from conformance.verdicts.verdict import Verdict, unjudged
from conformance.workers.engine import Engine
from conformance.workers.request import shape_request

LONGEST_KIND = 400
MOST_LATE_IN_A_ROW = 12  # more than shrinking one call that hangs takes
_NUMBERS = re.compile(r"\d+(?:(?:, ?| +| ?x ?|\.)\d+)*")
_INDENT = re.compile(r"\[ +")
"""NumPy aligns the numbers of an array with blanks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureSignature:
    """How a call fails: two calls that fail in the same way are taken for the same failure while
    one is shrunk.
    """

    quantity: str
    status: str
    kind: str

    def like(self, other: FailureSignature | None) -> bool:
        """Whether the other is the same; memory that nobody wrote holds NaN now and numbers
        then.
        """
        if other is None or (self.quantity, self.status) != (other.quantity, other.status):
            return False
        return self.kind.replace("nonfinite", "values") == other.kind.replace("nonfinite", "values")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A call that was made, what came of it and the verdict; `signature` is None where it does not
    fail.
    """

    call: SweepCall
    outcome: Outcome
    verdict: Verdict
    signature: FailureSignature | None

    def diagnosed(self) -> Verdict:
        """The verdict with its diagnosis, which takes longer than the call."""
        if self.verdict.quantity == "shape":
            return self.verdict
        if self.verdict.quantity == "gradients":
            return diagnosed_gradients(self.verdict, self.outcome, self.call.gradient_truths)
        return diagnosed(self.verdict, self.outcome, self.call.truth)


class Caller:
    """Puts calls to one adapter on one device; `hidden` is what it is not told of the input's
    shape.
    """

    def __init__(
        self, standby: Standby, *, convention: str, device: str, hidden: tuple[str, ...] = ()
    ) -> None:
        self.standby, self.convention, self.device = standby, convention, device
        self.hidden = hidden
        self.calls = self._late = 0

    def attempt(self, call: SweepCall, quantity: str) -> Attempt:
        """The result of one call. Raises LostError."""
        native = call.case.arguments(self.convention)
        assert isinstance(native, dict), "drawn for this convention"
        outcome, verdict = self._answer(call.case, call, native, quantity)
        signature = _signature(verdict, outcome, call.case)
        return Attempt(call=call, outcome=outcome, verdict=verdict, signature=signature)

    def verdict_on(
        self, case: Case, quantity: str
    ) -> tuple[Verdict, FailureSignature | None] | None:
        """The verdict on a case of a file and the way it fails, if it does; None where it cannot be
        asked. Raises LostError.
        """
        native = case.arguments(self.convention)
        if not isinstance(native, dict) or (quantity == "gradients" and case.gradients is None):
            return None
        numbers = None if quantity == "shape" else prepare(case)
        outcome, verdict = self._answer(case, numbers, native, quantity)
        return verdict, _signature(verdict, outcome, case)

    def _answer(
        self, case: Case, numbers: SweepCall | Prepared | None, native: Native, quantity: str
    ) -> tuple[Outcome, Verdict]:
        """The engine's answer and the verdict on it, whatever it is. Raises LostError."""
        engine, label = self.standby.ready(), self.standby.spec.label
        self.calls += 1
        try:
            outcome, verdict = self._judged(engine, case, numbers, native, quantity)
        except Exception as error:  # nobody foresaw: the sweep goes on, and fails
            verdict = unjudged(
                error, case=case.name, adapter=label, device=self.device, quantity=quantity
            )
            outcome = Crashed(message=verdict.message or "")
        self._late = self._late + 1 if isinstance(outcome, TimedOut) else 0
        if self._late > MOST_LATE_IN_A_ROW:
            raise LostError(f"{label} hangs: {self._late} calls in a row timed out")
        return outcome, verdict

    def _judged(
        self,
        engine: Engine,
        case: Case,
        numbers: SweepCall | Prepared | None,
        native: Native,
        quantity: str,
    ) -> tuple[Outcome, Verdict]:
        """The engine's answer and the verdict on it; a shape needs no numbers."""
        label, device = self.standby.spec.label, self.device
        if quantity == "shape":
            outcome = shape_request(case, native, device, self.hidden).ask(engine)
            return outcome, assess_shape(case, outcome, adapter=label, device=device)
        assert numbers is not None, "only a shape needs none"
        if quantity == "gradients":
            assert numbers.cotangent is not None, "asked for gradients"
            outcome = engine.gradients(numbers.tensors, numbers.cotangent, native, device)
            truths = numbers.gradient_truths
            return outcome, assess_gradients(case, truths, outcome, adapter=label, device=device)
        due = 0 if numbers.truth is None else numbers.truth.y.size
        outcome = engine.call(numbers.tensors, native, device, due=due)
        return outcome, assess_output(case, numbers.truth, outcome, adapter=label, device=device)


def _signature(verdict: Verdict, outcome: Outcome, case: Case) -> FailureSignature | None:
    if not verdict.fails:
        return None
    mismatch = verdict.mismatch
    kind = skeleton(verdict.message or "") if mismatch is None else mismatch["kind"]
    if isinstance(outcome, Shape):
        kind = f"{kind}: {_beside(outcome.sizes or (), case.output_shape)}"
    if mismatch is not None and "gradient" in mismatch:
        kind = f"{kind} of d{mismatch['gradient']}"
    return FailureSignature(quantity=verdict.quantity, status=verdict.status, kind=kind)


def _beside(claimed: Sequence[int | None], truth: Sequence[int]) -> str:
    """How a claimed shape (N, C_out, *out) departs from the true one: what claims about other sizes
    have in common.
    """
    if len(claimed) != len(truth):
        return "axes"
    departures = set()
    for axis, (size, true) in enumerate(zip(claimed, truth, strict=True)):
        if axis > 1 and true < 1:
            words = "unknown" if size is None else "0 or fewer" if size < 1 else "some"
            departures.add(f"{words} where there is no output")
        elif size not in (None, true):
            departures.add("too long" if size > true else "too short")
    return " and ".join(sorted(departures))


def skeleton(message: str) -> str:
    """The first line of a message without its numbers: what messages about other sizes have in
    common.
    """
    line = _INDENT.sub("[", message.partition("\n")[0])
    return _NUMBERS.sub("N", line)[:LONGEST_KIND].strip()
