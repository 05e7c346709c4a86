"""One engine of a sweep: its drawn calls made, what fails explained, or looked into."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from conformance.adapters import thread_environment
from conformance.errors import UsageError
from conformance.outcomes import Unsupported
from conformance.sweep.attempt import Attempt, Caller, skeleton
from conformance.sweep.call import SweepCall
from conformance.sweep.declared import Declared
from conformance.sweep.draw import Drawer
from conformance.sweep.investigation import Investigation
from conformance.sweep.request import Request
from conformance.sweep.standby import Standby
from conformance.wording import instead
from conformance.workers.answers import Greeting
from conformance.workers.protocol import NO_GRADIENTS
from conformance.workers.spec import Spec


class Desk:
    """An engine that is asked for drawn calls, once it is started. `calls`, `refused` and
    `redrawn` count what was asked so far; none of them depends on the order.
    """

    def __init__(self, request: Request, spec: Spec) -> None:
        self.request = request
        self.standby = Standby(
            spec, timeout=request.timeout, environment=thread_environment(request.threads)
        )
        self.calls = 0
        self.refused: Counter[str] = Counter()
        self.redrawn: Counter[str] = Counter()
        self.has_gradients = True

    def start(self) -> None:
        """Start the engine. Raises UsageError where that, or the device, is not to be had."""
        request, standby = self.request, self.standby
        answer = standby.start()
        if not isinstance(answer, Greeting):
            why = getattr(answer, "reason", None) or getattr(answer, "message", answer)
            raise UsageError(f"{standby.spec.label} does not start: {why}")
        if request.device is not None and request.device not in answer.devices:
            known = instead(request.device, answer.devices)
            raise UsageError(f"{standby.spec.label} has no device {request.device}, {known}")
        self.greeting = answer
        self.device = request.device or answer.devices[0]
        self.caller = Caller(
            standby, convention=answer.convention, device=self.device, hidden=answer.unknown
        )
        self.quantity = answer.quantities[0]
        self.drawer = Drawer(request.seed, answer.convention, request.wish, quantity=self.quantity)
        self.redrawn = self.drawer.redrawn
        self.declared = Declared(caller=self.caller, greeting=answer, corpora=request.corpora)

    def close(self) -> None:
        self.standby.close()

    def forget(self) -> None:
        """Count from nothing again."""
        self.calls = 0
        self.refused = Counter()
        self.redrawn = self.drawer.redrawn = Counter()

    def failing(self, number: int) -> Iterator[Attempt]:
        """What fails of one drawn call. Raises LostError.

        What gives no output for its arguments' sake has no gradients either.
        """
        call = self.drawer.draw(number)
        output = self._asked(call, self.quantity)
        if output.signature is not None:
            yield output
        answered = output.verdict.status in ("conforms", "differs")
        if call.gradients and self.has_gradients and answered:
            gradients = self._asked(call, "gradients")
            if gradients.signature is not None:
                yield gradients

    def investigation(self, folder: Path) -> Investigation:
        """What looks into failures, and writes them below that folder."""
        return Investigation(
            self.caller, self.greeting, folder=folder, threads=self.request.threads
        )

    def _asked(self, call: SweepCall, quantity: str) -> Attempt:
        attempt = self.caller.attempt(call, quantity)
        if attempt.outcome == Unsupported(reason=NO_GRADIENTS):  # that is asked once, and no call
            self.has_gradients = False
            return attempt
        self.calls += 1
        if isinstance(attempt.outcome, Unsupported):
            self.refused[skeleton(attempt.outcome.reason)] += 1
        return attempt
