"""One message grammar everywhere: who differs, where, got, should be, how many, what it is instead, and how to see it again."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping
from typing import Any

from conformance.record.record import Record
from conformance.verdicts.verdict import Verdict

ASPECTS = {"batch": "a sample alone", "threads": "another number of threads", "layout": "another memory layout"}
"""What should not matter, by its key in a verdict's `invariance`."""

_VERBS = {
    "differs": "differs from the oracle",
    "raised": "raised",
    "crashed": "crashed",
    "timed-out": "timed out",
    "unavailable": "is unavailable",
    "unsupported": "does not support this",
    "conforms": "conforms",
}


def headline(verdict: Verdict) -> str:
    """Who did what, where."""
    quantity = "" if verdict.quantity == "output" else f", {verdict.quantity}"
    return f"{verdict.adapter} ({verdict.device}) {_VERBS[verdict.status]} in {verdict.case}{quantity}"


def details(verdict: Verdict) -> list[str]:
    """What explains it, a line each."""
    lines = []
    if verdict.mismatch is not None:
        lines.append(str(verdict.mismatch["text"]))
    if verdict.mismatch is not None and "abs_error" in verdict.mismatch:
        allowed = float(verdict.mismatch["allowed"])
        limit = f"allowed {allowed:.2g}" if allowed else "none is allowed: every sum is exact"
        lines.append(f"max abs error {float(verdict.mismatch['abs_error']):.3g} ({limit})")
    if verdict.precision is not None and verdict.fails:
        formats = " or ".join(verdict.precision["formats"]) or "no format"
        lines.append(f"precision of {verdict.precision['bits']} bits: {formats}")
    if verdict.diagnosis is not None:
        lines.append(str(verdict.diagnosis["text"]))
    if verdict.nondeterministic is not None:
        found = verdict.nondeterministic
        text = f"{found['distinct']} different results in {found['runs']} runs, up to {float(found['largest']):.3g} apart"
        lines.append(text + ("; what changes looks uninitialised" if found["looks"] else ""))
    for aspect, found in (verdict.invariance or {}).items():
        lines.append(f"{ASPECTS[aspect]} changes it: {found['text']}")
    if verdict.message is not None:
        lines += verdict.message.strip().splitlines()
    if verdict.known is not None:
        unconfirmed = f" (unconfirmed {verdict.known_unconfirmed['text']})" if verdict.known_unconfirmed else ""
        lines.append(f"known{unconfirmed}: {verdict.known}")
    if verdict.known_problem is not None:
        lines.append(f"{verdict.known_problem['entry']}: {verdict.known_problem['problem']}")
    return lines


def again(verdict: Verdict, run: Mapping[str, Any]) -> str:
    """The command that shows it again, from the run line of the record."""
    entry: Mapping[str, Any] = next((e for e in run["adapters"] if e["label"] == verdict.adapter), {"asked": verdict.adapter})
    words = ["conformance", "run", *run["paths"], verdict.case, "-a", entry["asked"]]
    for file in run.get("known", []):
        words += ["--known", file]
    if verdict.device != "cpu":
        words += ["--device", verdict.device]
    if verdict.invariance:
        words.append("--invariance")
    if run.get("timeout", 60.0) != 60.0:
        words += ["--timeout", f"{run['timeout']:g}"]
    if run.get("precision", "strict") != "strict":
        words += ["--precision", run["precision"]]
    if any(word.partition("=")[0] == "--threads" for word in run.get("command", [])):  # else it is the machine's own number
        words += ["--threads", str(run["threads"])]
    if entry.get("python"):
        words += ["--python", f"{verdict.adapter}={entry['python']}"]
    return shlex.join(words)


def message(verdict: Verdict, run: Mapping[str, Any], case: Mapping[str, Any] | None = None) -> str:
    """The whole message, several lines; with the case's line it says what the case is about."""
    lines = [*about(case), *details(verdict), f"reproduce: {again(verdict, run)}"]
    return "\n".join([headline(verdict) + ":", *(f"    {line}" for line in lines)])


def brief(verdict: Verdict) -> str:
    """Who did what, where, and what came of it, in a line: what explains it is told at the end, once for all alike."""
    what = str(verdict.mismatch["text"]) if verdict.mismatch else (verdict.message or "").strip().partition("\n")[0]
    if verdict.known_problem is not None and not verdict.fails:
        what = f"{verdict.known_problem['entry']}: {verdict.known_problem['problem']}"
    return f"{headline(verdict)}{': ' if what else ''}{what}"


def about(case: Mapping[str, Any] | None) -> list[str]:
    """What a case is about: its summary, and its source."""
    if case is None or not case.get("summary"):
        return []
    return [f"{case['summary']}" + (f" (source: {case['source']})" if case.get("source") else "")]


def summary(record: Record) -> str:
    """The one sentence that a record comes to."""
    unexpected = sum(verdict.unexpected for verdict in record.verdicts)
    problems = len((record.end or {}).get("problems", []))
    known = counted(sum(verdict.known is not None for verdict in record.verdicts), "known difference")
    unconfirmed = sum(verdict.known_unconfirmed is not None for verdict in record.verdicts)
    known += f" ({unconfirmed} unconfirmed)" if unconfirmed else ""
    what = f"{counted(len(record.verdicts), 'verdict')} on {counted(len(record.cases), 'case')}{_checked(record)}"
    if record.end is None:
        return f"The run was cut: {what} so far, {unexpected} unexpected."
    if record.ok:
        return f"Conforms: {what}, nothing unexpected, {known}."
    lost = f", {counted(problems, 'entry that matches', 'entries that match')} no case" if problems else ""
    idle = [entry.get("adapter") or entry["case"] for entry in record.unchecked]
    nothing = f", nothing was checked on {', '.join(idle[:3])}{', ...' if idle[3:] else ''}" if idle else ""
    return f"Does not conform: {counted(unexpected, 'unexpected difference')} in {what}{lost}{nothing}, {known}."


def _checked(record: Record) -> str:
    """How many verdicts are of gradients, and how many could not be asked, where there are any."""
    gradients = sum(verdict.quantity == "gradients" for verdict in record.verdicts if verdict.is_checked)
    checked = sum(verdict.is_checked for verdict in record.verdicts)
    parts = [f"{checked} checked" + (f", {gradients} of them gradients" if gradients else "")]
    if checked < len(record.verdicts):
        parts.append(f"{len(record.verdicts) - checked} could not be asked")
    return f" ({'; '.join(parts)})" if gradients or parts[1:] else ""


def unchecked(record: Record) -> list[str]:
    """A line for each adapter and each case of one's own of which nothing was checked."""
    lines = [f"{entry.get('adapter') or entry['case']}: nothing was checked: {entry['reason']}" for entry in record.unchecked]
    return lines + (["--allow-unsupported passes them, where that is meant"] if lines else [])


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """A number with its noun."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"


def timings(record: Record) -> list[str]:
    """A line per timed case: median seconds of every adapter, the fastest first."""
    cases: dict[str, list[Verdict]] = {}
    for verdict in record.verdicts:
        if verdict.timing is not None:
            cases.setdefault(verdict.case, []).append(verdict)
    lines = []
    for case, timed in cases.items():
        ordered = sorted(timed, key=lambda verdict: verdict.timing["median"] if verdict.timing else 0.0)
        figures = (f"{v.adapter} {milliseconds(v.timing['median'])}" for v in ordered if v.timing)
        lines.append(f"{case}, median of steady calls: {', '.join(figures)}")
    return lines


def variations(record: Record) -> list[str]:
    """A line per adapter whose result changes with what should not matter: with what, in how many verdicts."""
    found: dict[str, Counter[str]] = {}
    for verdict in record.verdicts:
        found.setdefault(verdict.adapter, Counter()).update(list(verdict.invariance or ()))
    return [
        f"{adapter}: the result changes with {', '.join(_variation(*pair) for pair in counts.items())}"
        for adapter, counts in found.items()
        if counts
    ]


def _variation(aspect: str, count: int) -> str:
    return f"{ASPECTS[aspect]} in {counted(count, 'verdict')}"


def news(record: Record) -> list[str]:
    """A line per release that is newer than what known differences were seen in: what is still so there, and what is mended."""
    unconfirmed: dict[str, Counter[str]] = {}
    mended: dict[str, Counter[str]] = {}
    for verdict in record.verdicts:
        for note, found in ((verdict.known_unconfirmed, unconfirmed), (verdict.mended, mended)):
            if note is not None:
                found.setdefault(note["text"].partition(":")[0].removeprefix("for "), Counter())[note["entry"]] += 1
    lines = []
    for release in dict.fromkeys([*unconfirmed, *mended]):
        same, gone = unconfirmed.get(release, Counter()), mended.get(release, Counter())
        parts = [f"{counted(same.total(), 'known difference is', 'known differences are')} as before"] if same else []
        parts += (
            [f"{counted(gone.total(), 'verdict')} mended ({', '.join(list(gone)[:3])}{', ...' if len(gone) > 3 else ''})"]
            if gone
            else []
        )
        lines.append(f"{release} is newer than the entries: {', '.join(parts)}; conformance confirm brings them up to date")
    return lines


def duration(seconds: float) -> str:
    """Seconds as people say them: "0.8 s", "14 min 40 s", "2 h 5 min"."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def milliseconds(seconds: float) -> str:
    """A duration with three significant digits."""
    return f"{seconds * 1e3:.3g} ms"
