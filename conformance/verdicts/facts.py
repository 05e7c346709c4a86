"""The facts of a verdict for presentation: each a key and a sentence, which everybody only lays
out.

Terminal, page, pytest, annotations and Markdown say the same because they all take it from here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.printing import printable, shortened
from conformance.verdicts.verdict import Verdict
from conformance.wording import counted, milliseconds

Fact = tuple[str, str]

PERTURBATIONS = {
    "batch": "a sample alone",
    "threads": "another number of threads",
    "layout": "another memory layout",
}
"""The aspects that should not matter, by their key in a verdict's `invariance`."""

TEXTS = ("message", "traceback")
"""The keys of what the engine itself says: texts of many lines."""

MEASURED = ("compared", "error of the bound", "computed by", "time")
"""The keys of what is measured of every verdict; the others say why one is not simply right."""


def facts(verdict: Verdict) -> list[Fact]:
    """All that there is to say of a verdict besides its status, in the order of telling."""
    pairs = (
        *_of_the_numbers(verdict),
        *_of_chance(verdict),
        *_of_what_is_known(verdict),
        *_of_measurement(verdict),
    )
    return [(key, shortened(printable(sentence))) for key, sentence in pairs]


def explanation(verdict: Verdict) -> list[str]:
    """The facts that explain a verdict, a line each."""
    lines: list[str] = []
    for key, sentence in facts(verdict):
        if key in TEXTS:
            lines += sentence.splitlines()
        elif key not in MEASURED:
            lines.append(f"known: {sentence}" if key == "known" else sentence)
    return lines


def summary(verdict: Verdict) -> str:
    """The few words that stand beside its status."""
    texts = [str(part["text"]) for part in (verdict.mismatch, verdict.diagnosis) if part]
    if not texts and verdict.message:
        texts = [verdict.message.strip().rpartition("\n")[2]]
    if not texts and verdict.error_over_bound is not None:
        if verdict.error_over_bound:
            texts = [f"error {float(verdict.error_over_bound):.3g} of the bound"]
        else:
            texts = ["every bit" if verdict.exact else "no error"]
    if verdict.precision is not None:
        formats = " or ".join(verdict.precision["formats"])
        texts.append(formats or _precision(verdict.precision))
    return shortened(printable("; ".join(texts)))


def _of_the_numbers(verdict: Verdict) -> Iterator[Fact]:
    mismatch = verdict.mismatch
    if mismatch is not None:
        yield "what differs", str(mismatch["text"])
        if "abs_error" in mismatch:
            allowed = float(mismatch["allowed"])
            limit = f"allowed {allowed:.2g}" if allowed else "none is allowed: every sum is exact"
            yield "error", f"max abs error {float(mismatch['abs_error']):.3g} ({limit})"
    if verdict.precision is not None and verdict.fails:
        yield "precision", _precision(verdict.precision)
    if verdict.diagnosis is not None:
        yield "it is instead", str(verdict.diagnosis["text"])


def _precision(precision: Mapping[str, Any]) -> str:
    """ "about 11 significant bits: TF32 or float16", or that no format fits."""
    formats = " or ".join(precision["formats"])
    bits = counted(precision["bits"], "significant bit")
    return f"about {bits}{f': {formats}' if formats else '; matches no standard format'}"


def _of_chance(verdict: Verdict) -> Iterator[Fact]:
    repeated = verdict.nondeterministic
    if repeated is not None:
        looks = "; what changes looks uninitialised" if repeated["looks"] else ""
        yield (
            "repetitions",
            f"{repeated['distinct']} different results in {repeated['runs']} runs, up to "
            f"{float(repeated['largest']):.3g} apart{looks}",
        )
    for aspect, change in (verdict.invariance or {}).items():
        yield "perturbations", f"{PERTURBATIONS[aspect]} changes it: {change['text']}"
    if verdict.stage is not None:
        name = verdict.stage["name"]
        yield "stage", f"{name or 'stage unknown'}: {verdict.stage['text']}"
    if verdict.message is not None and verdict.message.strip():
        yield "message", verdict.message.strip()
    if verdict.traceback is not None:
        yield "traceback", verdict.traceback


def _of_what_is_known(verdict: Verdict) -> Iterator[Fact]:
    if verdict.known is not None:
        yield "known", verdict.known
    if verdict.known_unconfirmed is not None:
        yield "release", f"unconfirmed {_note(verdict.known_unconfirmed)}"
    if verdict.mended is not None:
        yield "release", f"mended {_note(verdict.mended)}"
    if verdict.known_problem is not None:
        yield "known failure", _entry(verdict.known_problem)


def _note(note: dict[str, str]) -> str:
    return f"{note['text']} ({note['entry']})"


def _entry(problem: dict[str, str]) -> str:
    return f"{problem['entry']}: {problem['problem']}"


def _of_measurement(verdict: Verdict) -> Iterator[Fact]:
    if verdict.exact:
        yield "compared", "bit for bit: all sums are exact"
    elif verdict.error_over_bound is not None and not verdict.fails:
        error = float(verdict.error_over_bound)  # in a record infinity is a word
        yield "error of the bound", f"{error:.3g} times the bound"
    if verdict.computed_by is not None:
        yield "computed by", verdict.computed_by
    timing = verdict.timing
    if timing is not None:
        low, middle, high = (timing[name] for name in ("lower", "median", "upper"))
        first = f"; first call {milliseconds(timing['first'])}" if timing["first"] else ""
        quartiles = f"{low * 1e3:.3g} to {high * 1e3:.3g}"
        calls = counted(timing["count"], "call")
        yield "time", f"{milliseconds(middle)}, quartiles {quartiles}, {calls}{first}"
