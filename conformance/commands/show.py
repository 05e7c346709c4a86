"""`conformance show`: one case, whole, for a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from conformance import conventions
from conformance.adapters import REGISTRY
from conformance.conventions import Unrepresentable
from conformance.corpus.case import Case
from conformance.corpus.selection import select
from conformance.corpus.truths import prepare
from conformance.errors import SelectionError, UsageError
from conformance.geometry import Geometry
from conformance.printing import say
from conformance.programs import program
from conformance.report.atlas import picture
from conformance.wording import instead

MOST_SHOWN = 200  # elements of an array that are printed


def run(name: str, paths: Sequence[str], adapter: str | None) -> None:
    """Print the cases of that name, or the program of the one case."""
    cases = select([*paths, name], slow=True).cases
    if adapter is None:
        for number, case in enumerate(cases):
            say(*([""] if number else []), *_lines(case))
        return
    if adapter not in REGISTRY:
        raise UsageError(
            f"--program {adapter}: there is no such adapter, "
            + instead(adapter, REGISTRY, listed_by="conformance adapters --variants")
        )
    if len(cases) > 1:
        raise SelectionError(
            f"{name} names {len(cases)} cases, should name the one to print a program for"
        )
    source = program(cases[0], adapter)
    if isinstance(source, Unrepresentable):
        raise UsageError(f"{adapter} has no program for {cases[0].name}: {source.reason}")
    say(*source.splitlines())


def _lines(case: Case) -> Iterator[str]:
    prepared = prepare(case)
    yield case.name
    yield f"  {case.summary}"
    yield f"  source: {case.source}"
    yield f"  written in {case.location.at('id')}"
    dtypes = [f"{key} {case.dtype_of(key)}" for key in case.other_dtypes]
    dtype_text = f"{case.dtype}, but {', '.join(dtypes)}" if dtypes else case.dtype
    yield f"  dtype: {dtype_text}" + (f", tags: {', '.join(case.tags)}" if case.tags else "")
    if case.geometry is not None:
        yield from _geometry(case.geometry)
    for key, array in zip(("input", "kernel", "bias"), prepared.tensors, strict=True):
        if array is not None:
            yield from _array(key, array)
    if prepared.truth is None:
        yield "  expected: must be refused"
    else:
        yield from _array("expected", prepared.truth.y)
        yield f"  compared: {'bit for bit' if prepared.truth.exact else 'within the error bound'}"
        yield from _overlaps(case.geometry)
    if prepared.cotangent is not None:
        yield from _array("cotangent", prepared.cotangent)
        for of, gradient in prepared.gradient_truths.items():
            yield from _array(f"expected gradient of {of}", gradient.y)
    yield "  arguments:"
    for convention in conventions.NAMES:
        if case.concerns(convention):
            native = case.arguments(convention)
            spelled = native.reason if isinstance(native, Unrepresentable) else _arguments(native)
            yield (
                f"    {convention:<10} "
                f"{'none: ' if isinstance(native, Unrepresentable) else ''}{spelled}"
            )


def _geometry(geometry: Geometry) -> Iterator[str]:
    for position, axis in enumerate(geometry.axes):
        yield (
            f"  axis {position}: size {axis.size}, kernel {axis.kernel}, stride {axis.stride}, "
            f"dilation {axis.dilation}:"
            f" full output {axis.full}, {_crop(axis.crop_low)} at the start, "
            f"{_crop(axis.crop_high)} at the end: output {axis.out}"
        )
        if axis.size > 0 < axis.out and axis.full + axis.out <= 2 * 48:
            yield f"    {picture(axis)}"
    if geometry.groups != 1:
        yield f"  groups: {geometry.groups}"


def _crop(count: int) -> str:
    return f"crops {count}" if count >= 0 else f"appends {-count}"


def _overlaps(geometry: Geometry | None) -> Iterator[str]:
    assert geometry is not None
    for position, axis in enumerate(geometry.axes):
        counts = axis.overlap()
        shown = " ".join(map(str, counts[:40])) + (" ..." if len(counts) > 40 else "")
        texture = "even inside" if axis.even else "uneven inside: a checkerboard's texture"
        yield f"  overlaps on axis {position}: {shown} ({texture})"


def _array(key: str, array: Any) -> Iterator[str]:
    values = np.asarray(array).astype(np.float64)
    yield f"  {key}: shape {list(values.shape)}"
    if values.size <= MOST_SHOWN:
        shown = np.array2string(values, separator=", ", prefix="    ")
        yield from ("    " + shown).split("\n")


def _arguments(native: dict[str, Any]) -> str:
    return ", ".join(f"{key}={value!r}" for key, value in native.items())
