"""YAML case files -> cases: strict reading, every problem with file, line and key.

Which file belongs to which corpus, and so what a case's full name is, is settled here too.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from conformance.conventions.arguments import is_integer
from conformance.corpus.case import Case
from conformance.corpus.case_reader import CaseReader
from conformance.corpus.known_files import ENDINGS, NAME, holds_known, leads_out
from conformance.corpus.strict_yaml import read
from conformance.errors import CaseFileError, FileProblems
from conformance.wording import quoted

FORMAT = 1
DESIGN = "factors.yaml"
"""A folder's plan, from which its cases were made: it lies among case files and is none."""


def load_cases(paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> list[Case]:
    """The cases of files and folders (searched to any depth), in order of their full names' files.

    Raises CaseFileError with every problem of every file, and for two cases of one full name.
    """
    locations = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    cases: list[Case] = []
    wrong: list[str] = []
    for file, root in case_files(Path(path) for path in locations):
        try:
            cases += read_cases(file, root)
        except FileProblems as error:
            wrong += error.lines
    first: dict[str, Case] = {}
    for case in cases:
        other = first.setdefault(case.name, case)
        if other is not case and other.location.file != case.location.file:
            wrong.append(
                f"{case.location.at('id')}: id: full name {case.name} is taken by "
                f"{other.location.at('id')}, should be unique"
            )
    if wrong:
        raise CaseFileError(wrong)
    return cases


def case_files(paths: Iterable[Path]) -> list[tuple[Path, Path]]:
    """(file, corpus root) for every case file at or below the paths, each once. Raises
    CaseFileError.
    """
    by_path: dict[Path, tuple[Path, Path]] = {}
    for path in paths:
        if path.is_dir():
            files = _inside(path)
        elif path.is_file():
            files = [path]
        else:
            what = "is a pipe or a device" if path.exists() else "does not exist"
            raise CaseFileError(
                [f"{path}:1: (file): {what}, should be a case file or a folder of them"]
            )
        for file in files:
            by_path.setdefault(file.resolve(), (file, corpus_root(file, path)))
    return list(by_path.values())


def _inside(folder: Path) -> list[Path]:
    """The case files of a folder, to any depth. Raises CaseFileError for links that lead out of it;
    those of an installed package may.
    """
    resolved = folder.resolve()
    if resolved.name == NAME:
        return []
    files = [
        file
        for file in sorted(folder.rglob("*"))
        if file.suffix in ENDINGS
        and file.is_file()
        and NAME not in file.relative_to(folder).parts[:-1]
        and file.name != DESIGN
        and not is_beside(file, folder)
    ]
    if resolved != shipped_cases().resolve():
        wrong = [line for file in files if (line := leads_out(file, folder)) is not None]
        if wrong:
            raise CaseFileError(wrong)
    return files


def is_beside(file: Path, argument: Path) -> bool:
    """Whether a file holds known failures and lies where those of its corpus are read: beside
    the case files of the root.
    """
    return file.absolute().parent.resolve() == corpus_root(file, argument) and holds_known(file)


def corpus_root(file: Path, argument: Path) -> Path:
    """The nearest folder above the file named `cases`, else the folder given, else the file's
    own.
    """
    for folder in file.resolve().parents:
        if folder.name == "cases":
            return folder
    return argument.resolve() if argument.is_dir() else file.resolve().parent


def shipped_cases() -> Path:
    """The folder of the cases that come with the package: inside a wheel's, else the checkout's."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "cases"
    return nearby(inside if inside.is_dir() else package.parent / "cases")


def is_shipped(case: Case) -> bool:
    """Whether a case came with the package."""
    return shipped_cases().resolve() in case.location.file.resolve().parents


def nearby(path: Path) -> Path:
    """The path as a person in the working folder would write it: relative where it lies below."""
    folder = Path.cwd()
    return path.relative_to(folder) if path.is_relative_to(folder) and path != folder else path


def read_cases(file: Path, root: Path) -> list[Case]:
    """The cases of one file of the corpus at `root`. Raises FileProblems."""
    document = read(file)
    problems = document.problems
    if not document.is_mapping():
        document.key = "(file)"
        known = ": known failures lie beside the cases of their root, or are given with --known"
        document.wrong(
            "is not a mapping, should have the keys format and cases"
            + known * (document.is_sequence() and holds_known(file))
        )
        problems.check()
    entries = document.items(("format", "cases"))
    for key in ("format", "cases"):
        if key not in entries:
            problems.add(
                1, key, "missing, should be " + ("1" if key == "format" else "a list of cases")
            )
    if "format" in entries and not _is_format(entries["format"].value()):
        entries["format"].wrong(f"is {quoted(entries['format'].value())}, should be {FORMAT}")
    cases = []
    if "cases" in entries:
        if not entries["cases"].is_sequence():
            entries["cases"].wrong("is not a list, should be a list of cases")
        else:
            stem = file.resolve().relative_to(root).with_suffix("").as_posix()
            seen: dict[str, int] = {}
            for item in entries["cases"].entries():
                case = CaseReader(item, stem, seen).case()
                if case is not None:
                    cases.append(case)
    problems.check()
    return cases


def _is_format(value: Any) -> bool:
    return is_integer(value) and value == FORMAT
