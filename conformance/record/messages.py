"""The result of a record, in sentences: the terminal, the page and the Markdown say the same."""

from __future__ import annotations

from collections import Counter

from conformance.record.record import Record
from conformance.verdicts.facts import PERTURBATIONS
from conformance.verdicts.verdict import Verdict
from conformance.wording import counted, milliseconds


def summary(record: Record) -> str:
    """The one sentence that a record comes to."""
    problems = len(record.problems)
    known = counted(sum(verdict.known is not None for verdict in record.verdicts), "known failure")
    unconfirmed = sum(verdict.known_unconfirmed is not None for verdict in record.verdicts)
    known += f" ({unconfirmed} unconfirmed)" if unconfirmed else ""
    what = (
        f"{counted(len(record.verdicts), 'check')} on "
        f"{counted(len(record.cases), 'case')}{_checked(record)}"
    )
    if record.end is None:
        return f"The run was cut: {what} so far, {_new(record)}."
    if record.ok:
        return f"Conforms: {what}, no new failures, {known}."
    lost = (
        f", {counted(problems, 'entry that matches', 'entries that match')} no case"
        if problems
        else ""
    )
    idle = [entry.get("adapter") or entry["case"] for entry in record.unchecked]
    nothing = (
        f", nothing was checked on {', '.join(idle[:3])}{', ...' if idle[3:] else ''}"
        if idle
        else ""
    )
    return f"Does not conform: {_new(record)} in {what}{lost}{nothing}, {known}."


def _new(record: Record) -> str:
    """How many failures are new, and how many entries of known failures no longer hold."""
    unexpected = [verdict for verdict in record.verdicts if verdict.unexpected]
    new = sum(verdict.fails for verdict in unexpected)
    text = counted(new, "new failure") if new else "no new failures"
    gone = counted(
        len(unexpected) - new, "known failure that conforms now", "known failures that conform now"
    )
    return f"{text} and {gone}" if len(unexpected) > new else text


def _checked(record: Record) -> str:
    """How many checks were run, of gradients and of shapes too, how many shapes are unknown, and
    how many checks could not be run, where there are any.
    """
    quantities = Counter(verdict.quantity for verdict in record.verdicts if verdict.is_checked)
    apart = "".join(
        f", {quantities[quantity]:,} of them {name}"
        for quantity, name in (("gradients", "gradients"), ("shape", "shapes"))
        if quantities[quantity]
    )
    checked = sum(verdict.is_checked for verdict in record.verdicts)
    silent = sum(verdict.kind == "unknown" for verdict in record.verdicts)
    parts = [f"{checked:,} run{apart}"]
    if silent:
        parts.append(f"{counted(silent, 'shape')} unknown")
    if checked + silent < len(record.verdicts):
        parts.append(f"{len(record.verdicts) - checked - silent:,} could not be run")
    return f" ({'; '.join(parts)})" if apart or parts[1:] else ""


def unchecked(record: Record) -> list[str]:
    """A line for each adapter and each case of one's own of which nothing was checked."""
    lines = [
        f"{entry.get('adapter') or entry['case']}: nothing was checked: {entry['reason']}"
        for entry in record.unchecked
    ]
    return lines + (["--allow-unsupported passes them, where that is meant"] if lines else [])


def timings(record: Record) -> list[str]:
    """A line per timed case: median seconds of every adapter, the fastest first; those on software
    drivers stand at the end.
    """
    cases: dict[str, list[Verdict]] = {}
    for verdict in record.verdicts:
        if verdict.timing is not None:
            cases.setdefault(verdict.case, []).append(verdict)
    lines = []
    for case, timed in cases.items():
        figures = (
            f"{verdict.adapter} {milliseconds(median)}{' (software driver)' if apart else ''}"
            for apart, median, verdict in sorted(
                (
                    (record.by_software(v.adapter, v.device), v.timing["median"], v)
                    for v in timed
                    if v.timing
                ),
                key=lambda entry: entry[:2],
            )
        )
        lines.append(f"{case}, median of steady calls: {', '.join(figures)}")
    return lines


def variations(record: Record) -> list[str]:
    """A line per adapter whose result changes with what should not matter: with what, in how many
    checks.
    """
    by_adapter: dict[str, Counter[str]] = {}
    for verdict in record.verdicts:
        by_adapter.setdefault(verdict.adapter, Counter()).update(list(verdict.invariance or ()))
    return [
        f"{adapter}: the result changes with "
        f"{', '.join(_variation(*pair) for pair in counts.items())}"
        for adapter, counts in by_adapter.items()
        if counts
    ]


def _variation(aspect: str, count: int) -> str:
    return f"{PERTURBATIONS[aspect]} in {counted(count, 'check')}"


def news(record: Record) -> list[str]:
    """A line per release that is newer than what known failures were seen in: what is still so
    there, and what is mended.
    """
    unconfirmed: dict[str, Counter[str]] = {}
    mended: dict[str, Counter[str]] = {}
    for verdict in record.verdicts:
        for note, by_release in (
            (verdict.known_unconfirmed, unconfirmed),
            (verdict.mended, mended),
        ):
            if note is not None:
                by_release.setdefault(
                    note["text"].partition(":")[0].removeprefix("for "), Counter()
                )[note["entry"]] += 1
    lines = []
    for release in dict.fromkeys([*unconfirmed, *mended]):
        same, gone = unconfirmed.get(release, Counter()), mended.get(release, Counter())
        parts = (
            [f"{counted(same.total(), 'known failure is', 'known failures are')} as before"]
            if same
            else []
        )
        parts += (
            [
                f"{counted(gone.total(), 'check')} mended "
                f"({', '.join(list(gone)[:3])}{', ...' if len(gone) > 3 else ''})"
            ]
            if gone
            else []
        )
        lines.append(
            f"{release} is newer than the entries: {', '.join(parts)}; conformance confirm brings "
            "them up to date"
        )
    return lines
