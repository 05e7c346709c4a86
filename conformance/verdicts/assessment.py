"""The meaning of an outcome for a case, before anything is explained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from conformance.corpus.case import Case
from conformance.corpus.tensors import Array
from conformance.oracle import GradientTruth, Truth
from conformance.outcomes import (
    Crashed,
    Gradients,
    Outcome,
    Output,
    Raised,
    TimedOut,
    Unavailable,
    Unsupported,
)
from conformance.verdicts.compare import Comparison, compare
from conformance.verdicts.excerpt import excerpt
from conformance.verdicts.verdict import Verdict


def assess_output(
    case: Case,
    truth: Truth | None,
    outcome: Outcome,
    *,
    adapter: str,
    device: str,
    briefly: bool = False,
) -> Verdict:
    """The verdict on one outcome; truth is None for a case that must be refused. `briefly` as for
    `compare`.
    """
    subject = Subject(case=case, adapter=adapter, device=device, quantity="output")
    exact = None if truth is None else truth.exact
    if not isinstance(outcome, Output):
        return replace(without_numbers(subject, outcome, due=truth is not None), exact=exact)
    if truth is None:
        return _not_refused(subject, outcome.y)
    signed_zero = "signed-zero" in case.tags
    comparison = compare(outcome.y, truth, signed_zero=signed_zero, briefly=briefly)
    return _compared(subject, outcome, comparison, outcome.y, exact=truth.exact)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The subject of a verdict: a quantity of a case, as an adapter computes it on a device."""

    case: Case
    adapter: str
    device: str
    quantity: str

    def verdict(self, status: str, *, exact: bool | None = None, **fields: Any) -> Verdict:
        """The verdict of that status; what `fields` does not say is not known."""
        return Verdict(
            case=self.case.name,
            adapter=self.adapter,
            device=self.device,
            quantity=self.quantity,
            status=status,
            exact=exact,
            **{"error_over_bound": None, **fields},
        )


def _compared(
    subject: Subject,
    outcome: Output | Gradients,
    comparison: Comparison,
    result: Array | None,
    *,
    exact: bool,
) -> Verdict:
    """The verdict on numbers; of `result` an excerpt is kept where it differs."""
    mismatch = comparison.mismatch
    return subject.verdict(
        "conforms" if mismatch is None else "differs",
        exact=exact,
        error_over_bound=comparison.error_over_bound,
        mismatch=mismatch,
        precision=comparison.precision,
        compiled=None if outcome.compiled is None else dict(outcome.compiled),
        computed_by=outcome.computed_by,
        got=None if mismatch is None or result is None else excerpt(result, mismatch.get("index")),
    )


def _not_refused(subject: Subject, y: Array) -> Verdict:
    """The verdict on a result where none was due."""
    text = f"a result of shape {list(y.shape)}, should be refused"
    mismatch = {"kind": "not-refused", "text": text}
    return subject.verdict("differs", mismatch=mismatch, got=excerpt(y, None))


def without_numbers(subject: Subject, outcome: Outcome, *, due: bool) -> Verdict:
    """The verdict on an outcome that is no array; where none was `due`, refusing conforms."""
    match outcome:
        case Raised(type=kind, message=text, stage=stage):
            refused = not due and outcome.in_the_call and not outcome.out_of_memory
            status = "conforms" if refused else "raised"
            message = " ".join(filter(None, [stage, f"{kind}: {text}"]))
        case Unsupported(reason=reason, raised=raised):
            status, message = "conforms" if not due and raised else "unsupported", reason
        case TimedOut(seconds=seconds, message=text, computed=computed):
            message = f"no answer within {seconds:g} s{_busy(seconds, computed)}{text}"
            status = "timed-out"
        case Unavailable(reason=reason):
            status, message = "unavailable", reason
        case Crashed(message=text):
            status, message = "crashed", text
        case _:
            message = f"answered {type(outcome).__name__}, which was not asked for"
            status = "crashed"
    at = _stage_of(outcome) if status == "raised" else None
    frames = getattr(outcome, "traceback", "") if status in ("raised", "crashed") else ""
    return subject.verdict(status, message=message, stage=at, traceback=frames or None)


def _stage_of(outcome: Outcome) -> dict[str, str | None] | None:
    """The stage of a chain at which it raised, as the verdict has it."""
    if not isinstance(outcome, Raised) or not outcome.stage or not outcome.in_the_call:
        return None
    return {"name": outcome.stage.removeprefix("while "), "text": "an exception came up there"}


def _busy(limit: float, computed: float | None) -> str:
    """Whether the limit was the processor's time or only the clock's, as far as that is known."""
    if computed is None:
        return ""
    why = "" if computed > limit / 2 else ": it waits, or the machine was busy with something else"
    return f", of which its process computed {computed:.3g} s{why}"


def assess_gradients(
    case: Case, truths: Mapping[str, GradientTruth], outcome: Outcome, *, adapter: str, device: str
) -> Verdict:
    """The verdict on the gradients with respect to input, kernel and bias: the first that differs
    is told, and who else does.
    """
    subject = Subject(case=case, adapter=adapter, device=device, quantity="gradients")
    if not isinstance(outcome, Gradients):
        return without_numbers(subject, outcome, due=True)
    comparisons = {
        name: compare(gradient, truths[name], name=f"d{name}")
        for name in ("input", "kernel", "bias")
        if (gradient := getattr(outcome, name)) is not None
    }
    first = next((name for name, each in comparisons.items() if each.mismatch is not None), None)
    return _compared(
        subject,
        outcome,
        _of_all_gradients(comparisons, first),
        None if first is None else getattr(outcome, first),
        exact=all(truth.exact for truth in truths.values()),
    )


def _of_all_gradients(comparisons: Mapping[str, Comparison], first: str | None) -> Comparison:
    """One comparison for all gradients: the mismatch of the first that differs, and the largest
    error.
    """
    ratios = [each.error_over_bound for each in comparisons.values()]
    ahead = () if first is None else (comparisons[first],)
    precisions = (each.precision for each in (*ahead, *comparisons.values()))
    return Comparison(
        mismatch=None if first is None else _first_mismatch(comparisons, first),
        error_over_bound=max((ratio for ratio in ratios if ratio is not None), default=None),
        precision=next(filter(None, precisions), None),
    )


def _first_mismatch(comparisons: Mapping[str, Comparison], first: str) -> dict[str, Any]:
    """The mismatch of the first gradient that differs; its text names the others that do."""
    differing = {
        name: each.mismatch for name, each in comparisons.items() if each.mismatch is not None
    }
    others = [f"d{name}" for name in differing if name != first]
    also = f" (so do {' and '.join(others)})" if others else ""
    mismatch = differing[first]
    return {**mismatch, "gradient": first, "text": mismatch["text"] + also}
