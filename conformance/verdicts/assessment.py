"""What an outcome means for a case, before anything is explained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from conformance.corpus.case import Case
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
from conformance.verdicts.compare import compare
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

    def verdict(status: str, **rest: Any) -> Verdict:
        fields = {"exact": None if truth is None else truth.exact, "error_over_bound": None, **rest}
        return Verdict(
            case=case.name,
            adapter=adapter,
            device=device,
            quantity="output",
            status=status,
            **fields,
        )

    match outcome:
        case Output(y=got) if truth is None:
            mismatch = {
                "kind": "not-refused",
                "text": f"a result of shape {list(got.shape)}, should be refused",
            }
            return verdict("differs", mismatch=mismatch, got=excerpt(got, None))
        case Output(y=got):
            assert truth is not None
            compiled = None if outcome.compiled is None else dict(outcome.compiled)
            found = compare(got, truth, signed_zero="signed-zero" in case.tags, briefly=briefly)
            rest = {
                "error_over_bound": found.error_over_bound,
                "precision": found.precision,
                "compiled": compiled,
            }
            if found.mismatch is None:
                return verdict("conforms", **rest)
            return verdict(
                "differs",
                mismatch=found.mismatch,
                got=excerpt(got, found.mismatch.get("index")),
                **rest,
            )
    wanted = truth is not None
    told = _without_numbers(
        case, outcome, adapter=adapter, device=device, quantity="output", due=wanted
    )
    return replace(told, exact=truth.exact if truth is not None else None)


def _without_numbers(
    case: Case, outcome: Outcome, *, adapter: str, device: str, quantity: str, due: bool
) -> Verdict:
    """The verdict on an outcome that is no array; where none was `due`, refusing conforms."""

    def verdict(status: str, message: str) -> Verdict:
        return Verdict(
            case=case.name,
            adapter=adapter,
            device=device,
            quantity=quantity,
            status=status,
            exact=None,
            error_over_bound=None,
            message=message,
        )

    match outcome:
        case Raised(type=kind, message=text, stage=stage):
            refused = not due and not stage and not outcome.out_of_memory
            return verdict(
                "conforms" if refused else "raised",
                " ".join(filter(None, [stage, f"{kind}: {text}"])),
            )
        case Unsupported(reason=reason, raised=raised):
            return verdict("conforms" if not due and raised else "unsupported", reason)
        case TimedOut(seconds=seconds, message=text, computed=computed):
            return verdict(
                "timed-out", f"no answer within {seconds:g} s{_busy(seconds, computed)}{text}"
            )
        case Unavailable(reason=reason):
            return verdict("unavailable", reason)
        case Crashed(message=text):
            return verdict("crashed", text)
    return verdict("crashed", f"answered {type(outcome).__name__}, which was not asked for")


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
    if not isinstance(outcome, Gradients):
        return _without_numbers(
            case, outcome, adapter=adapter, device=device, quantity="gradients", due=True
        )
    found = {
        name: compare(got, truths[name], name=f"d{name}")
        for name, got in (
            ("input", outcome.input),
            ("kernel", outcome.kernel),
            ("bias", outcome.bias),
        )
        if got is not None
    }
    wrong = [name for name, finding in found.items() if finding.mismatch is not None]
    ratios = [
        finding.error_over_bound
        for finding in found.values()
        if finding.error_over_bound is not None
    ]
    first = found[wrong[0]] if wrong else None
    mismatch = None
    if first is not None and first.mismatch is not None:
        rest = (
            f" (so do {' and '.join(f'd{name}' for name in wrong[1:])})" if len(wrong) > 1 else ""
        )
        mismatch = {**first.mismatch, "gradient": wrong[0], "text": first.mismatch["text"] + rest}
    return Verdict(
        case=case.name,
        adapter=adapter,
        device=device,
        quantity="gradients",
        status="conforms" if first is None else "differs",
        exact=all(truth.exact for truth in truths.values()),
        error_over_bound=max(ratios, default=None),
        mismatch=mismatch,
        precision=next(
            (
                finding.precision
                for finding in (first, *found.values())
                if finding and finding.precision
            ),
            None,
        ),
        compiled=None if outcome.compiled is None else dict(outcome.compiled),
        got=None
        if mismatch is None
        else excerpt(getattr(outcome, wrong[0]), mismatch.get("index")),
    )
