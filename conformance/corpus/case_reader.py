"""One case of a case file: YAML -> model, every problem with file, line and key."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from conformance import conventions
from conformance.conventions import ArgumentError, Native
from conformance.conventions.arguments import is_integer, pairs, per_axis
from conformance.corpus.array_reader import read_array, read_bias, read_cotangent, read_expected
from conformance.corpus.case import DTYPES, Case, Made, Place, Shape
from conformance.corpus.strict_yaml import Item, Problems
from conformance.geometry import Geometry, from_padding

GENERIC = ("stride", "padding", "output_padding", "dilation", "groups")
KEYS = (
    "id", "summary", "source", "spatial", "input", "kernel", "bias", *GENERIC, "dtype", "native",
    "gradients", "expected", "tags",
)  # fmt: skip
MOST_ELEMENTS = 2**28
"""Of one array: two GiB in float64."""
REQUIRED = ("id", "summary", "source", "input", "kernel")


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
        texts = {
            key: self.entries[key].text() for key in ("summary", "source") if key in self.entries
        }
        spatial = self._spatial()
        dtype = self._choice("dtype", DTYPES, "float32")
        tags = self._tags()
        if spatial is None:
            return None
        must_fail, expected = False, None
        if "expected" in self.entries:
            must_fail, expected = read_expected(self.entries["expected"], spatial, self.lines)
        arrays = {
            key: read_array(self.entries[key], key, spatial, self.lines)
            for key in ("input", "kernel")
            if key in self.entries
        }
        native = self._native(spatial)
        x, kernel = arrays.get("input"), arrays.get("kernel")
        generic = self._generic(spatial)
        if (
            x is None
            or kernel is None
            or generic is None
            or None in texts.values()
            or identity is None
        ):
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
            bias=read_bias(self.entries["bias"], kernel.shape[1] * groups, self.lines)
            if "bias" in self.entries
            else None,
            dtype=dtype,  # type: ignore[arg-type]
            geometry=geometry,
            native=native,
            must_fail=must_fail,
            expected=expected,
            tags=tags,
            place=Place(file=self.problems.file, lines=self.lines),
        )
        noted = len(self.problems.lines)
        self._judge(case)
        if "gradients" not in self.entries or len(self.problems.lines) > noted:
            return case
        return replace(case, gradients=self._cotangent(case))

    def _cotangent(self, case: Case) -> Made | None:
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
        found = case.problems()
        if case.must_fail:
            if case.native is None and not found:
                self.problems.add(
                    self.lines.get("expected", self.item.line),
                    "expected.error",
                    (
                        "is true, but these arguments have an output, should be left out or be "
                        "arguments that have none"
                    ),
                )
            return
        for problem in found:
            key = problem.key
            if case.native is not None and key not in self.entries:
                key = f"native.{case.native[0]}"
            line = self.lines.get(key, self.lines.get("native", self.item.line))
            self.problems.add(line, key, problem.text)

    def _too_large(self, case: Case) -> bool:
        """Whether an array could not be held; noted as a problem then."""
        shapes = {"input": case.input.shape, "kernel": case.kernel.shape}
        if case.geometry is not None and not case.must_fail and min(case.geometry.out) > 0:
            shapes["padding" if "padding" in self.entries else "input "] = case.output_shape
        for key, shape in shapes.items():
            if math.prod(shape) > MOST_ELEMENTS:
                what = "" if key in ("input", "kernel") else "the output "
                text = f"{what}has {math.prod(shape)} elements, should have at most {MOST_ELEMENTS}"
                self.problems.add(self.lines.get(key.strip(), self.item.line), key.strip(), text)
                return True
        return False

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
        if not isinstance(value, list) or not all(
            isinstance(tag, str) and tag.strip() for tag in value
        ):
            self.entries["tags"].wrong(f"is {value!r}, should be a list of words")
            return ()
        return tuple(value)

    def _generic(self, rank: int) -> dict[str, Any] | None:
        """stride, padding (pairs), output_padding, dilation per axis and groups; None where one is
        wrong.
        """
        readers = {
            "stride": per_axis,
            "padding": pairs,
            "output_padding": per_axis,
            "dilation": per_axis,
        }
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
        if (
            "output_padding" in self.entries
            and not wrong
            and any(extra < 0 for extra in found["output_padding"])
        ):
            self.entries["output_padding"].wrong(
                f"is {found['output_padding']}, should not be negative (padding may be)"
            )
            return None
        return None if wrong else found

    def _native(self, rank: int) -> tuple[str, Native] | None:
        item = self.entries.get("native")
        if item is None:
            return None
        for key in GENERIC:
            if key in self.entries:
                self.entries[key].wrong(
                    "stands beside native, should be left out: native replaces it"
                )
        if not item.is_mapping() or len(item.node.value) != 1:
            item.wrong(
                "should be one framework with its arguments, as in {keras: {strides: 2, padding: "
                "same}}"
            )
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
            return name, conventions.normal_form(
                name, {key: entry.value() for key, entry in values.items()}, rank
            )
        except ArgumentError as error:
            where = values.get(error.key, arguments)
            self.problems.add(where.line, f"native.{name}.{error.key}", error.text)
            return None

    def _geometry(
        self,
        size: Shape,
        kernel: Shape,
        native: tuple[str, Native] | None,
        generic: dict[str, Any],
        must_fail: bool,
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
