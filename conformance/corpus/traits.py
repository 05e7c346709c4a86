"""Traits of a call, and the smallest rule that is true of some cases and of no other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from itertools import combinations
from typing import Any

from conformance.corpus.case import Case

Traits = frozenset[str]

_RANKS = {1: "one spatial axis", 2: "two spatial axes", 3: "three spatial axes"}
_Axis = Mapping[str, int]

_OF_ANY_AXIS: dict[str, Callable[[_Axis], bool]] = {
    "a stride above 1": lambda axis: axis["stride"] > 1,
    "a stride above 4": lambda axis: axis["stride"] > 4,
    "dilation above 1": lambda axis: axis["dilation"] > 1,
    "dilation above 2": lambda axis: axis["dilation"] > 2,
    "a kernel above 1": lambda axis: axis["kernel"] > 1,
    "a kernel shorter than the stride": lambda axis: axis["kernel"] < axis["stride"],
    "a start that is cut": lambda axis: axis["crop_low"] > 0,
    "an end that is cut": lambda axis: axis["crop_high"] > 0,
    "start and end cut unequally": lambda axis: axis["crop_low"] != axis["crop_high"],
    "zeros appended at the end": lambda axis: axis["crop_high"] < 0,
    "zeros at the start": lambda axis: axis["crop_low"] < 0,
}
_OF_ALL_AXES: dict[str, Callable[[_Axis], bool]] = {
    "a stride of 1 on all axes": lambda axis: axis["stride"] == 1,
    "no dilation": lambda axis: axis["dilation"] == 1,
    "nothing cut": lambda axis: axis["crop_low"] <= 0 and axis["crop_high"] <= 0,
}
MOST_FOR_PAIRS = 40
"""The most traits of which pairs are tried; there are not as many."""


def traits_of(case: Case) -> Traits:
    """The traits of a case."""
    geometry = None if case.geometry is None else asdict(case.geometry) | {"out": case.geometry.out}
    bias = case.bias is not None
    return _traits(
        case.spatial,
        case.dtype,
        geometry,
        case.input.shape,
        case.kernel.shape,
        bias=bias,
        must_fail=case.must_fail,
    )


def traits_of_line(line: Mapping[str, Any]) -> Traits:
    """The traits of a case from its line in a record; none where the line does not say enough."""
    if not {"spatial", "dtype", "input", "kernel"} <= line.keys():
        return frozenset()
    shapes = line["input"]["shape"], line["kernel"]["shape"]
    bias, must_fail = line.get("bias") is not None, bool(line.get("must_fail"))
    return _traits(
        line["spatial"],
        line["dtype"],
        line.get("geometry"),
        *shapes,
        bias=bias,
        must_fail=must_fail,
    )


def _traits(
    spatial: int,
    dtype: str,
    geometry: Mapping[str, Any] | None,
    x: Sequence[int],
    kernel: Sequence[int],
    *,
    bias: bool,
    must_fail: bool,
) -> Traits:
    """Phrases that go behind "all with"."""
    holding = _of_operands(x, kernel) | {
        _RANKS[spatial]: True,
        f"dtype {dtype}": True,
        "a bias": bias,
        "no bias": not bias,
        "arguments that must be refused": must_fail,
    }
    if geometry is not None:
        holding |= _of_axes(geometry["axes"], geometry["out"]) | _of_groups(geometry["groups"], x)
    return frozenset(phrase for phrase, holds in holding.items() if holds)


def _of_operands(x: Sequence[int], kernel: Sequence[int]) -> dict[str, bool]:
    """Phrase -> whether it holds for the sizes of input and kernel."""
    return {
        "several samples": x[0] > 1,
        "several input channels": x[1] > 1,
        "an odd number of input channels above 1": x[1] > 1 and x[1] % 2 == 1,
        "several output channels per group": kernel[1] > 1,
        "an empty axis": 0 in x or 0 in kernel,
    }


def _of_groups(groups: int, x: Sequence[int]) -> dict[str, bool]:
    return {
        "groups above 1": groups > 1,
        "one group": groups == 1,
        "one input channel per group": groups > 1 and x[1] == groups,
    }


def _of_axes(axes: Sequence[_Axis], out: Sequence[int]) -> dict[str, bool]:
    """Phrase -> whether it holds for the axes of a geometry, and for the sizes of its output."""
    spellings = {
        (axis["stride"], axis["dilation"], axis["kernel"], axis["crop_low"], axis["crop_high"])
        for axis in axes
    }
    return {
        **{phrase: any(map(holds, axes)) for phrase, holds in _OF_ANY_AXIS.items()},
        **{phrase: all(map(holds, axes)) for phrase, holds in _OF_ALL_AXES.items()},
        "axes that differ": len(spellings) > 1,
        "an output above 32 on an axis": any(size > 32 for size in out),
    }


def rule(failing: Sequence[Traits], passing: Sequence[Traits]) -> tuple[str, bool]:
    """The traits, one or two, that all failing cases have and, if the second is true, no passing
    one has; empty if there are none.

    Of rules that separate equally well the shorter is told. Without one, the traits that all
    failing share and fewest of the others have.
    """
    if not failing:
        return "", False
    shared = sorted(
        frozenset.intersection(*failing),
        key=lambda trait: (_frequency(passing, (trait,)), len(trait), trait),
    )
    if not shared or not passing:
        return "", False
    for count in (1, 2):
        for chosen in combinations(shared[:MOST_FOR_PAIRS], count):
            if not _frequency(passing, chosen):
                return " and ".join(chosen), True
    telling = [trait for trait in shared if _frequency(passing, (trait,)) * 2 < len(passing)]
    first = telling[:1]
    narrower = [
        trait
        for trait in telling[1:]
        if _frequency(passing, (*first, trait)) < _frequency(passing, first)
    ]
    return " and ".join([*first, *narrower[:1]]), False


def _frequency(cases: Iterable[Traits], chosen: Sequence[str]) -> int:
    return sum(traits.issuperset(chosen) for traits in cases)
