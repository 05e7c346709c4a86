"""`conformance list`, `lint` and `bless`: the commands about many cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import typer

from conformance import conventions
from conformance.commands.console import entry, width_of_terminal
from conformance.conventions import Unrepresentable
from conformance.corpus.bless import write_expected
from conformance.corpus.expected import check_guards, lack
from conformance.corpus.selection import Selection, select
from conformance.corpus.truths import Truths
from conformance.printing import say
from conformance.verdicts import known_reader
from conformance.verdicts.diagnosis.detection import detection, weaknesses
from conformance.verdicts.known import Difference, lost_entries
from conformance.wording import counted


def list_cases(
    words: Sequence[str], expression: str | None, tags: Sequence[str], subset: str | None = None
) -> None:
    """One line a case: full name, tags, summary."""
    width = width_of_terminal()
    for case in select(words, expression=expression, tags=tags, slow=True, subset=subset).cases:
        marks = f" [{', '.join(case.tags)}]" if case.tags else ""
        say(*entry(f"{case.name}{marks}", case.summary, width))


def lint(words: Sequence[str], detects: bool, files: Sequence[Path]) -> None:
    """Exit 2 where a file is wrong (told by whoever reads it), 1 where something is out of date;
    weaknesses are only told.
    """
    selection = select(words, slow=True)
    truths = Truths()
    check_guards(selection.cases, truths)
    notes = _detections(selection, truths) if detects else _weaknesses(selection, truths)
    for line in notes:
        say(line)
    known = known_reader.load_differences(selection.roots, files)
    findings = [
        *_unguarded(selection),
        *_rejected(selection),
        *_lost(selection, known),
        *known_reader.unexplained(known),
    ]
    for line in findings:
        say(line)
    say(f"{counted(len(selection.cases), 'case')}, {counted(len(findings), 'finding')}")
    raise typer.Exit(1 if findings else 0)


def _weaknesses(selection: Selection, truths: Truths) -> Iterator[str]:
    for case in selection.cases:
        truth = truths(case).truth
        if truth is not None:
            for text in weaknesses(case, truth):
                yield f"{case.location.at('id')}: note: {text}"


def _detections(selection: Selection, truths: Truths) -> Iterator[str]:
    """Per case which mistakes it detects and which survive it, then per mistake how many cases
    detect it.
    """
    counts: Counter[str] = Counter()
    names: set[str] = set()
    for case in selection.cases:
        truth = truths(case).truth
        if truth is None:
            continue
        result = detection(truth)
        counts.update(result.detected)
        names |= result.detected | result.survived
        survived = f"; survived: {', '.join(sorted(result.survived))}" if result.survived else ""
        yield (
            f"{case.name}: detects {len(result.detected)} of "
            f"{counted(len(result.detected | result.survived), 'mistake')}{survived}"
        )
    for name in sorted(names, key=lambda name: (counts[name], name)):
        yield f"{name}: detected by {counted(counts[name], 'case')}"


def _unguarded(selection: Selection) -> list[str]:
    return [
        f"{case.location.at('')}: {missing}, should guard the oracle: conformance bless writes it"
        for case in selection.cases
        if (missing := lack(case)) is not None
    ]


def _rejected(selection: Selection) -> Iterator[str]:
    """Cases in torch's own arguments whose window torch has no arguments for: so rejected."""
    for case in selection.cases:
        if case.must_fail or case.geometry is None or (case.native or ("",))[0] != "torch":
            continue
        answer = conventions.get("torch").native(case.geometry)
        if isinstance(answer, Unrepresentable):
            yield (
                f"{case.location.at('native')}: torch rejects this call, should have other "
                f"arguments or expected: {{error: true}}. {answer.reason}"
            )


def _lost(selection: Selection, known: Sequence[Difference]) -> list[str]:
    names = (
        {
            root: [case.name for case in select([str(root)], slow=True).loaded]
            for root in selection.roots
        }
        if known
        else {}
    )
    return [
        f"{problem['entry']}: cases: {problem['problem']}" for problem in lost_entries(known, names)
    ]


def bless(words: Sequence[str]) -> None:
    """Write what `expected` should say, and tell each change."""
    for line in write_expected(select(words, slow=True).cases):
        say(line)
