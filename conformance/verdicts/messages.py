"""One message grammar everywhere: who differs, where, got, should be, how many, what it is instead,
and how to see it again.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from conformance.printing import shortened, text_of
from conformance.verdicts.facts import explanation
from conformance.verdicts.verdict import Verdict

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
    """The headline of a verdict: the adapter, the device, what it did, and the case."""
    quantity = "" if verdict.quantity == "output" else f", {verdict.quantity}"
    return (
        f"{verdict.adapter} ({verdict.device}) {_VERBS[verdict.status]} in {verdict.case}{quantity}"
    )


def reproduction(verdict: Verdict, run: Mapping[str, Any]) -> str:
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
    # without the option it is the machine's own number
    if any(word.partition("=")[0] == "--threads" for word in run.get("command", [])):
        words += ["--threads", str(run["threads"])]
    if "--sandbox" in run.get("command", []):
        words.append("--sandbox")
    if entry.get("python"):
        words += ["--python", f"{verdict.adapter}={entry['python']}"]
    return shlex.join(words)


def message(verdict: Verdict, run: Mapping[str, Any], case: Mapping[str, Any] | None = None) -> str:
    """The whole message, several lines; with the case's line it says what the case is about."""
    return text_of(message_lines(verdict, run, case))


def message_lines(
    verdict: Verdict, run: Mapping[str, Any], case: Mapping[str, Any] | None = None
) -> list[str]:
    """The lines of the whole message."""
    lines = [*about(case), *explanation(verdict), f"reproduce: {reproduction(verdict, run)}"]
    return [headline(verdict) + ":", *(f"    {line}" for line in lines)]


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
    return f"{headline(verdict)}{': ' if what else ''}{shortened(what)}"


def alert(verdict: Verdict, run: Mapping[str, Any]) -> str:
    """The message for a verdict as soon as it comes: `brief`, and how to see it again."""
    return text_of([brief(verdict), f"    reproduce: {reproduction(verdict, run)}"])


def about(case: Mapping[str, Any] | None) -> list[str]:
    """The subject of a case: its summary, and its source."""
    if case is None or not case.get("summary"):
        return []
    return [f"{case['summary']}" + (f" (source: {case['source']})" if case.get("source") else "")]
