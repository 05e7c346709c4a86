"""Traits of a call, and the smallest rule that is true of some cases and of no other."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from itertools import combinations
from typing import Any

import numpy as np

from conformance.corpus.case import OPERANDS, Case

Traits = frozenset[str]

_RANKS = {1: "one spatial axis", 2: "two spatial axes", 3: "three spatial axes"}
_Axis = Mapping[str, int]

_OF_ANY_AXIS: dict[str, Callable[[_Axis], bool]] = {
    "a kernel shorter than the stride": lambda axis: axis["kernel"] < axis["stride"],
    "a start that is cut": lambda axis: axis["crop_low"] > 0,
    "an end that is cut": lambda axis: axis["crop_high"] > 0,
    "a start that is cut beyond the kernel's reach": lambda axis: axis["crop_low"] > _reach(axis),
    "an end that is cut beyond the kernel's reach": lambda axis: axis["crop_high"] > _reach(axis),
    "start and end cut unequally": lambda axis: axis["crop_low"] != axis["crop_high"],
    "zeros appended at the end": lambda axis: axis["crop_high"] < 0,
    "zeros at the start": lambda axis: axis["crop_low"] < 0,
}
_OF_ALL_AXES: dict[str, Callable[[_Axis], bool]] = {
    "a stride of 1 on all axes": lambda axis: axis["stride"] == 1,
    "no dilation": lambda axis: axis["dilation"] == 1,
    "nothing cut": lambda axis: axis["crop_low"] <= 0 and axis["crop_high"] <= 0,
}
_THRESHOLDS = {
    "a stride above": (1, 2, 4),
    "dilation above": (1, 2),
    "a kernel above": (1, 3, 5, 7),
    "an input above": (8, 16, 32, 64, 128, 256, 1024, 2048, 8192, 16384, 32768, 65535),
    "an output above": (16, 32, 64, 128, 256, 1024, 2048, 8192, 16384, 32768, 65535),
    "all axes of the output above": (16, 32),
    "output positions above": (256, 1024, 2048, 8192, 32768, 65535),
    "samples above": (2, 3, 4),
    "input channels above": (3, 4, 8, 16, 32, 64, 128, 256),
    "input channels per group above": (1, 3, 4, 8, 16, 32, 64, 128, 256),
    "output channels above": (1, 3, 4, 8, 16, 32, 64, 128, 256),
    "output channels per group above": (3, 4, 8, 16, 32),
    "groups above": (1, 2, 4),
}
"""Sizes that kernels are cut by: what is told of a size is that it is above one of these."""

_TILES = (2, 4, 8, 16, 32, 64, 256)
MOST_FOR_PAIRS = 60
"""Traits of which pairs are tried."""

MOST_FOR_TRIPLES = 24
"""Traits of which triples are tried: of those that all failing cases share, the rarest."""


def _reach(axis: _Axis) -> int:
    return axis["dilation"] * (axis["kernel"] - 1)


def _above(sizes: Mapping[str, int]) -> dict[str, bool]:
    """ "a stride above 4" -> whether it holds, for every size and threshold."""
    return {
        f"{words} {limit}{_UNITS.get(words, '')}": size > limit
        for words, size in sizes.items()
        for limit in _THRESHOLDS[words]
    }


_UNITS = {
    "an input above": " on an axis",
    "an output above": " on an axis",
}


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
        mixed=bool(case.other_dtypes),
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
        mixed=any("dtype" in (line.get(key) or ()) for key in OPERANDS),
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
    mixed: bool,
    must_fail: bool,
) -> Traits:
    """Phrases that go behind "all with"."""
    holding = _of_operands(x, kernel) | {
        _RANKS[spatial]: True,
        f"dtype {dtype}": True,
        "operands of two dtypes": mixed,
        "a dtype of 16 bits": dtype in ("float16", "bfloat16"),
        "a bias": bias,
        "no bias": not bias,
        "arguments that must be refused": must_fail,
    }
    if geometry is not None:
        groups = _of_groups(geometry["groups"], x, kernel)
        holding |= _of_axes(geometry["axes"], geometry["out"]) | groups
    return frozenset(phrase for phrase, holds in holding.items() if holds)


def _of_operands(x: Sequence[int], kernel: Sequence[int]) -> dict[str, bool]:
    """Phrase -> whether it holds for the sizes of input and kernel."""
    sizes = {
        "samples above": x[0],
        "input channels above": x[1],
        "output channels per group above": kernel[1],
        "an input above": max(x[2:], default=0),
    }
    return _above(sizes) | {
        "several samples": x[0] > 1,
        "several input channels": x[1] > 1,
        "several output channels per group": kernel[1] > 1,
        "an empty axis": 0 in x or 0 in kernel,
    }


def _of_groups(groups: int, x: Sequence[int], kernel: Sequence[int]) -> dict[str, bool]:
    inside, c_out = x[1] // max(groups, 1), kernel[1] * groups
    sizes = {
        "groups above": groups,
        "input channels per group above": inside,
        "output channels above": c_out,
    }
    per_group = {"input": inside, "output": kernel[1]}
    left_over = {
        f"{which} channels per group that {tile} does not divide": count > 0 and count % tile > 0
        for which, count in per_group.items()
        for tile in _TILES
    }
    beyond = {
        f"{which} channels per group above {tile} that {tile} does not divide": count > tile
        and count % tile > 0
        for which, count in per_group.items()
        for tile in _TILES
    }
    one_each = {
        "one group": groups == 1,
        "one input channel per group": groups > 1 and x[1] == groups,
        "one output channel per group": groups > 1 and kernel[1] == 1,
    }
    return _above(sizes) | left_over | beyond | one_each


def _of_axes(axes: Sequence[_Axis], out: Sequence[int]) -> dict[str, bool]:
    """Phrase -> whether it holds for the axes of a geometry, and for the sizes of its output."""
    spellings = {
        (axis["stride"], axis["dilation"], axis["kernel"], axis["crop_low"], axis["crop_high"])
        for axis in axes
    }
    sizes = {f"a {key} above": max(axis[key] for axis in axes) for key in ("stride", "kernel")} | {
        "dilation above": max(axis["dilation"] for axis in axes),
        "an output above": max(out),
        "output positions above": math.prod(out),
    }
    if len(out) > 1:
        sizes["all axes of the output above"] = min(out)
    return {
        **{phrase: any(map(holds, axes)) for phrase, holds in _OF_ANY_AXIS.items()},
        **{phrase: all(map(holds, axes)) for phrase, holds in _OF_ALL_AXES.items()},
        **_above(sizes),
        "axes that differ": len(spellings) > 1,
    }


def rule(failing: Sequence[Traits], passing: Sequence[Traits]) -> tuple[str, bool]:
    """The traits, up to three, that all failing cases have and, if the second is true, no passing
    one; empty if nothing tells them apart.

    Of rules that separate equally well the shorter is told. Without one, the traits that all
    failing share and fewest of the others have.
    """
    if not failing or not passing:
        return "", False
    shared = list(frozenset.intersection(*failing))
    holds = np.array([[trait in case for case in passing] for trait in shared], bool)
    if not shared:
        return "", False
    order = sorted(range(len(shared)), key=lambda i: (holds[i].sum(), len(shared[i]), shared[i]))
    shared, holds = [shared[i] for i in order], holds[order]
    for count, most in ((1, len(shared)), (2, MOST_FOR_PAIRS), (3, MOST_FOR_TRIPLES)):
        for chosen in combinations(range(min(most, len(shared))), count):
            if not np.logical_and.reduce(holds[list(chosen)]).any():
                return " and ".join(shared[i] for i in chosen), True
    telling = [i for i in range(len(shared)) if holds[i].sum() * 2 < len(passing)]
    first = telling[:1]
    narrower = [i for i in telling[1:] if (holds[first] & holds[i]).sum() < holds[first].sum()]
    return " and ".join(shared[i] for i in [*first, *narrower[:1]]), False
