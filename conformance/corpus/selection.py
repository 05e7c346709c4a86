"""Which cases are meant: paths, full names, globs, tags, and pytest's expression language over full
names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from conformance.corpus import subsets
from conformance.corpus.case import Case, Filed
from conformance.corpus.files import case_files, load_cases, shipped_cases
from conformance.errors import SelectionError
from conformance.wording import MOST_SUGGESTED, close_to, instead, quoted, suggested

SLOW = "slow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The selected cases in order, all cases of the files given, and the roots of those files."""

    cases: tuple[Case, ...]
    loaded: tuple[Case, ...]
    roots: tuple[Path, ...]


def select(
    words: Sequence[str] = (),
    *,
    expression: str | None = None,
    tags: Sequence[str] = (),
    slow: bool = False,
    subset: str | None = None,
) -> Selection:
    """Cases at the paths among `words`, or of the shipped corpus; the other words are full names or
    globs of them.

    Cases tagged `slow` are left out unless they are asked for: by that tag, by their full name, or
    with `slow`. Of a subset, all else selects among its members. Raises SelectionError where a word
    or the whole selects nothing, and FileProblems.
    """
    paths = [Path(word) for word in words if is_path(word)]
    names = _full_names(words)
    locations = paths or [shipped_cases()]
    members = None if subset is None else _members(subset)
    loaded = load_cases(locations)
    if members is not None and not paths:
        subsets.check(members, {case.name for case in loaded})
    among = f"of subset {subset} " if subset is not None else ""
    offered = loaded if members is None else [case for case in loaded if case.name in members]
    chosen = [
        case
        for case in _named(offered, names, among)
        if slow or SLOW not in case.tags or SLOW in tags or case.name in names
    ]
    if tags:
        _check_tags(tags, loaded)
        chosen = [case for case in chosen if set(tags) & set(case.tags)]
    if expression:
        matches = compile_expression(expression)
        chosen = [case for case in chosen if matches(case.name)]
    if not chosen:
        what = f"no case {among}is selected of {len(loaded)} at {', '.join(map(str, locations))}"
        raise SelectionError(f"{what}, should be at least one")
    roots = tuple(dict.fromkeys(root for _, root in case_files(locations)))
    return Selection(cases=tuple(chosen), loaded=tuple(loaded), roots=roots)


def _check_tags(tags: Sequence[str], loaded: Sequence[Case]) -> None:
    """Raise SelectionError for a tag that no case has."""
    known = sorted({tag for case in loaded for tag in case.tags})
    for tag in tags:
        if tag not in known:
            raise SelectionError(f"--tag {tag[:200]}: no case has that tag, {instead(tag, known)}")


def readable_paths(selection: Selection) -> list[Path]:
    """The files and folders in which somebody could read the cases: those of the selection, of the
    shipped corpus, and what version control keeps of either.
    """
    roots = [root.resolve() for root in (*selection.roots, shipped_cases())]
    history = [folder / ".git" for root in roots for folder in (root, *root.parents)]
    sources = [
        source for case in selection.loaded for source in (case.input, case.kernel, case.bias)
    ]
    arrays = {source.folder / source.file for source in sources if isinstance(source, Filed)}
    files = {case.location.file for case in selection.loaded}
    return [*roots, *history, *sorted(arrays), *sorted(files)]


def _full_names(words: Sequence[str]) -> list[str]:
    """The words that are no path. Raises SelectionError for one that looks like a path."""
    names = [word for word in words if not is_path(word)]
    for name in names:
        if name.endswith((".yaml", ".yml", "/")):
            raise SelectionError(
                f"{name[:200]} does not exist, should be a case file, a folder of them, or a full "
                "name"
            )
    return names


def _members(subset: str) -> Mapping[str, str]:
    try:
        return subsets.members(subset)
    except subsets.UnknownSubsetError as error:
        raise SelectionError(str(error)) from None


def is_path(word: str) -> bool:
    """Whether a word names something on disk; what no file system takes for a name does not."""
    try:
        return bool(word) and Path(word).exists()
    except (OSError, ValueError):
        return False


def _named(cases: Sequence[Case], names: Sequence[str], among: str) -> list[Case]:
    if not names:
        return list(cases)
    chosen: dict[str, Case] = {}
    for name in names:
        matching = [case for case in cases if case.name == name] or [
            case for case in cases if fnmatchcase(case.name, name)
        ]
        if not matching:
            raise SelectionError(_unmatched(name, cases, among))
        chosen.update((case.name, case) for case in matching)
    return [case for case in cases if case.name in chosen]


def _unmatched(name: str, cases: Sequence[Case], among: str) -> str:
    """What is wrong with a word that is neither a path nor a case, and what may be meant."""
    meant = _meant(name, [case.name for case in cases])
    what = f"no such file or case {among}".rstrip()
    should = "should be a path, a full name or a glob of them"
    return f"{name[:200]}: {what}, " + (f"{suggested(meant)} ({should})" if meant else should)


def _meant(name: str, known: Sequence[str]) -> list[str]:
    """Full names, or globs of all in a folder, that a word is likely to stand for."""
    folders = sorted(
        {str(folder) for one in known for folder in PurePosixPath(one).parents} - {"."}
    )
    if any(mark in name for mark in "*?["):
        return close_to(name, [f"{folder}/*" for folder in folders])
    bare = name.strip("/")
    if bare in folders:
        return [f"{bare}/*"]
    below = [one for one in known if bare and one.endswith(f"/{bare}")]
    return below[:MOST_SUGGESTED] or close_to(name, known)


LONGEST_EXPRESSION = 4096
DEEPEST = 50
"""Parentheses and `not`s inside of one another."""
_TOKEN = re.compile(r"\s*(?:([()])|([^\s()]+))")


class _Matcher:
    """A parsed expression; called with a name it says whether the name matches."""

    def __init__(self, text: str) -> None:
        if len(text) > LONGEST_EXPRESSION:
            raise SelectionError(
                f"-k has {len(text)} characters, should have at most {LONGEST_EXPRESSION}"
            )
        self.text, self.depth = text, 0
        self.tokens = [a or b for a, b in _TOKEN.findall(text)]
        self.position = 0
        self.tree = self._or()
        if self.position < len(self.tokens):
            self._wrong(f"{quoted(self.tokens[self.position])} is left over")

    def __call__(self, name: str) -> bool:
        return _holds(self.tree, name.lower())

    def _next(self) -> str | None:
        return self.tokens[self.position] if self.position < len(self.tokens) else None

    def _or(self) -> tuple[object, ...]:
        parts = [self._and()]
        while self._next() == "or":
            self.position += 1
            parts.append(self._and())
        return ("or", *parts)

    def _and(self) -> tuple[object, ...]:
        parts = [self._not()]
        while self._next() == "and":
            self.position += 1
            parts.append(self._not())
        return ("and", *parts)

    def _not(self) -> tuple[object, ...]:
        self.depth += 1
        if self.depth > DEEPEST:
            self._wrong(f"is nested more than {DEEPEST} deep")
        tree = self._operand()
        self.depth -= 1
        return tree

    def _operand(self) -> tuple[object, ...]:
        token = self._next()
        self.position += 1
        match token:
            case "not":
                return ("not", self._not())
            case "(":
                inner = self._or()
                if self._next() != ")":
                    self._wrong("a parenthesis is not closed")
                self.position += 1
                return inner
            case None | ")" | "and" | "or":
                self._wrong("a name is missing")
        return ("name", str(token).lower())

    def _wrong(self, what: str) -> None:
        raise SelectionError(
            f"-k {quoted(self.text)}: {what}, should be names joined by and, or, not and "
            "parentheses"
        )


def compile_expression(text: str) -> _Matcher:
    """pytest's -k: parts of names, in any case, joined by and, or, not and parentheses. Raises
    SelectionError.
    """
    return _Matcher(text)


def _holds(tree: Iterable[object], name: str) -> bool:
    kind, *parts = tree
    match kind:
        case "or":
            return any(_holds(part, name) for part in parts)  # type: ignore[arg-type]
        case "and":
            return all(_holds(part, name) for part in parts)  # type: ignore[arg-type]
        case "not":
            return not _holds(parts[0], name)  # type: ignore[arg-type]
    return str(parts[0]) in name
