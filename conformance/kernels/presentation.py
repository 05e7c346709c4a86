"""A report on a kernel: for a terminal, for a program, for a page, and as a badge."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance import badge as badges
from conformance.badge import BLUE, GREEN, RED
from conformance.kernels import judgements
from conformance.kernels.judge import Report
from conformance.kernels.judgements import Judgement
from conformance.kernels.rungs import RUNGS, Rung
from conformance.wording import counted

VERDICTS = {
    "right": "is right",
    "delegates": "is right, and torch's own operator does the work",
    "wrong": "is wrong",
    "broken": "returns what is right, and does what it must not",
    "raised": "raises",
    "crashed": "crashes",
    "late": "does not come to an end",
    "not-taken": "takes none of the calls that it is asked",
    "not-tried": "could not be tried: the reference takes none of the calls",
}


def first_line(report: Report) -> str:
    """What is judged."""
    problem = f" for {report.options.problem}" if report.options.problem else ""
    return f"{report.options.file}: {report.facts['name']} ({report.facts['form']}){problem}"


def row(rung: Rung) -> str:
    """A rung in a line."""
    right = sum(each.is_right for each in rung.judgements)
    parts = [f"{right} of {counted(len(rung.judgements), 'call')} right"] if rung.judgements else []
    for status in (judgements.NOT_TAKEN, judgements.NO_TRUTH):
        count = sum(each.status == status for each in rung.judgements)
        if count:
            parts.append(f"{count} {status.replace('-', ' ')}")
    parts += [rung.why] if rung.why else []
    return f"{rung.name:10} {rung.status:10} {RUNGS[rung.name]}: {'; '.join(parts)}"


def details(judgement: Judgement) -> Iterator[str]:
    """A call that failed, line by line."""
    yield f"{judgement.status}: {judgement.text}"
    if judgement.cause is not None:
        yield f"  cause: {judgement.cause}: {judgement.cause_text}"
    yield f"  call: {judgement.call}"
    if judgement.truth:
        yield f"  compared with: {judgement.truth}"
    for frame in judgement.frames:
        yield f"  at {frame}"


def terminal(report: Report) -> Iterator[str]:
    """All that follows the rungs."""
    for note in report.notes:
        yield f"note: {note}"
    if report.delegates:
        yield f"note: it calls torch's {', '.join(report.delegates)}"
    if report.own_truth:
        yield f"its own call was compared with: {report.own_truth}"
    if report.pace is not None:
        yield f"speed: {report.pace}"
    failing = report.smallest or next(iter(report.failing), None)
    if failing is not None:
        yield ""
        yield from details(failing)
        if report.program is not None:
            yield ""
            yield "a program that shows it:"
            yield from (f"    {line}".rstrip() for line in report.program.splitlines())
    information = [each for each in report.rungs if each.wrong and each.name not in report.required]
    if information:
        names = ", ".join(rung.name for rung in information)
        yield f"not required, and wrong: {names} (--require makes them count); the first:"
        yield from details(information[0].wrong[0])
    yield f"{report.facts['name']} {VERDICTS[report.verdict]}."


def as_json(report: Report) -> dict[str, Any]:
    """For a program: verdict, cause, the smallest failing call, the program that shows it."""
    failing = report.smallest or next(iter(report.failing), None)
    return {
        "file": str(report.options.file),
        "name": report.facts["name"],
        "form": report.facts["form"],
        "problem": None if report.options.problem is None else str(report.options.problem),
        "verdict": report.verdict,
        "passes": report.passes,
        "cause": None if failing is None else failing.cause,
        "smallest": None if failing is None else failing.as_json(),
        "program": report.program,
        "own": str(report.own),
        "required": list(report.required),
        "rungs": [
            {
                "name": rung.name,
                "status": rung.status,
                "calls": len(rung.judgements),
                "right": sum(each.is_right for each in rung.judgements),
                "why": rung.why,
                "failing": [each.as_json() for each in rung.wrong],
            }
            for rung in report.rungs
        ],
        "operators": report.operators,
        "delegates": report.delegates,
        "speed": None if report.pace is None else report.pace.as_json(),
        "notes": report.notes,
        "seconds": round(report.seconds, 3),
    }


def markdown(report: Report) -> str:
    """A summary for a page or a pull request."""
    lines = [
        f"### `{report.facts['name']}` {VERDICTS[report.verdict]}",
        "",
        f"`{report.own}`",
        "",
        "| rung | verdict | right | calls |",
        "| --- | --- | ---: | ---: |",
    ]
    for rung in report.rungs:
        right = sum(each.is_right for each in rung.judgements)
        lines.append(f"| {rung.name} | {rung.status} | {right} | {len(rung.judgements)} |")
    failing = report.smallest or next(iter(report.failing), None)
    if failing is not None:
        lines += ["", "```text", *details(failing), "```"]
    if report.program is not None:
        lines += ["", "```python", report.program.rstrip(), "```"]
    if report.pace is not None:
        lines += ["", f"Speed: {report.pace}."]
    return "\n".join(lines) + "\n"


def badge(report: Report) -> dict[str, Any]:
    """An endpoint of shields.io."""
    right = [rung.name for rung in report.rungs if rung.status == judgements.RIGHT]
    message = ", ".join(right) if report.passes else report.verdict
    color = BLUE if report.verdict == "delegates" else GREEN if report.passes else RED
    return badges.badge("conv_transpose", message, color)


def svg(report: Report) -> str:
    """The same, drawn."""
    return badges.svg(badge(report))
