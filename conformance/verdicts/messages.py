"""One message grammar everywhere: who differs, where, got, should be, how many, what it is instead,
and how to see it again.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from conformance.verdicts.verdict import Verdict

ASPECTS = {
    "batch": "a sample alone",
    "threads": "another number of threads",
    "layout": "another memory layout",
}
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
    return (
        f"{verdict.adapter} ({verdict.device}) {_VERBS[verdict.status]} in {verdict.case}{quantity}"
    )


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
        text = (
            f"{found['distinct']} different results in {found['runs']} runs, up to "
            f"{float(found['largest']):.3g} apart"
        )
        lines.append(text + ("; what changes looks uninitialised" if found["looks"] else ""))
    for aspect, found in (verdict.invariance or {}).items():
        lines.append(f"{ASPECTS[aspect]} changes it: {found['text']}")
    if verdict.message is not None:
        lines += verdict.message.strip().splitlines()
    if verdict.known is not None:
        unconfirmed = (
            f" (unconfirmed {verdict.known_unconfirmed['text']})"
            if verdict.known_unconfirmed
            else ""
        )
        lines.append(f"known{unconfirmed}: {verdict.known}")
    if verdict.known_problem is not None:
        lines.append(f"{verdict.known_problem['entry']}: {verdict.known_problem['problem']}")
    return lines


def again(verdict: Verdict, run: Mapping[str, Any]) -> str:
    """The command that shows it again, from the run line of the record."""
    entry: Mapping[str, Any] = next(
        (e for e in run["adapters"] if e["label"] == verdict.adapter), {"asked": verdict.adapter}
    )
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
    if any(
        word.partition("=")[0] == "--threads" for word in run.get("command", [])
    ):  # else it is the machine's own number
        words += ["--threads", str(run["threads"])]
    if entry.get("python"):
        words += ["--python", f"{verdict.adapter}={entry['python']}"]
    return shlex.join(words)


def message(verdict: Verdict, run: Mapping[str, Any], case: Mapping[str, Any] | None = None) -> str:
    """The whole message, several lines; with the case's line it says what the case is about."""
    lines = [*about(case), *details(verdict), f"reproduce: {again(verdict, run)}"]
    return "\n".join([headline(verdict) + ":", *(f"    {line}" for line in lines)])


def brief(verdict: Verdict) -> str:
    """Who did what, where, and what came of it, in a line: what explains it is told at the end,
    once for all alike.
    """
    what = (
        str(verdict.mismatch["text"])
        if verdict.mismatch
        else (verdict.message or "").strip().partition("\n")[0]
    )
    if verdict.known_problem is not None and not verdict.fails:
        what = f"{verdict.known_problem['entry']}: {verdict.known_problem['problem']}"
    return f"{headline(verdict)}{': ' if what else ''}{what}"


def about(case: Mapping[str, Any] | None) -> list[str]:
    """What a case is about: its summary, and its source."""
    if case is None or not case.get("summary"):
        return []
    return [f"{case['summary']}" + (f" (source: {case['source']})" if case.get("source") else "")]
