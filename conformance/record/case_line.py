"""The line of a case in a record, both ways: the line of a case, and the case of a line."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from conformance.corpus.case import (
    DTYPES,
    OPERANDS,
    ArrayLiteral,
    Case,
    Filed,
    Location,
    Made,
    Source,
)
from conformance.corpus.truths import Truths
from conformance.geometry import Axis, Geometry
from conformance.verdicts.excerpt import MOST_ELEMENTS
from conformance.verdicts.known import Difference


def corpus_digest(cases: Iterable[Case], known: Iterable[Difference]) -> str:
    """SHA-256 over what the verdicts depend on: the cases as loaded, and the entries that explain
    them.
    """
    state = hashlib.sha256()
    for case in cases:
        state.update(repr(replace(case, location=Location(file=Path(), lines={}))).encode())
    for entry in known:
        versions = sorted((name, str(specifier)) for name, specifier in entry.versions.items())
        fits = (entry.quantity, entry.status, entry.kind, entry.diagnosis, entry.reason)
        state.update(
            repr(
                (entry.adapters, entry.cases, versions, sorted(entry.where.items()), fits)
            ).encode()
        )
    return state.hexdigest()


def case_line(case: Case, truths: Truths) -> dict[str, Any]:
    """A case for the record: arrays up to 4096 elements, the recipe of those that are made, and the
    file and the digest of those that lie in one.
    """
    prepared = truths(case)
    arrays = {"input": case.input, "kernel": case.kernel, "bias": case.bias}
    operands = zip(arrays.items(), prepared.tensors, strict=True)
    return {
        "case": case.name,
        "summary": case.summary,
        "source": case.source,
        "tags": list(case.tags),
        "spatial": case.spatial,
        "dtype": case.dtype,
        "must_fail": case.must_fail,
        "geometry": None
        if case.geometry is None
        else asdict(case.geometry) | {"out": list(case.geometry.out)},
        "native": None if case.native is None else {case.native[0]: case.native[1]},
        **{
            key: None if source is None else _array_line(source, array) | _dtype_line(case, key)
            for (key, source), array in operands
        },
        "gradients": None
        if case.gradients is None
        else _array_line(case.gradients, prepared.cotangent),
        "expected": None if prepared.truth is None else _expected_line(prepared.truth.y),
    }


def _array_line(source: Source, array: Any) -> dict[str, Any]:
    """The shape, the values of what is written out or small, and the recipe of what is made:
    programs are made of that.
    """
    line: dict[str, Any] = {"shape": list(array.shape)}
    if isinstance(source, ArrayLiteral) or array.size <= MOST_ELEMENTS:
        line["values"] = array.astype(np.float64).tolist()
    if not isinstance(source, ArrayLiteral):
        line["make"] = {
            key: value
            for key, value in asdict(source).items()
            if value not in (None, ()) and key != "folder"
        }
    return line


def _dtype_line(case: Case, operand: str) -> dict[str, str]:
    """The dtype of an operand that has another than the output."""
    return {"dtype": case.other_dtypes[operand]} if operand in case.other_dtypes else {}


def _expected_line(y: Any) -> dict[str, Any]:
    return {"shape": list(y.shape)} | ({"values": y.tolist()} if y.size <= MOST_ELEMENTS else {})


def case_from(line: Mapping[str, Any], *, numbers: bool = True) -> Case | None:
    """The case, without what guards the oracle and without its location; None where the record does
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
            other_dtypes={
                key: line[key]["dtype"] for key in OPERANDS if "dtype" in (line.get(key) or ())
            },
            geometry=None if line.get("geometry") is None else _geometry(line["geometry"]),
            native=None if native is None else next(iter(native.items())),
            must_fail=bool(line.get("must_fail")),
            expected=None,
            tags=tuple(line["tags"]),
            location=Location(file=Path(), lines={}),
        )
    except (KeyError, TypeError, ValueError):
        return None
    dtypes = {case.dtype, *case.other_dtypes.values()}
    return case if dtypes <= {*DTYPES} and case.spatial in (1, 2, 3) else None


def _geometry(line: Mapping[str, Any]) -> Geometry:
    return Geometry(axes=tuple(map(axis_from, line["axes"])), groups=line["groups"])


def axis_from(line: Mapping[str, int]) -> Axis:
    """An axis of a geometry; what a later version says besides is left out."""
    return Axis(**{entry.name: line[entry.name] for entry in fields(Axis)})


def _source(line: Mapping[str, Any], numbers: bool) -> Source:
    """The recipe where there is one, else the numbers. Raises KeyError where the record has
    neither.
    """
    make = line.get("make")
    if make is None:
        values = line["values"]
        return ArrayLiteral(
            shape=tuple(line["shape"]), numbers=tuple(_numbers(values)) if numbers else ()
        )
    if "file" in make:
        names = {key: make[key] for key in ("file", "tensor", "sha256")}
        return Filed(shape=tuple(make["shape"]), folder=Path(), **names)
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
