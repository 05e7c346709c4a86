"""Programs as the page assembles them: one skeleton for all that differ in their data alone, with
places for that data.

A skeleton is the adapter's own template, filled with marks where a case's data belongs. Words and
truth values of native arguments choose what a template writes, so they are part of the skeleton;
numbers are data. `program.js` puts the data in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from conformance import conventions
from conformance.adapters import REGISTRY
from conformance.conventions import Native, Unrepresentable
from conformance.corpus.case import Case, Filed, Made, Source
from conformance.programs import ROLES, array, fixed, input_padding, refused, rendered

OPEN, CLOSE = "\ue000", "\ue001"
"""The marks round the name of a piece of data; no template has them."""
GEOMETRY = ("stride", "dilation", "groups", "crops")


class _Placeholder:
    """Where a number or a list of numbers goes; not a string, because templates ask for strings."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __str__(self) -> str:
        return f"{OPEN}{self.name}{CLOSE}"


class _Listed(_Placeholder):
    """Where a list goes that one template prints and another joins."""

    def __iter__(self) -> Iterator[_Placeholder]:
        return iter([_Placeholder(f"joined:{self.name.partition(':')[2]}")])


@dataclass(slots=True)
class Skeletons:
    """All skeletons that a page needs, each once, in `texts`."""

    texts: list[str] = field(default_factory=list)
    _by_text: dict[str, int] = field(default_factory=dict)
    _by_shape: dict[tuple[Any, ...], int | str] = field(default_factory=dict)

    def of(self, case: Case, adapter: str, native: Native | Unrepresentable) -> int | str:
        """The number of the skeleton for a case on an adapter of the table, or the reason why there
        is not a program.
        """
        if isinstance(native, Unrepresentable):
            return native.reason
        refusal = refused(adapter, native, case)
        if refusal is not None:
            return refusal.reason
        chosen = tuple(
            (key, value if _chooses(value) else "number") for key, value in native.items()
        )
        shape = (
            adapter,
            case.dtype,
            repr(case.other_dtypes),
            case.spatial,
            case.bias is None,
            case.geometry is None,
            case.must_fail,
            repr(chosen),
        )
        if shape not in self._by_shape:
            self._by_shape[shape] = self._number_of(case, adapter, native)
        return self._by_shape[shape]

    def _number_of(self, case: Case, adapter: str, native: Native) -> int | str:
        text = _rendered(case, adapter, native)
        if isinstance(text, Unrepresentable):
            return text.reason
        if text not in self._by_text:
            self._by_text[text] = len(self.texts)
            self.texts.append(text)
        return self._by_text[text]


def data_of(case: Case) -> dict[str, Any]:
    """The data that a skeleton needs beside the case's line: native arguments by convention (or why
    there are none), recipes, padding.
    """
    natives: dict[str, Any] = {}
    for name in conventions.NAMES:
        if case.concerns(name):
            native = case.arguments(name)
            natives[name] = native.reason if isinstance(native, Unrepresentable) else native
    recipes = {"x": case.input, "w": case.kernel, "b": case.bias}
    return {
        "natives": natives,
        "recipes": {
            key: array(source, ROLES[key]) for key, source in recipes.items() if _is_made(source)
        },
        "padding": [list(pair) for pair in input_padding(case.geometry)],
    }


def program_adapter(entry: Mapping[str, Any]) -> str | None:
    """The adapter of the table behind an entry of the run line, or None: an engine of one's own has
    no program here.
    """
    adapter = entry.get("adapter")
    return adapter if adapter in REGISTRY else None


def natives_for(case: Case, adapters: list[str]) -> dict[str, Native | Unrepresentable]:
    """The case's arguments in the convention of each of these adapters, worked out once per
    convention.
    """
    spoken = {adapter: REGISTRY[adapter].convention for adapter in adapters}
    natives = {name: case.arguments(name) for name in set(spoken.values())}
    return {adapter: natives[name] for adapter, name in spoken.items()}


def _is_made(source: Source | None) -> bool:
    return isinstance(source, Made | Filed)


def _chooses(value: Any) -> bool:
    return value is None or isinstance(value, str | bool)


def _rendered(case: Case, adapter: str, native: Native) -> str | Unrepresentable:
    def placeholder(kind: str, key: str, value: Any) -> Any:
        return value if _chooses(value) else _Placeholder(f"{kind}:{key}")

    marked = {key: placeholder("list", key, value) for key, value in native.items()}
    if "output_shape" in marked:
        marked["output_shape"] = _Listed("list:output_shape")
    geometry = None
    if case.geometry is not None:
        geometry = SimpleNamespace(
            **{key: _Placeholder(f"geometry:{key}") for key in GEOMETRY},
            out=[_Placeholder("geometry:out")],
        )
    return rendered(
        adapter,
        case=SimpleNamespace(
            name=str(_Placeholder("text:case")),
            summary=str(_Placeholder("text:summary")),
            source=str(_Placeholder("text:source")),
            dtype=case.dtype,
            bias=case.bias,
            must_fail=case.must_fail,
        ),
        native=marked,
        arguments={
            key: repr(value) if _chooses(value) else str(_Placeholder(f"tuple:{key}"))
            for key, value in native.items()
        },
        arrays={key: str(_Placeholder(f"array:{key}")) for key in ROLES},
        shapes={key: str(_Placeholder(f"shape:{key}")) for key in ROLES},
        geometry=geometry,
        padding=_Placeholder("padding:"),
        **fixed(adapter, case),
    )
