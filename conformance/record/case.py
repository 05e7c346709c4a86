"""A case as its line in a record says it: enough of it to write a program."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from conformance.corpus.case import DTYPES, Case, Given, Made, Place, Source
from conformance.geometry import Axis, Geometry


def case_from(line: Mapping[str, Any], *, numbers: bool = True) -> Case | None:
    """The case, without what guards the oracle and without its place; None where the record does
    not hold all of its arrays.

    Without `numbers` the arrays that are written out have a shape alone: there may be thousands,
    and some ask only for the rest.
    """
    try:
        native = line.get("native")
        case = Case(
            name=line["case"],
            summary=line["summary"],
            source=line["source"],
            spatial=line["spatial"],
            input=_source(line["input"], numbers),
            kernel=_source(line["kernel"], numbers),
            bias=None if line.get("bias") is None else _source(line["bias"], numbers),
            dtype=line["dtype"],
            geometry=None if line.get("geometry") is None else _geometry(line["geometry"]),
            native=None if native is None else next(iter(native.items())),
            must_fail=bool(line.get("must_fail")),
            expected=None,
            tags=tuple(line["tags"]),
            place=Place(file=Path(), lines={}),
        )
    except (KeyError, TypeError, ValueError):
        return None
    return case if case.dtype in DTYPES and case.spatial in (1, 2, 3) else None


def _geometry(line: Mapping[str, Any]) -> Geometry:
    return Geometry(axes=tuple(Axis(**axis) for axis in line["axes"]), groups=line["groups"])


def _source(line: Mapping[str, Any], numbers: bool) -> Source:
    """The recipe where there is one, else the numbers. Raises KeyError where the record has
    neither.
    """
    make = line.get("make")
    if make is None:
        values = line["values"]
        return Given(shape=tuple(line["shape"]), numbers=tuple(_numbers(values)) if numbers else ())
    return Made(
        shape=tuple(make["shape"]),
        values=make["values"],
        seed=make["seed"],
        index=None if make.get("index") is None else tuple(make["index"]),
        put=tuple((tuple(index), _number(number)) for index, number in make.get("put", ())),
    )


def _numbers(values: Any) -> Iterator[float]:
    if isinstance(values, list):
        for entry in values:
            yield from _numbers(entry)
    else:
        yield _number(values)


def _number(value: float | str) -> float:
    """A number of the record, in which those that JSON lacks are strings."""
    return float(value)
