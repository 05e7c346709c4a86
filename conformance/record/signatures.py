"""Failures that are alike, told once: what failed in the same way, what these cases have in common,
and the smallest of them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.corpus.case import products
from conformance.corpus.traits import Traits, rule, traits_of_line
from conformance.record.record import Record
from conformance.verdicts.verdict import Verdict

Signature = tuple[Any, ...]

Reason = tuple[bool, str]
"""Whether it is known, and the reason or what happened in words."""

_NUMBERS = re.compile(r"0x[0-9a-f]+|\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Verdicts with one signature, the smallest case first; `rule` is what their cases share,
    `only` if no other case has it.
    """

    verdicts: tuple[Verdict, ...]
    rule: str
    only: bool

    @property
    def smallest(self) -> Verdict:
        return self.verdicts[0]


def signature(verdict: Verdict) -> Signature:
    """Who failed, where, and how: by diagnosis where there is one, else by the first line of the
    message without its numbers.
    """
    problem = verdict.known_problem["entry"] if verdict.known_problem else None
    how = verdict.mistake
    if how is None and verdict.message is not None:
        how = without_numbers(verdict.message.strip().partition("\n")[0])
    kind = verdict.kind
    return verdict.adapter, verdict.device, verdict.quantity, verdict.status, kind, how, problem


def reason(verdict: Verdict) -> Reason:
    """By what a failure is grouped: the reason that is known; else the entry that does not fit, the
    diagnosis, or the first line of the message without its numbers.
    """
    if not verdict.unexpected:
        return True, str(verdict.known)
    if verdict.known_problem is not None:
        return False, f"{verdict.known_problem['entry']}: {verdict.known_problem['problem']}"
    what: Mapping[str, Any] | None = verdict.diagnosis or verdict.mismatch
    if what is not None:
        return False, f"{verdict.status}: {what.get('name') or what['kind']}"
    first = (verdict.message or "").strip().partition("\n")[0]
    return False, verdict.status + (f": {without_numbers(first)}" if first else "")


def without_numbers(text: str) -> str:
    """A message as it is told of many cases alike."""
    return _NUMBERS.sub("#", text)[:120]


def grouped(
    failing: Sequence[Verdict],
    passing: Iterable[Verdict],
    traits: Callable[[str], Traits],
    size: Callable[[str], float],
    signed: Callable[[Verdict], Signature] = signature,
) -> list[Group]:
    """Failing verdicts by signature, in the order of their first; `traits` and `size` are of a case
    by its full name.

    Rules are sought against the cases that the same adapter passed.
    """
    passed: dict[tuple[str, str, str], list[Traits]] = {}
    for verdict in passing:
        passed.setdefault((verdict.adapter, verdict.device, verdict.quantity), []).append(
            traits(verdict.case)
        )
    by_signature: dict[Signature, list[Verdict]] = {}
    for verdict in failing:
        by_signature.setdefault(signed(verdict), []).append(verdict)
    groups = []
    for alike in by_signature.values():
        first = alike[0]
        others = passed.get((first.adapter, first.device, first.quantity), [])
        words, only = (
            rule([traits(verdict.case) for verdict in alike], others)
            if len(alike) > 1
            else ("", False)
        )
        groups.append(
            Group(
                verdicts=tuple(sorted(alike, key=lambda verdict: size(verdict.case))),
                rule=words,
                only=only,
            )
        )
    return groups


def groups_of(record: Record) -> list[Group]:
    """The unexpected verdicts of a record by what is the same about them."""
    unexpected = [verdict for verdict in record.verdicts if verdict.unexpected]
    if not unexpected:
        return []
    known = {name: traits_of_line(line) for name, line in record.cases.items()}
    passing = (
        verdict
        for verdict in record.verdicts
        if verdict.status == "conforms" and not verdict.unexpected
    )
    return grouped(unexpected, passing, known.__getitem__, lambda name: _size(record.cases[name]))


def _size(line: Mapping[str, Any]) -> float:
    """How many products a call of a case has, about; unknown is largest."""
    shapes = [line[key]["shape"] for key in ("input", "kernel") if key in line]
    return float(products(*shapes)) if len(shapes) == 2 else math.inf


def extent(group: Group) -> str:
    """How many cases fail so, and what they have in common: "34 cases, all with groups above 1 and
    no other case".
    """
    if len(group.verdicts) == 1:
        return ""
    words = f"{len(group.verdicts)} cases"
    if group.rule:
        words += f", all with {group.rule}" + (
            ", and no case with that conforms" if group.only else ""
        )
    return words
