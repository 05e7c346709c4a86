"""Files of known differences: read strictly, every problem told by file and line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from conformance.corpus.files import ENDINGS, NOT_CASES, nearby
from conformance.corpus.strict_yaml import Item, read
from conformance.errors import FileProblems
from conformance.verdicts.known import OF_THE_MACHINE, Difference, Fact
from conformance.verdicts.verdict import STATUSES

KEYS = (
    "adapter",
    "cases",
    "quantity",
    "versions",
    "until",
    "where",
    "status",
    "kind",
    "diagnosis",
    "reason",
    "source",
)
REQUIRED = ("adapter", "cases", "versions", "status", "reason", "source")
QUANTITIES = ("output", "gradients", "shape")
FAILING = tuple(name for name, status in STATUSES.items() if status.fails)


def load_differences(roots: Iterable[Path], extra_files: Iterable[Path] = ()) -> list[Difference]:
    """The entries of `known_differences/*.yaml` below each corpus root, and of the files given.
    Raises FileProblems.
    """
    files: dict[Path, tuple[Path, Path | None]] = {}
    for root in dict.fromkeys(roots):
        folder = nearby(root / NOT_CASES)
        for file in (
            sorted(path for path in folder.glob("*") if path.suffix in ENDINGS)
            if folder.is_dir()
            else []
        ):
            files[file.resolve()] = file, root
    for file in extra_files:
        files.setdefault(file.resolve(), (file, None))
    entries: list[Difference] = []
    wrong: list[str] = []
    for file, its_root in files.values():
        try:
            entries += entries_of(read(file), its_root)
        except FileProblems as error:
            wrong += error.lines
    if wrong:
        raise FileProblems(wrong)
    return entries


def entries_of(document: Item, root: Path | None) -> list[Difference]:
    """The entries of a file that was read or parsed. Raises FileProblems."""
    problems = document.problems
    document.key = "(file)"
    if not document.is_sequence():
        document.wrong("is no list, should be a list of entries")
        problems.check()
    entries = [_entry(item, root) for item in document.entries()]
    problems.check()
    return [entry for entry in entries if entry is not None]


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
    texts = _texts(entries)
    adapters = _words(entries["adapter"]) if "adapter" in entries else ()
    cases = _words(entries["cases"]) if "cases" in entries else ()
    versions = _versions(entries["versions"]) if "versions" in entries else {}
    until = _until(entries["until"], versions) if "until" in entries else {}
    where = _where(entries["where"]) if "where" in entries else {}
    if len(problems.lines) > before:
        return None
    return Difference(
        adapters=adapters,
        quantity=texts.get("quantity") or QUANTITIES[0],
        cases=cases,
        versions=versions,
        until=until,
        where=where,
        status=str(texts["status"]),
        kind=texts.get("kind"),
        diagnosis=texts.get("diagnosis"),
        reason=str(texts["reason"]),
        source=str(texts["source"]),
        root=root,
        at=f"{problems.file}:{item.line}",
    )


def _texts(entries: Mapping[str, Item]) -> dict[str, str | None]:
    """The values of an entry that are texts, those of closed sets held against them."""
    texts: dict[str, str | None] = {
        key: entries[key].text()
        for key in ("quantity", "status", "kind", "diagnosis")
        if key in entries
    }
    # empty is for lint to tell: --accept leaves them so
    texts |= {
        key: "" if entries[key].value() == "" else entries[key].text()
        for key in ("reason", "source")
        if key in entries
    }
    for key, allowed in (("status", FAILING), ("quantity", QUANTITIES)):
        if texts.get(key) is not None and texts[key] not in allowed:
            entries[key].wrong(f"is {texts[key]}, should be one of {', '.join(allowed)}")
    return texts


def _words(item: Item) -> tuple[str, ...]:
    value = item.value()
    words = [value] if isinstance(value, str) else value
    if (
        not isinstance(words, list)
        or not words
        or not all(isinstance(word, str) and word for word in words)
    ):
        item.wrong(f"is {value!r}, should be a list of words")
        return ()
    return tuple(words)


def _versions(item: Item) -> dict[str, SpecifierSet]:
    if not item.is_mapping():
        item.wrong(
            "should be a mapping of distributions to version specifiers, as in {torch: '==2.13.*'}"
        )
        return {}
    ranges = {}
    for name, entry in item.items().items():
        value = entry.value()
        try:
            ranges[name] = SpecifierSet(str(value))
        except InvalidSpecifier:
            entry.wrong(f"is {value!r}, should be a version specifier as in '>=2.0,<3'")
    return ranges


def _until(item: Item, versions: Mapping[str, SpecifierSet]) -> dict[str, Version]:
    if not item.is_mapping():
        item.wrong(
            "should be a mapping of distributions to their first release without it, as in "
            "{torch: 2.14.0}"
        )
        return {}
    releases = {}
    for name, entry in item.items(list(versions)).items():
        text = str(entry.value())
        try:
            releases[name] = Version(text)
        except InvalidVersion:
            entry.wrong(f"is {text!r}, should be a version as in 2.14.0")
            continue
        if versions[name].contains(text, prereleases=True):
            entry.wrong(
                f"is {text}, which {versions[name]} holds, should be a release after that range"
            )
    return releases


def _where(item: Item) -> dict[str, tuple[Fact, ...]]:
    if not item.is_mapping():
        item.wrong(
            f"should be a mapping of {', '.join(OF_THE_MACHINE)}, or of facts that the engine tells"
        )
        return {}
    return {
        key: _words(entry) if key in OF_THE_MACHINE else _facts(entry)
        for key, entry in item.items().items()
    }


def _facts(item: Item) -> tuple[Fact, ...]:
    value = item.value()
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(fact, Fact) for fact in values):
        item.wrong(f"is {value!r}, should be a word, a number, true or false, or a list of them")
        return ()
    return tuple(values)


def unexplained(differences: Iterable[Difference]) -> list[str]:
    """A line for every entry that was accepted and has no reason or no source yet."""
    advice = {
        "reason": "say what the engine does",
        "source": "say where that was reported or measured",
    }
    return [
        f"{entry.at}: {key}: is empty, should {what}"
        for entry in differences
        for key, what in advice.items()
        if not getattr(entry, key)
    ]
