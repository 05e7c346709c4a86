"""`conformance list`, `show`, `lint` and `bless`: the commands about cases."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from conformance import blessing, conventions, differences
from conformance.case import Case
from conformance.conventions import Unrepresentable
from conformance.runner import check_guards
from conformance.selection import Selection, select
from conformance.truths import Truths, prepare


def list_cases(words: Sequence[str], expression: str | None, tags: Sequence[str]) -> None:
    """One line a case: full name, tags, summary."""
    for case in select(words, expression=expression, tags=tags, slow=True).cases:
        marks = f" [{', '.join(case.tags)}]" if case.tags else ""
        print(f"{case.name}{marks}: {case.summary}")


def show(name: str, paths: Sequence[str]) -> None:
    """The cases of that name, whole."""
    for case in select([*paths, name], slow=True).cases:
        print("\n".join(_shown(case)))


def _shown(case: Case) -> list[str]:
    lines = [case.name, f"  {case.summary}", f"  source: {case.source}", f"  {case.place.at('id')}, {case.dtype}"]
    prepared = prepare(case)
    if case.geometry is not None:
        lines.append("  per axis: size, kernel, stride, dilation -> full, loses at the start and the end -> out")
        for axis in case.geometry.axes:
            lines.append(
                f"    {axis.size}, {axis.kernel}, {axis.stride}, {axis.dilation} -> {axis.full},"
                f" {axis.crop_low} and {axis.crop_high} -> {axis.out}"
            )
        lines.append(f"  groups: {case.geometry.groups}")
    for key, array in zip(("input", "kernel", "bias"), prepared.tensors, strict=True):
        if array is not None:
            lines += _array(key, array)
    lines += ["  must be refused"] if prepared.truth is None else _array("expected", prepared.truth.y)
    for convention in conventions.NAMES:
        if case.concerns(convention):
            native = case.arguments(convention)
            lines.append(f"  {convention}: {native.reason if isinstance(native, Unrepresentable) else native}")
    return lines


def _array(key: str, array: object) -> list[str]:
    import numpy as np

    values = np.asarray(array)
    if values.size > 200:
        return [f"  {key}: shape {list(values.shape)}"]
    text = np.array2string(values.astype(np.float64), separator=", ", prefix="    ")
    return [f"  {key}: shape {list(values.shape)}", f"    {text}"]


def lint(words: Sequence[str]) -> None:
    """Exit 2 where a file is wrong (told by whoever reads it), 1 where something is out of date."""
    selection = select(words, slow=True)
    check_guards(selection.cases, Truths())
    findings = [*_unguarded(selection), *_lost(selection)]
    for line in findings:
        print(line)
    print(f"{len(selection.cases)} cases, {len(findings)} findings")
    raise typer.Exit(1 if findings else 0)


def _unguarded(selection: Selection) -> list[str]:
    return [
        f"{case.place.at('')}: expected: {'missing' if case.expected is None else 'says nothing of the values'},"
        " should guard the oracle: conformance bless writes it"
        for case in selection.cases
        if not case.must_fail and (case.expected is None or not case.expected.complete)
    ]


def _lost(selection: Selection) -> list[str]:
    known = differences.load_differences(selection.roots)
    names = {root: [case.name for case in select([str(root)], slow=True).loaded] for root in selection.roots} if known else {}
    return [f"{problem['entry']}: cases: {problem['problem']}" for problem in differences.lost(known, names)]


def bless(words: Sequence[str]) -> None:
    """Write what `expected` should say, and tell each change."""
    for line in blessing.bless(select(words, slow=True).cases):
        print(line)
    sys.stdout.flush()
