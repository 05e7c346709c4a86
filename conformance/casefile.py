"""YAML case files -> cases: strict reading, every problem with file, line and key.

Which file belongs to which corpus, and so what a case's full name is, is settled here too.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from conformance import conventions
from conformance.case import DEFAULT_SEEDS, DTYPES, KINDS_OF_VALUES, Case, Expected, Given, Made, Place, Shape, Source
from conformance.conventions import ArgumentError, Native
from conformance.conventions.arguments import is_integer, pairs, per_axis
from conformance.geometry import Geometry, from_padding
from conformance.yamlfile import FileProblems, Item, Problems, read

FORMAT = 1
ENDINGS = (".yaml", ".yml")
NOT_CASES = "known_differences"
GENERIC = ("stride", "padding", "output_padding", "dilation", "groups")
KEYS = (
    "id", "summary", "source", "spatial", "input", "kernel", "bias", *GENERIC, "dtype", "native", "expected", "tags",
)  # fmt: skip
REQUIRED = ("id", "summary", "source", "input", "kernel")


class CaseFileError(FileProblems):
    """Case files that cannot be used; `lines` says where each is wrong and what would be right."""


def load_cases(paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> list[Case]:
    """The cases of files and folders (searched to any depth), in order of their full names' files.

    Raises CaseFileError with every problem of every file, and for two cases of one full name.
    """
    given = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    cases: list[Case] = []
    wrong: list[str] = []
    for file, root in case_files(Path(path) for path in given):
        try:
            cases += _read_file(file, root)
        except FileProblems as error:
            wrong += error.lines
    first: dict[str, Case] = {}
    for case in cases:
        other = first.setdefault(case.name, case)
        if other is not case and other.place.file != case.place.file:
            wrong.append(f"{case.place.at('id')}: id: full name {case.name} is taken by {other.place.at('id')}, should be unique")
    if wrong:
        raise CaseFileError(wrong)
    return cases


def case_files(paths: Iterable[Path]) -> list[tuple[Path, Path]]:
    """(file, corpus root) for every case file at or below the paths, each once. Raises CaseFileError."""
    found: dict[Path, tuple[Path, Path]] = {}
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.suffix in ENDINGS and p.is_file())
            files = [p for p in inside if NOT_CASES not in p.relative_to(path).parts[:-1]]
            if path.resolve().name == NOT_CASES:
                files = []
        elif path.is_file():
            files = [path]
        else:
            raise CaseFileError([f"{path}:1: (file): does not exist, should be a case file or a folder of them"])
        for file in files:
            found.setdefault(file.resolve(), (file, corpus_root(file, path)))
    return list(found.values())


def corpus_root(file: Path, given: Path) -> Path:
    """The nearest folder above the file named `cases`, else the folder given, else the file's own."""
    for folder in file.resolve().parents:
        if folder.name == "cases":
            return folder
    return given.resolve() if given.is_dir() else file.resolve().parent


def shipped_cases() -> Path:
    """The folder of the cases that come with the package: inside a wheel's, else the checkout's."""
    package = Path(__file__).resolve().parent
    inside = package / "cases"
    return inside if inside.is_dir() else package.parent / "cases"


def _read_file(file: Path, root: Path) -> list[Case]:
    document = read(file)
    problems = document.problems
    if not document.is_mapping():
        document.key = "(file)"
        document.wrong("is no mapping, should have the keys format and cases")
        problems.check()
    entries = document.items(("format", "cases"))
    for key in ("format", "cases"):
        if key not in entries:
            problems.add(1, key, "missing, should be " + ("1" if key == "format" else "a list of cases"))
    if "format" in entries and not _is_format(entries["format"].value()):
        entries["format"].wrong(f"is {entries['format'].value()!r}, should be {FORMAT}")
    cases = []
    if "cases" in entries:
        if not entries["cases"].is_sequence():
            entries["cases"].wrong("is no list, should be a list of cases")
        else:
            stem = file.resolve().relative_to(root).with_suffix("").as_posix()
            seen: dict[str, int] = {}
            for item in entries["cases"].entries():
                case = _CaseReader(item, stem, seen).case()
                if case is not None:
                    cases.append(case)
    problems.check()
    return cases


def _is_format(value: Any) -> bool:
    return is_integer(value) and value == FORMAT


class _CaseReader:
    """Reads one case; what is wrong is noted, and `case()` is then None."""

    def __init__(self, item: Item, stem: str, seen: dict[str, int]) -> None:
        self.item, self.stem, self.seen = item, stem, seen
        self.problems: Problems = item.problems
        self.entries: dict[str, Item] = {}
        self.lines: dict[str, int] = {"": item.line}

    def case(self) -> Case | None:
        before = len(self.problems.lines)
        if not self.item.is_mapping():
            self.item.wrong("is no mapping, should be a case with the keys " + ", ".join(REQUIRED))
            return None
        self.item.key = ""
        self.entries = self.item.items(KEYS)
        self.lines.update({key: item.line for key, item in self.entries.items()})
        for key in REQUIRED:
            if key not in self.entries:
                self.problems.add(self.item.line, key, "missing, should be given")
        built = self._build()
        return built if built is not None and len(self.problems.lines) == before else None

    def _build(self) -> Case | None:
        identity = self._identity()
        texts = {key: self.entries[key].text() for key in ("summary", "source") if key in self.entries}
        spatial = self._spatial()
        dtype = self._choice("dtype", DTYPES, "float32")
        tags = self._tags()
        if spatial is None:
            return None
        must_fail, expected = self._expected(spatial)
        arrays = {key: self._array(key, spatial) for key in ("input", "kernel") if key in self.entries}
        native = self._native(spatial)
        x, kernel = arrays.get("input"), arrays.get("kernel")
        generic = self._generic(spatial)
        if x is None or kernel is None or generic is None or None in texts.values() or identity is None:
            return None
        try:
            geometry = self._geometry(x.shape[2:], kernel.shape[2:], native, generic, must_fail)
        except (ValueError, ZeroDivisionError):
            geometry = None
        if geometry is None and native is None:
            return None
        groups = geometry.groups if geometry is not None else 1
        case = Case(
            name=f"{self.stem}/{identity}",
            summary=texts.get("summary") or "",
            source=texts.get("source") or "",
            spatial=spatial,
            input=x,
            kernel=kernel,
            bias=self._bias(kernel.shape[1] * groups),
            dtype=dtype,  # type: ignore[arg-type]
            geometry=geometry,
            native=native,
            must_fail=must_fail,
            expected=expected,
            tags=tags,
            place=Place(file=self.problems.file, lines=self.lines),
        )
        self._judge(case)
        return case

    def _judge(self, case: Case) -> None:
        """Arguments that make no sense are a problem, unless that is what the case is about."""
        found = case.problems()
        if case.must_fail:
            if case.native is None and not found:
                self.problems.add(
                    self.lines.get("expected", self.item.line),
                    "expected.error",
                    "is true, but these arguments have an output, should be left out or be arguments that have none",
                )
            return
        for problem in found:
            key = problem.key
            if case.native is not None and key not in self.entries:
                key = f"native.{case.native[0]}"
            line = self.lines.get(key, self.lines.get("native", self.item.line))
            self.problems.add(line, key, problem.text)

    def _identity(self) -> str | None:
        if "id" not in self.entries:
            return None
        item = self.entries["id"]
        text = item.text()
        if text is None:
            return None
        if any(not character.isprintable() for character in text) or text != text.strip():
            item.wrong(f"is {text!r}, should be printable text without blanks around it")
            return None
        if text in self.seen:
            item.wrong(f"{text} is the id of the case in line {self.seen[text]} already, should be unique in its file")
            return None
        self.seen[text] = item.line
        return text

    def _spatial(self) -> int | None:
        if "spatial" not in self.entries:
            return 2
        value = self.entries["spatial"].value()
        if not is_integer(value) or value not in (1, 2, 3):
            self.entries["spatial"].wrong(f"is {value!r}, should be 1, 2 or 3")
            return None
        return int(value)

    def _choice(self, key: str, choices: Sequence[str], default: str) -> str:
        if key not in self.entries:
            return default
        value = self.entries[key].value()
        if value not in choices:
            self.entries[key].wrong(f"is {value!r}, should be one of {', '.join(choices)}")
            return default
        return str(value)

    def _tags(self) -> tuple[str, ...]:
        if "tags" not in self.entries:
            return ()
        value = self.entries["tags"].value()
        if not isinstance(value, list) or not all(isinstance(tag, str) and tag.strip() for tag in value):
            self.entries["tags"].wrong(f"is {value!r}, should be a list of words")
            return ()
        return tuple(value)

    def _generic(self, rank: int) -> dict[str, Any] | None:
        """stride, padding (pairs), output_padding, dilation per axis and groups; None where one is wrong."""
        readers = {"stride": per_axis, "padding": pairs, "output_padding": per_axis, "dilation": per_axis}
        defaults = {"stride": 1, "padding": 0, "output_padding": 0, "dilation": 1}
        found: dict[str, Any] = {"groups": 1}
        wrong = False
        for key, reader in readers.items():
            item = self.entries.get(key)
            try:
                found[key] = reader(defaults[key] if item is None else item.value(), rank)
            except ValueError as error:
                assert item is not None
                item.wrong(str(error))
                wrong = True
        if "groups" in self.entries:
            groups = self.entries["groups"].integer()
            if groups is None:
                return None
            found["groups"] = groups
        if "output_padding" in self.entries and not wrong and any(extra < 0 for extra in found["output_padding"]):
            self.entries["output_padding"].wrong(f"is {found['output_padding']}, should not be negative (padding may be)")
            return None
        return None if wrong else found

    def _native(self, rank: int) -> tuple[str, Native] | None:
        item = self.entries.get("native")
        if item is None:
            return None
        for key in GENERIC:
            if key in self.entries:
                self.entries[key].wrong("stands beside native, should be left out: native replaces it")
        if not item.is_mapping() or len(item.node.value) != 1:
            item.wrong("should be one framework with its arguments, as in {keras: {strides: 2, padding: same}}")
            return None
        entries = item.items(conventions.NAMES)
        if not entries:
            return None
        (name, arguments), *_ = entries.items()
        self.lines[arguments.key] = arguments.line
        if not arguments.is_mapping():
            arguments.wrong(f"should be a mapping of {name}'s own arguments")
            return None
        values = arguments.items()
        self.lines.update({entry.key: entry.line for entry in values.values()})
        try:
            return name, conventions.normal_form(name, {key: entry.value() for key, entry in values.items()}, rank)
        except ArgumentError as error:
            where = values.get(error.key, arguments)
            self.problems.add(where.line, f"native.{name}.{error.key}", error.text)
            return None

    def _geometry(
        self, size: Shape, kernel: Shape, native: tuple[str, Native] | None, generic: dict[str, Any], must_fail: bool
    ) -> Geometry | None:
        if "native" not in self.entries:
            return from_padding(
                size=size,
                kernel=kernel,
                stride=generic["stride"],
                padding=[(low, high) for low, high in generic["padding"]],
                output_padding=generic["output_padding"],
                dilation=generic["dilation"],
                groups=generic["groups"],
            )
        if native is None or must_fail:
            return None
        name, arguments = native
        return conventions.get(name).geometry(arguments, size=size, kernel=kernel)

    def _array(self, role: str, rank: int) -> Source | None:
        item = self.entries[role]
        if item.is_mapping():
            return self._recipe(item, role, rank)
        if not item.is_sequence():
            item.wrong("should be nested numbers, or a mapping with shape and values")
            return None
        return _nested(item, rank)

    def _recipe(self, item: Item, role: str, rank: int) -> Made | None:
        entries = item.items(("shape", "values", "seed", "index", "put"))
        self.lines.update({entry.key: entry.line for entry in entries.values()})
        if "shape" not in entries:
            self.problems.add(item.line, f"{role}.shape", "missing, should be all axes or the spatial ones alone")
            return None
        shape = entries["shape"].value()
        if not isinstance(shape, list) or not all(is_integer(n) and n >= 0 for n in shape):
            entries["shape"].wrong(f"is {shape!r}, should be a list of whole numbers")
            return None
        if len(shape) not in (rank, rank + 2):
            entries["shape"].wrong(f"has {len(shape)} axes, should have {rank + 2}, or {rank} (the spatial ones alone)")
            return None
        ones = (1,) * (rank + 2 - len(shape))
        return self._made(entries, role, (*ones, *shape), ones)

    def _made(self, entries: dict[str, Item], role: str, shape: Shape, ones: Shape) -> Made | None:
        """A recipe once its shape is known; indices may leave out the axes that the shape left out."""
        before = len(self.problems.lines)
        values = "integers"
        if "values" in entries:
            value = entries["values"].value()
            if value not in KINDS_OF_VALUES:
                entries["values"].wrong(f"is {value!r}, should be one of {', '.join(KINDS_OF_VALUES)}")
            else:
                values = str(value)
        else:
            self.problems.add(self.lines[role], f"{role}.values", f"missing, should be one of {', '.join(KINDS_OF_VALUES)}")
        seed = DEFAULT_SEEDS[role]
        if "seed" in entries:
            given = entries["seed"].integer(0)
            if given is not None and given >= 2**32:
                entries["seed"].wrong(f"is {given}, should be below 2^32")
            elif given is not None:
                seed = given
        index = None
        if "index" in entries:
            if values != "one-hot":
                entries["index"].wrong(f"stands beside values: {values}, should be left out: it is for one-hot")
            index = _index(entries["index"], entries["index"].value(), shape, ones)
        put = self._put(entries["put"], shape, ones) if "put" in entries else ()
        if values == "one-hot" and 0 in shape:
            entries["values"].wrong(f"is one-hot, should be another for an array of shape {list(shape)}")
        if len(self.problems.lines) > before:
            return None
        return Made(shape=shape, values=values, seed=seed, index=index, put=put)

    def _put(self, item: Item, shape: Shape, ones: Shape) -> tuple[tuple[Shape, float], ...]:
        found: list[tuple[Shape, float]] = []
        if not item.is_sequence():
            item.wrong("should be a list of [index, number]")
            return ()
        for entry in item.entries():
            value = entry.value()
            if not isinstance(value, list) or len(value) != 2 or not _is_number(value[1]):
                entry.wrong(f"is {value!r}, should be [index, number]")
                continue
            index = _index(entry, value[0], shape, ones)
            if index is not None:
                found.append((index, float(value[1])))
        return tuple(found)

    def _bias(self, channels: int) -> Source | None:
        item = self.entries.get("bias")
        if item is None:
            return None
        if item.is_mapping():
            entries = item.items(("values", "seed", "index", "put"))
            self.lines.update({entry.key: entry.line for entry in entries.values()})
            return self._made(entries, "bias", (max(channels, 0),), ())
        value = item.value()
        if not isinstance(value, list) or not all(map(_is_number, value)):
            item.wrong(f"is {value!r}, should be a list of numbers, one per output channel, or a mapping with values")
            return None
        return Given(shape=(len(value),), numbers=tuple(map(float, value)))

    def _expected(self, rank: int) -> tuple[bool, Expected | None]:
        item = self.entries.get("expected")
        if item is None:
            return False, None
        if not item.is_mapping():
            item.wrong("should be a mapping with shape and values, sha256 or sum_abs, or {error: true}")
            return False, None
        entries = item.items(("shape", "values", "sha256", "sum_abs", "error"))
        self.lines.update({entry.key: entry.line for entry in entries.values()})
        if "error" in entries:
            if entries["error"].value() is not True:
                entries["error"].wrong(f"is {entries['error'].value()!r}, should be true or left out")
            for key in entries.keys() - {"error"}:
                entries[key].wrong("stands beside error: true, should be left out")
            return True, None
        return False, Expected(
            shape=self._expected_shape(entries.get("shape"), rank),
            numbers=self._expected_numbers(entries.get("values")),
            sha256=self._expected_digest(entries.get("sha256")),
            sum_abs=entries["sum_abs"].number() if "sum_abs" in entries else None,
        )

    def _expected_shape(self, item: Item | None, rank: int) -> Shape | None:
        if item is None:
            return None
        shape = item.value()
        if not isinstance(shape, list) or len(shape) != rank + 2 or not all(is_integer(n) and n >= 0 for n in shape):
            item.wrong(f"is {shape!r}, should be the {rank + 2} whole numbers (N, C_out, *out)")
            return None
        return tuple(shape)

    def _expected_numbers(self, item: Item | None) -> tuple[float, ...] | None:
        if item is None:
            return None
        numbers = list(_flat(item.value()))
        if not item.is_sequence() or not all(map(_is_number, numbers)):
            item.wrong("should be nested numbers")
            return None
        return tuple(map(float, numbers))

    def _expected_digest(self, item: Item | None) -> str | None:
        if item is None:
            return None
        value = item.value()
        if not isinstance(value, str) or len(value) != 64 or not set(value) <= set("0123456789abcdef"):
            item.wrong(f"is {value!r}, should be 64 hexadecimal digits in quotes")
            return None
        return value


def _nested(item: Item, rank: int) -> Given | None:
    """Nested lists of numbers with all axes, or the spatial ones alone: then the others are 1."""
    value = item.value()
    shape: list[int] = []
    level = value
    while isinstance(level, list):
        shape.append(len(level))
        level = level[0] if level else None
    if len(shape) not in (rank, rank + 2):
        item.wrong(f"has {len(shape)} axes, should have {rank + 2}, or {rank} (the spatial ones alone)")
        return None
    if not _fits(value, shape):
        item.wrong(f"is ragged, should be nested lists of shape {shape}, as its first entries are")
        return None
    numbers = list(_flat(value))
    for number in numbers:
        if not _is_number(number):
            item.wrong(f"has {number!r}, should have numbers alone")
            return None
    return Given(shape=(*(1,) * (rank + 2 - len(shape)), *shape), numbers=tuple(map(float, numbers)))


def _fits(value: Any, shape: Sequence[int]) -> bool:
    if not shape:
        return not isinstance(value, list)
    return isinstance(value, list) and len(value) == shape[0] and all(_fits(entry, shape[1:]) for entry in value)


def _flat(value: Any) -> Iterable[Any]:
    if isinstance(value, list):
        for entry in value:
            yield from _flat(entry)
    else:
        yield value


def _index(item: Item, value: Any, shape: Shape, ones: Shape) -> Shape | None:
    """A full index into shape; axes that the recipe's shape left out may be left out here too."""
    if not isinstance(value, list) or not all(map(is_integer, value)):
        item.wrong(f"index {value!r}, should be whole numbers, one per axis")
        return None
    index = (*(0,) * len(ones), *value) if len(value) == len(shape) - len(ones) else tuple(value)
    if len(index) != len(shape) or not all(0 <= i < n for i, n in zip(index, shape, strict=True)):
        item.wrong(f"index {value!r} is outside of shape {list(shape)}, should count from 0 on every axis")
        return None
    return index


def _is_number(value: Any) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and not (isinstance(value, int) and math.log2(abs(value) or 1) > 1023)
    )
