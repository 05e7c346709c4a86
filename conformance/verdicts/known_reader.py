"""Files of known failures: read strictly, every problem told by file and line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from conformance.corpus.files import nearby, shipped_cases
from conformance.corpus.known_files import KEYS, known_files, leads_out
from conformance.corpus.limits import LONGEST_NAME
from conformance.corpus.strict_yaml import Item, read
from conformance.errors import FileProblems
from conformance.verdicts.known import OF_THE_MACHINE, Difference, Fact
from conformance.verdicts.verdict import STATUSES
from conformance.wording import instead, quoted

REQUIRED = ("adapter", "cases", "versions", "status", "reason", "source")
QUANTITIES = ("output", "gradients", "shape")
FAILING = tuple(name for name, status in STATUSES.items() if status.fails)


def load_differences(roots: Iterable[Path], extra_files: Iterable[Path] = ()) -> list[Difference]:
    """The entries of each corpus root's own files (`known_files`), and of the files given. Raises
    FileProblems.
    """
    files: dict[Path, tuple[Path, Path | None]] = {}
    wrong: list[str] = []
    for root in dict.fromkeys(roots):
        is_own = root.resolve() == shipped_cases().resolve()
        for file in map(nearby, known_files(root)):
            line = None if is_own else leads_out(file, root)
            if line is not None:
                wrong.append(line)
            files[file.resolve()] = file, root
    for file in extra_files:
        files.setdefault(file.resolve(), (file, None))
    if wrong:
        raise FileProblems(wrong)
    entries: list[Difference] = []
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
        document.wrong("is not a list, should be a list of entries")
        problems.check()
    entries = [_entry(item, root) for item in document.entries()]
    problems.check()
    return [entry for entry in entries if entry is not None]


def _entry(item: Item, root: Path | None) -> Difference | None:
    problems, before = item.problems, len(item.problems.lines)
    if not item.is_mapping():
        item.wrong("is not a mapping, should be an entry with the keys " + ", ".join(REQUIRED))
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
            entries[key].wrong(f"is {quoted(texts[key])}, {instead(texts[key], allowed)}")
    return texts


def _words(item: Item) -> tuple[str, ...]:
    value = item.value()
    words = [value] if isinstance(value, str) else value
    if (
        not isinstance(words, list)
        or not words
        or not all(isinstance(word, str) and 0 < len(word) <= LONGEST_NAME for word in words)
    ):
        what = f"is {quoted(value)}, should be a list of words"
        item.wrong(f"{what} of at most {LONGEST_NAME} characters")
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
            ranges[name] = SpecifierSet(_of_usual_length(value))
        except ValueError:  # InvalidSpecifier, or a number of thousands of digits
            entry.wrong(f"is {quoted(value)}, should be a version specifier as in '>=2.0,<3'")
    return ranges


def _of_usual_length(value: object) -> str:
    """A version, or specifiers, as text. Raises ValueError for what is no scalar, or too long."""
    text = str(value)
    if isinstance(value, list | dict) or len(text) > LONGEST_NAME:
        raise ValueError(f"has {len(text)} characters")
    return text


def _until(item: Item, versions: Mapping[str, SpecifierSet]) -> dict[str, Version]:
    if not item.is_mapping():
        item.wrong(
            "should be a mapping of distributions to their first release without it, as in "
            "{torch: 2.14.0}"
        )
        return {}
    releases = {}
    for name, entry in item.items(list(versions)).items():
        value = entry.value()
        try:
            text = _of_usual_length(value)
            releases[name] = Version(text)
        except ValueError:
            entry.wrong(f"is {quoted(value)}, should be a version as in 2.14.0")
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
        item.wrong(
            f"is {quoted(value)}, should be a word, a number, true or false, or a list of them"
        )
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
