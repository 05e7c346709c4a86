"""Kinds of failures: which count as the same, and what is told of the first."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from conformance.sweep.attempt import Attempt, FailureSignature

LONGEST_SHOWN = 120  # of a kind, on a terminal


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """The kind of a failure: two failures of one kind count as the same.

    What was refused or has another shape has no `group`: the message says what it is about.
    """

    signature: FailureSignature
    diagnosis: str | None
    group: str

    def __str__(self) -> str:
        diagnosis = f" ({self.diagnosis})" if self.diagnosis else ""
        kind = self.signature.kind
        if len(kind) > LONGEST_SHOWN:  # the end of a message often says more than its beginning
            kind = f"{kind[: LONGEST_SHOWN // 3]} ... {kind[-2 * LONGEST_SHOWN // 3 :]}"
        return f"{self.signature.quantity} {self.signature.status}: {kind}{diagnosis}{self.group}"


@dataclass(slots=True, kw_only=True)
class Failure:
    """The first failure of its kind, and how many there are.

    `call` and the seed of the sweep are its address. `file` is where it was written, None where
    there were too many; `digest` is the same where two kinds came down to one smallest call.
    `repeats` is whether it failed alike in a fresh process.
    """

    kind: Kind
    call: int
    file: Path | None = None
    digest: str | None = None
    repeats: bool = True
    count: int = 1

    @property
    def position(self) -> tuple[int, bool]:
        """Where it comes in a sweep: an output before the gradients of the same call."""
        return self.call, self.kind.signature.quantity == "gradients"


@dataclass(slots=True, kw_only=True)
class Known:
    """The first failure of a kind that is declared, how many there are, and the reason."""

    kind: Kind
    call: int
    reason: str
    count: int = 1


def kind_of(attempt: Attempt) -> Kind:
    """The kind of a call that fails."""
    assert attempt.signature is not None, "fails"
    call = attempt.call
    grouped = ", groups" if call.geometry.groups > 1 else ""
    needs_no_group = (
        attempt.signature.status == "raised"
        or attempt.signature.quantity == "shape"
        or attempt.signature.kind.startswith("shape")
    )
    return Kind(
        signature=attempt.signature,
        diagnosis=diagnosis_of(attempt),
        group="" if needs_no_group else f", {call.dtype}, {call.geometry.rank}-D{grouped}",
    )


def diagnosis_of(attempt: Attempt) -> str | None:
    """The name of its diagnosis, if it has one."""
    return attempt.diagnosed().mistake
