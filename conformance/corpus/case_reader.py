"""One case of a case file: YAML -> model, every problem with file, line and key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from conformance import conventions
from conformance.conventions import ArgumentError, Native
from conformance.conventions.arguments import is_integer
from conformance.corpus.argument_reader import GENERIC, Generic, read_generic, read_native
from conformance.corpus.array_reader import read_array, read_bias, read_cotangent
from conformance.corpus.case import Case, Expected, Location, Source
from conformance.corpus.dtype_reader import read_dtypes
from conformance.corpus.expected_reader import read_expected
from conformance.corpus.limits import LONGEST_NAME, MOST_PRODUCTS, shape_problem
from conformance.corpus.strict_yaml import Item, Problems
from conformance.geometry import Geometry
from conformance.wording import quoted

KEYS = (
    "id", "summary", "source", "spatial", "input", "kernel", "bias", *GENERIC, "dtype", "native",
    "gradients", "expected", "tags",
)  # fmt: skip
REQUIRED = ("id", "summary", "source", "input", "kernel")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """The parts of a case, key by key: its call in the words of a framework, or generic."""

    identity: str
    summary: str
    source: str
    spatial: int
    dtype: str
    other_dtypes: Mapping[str, str]
    tags: tuple[str, ...]
    must_fail: bool
    expected: Expected | None
    input: Source
    kernel: Source
    native: tuple[str, Native] | None
    generic: Generic | None

    def geometry(self) -> Geometry | None:
        """The geometry of the call, if it has one; a framework's call that must fail has none.
        Raises ArgumentError where an argument contradicts the kernel.
        """
        size, kernel = self.input.shape[2:], self.kernel.shape[2:]
        try:
            if self.generic is not None:
                return self.generic.geometry(size, kernel)
            if self.native is None or self.must_fail:
                return None
            name, arguments = self.native
            return conventions.get(name).geometry(arguments, size=size, kernel=kernel)
        except ArgumentError:
            raise
        except (ValueError, ZeroDivisionError):
            return None


class CaseReader:
    """Reads one case; what is wrong is noted, and `case()` is then None."""

    def __init__(self, item: Item, stem: str, seen: dict[str, int]) -> None:
        self.item, self.stem, self.seen = item, stem, seen
        self.problems: Problems = item.problems
        self.entries: dict[str, Item] = {}
        self.lines: dict[str, int] = {"": item.line}

    def case(self) -> Case | None:
        before = len(self.problems.lines)
        if not self.item.is_mapping():
            self.item.wrong(
                "is not a mapping, should be a case with the keys " + ", ".join(REQUIRED)
            )
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
        parts = self._parts()
        geometry = None if parts is None else self._geometry(parts)
        if parts is None or (geometry is None and parts.native is None):
            return None
        outputs = parts.kernel.shape[1] * (1 if geometry is None else geometry.groups)
        bias = self.entries.get("bias")
        case = Case(
            name=f"{self.stem}/{parts.identity}",
            summary=parts.summary,
            source=parts.source,
            spatial=parts.spatial,
            input=parts.input,
            kernel=parts.kernel,
            bias=None if bias is None else read_bias(bias, outputs, self.lines),
            dtype=parts.dtype,  # type: ignore[arg-type]
            other_dtypes=parts.other_dtypes,
            geometry=geometry,
            native=parts.native,
            must_fail=parts.must_fail,
            expected=parts.expected,
            tags=parts.tags,
            location=Location(file=self.problems.file, lines=self.lines),
        )
        noted = len(self.problems.lines)
        self._judge(case)
        self._judge_expected(case)
        if "gradients" not in self.entries or len(self.problems.lines) > noted:
            return case
        return replace(case, gradients=self._cotangent(case))

    def _geometry(self, parts: _Parts) -> Geometry | None:
        """The geometry of the call; an argument that contradicts the kernel is noted."""
        try:
            return parts.geometry()
        except ArgumentError as error:
            assert parts.native is not None
            key = f"native.{parts.native[0]}.{error.key}"
            line = self.lines.get(key, self.lines.get("native", self.item.line))
            self.problems.add(line, key, error.text)
            return None

    def _parts(self) -> _Parts | None:
        """All that is read key by key; None where a part that others need is wrong."""
        identity = self._identity()
        texts = [self._text(key) for key in ("summary", "source")]
        spatial = self._spatial()
        dtype, other_dtypes = read_dtypes(self.entries, self.lines)
        tags = self._tags()
        if spatial is None:
            return None
        must_fail, expected = self._expected(spatial)
        x, kernel = (self._array(key, spatial) for key in ("input", "kernel"))
        native = read_native(self.entries, spatial, self.lines)
        generic = read_generic(self.entries, spatial)
        if x is None or kernel is None or generic is None or None in texts or identity is None:
            return None
        summary, source = (text or "" for text in texts)
        return _Parts(
            identity=identity,
            summary=summary,
            source=source,
            spatial=spatial,
            dtype=dtype,
            other_dtypes=other_dtypes,
            tags=tags,
            must_fail=must_fail,
            expected=expected,
            input=x,
            kernel=kernel,
            native=native,
            generic=None if "native" in self.entries else generic,
        )

    def _text(self, key: str) -> str | None:
        """The text of a key, empty where it is missing, which is noted already."""
        return self.entries[key].text() if key in self.entries else ""

    def _expected(self, spatial: int) -> tuple[bool, Expected | None]:
        """(whether it must fail, what must come out)."""
        if "expected" not in self.entries:
            return False, None
        return read_expected(self.entries["expected"], spatial, self.lines)

    def _array(self, key: str, spatial: int) -> Source | None:
        entry = self.entries.get(key)
        return None if entry is None else read_array(entry, key, spatial, self.lines)

    def _cotangent(self, case: Case) -> Source | None:
        if case.must_fail:
            self.entries["gradients"].wrong(
                "stands beside error: true, should be left out: what is refused has no gradients"
            )
            return None
        return read_cotangent(self.entries["gradients"], case.output_shape, self.lines)

    def _judge(self, case: Case) -> None:
        """Arguments that make no sense are a problem, unless that is what the case is about."""
        if self._too_large(case):
            return
        problems = case.problems()
        if case.must_fail:
            if case.native is None and not problems:
                self.problems.add(
                    self.lines.get("expected", self.item.line),
                    "expected.error",
                    (
                        "is true, but these arguments have an output, should be left out or be "
                        "arguments that have none"
                    ),
                )
            return
        for problem in problems:
            key = problem.key
            if case.native is not None and key not in self.entries:
                key = f"native.{case.native[0]}"
            line = self.lines.get(key, self.lines.get("native", self.item.line))
            self.problems.add(line, key, problem.text)

    def _judge_expected(self, case: Case) -> None:
        """A guard of a gradient that the case does not have is a problem."""
        guards = None if case.expected is None else case.expected.gradients
        if guards is None:
            return
        for key, there_is, absent in (
            ("expected.gradients", "gradients" in self.entries, "a cotangent (gradients)"),
            ("expected.gradients.bias", "bias" not in guards or case.bias is not None, "a bias"),
        ):
            if not there_is:
                text = f"stands in a case without {absent}, should be left out"
                self.problems.add(self.lines[key], key, text)

    def _too_large(self, case: Case) -> bool:
        """Whether an array could not be held, or the call not be computed; noted as a problem
        then.
        """
        shapes = {"input": case.input.shape, "kernel": case.kernel.shape}
        if case.bias is not None:
            shapes["bias"] = case.bias.shape
        if case.geometry is not None and not case.must_fail and min(case.geometry.out) > 0:
            shapes["padding" if "padding" in self.entries else "input "] = case.output_shape
        for key, shape in shapes.items():
            problem = shape_problem(shape)
            if problem is not None:
                what = "" if key in ("input", "kernel", "bias") else "the output "
                self._note(key.strip(), what + problem)
                return True
        if case.products > MOST_PRODUCTS:
            text = f"makes {case.products} products with the kernel, should make at most "
            self._note("input", f"{text}{MOST_PRODUCTS}")
            return True
        return False

    def _note(self, key: str, text: str) -> None:
        self.problems.add(self.lines.get(key, self.item.line), key, text)

    def _identity(self) -> str | None:
        if "id" not in self.entries:
            return None
        item = self.entries["id"]
        text = item.text(LONGEST_NAME)
        if text is None:
            return None
        if any(not character.isprintable() for character in text) or text != text.strip():
            item.wrong(f"is {text!r}, should be printable text without blanks around it")
            return None
        if text in self.seen:
            item.wrong(
                f"{text} is the id of the case in line {self.seen[text]} already, should be "
                "unique in its file"
            )
            return None
        self.seen[text] = item.line
        return text

    def _spatial(self) -> int | None:
        if "spatial" not in self.entries:
            return 2
        value = self.entries["spatial"].value()
        if not is_integer(value) or value not in (1, 2, 3):
            self.entries["spatial"].wrong(f"is {quoted(value)}, should be 1, 2 or 3")
            return None
        return int(value)

    def _tags(self) -> tuple[str, ...]:
        if "tags" not in self.entries:
            return ()
        value = self.entries["tags"].value()
        if not isinstance(value, list) or not all(
            isinstance(tag, str) and tag.strip() and len(tag) <= LONGEST_NAME for tag in value
        ):
            what = f"is {quoted(value)}, should be a list of words"
            self.entries["tags"].wrong(f"{what} of at most {LONGEST_NAME} characters")
            return ()
        return tuple(value)
