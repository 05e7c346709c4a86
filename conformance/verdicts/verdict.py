"""The statuses of an outcome, in one table, and the verdict that the record keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from conformance.errors import fault
from conformance.printing import printable


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One status: what it means, whether it fails the gate, and the sign and style it is shown
    with.
    """

    meaning: str
    fails: bool
    sign: str
    style: str


STATUSES: dict[str, Status] = {
    "conforms": Status(
        meaning="shape, dtype and every element agree, or invalid input was rejected",
        fails=False,
        sign="✓",
        style="green",
    ),
    "differs": Status(
        meaning="shape, dtype or an element disagrees, or invalid input was accepted",
        fails=True,
        sign="✗",
        style="red",
    ),
    "unsupported": Status(
        meaning="its documentation says that it does not do this",
        fails=False,
        sign="–",
        style="dim",
    ),
    "raised": Status(
        meaning="it raised an exception on valid input",
        fails=True,
        sign="!",
        style="magenta",
    ),
    "crashed": Status(
        meaning="its process died, or sent a malformed reply",
        fails=True,
        sign="☠",
        style="bold red",
    ),
    "timed-out": Status(
        meaning="it sent no reply within the time limit", fails=True, sign="∞", style="yellow"
    ),
    "unavailable": Status(
        meaning="it is not installed, or has no such device", fails=False, sign="∅", style="dim"
    ),
}


STANDINGS = ("conforms", "known", "new", "unsupported")
"""The parts that a column's verdicts fall into: conforming, known failures, new failures, and what
could not be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The meaning of an adapter's answer to a case. The attributes are the keys of the record's
    verdict line.

    `mismatch` says what disagrees (kind, first index, got, expected, how many of how many); `got`
    is the array or a window of it. `nondeterministic` says how repetitions differ from each other,
    and `invariance`, by aspect of what should not matter, how the result does with it. `compiled`
    says how many compiled programs were found kept ("hits") and how many were not ("misses"), and
    `computed_by` where the engine says that it placed the call. `stage` is the `name` of the stage
    at which a chain went wrong, None where nobody knows, and a `text` that says how that is known.
    `traceback` has the last frames of the engine's own code where it raised or died, if it told.
    `known` is the reason of the known failure that explains a failure; `known_problem` is the
    entry of one that does not fit. `known_unconfirmed` is the entry of `known` where the release is
    newer than what it was seen in, and `mended` such an entry where nothing fails any more.
    `asked_again` is whether this is what came when the call was asked once more: alone, since it
    timed out at first, or in a fresh process, since the one before had ended after other calls.
    """

    case: str
    adapter: str
    device: str
    quantity: str
    status: str
    exact: bool | None
    error_over_bound: float | None
    known: str | None = None
    known_problem: dict[str, str] | None = None
    known_unconfirmed: dict[str, str] | None = None
    mended: dict[str, str] | None = None
    asked_again: bool | None = None
    mismatch: dict[str, Any] | None = None
    diagnosis: dict[str, Any] | None = None
    message: str | None = None
    traceback: str | None = None
    precision: dict[str, Any] | None = None
    timing: dict[str, Any] | None = None
    compiled: dict[str, int] | None = None
    computed_by: str | None = None
    stage: dict[str, str | None] | None = None
    nondeterministic: dict[str, Any] | None = None
    invariance: dict[str, Any] | None = None
    got: dict[str, Any] | None = None

    @property
    def kind(self) -> str | None:
        """The kind of the mismatch: shape, dtype, nonfinite, values, not-refused, invariance or
        unknown, if any.
        """
        return None if self.mismatch is None else str(self.mismatch["kind"])

    @property
    def mistake(self) -> str | None:
        """The name of the diagnosis, if there is one."""
        return None if self.diagnosis is None else str(self.diagnosis["name"])

    @property
    def fails(self) -> bool:
        """Whether the status fails the gate, known failures aside."""
        return STATUSES[self.status].fails

    @property
    def is_checked(self) -> bool:
        """Whether an answer was held against the oracle, or its failure seen: a green run that
        checked nothing says nothing.
        """
        return self.status not in ("unsupported", "unavailable")

    @property
    def unexpected(self) -> bool:
        """Whether it fails the gate: it fails and nothing says it may, or an entry that speaks of
        it does not fit.
        """
        return (self.fails and self.known is None) or self.known_problem is not None


class Key(NamedTuple):
    """The identity of a verdict: the case and quantity that it is about, the adapter and device
    whose it is.
    """

    case: str
    adapter: str
    device: str
    quantity: str


def standing(verdict: Verdict) -> str:
    """Which of STANDINGS a verdict falls into."""
    if verdict.unexpected:
        return "new"
    if verdict.known is not None:
        return "known"
    return "conforms" if verdict.is_checked else "unsupported"


def unjudged(error: Exception, *, case: str, adapter: str, device: str, quantity: str) -> Verdict:
    """The verdict where judging raised what nobody foresaw: the run goes on, and fails."""
    return Verdict(
        case=case,
        adapter=adapter,
        device=device,
        quantity=quantity,
        status="crashed",
        exact=None,
        error_over_bound=None,
        message=printable(fault(error, "judging an answer")),
    )
