"""Known differences: which failures are declared, and whether what was declared still holds.

An entry is judged only against verdicts of this run whose versions and circumstances it names, and strictly: where the
engine conforms it is stale, where it fails in another way it is wrong, and where it matches no case of its corpus it is lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import translate
from functools import lru_cache
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from conformance.casefile import ENDINGS, NOT_CASES, nearby
from conformance.verdict import STATUSES, Verdict
from conformance.yamlfile import FileProblems, Item, read

KEYS = ("adapter", "cases", "quantity", "versions", "where", "status", "kind", "diagnosis", "reason", "source")
REQUIRED = ("adapter", "cases", "versions", "status", "reason", "source")
WHERE = ("device", "platform", "machine", "cpu_flags", "not_cpu_flags")
QUANTITIES = ("output", "gradients")
FAILING = tuple(name for name, status in STATUSES.items() if status.fails)


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """The machine that the suite runs on."""

    platform: str
    machine: str
    cpu_flags: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One entry: which adapters differ on which cases, in which versions and where, how, why, and who says so.

    `root` is the corpus that it belongs to; None is every corpus of the run, as for a file given by name.
    """

    adapters: tuple[str, ...]
    quantity: str
    cases: tuple[str, ...]
    versions: Mapping[str, SpecifierSet]
    where: Mapping[str, tuple[str, ...]]
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

    def applies(self, versions: Mapping[str, str], device: str, here: Circumstances) -> bool:
        """Whether the entry speaks of these versions, this device and this machine."""
        for distribution, specifier in self.versions.items():
            if distribution not in versions or not _within(versions[distribution], specifier):
                return False
        single = {"device": device, "platform": here.platform, "machine": here.machine}
        for key, wanted in self.where.items():
            if key in single and single[key] not in wanted:
                return False
            if key == "cpu_flags" and not here.cpu_flags.issuperset(wanted):
                return False
            if key == "not_cpu_flags" and here.cpu_flags.intersection(wanted):
                return False
        return True

    def fits(self, verdict: Verdict) -> bool:
        """Whether the verdict fails in the way that the entry says."""
        kind = (verdict.mismatch or {}).get("kind")
        name = (verdict.diagnosis or {}).get("name")
        return (
            verdict.status == self.status
            and (self.kind is None or self.kind == kind)
            and (self.diagnosis is None or self.diagnosis == name)
        )


def explain(
    verdict: Verdict, differences: Sequence[Difference], *, adapter: str, versions: Mapping[str, str], here: Circumstances
) -> Verdict:
    """The verdict with the reason why its failure is known, or with the entry that speaks of it and does not fit."""
    if verdict.status == "unavailable":
        return verdict
    speaking = [
        entry
        for entry in differences
        if entry.quantity == verdict.quantity
        and entry.names(verdict.case)
        and entry.is_of(verdict.adapter, adapter)
        and entry.applies(versions, verdict.device, here)
    ]
    for entry in speaking:
        if not entry.fits(verdict):
            return replace(verdict, known_problem={"entry": entry.at, "problem": _misfit(entry, verdict)})
    if not speaking:
        return verdict
    return replace(verdict, known=speaking[0].reason or f"accepted in {speaking[0].at}, where no reason is given")


def lost(differences: Iterable[Difference], names: Mapping[Path, Iterable[str]]) -> list[dict[str, str]]:
    """Entries with a pattern that matches no case of their own corpus root; names has the full names of each root."""
    every: dict[Path | None, set[str]] = {root: set(of_root) for root, of_root in names.items()}
    every[None] = set().union(*every.values())
    return [
        {"entry": entry.at, "problem": f"{pattern} matches no case of the corpus, should match one or be removed"}
        for entry in differences
        for pattern in entry.cases
        if pattern not in every[entry.root] and not any(_matches(name, (pattern,)) for name in every[entry.root])
    ]


def unexplained(differences: Iterable[Difference]) -> list[str]:
    """A line for every entry that was accepted and has no reason or no source yet."""
    wanted = {"reason": "say what the engine does", "source": "say where that was reported or measured"}
    return [
        f"{entry.at}: {key}: is empty, should {what}"
        for entry in differences
        for key, what in wanted.items()
        if not getattr(entry, key)
    ]


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return _either(patterns).match(name) is not None


@lru_cache(4096)
def _either(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """What matches any of the patterns, each of which names itself too, whatever its characters mean."""
    return re.compile("|".join(f"{translate(pattern)}|{re.escape(pattern)}\\Z" for pattern in patterns) or "(?!)")


def load_differences(roots: Iterable[Path], given: Iterable[Path] = ()) -> list[Difference]:
    """The entries of `known_differences/*.yaml` below each corpus root, and of the files given. Raises FileProblems."""
    files: dict[Path, tuple[Path, Path | None]] = {}
    for root in dict.fromkeys(roots):
        folder = nearby(root / NOT_CASES)
        for file in sorted(path for path in folder.glob("*") if path.suffix in ENDINGS) if folder.is_dir() else []:
            files[file.resolve()] = file, root
    for file in given:
        files.setdefault(file.resolve(), (file, None))
    found: list[Difference] = []
    wrong: list[str] = []
    for file, its_root in files.values():
        try:
            found += entries_of(read(file), its_root)
        except FileProblems as error:
            wrong += error.lines
    if wrong:
        raise FileProblems(wrong)
    return found


def entries_of(document: Item, root: Path | None) -> list[Difference]:
    """The entries of a file that was read or parsed. Raises FileProblems."""
    problems = document.problems
    document.key = "(file)"
    if not document.is_sequence():
        document.wrong("is no list, should be a list of entries")
        problems.check()
    found = [_entry(item, root) for item in document.entries()]
    problems.check()
    return [entry for entry in found if entry is not None]


def _entry(item: Item, root: Path | None) -> Difference | None:
    problems, before = item.problems, len(item.problems.lines)
    if not item.is_mapping():
        item.wrong("is no mapping, should be an entry with the keys " + ", ".join(REQUIRED))
        return None
    item.key = ""
    entries = item.items(KEYS)
    for key in REQUIRED:
        if key not in entries:
            problems.add(item.line, key, "missing, should be given")
    texts: dict[str, str | None] = {
        key: entries[key].text() for key in ("quantity", "status", "kind", "diagnosis") if key in entries
    }
    # empty is for lint to tell: --accept leaves them so
    texts |= {key: "" if entries[key].value() == "" else entries[key].text() for key in ("reason", "source") if key in entries}
    if texts.get("status") is not None and texts["status"] not in FAILING:
        entries["status"].wrong(f"is {texts['status']}, should be one of {', '.join(FAILING)}")
    adapters = _words(entries["adapter"]) if "adapter" in entries else ()
    if texts.get("quantity") is not None and texts["quantity"] not in QUANTITIES:
        entries["quantity"].wrong(f"is {texts['quantity']}, should be one of {', '.join(QUANTITIES)}")
    cases = _words(entries["cases"]) if "cases" in entries else ()
    versions = _versions(entries["versions"]) if "versions" in entries else {}
    where = _where(entries["where"]) if "where" in entries else {}
    if len(problems.lines) > before:
        return None
    return Difference(
        adapters=adapters,
        quantity=texts.get("quantity") or QUANTITIES[0],
        cases=cases,
        versions=versions,
        where=where,
        status=str(texts["status"]),
        kind=texts.get("kind"),
        diagnosis=texts.get("diagnosis"),
        reason=str(texts["reason"]),
        source=str(texts["source"]),
        root=root,
        at=f"{problems.file}:{item.line}",
    )


def _words(item: Item) -> tuple[str, ...]:
    value = item.value()
    words = [value] if isinstance(value, str) else value
    if not isinstance(words, list) or not words or not all(isinstance(word, str) and word for word in words):
        item.wrong(f"is {value!r}, should be a list of words")
        return ()
    return tuple(words)


def _versions(item: Item) -> dict[str, SpecifierSet]:
    if not item.is_mapping():
        item.wrong("should be a mapping of distributions to version specifiers, as in {torch: '==2.13.*'}")
        return {}
    found = {}
    for name, entry in item.items().items():
        value = entry.value()
        try:
            found[name] = SpecifierSet(str(value))
        except InvalidSpecifier:
            entry.wrong(f"is {value!r}, should be a version specifier as in '>=2.0,<3'")
    return found


def _where(item: Item) -> dict[str, tuple[str, ...]]:
    if not item.is_mapping():
        item.wrong(f"should be a mapping with some of {', '.join(WHERE)}")
        return {}
    return {key: _words(entry) for key, entry in item.items(WHERE).items()}


def _within(version: str, specifier: SpecifierSet) -> bool:
    try:
        return specifier.contains(Version(version), prereleases=True)
    except InvalidVersion:
        return False


def _misfit(entry: Difference, verdict: Verdict) -> str:
    said = " ".join(part for part in (entry.status, entry.kind, entry.diagnosis) if part)
    if not verdict.fails:
        return (
            f"{verdict.adapter} on {verdict.case} now {_now(verdict)}, should be {said} as the entry says: it is stale, remove it"
        )
    name = (verdict.diagnosis or {}).get("name") if entry.diagnosis else None
    now = " ".join(str(part) for part in (verdict.status, (verdict.mismatch or {}).get("kind"), name) if part)
    return f"{verdict.adapter} on {verdict.case} is {now}, should be {said} as the entry says"


def _now(verdict: Verdict) -> str:
    return "conforms" if verdict.status == "conforms" else f"is {verdict.status}"
