"""What a record says of the cases: their lines, and the digest of the corpus."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from conformance.corpus.case import Case, Given, Place, Source
from conformance.corpus.truths import Truths
from conformance.verdicts.excerpt import MOST_ELEMENTS
from conformance.verdicts.known import Difference


def corpus_digest(cases: Iterable[Case], known: Iterable[Difference]) -> str:
    """SHA-256 over what the verdicts depend on: the cases as loaded, and the entries that explain
    them.
    """
    state = hashlib.sha256()
    for case in cases:
        state.update(repr(replace(case, place=Place(file=Path(), lines={}))).encode())
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
    """A case for the record: arrays up to 4096 elements, and the recipe of those that are made."""
    prepared = truths(case)
    arrays = {"input": case.input, "kernel": case.kernel, "bias": case.bias}
    made = zip(arrays.items(), prepared.tensors, strict=True)
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
            key: None if source is None else _array_line(source, array)
            for (key, source), array in made
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
    if isinstance(source, Given) or array.size <= MOST_ELEMENTS:
        line["values"] = array.astype(np.float64).tolist()
    if not isinstance(source, Given):
        line["make"] = {
            key: value for key, value in asdict(source).items() if value not in (None, ())
        }
    return line


def _expected_line(y: Any) -> dict[str, Any]:
    return {"shape": list(y.shape)} | ({"values": y.tolist()} if y.size <= MOST_ELEMENTS else {})
