"""Known failures: which failures are declared, and whether what was declared still holds.

An entry is judged only against verdicts of this run whose versions and circumstances it names, and
strictly in the range in which it was seen: where the engine conforms it is stale, where it fails in
another way it is wrong, and where it matches no case of its corpus it is lost. Beyond its newest
release nobody has looked: there the same failure is known but unconfirmed, and an engine that
conforms has been mended.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import translate
from functools import lru_cache
from pathlib import Path

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from conformance.system.machine import Circumstances
from conformance.verdicts.verdict import Verdict
from conformance.verdicts.version_range import Position, is_from, position
from conformance.wording import instead

GLOB = re.compile(r"[*?[]")
"""What a glob has and a full name has not."""

Fact = bool | int | float | str

OF_THE_MACHINE = ("device", "platform", "machine", "cpu_flags", "not_cpu_flags")
"""The keys of `where` that no engine has to tell; every other one is a fact of the engine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One entry: which adapters differ on which cases, in which versions and where, how, why, and
    who says so.

    `versions` is the range in which it was seen, and `until` the first release, if one is known,
    that does not do it any more. `root` is the corpus that it belongs to; None is every corpus of
    the run, as for a file given by name.
    """

    adapters: tuple[str, ...]
    quantity: str
    cases: tuple[str, ...]
    versions: Mapping[str, SpecifierSet]
    until: Mapping[str, Version] = field(default_factory=dict)
    where: Mapping[str, tuple[Fact, ...]]
    status: str
    kind: str | None
    diagnosis: str | None
    reason: str
    source: str
    root: Path | None
    at: str

    def names(self, case: str) -> bool:
        """Whether `cases` matches this full name; `*` matches `/` too."""
        return _matches(case, self.cases)

    def is_of(self, *adapters: str) -> bool:
        """Whether `adapter` matches any of these names of one adapter."""
        return any(_matches(name, self.adapters) for name in adapters)

    def position(self, versions: Mapping[str, str]) -> Position:
        """Where an engine of these versions lies: within the range, or beyond or before it in one
        distribution at least.
        """
        if any(
            name in versions and is_from(versions[name], first)
            for name, first in self.until.items()
        ):
            return Position.APART
        positions = {
            position(versions[name], specifier) if name in versions else Position.APART
            for name, specifier in self.versions.items()
        } - {Position.WITHIN}
        return (
            positions.pop()
            if len(positions) == 1
            else Position.APART
            if positions
            else Position.WITHIN
        )

    def where_holds(self, device: str, circumstances: Circumstances) -> bool:
        """Whether `where` holds on this device, this machine and for an engine with these facts."""
        single = {
            "device": device,
            "platform": circumstances.platform,
            "machine": circumstances.machine,
        }
        for key, accepted in self.where.items():
            if key in single and single[key] not in accepted:
                return False
            if key == "cpu_flags" and not circumstances.cpu_flags.issuperset(accepted):
                return False
            if key == "not_cpu_flags" and circumstances.cpu_flags.intersection(accepted):
                return False
            if key not in OF_THE_MACHINE and not _is_one_of(circumstances.facts.get(key), accepted):
                return False
        return True

    def applies(
        self, versions: Mapping[str, str], device: str, circumstances: Circumstances
    ) -> bool:
        """Whether the entry speaks of these versions, this device and this machine."""
        return self.position(versions) is Position.WITHIN and self.where_holds(
            device, circumstances
        )

    def fits(self, verdict: Verdict) -> bool:
        """Whether the verdict fails in the way that the entry says."""
        kind = verdict.kind
        name = verdict.mistake
        return (
            verdict.status == self.status
            and (self.kind is None or self.kind == kind)
            and (self.diagnosis is None or self.diagnosis == name)
        )


def explain(
    verdict: Verdict,
    differences: Sequence[Difference],
    *,
    adapter: str,
    versions: Mapping[str, str],
    circumstances: Circumstances,
) -> Verdict:
    """The verdict with the reason why its failure is known, or with the entry that speaks of it and
    does not fit.

    Entries that were seen in older releases alone are asked where no other one speaks.
    """
    if verdict.status == "unavailable":
        return verdict
    naming = [
        (entry.position(versions), entry)
        for entry in differences
        if entry.quantity == verdict.quantity
        and entry.names(verdict.case)
        and entry.is_of(verdict.adapter, adapter)
        and entry.where_holds(verdict.device, circumstances)
    ]
    speaking = [entry for where, entry in naming if where is Position.WITHIN]
    for entry in speaking:
        if not entry.fits(verdict):
            return replace(
                verdict,
                known_problem={
                    "entry": entry.at,
                    "problem": _misfit(entry, verdict, circumstances),
                },
            )
    if speaking:
        return replace(verdict, known=_reason(speaking[0]))
    older = [entry for where, entry in naming if where is Position.BEYOND]
    return _unconfirmed(verdict, older, versions) if older else verdict


def _unconfirmed(
    verdict: Verdict, older: Sequence[Difference], versions: Mapping[str, str]
) -> Verdict:
    """The verdict of a release that is newer than what its entries were seen in."""
    entry = next((entry for entry in older if entry.fits(verdict)), older[0])
    text = f"for {release_beyond(entry, versions)}: seen in {_ranges(entry)}"
    note = {"entry": entry.at, "text": text}
    if not verdict.fails:
        return replace(verdict, mended=note)
    return (
        replace(verdict, known=_reason(entry), known_unconfirmed=note)
        if entry.fits(verdict)
        else verdict
    )


def release_beyond(entry: Difference, versions: Mapping[str, str]) -> str:
    """The releases of these that lie beyond what an entry was seen in, as "onnxruntime 1.32.0"."""
    beyond = (
        name
        for name, specifier in entry.versions.items()
        if position(versions[name], specifier) is Position.BEYOND
    )
    return ", ".join(f"{name} {versions[name]}" for name in beyond)


def _ranges(entry: Difference) -> str:
    return ", ".join(f"{name} {specifier}" for name, specifier in entry.versions.items())


def _reason(entry: Difference) -> str:
    return entry.reason or f"accepted in {entry.at}, where no reason is given"


def _is_one_of(fact: Fact | None, accepted: tuple[Fact, ...]) -> bool:
    """Whether an engine told one of the values that are wanted; true is not 1."""
    return any(
        fact == value and isinstance(fact, bool) is isinstance(value, bool) for value in accepted
    )


def untold_facts(
    differences: Iterable[Difference], facts: Mapping[str, tuple[str, Mapping[str, Fact]]]
) -> list[dict[str, str]]:
    """Entries that ask for a fact that none of their adapters tells, though it tells others: a slip
    of the pen would be silent.

    `facts` has for each label the adapter and what it told.
    """
    problems = []
    for entry in differences:
        engine_facts = [
            its for label, (adapter, its) in facts.items() if its and entry.is_of(label, adapter)
        ]
        for key in entry.where:
            if (
                engine_facts
                and key not in OF_THE_MACHINE
                and not any(key in its for its in engine_facts)
            ):
                names = dict.fromkeys(
                    [*OF_THE_MACHINE, *(name for its in engine_facts for name in its)]
                )
                problems.append(
                    {
                        "entry": entry.at,
                        "problem": f"where: no adapter tells {key}, {instead(key, names)}",
                    }
                )
    return problems


def lost_entries(
    differences: Iterable[Difference], names: Mapping[Path, Iterable[str]]
) -> list[dict[str, str]]:
    """Entries with a pattern that matches no case of their own corpus root; names has the full
    names of each root.
    """
    every: dict[Path | None, set[str]] = {root: set(of_root) for root, of_root in names.items()}
    every[None] = set().union(*every.values())
    return [
        {
            "entry": entry.at,
            "problem": f"{pattern} matches no case of the corpus, should match one or be removed",
        }
        for entry in differences
        for pattern in entry.cases
        if pattern not in every[entry.root]
        and not (
            GLOB.search(pattern) and any(_matches(name, (pattern,)) for name in every[entry.root])
        )
    ]


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return _either(patterns).match(name) is not None


@lru_cache(4096)
def _either(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """A pattern that matches what any of the patterns matches; each also matches its own text,
    whatever its characters mean.
    """
    return re.compile(
        "|".join(f"{translate(pattern)}|{re.escape(pattern)}\\Z" for pattern in patterns) or "(?!)"
    )


def _misfit(entry: Difference, verdict: Verdict, circumstances: Circumstances) -> str:
    stated = " ".join(part for part in (entry.status, entry.kind, entry.diagnosis) if part)
    if not verdict.fails:
        facts = ", ".join(
            f"{name}: {str(fact).lower()}" for name, fact in circumstances.facts.items()
        )
        return (
            f"{verdict.adapter} on {verdict.case} now {_now(verdict)}, should be {stated} as the "
            "entry says: it is stale"
            f"{f' for this engine ({facts})' if facts else ''}; remove it, or narrow its versions "
            "or where"
        )
    name = verdict.mistake if entry.diagnosis else None
    now = " ".join(str(part) for part in (verdict.status, verdict.kind, name) if part)
    return f"{verdict.adapter} on {verdict.case} is {now}, should be {stated} as the entry says"


def _now(verdict: Verdict) -> str:
    return "conforms" if verdict.status == "conforms" else f"is {verdict.status}"
