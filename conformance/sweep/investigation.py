"""One failure looked into: whether it comes again, the smallest call that does the same, and its
file.
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from conformance.sweep.attempt import Attempt, Caller, FailureSignature
from conformance.sweep.call import SweepCall
from conformance.sweep.kinds import Failure, Kind, diagnosis_of
from conformance.sweep.shrink import shrunk
from conformance.sweep.standby import Standby
from conformance.sweep.write import write_case
from conformance.workers.answers import Greeting

MOST_SHRINKING_CALLS = 400  # of one failure
MOST_LOST = {"crashed": 24, "timed-out": 4}  # processes that shrinking one failure may cost
ATTEMPTS = 3  # of the smallest call, which may be wrong now and then


class Investigation:
    """Looks into the failures of one adapter; `address` words the command that makes one call of
    the sweep again.
    """

    def __init__(self, caller: Caller, greeting: Greeting, *, folder: Path, threads: int) -> None:
        self.caller, self.folder, self.threads = caller, folder, threads
        self.standby: Standby = caller.standby
        self.label = self.standby.spec.label
        self.versions = ", ".join(
            f"{name} {version}" for name, version in greeting.versions.items()
        )

    def write(self, first: Attempt, failure: Failure, *, seed: int, address: str) -> None:
        """Write the smallest call that fails so, or the first where it does not come again. Raises
        LostError and RecordError.

        Nothing of it depends on what else the sweep found.
        """
        smallest, starts = self._smallest(first, failure.kind)
        failure.repeats = starts is not None
        signature = failure.kind.signature
        failure.digest = _digest(signature, smallest.call)
        quantity = "" if signature.quantity == "output" else f"-{signature.quantity}"
        name = f"{_plain(self.label)}-{seed}-{failure.call}{quantity}-{signature.status}"
        file = self.folder / f"{name}.yaml"
        write_case(
            file,
            smallest.call,
            identity=name,
            source=f"conformance sweep -a {_plain(self.label)} {address}",
            remarks=self._remarks(smallest, starts, file.name),
        )
        failure.file = file

    def _remarks(self, attempt: Attempt, starts: int | None, name: str) -> Iterator[str]:
        """The failure, what would be right, and how to reproduce it."""
        verdict = attempt.diagnosed()
        mismatch = (verdict.mismatch or {}).get("text") or verdict.message or ""
        yield (f"{self.label} ({self.versions}): {verdict.quantity} {verdict.status}: {mismatch}")
        if verdict.diagnosis is not None:
            yield f"{verdict.diagnosis['name']}: {verdict.diagnosis['text']}"
        if starts is None:
            yield (
                "Not every time: it did not fail again as the first call of a process, so it "
                "depends on what went before, or on chance."
            )
        elif starts > 1:
            yield f"It depends on chance: it failed in one of {starts} processes."
        yield (
            "reproduce, in the folder of this file:\n"
            f"conformance run {name} -a {shlex.quote(self.standby.spec.adapter)} "
            f"--threads {self.threads}"
        )

    def _smallest(self, first: Attempt, kind: Kind) -> tuple[Attempt, int | None]:
        """The smallest call that fails as the first did, and which new process it did so in first.
        Where a new process does not do what the first did, that one, and None.
        """
        signature = kind.signature
        call = replace(first.call, gradients=signature.quantity == "gradients")
        again = self._alone(call, signature, attempts=1)
        if again is None:
            return first, None
        last, lost, calls = again[0], self.standby.lost, self.caller.calls

        def fails(candidate: SweepCall) -> bool | None:
            nonlocal last
            gone = self.standby.lost - lost >= MOST_LOST.get(signature.status, MOST_SHRINKING_CALLS)
            if gone or self.caller.calls - calls >= MOST_SHRINKING_CALLS:
                return None
            attempt = self.caller.attempt(candidate, signature.quantity)
            same = signature.like(attempt.signature) and kind.diagnosis in (
                None,
                diagnosis_of(attempt),
            )
            last = attempt if same else last
            return same

        shrunk(call, self.caller.convention, fails, signature.quantity)
        if signature.status == "raised":  # which does not depend on the past, as was just seen
            return last, 1
        return self._alone(last.call, signature, attempts=ATTEMPTS) or again

    def _alone(
        self, call: SweepCall, signature: FailureSignature, *, attempts: int
    ) -> tuple[Attempt, int] | None:
        """The call, made again as `run` makes it in a new process, if it fails in the same way
        there; and in which of several.
        """
        for start in range(1, attempts + 1):
            if self.standby.running:  # a crash has ended it
                self.standby.renew()
            if signature.quantity == "gradients":
                self.caller.attempt(call, "output")
            attempt = self.caller.attempt(call, signature.quantity)
            if signature.like(attempt.signature):
                return attempt, start
        return None


def _digest(signature: FailureSignature, smallest: SweepCall) -> str:
    """A digest of how a call fails and of the smallest one that does: two kinds of failures with
    the same are one.
    """
    return hashlib.sha256(repr((signature, smallest)).encode()).hexdigest()[:16]


def _plain(label: str) -> str:
    """A label as part of a file's name."""
    return "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in label).strip(
        "-"
    )[:60]
