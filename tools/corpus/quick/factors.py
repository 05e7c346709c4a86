"""The levels of a case in the factors that choose a path through an engine."""

from __future__ import annotations

from itertools import combinations

from conformance.corpus.case import Case
from conformance.geometry import Geometry

Need = tuple[object, ...]
"""("mistake", name, convention), or a pair of levels with what they are levels of."""


def factors(case: Case) -> dict[str, str]:
    """The levels of what chooses a path through an engine's code, of any case."""
    return {
        "rank": str(case.spatial),
        "dtype": case.dtype,
        "native": case.native[0] if case.native else "none",
        "refused": str(case.must_fail),
        "gradients": "none" if case.gradients is None else "asked",
        "bias": "none" if case.bias is None else "given",
        "batch": "one" if case.input.shape[0] == 1 else "more",
        "input channels": _channels(case.input.shape[1]),
        "kernel channels": _channels(case.kernel.shape[1]),
        **(_window(case.geometry, case.input.shape[1]) if case.geometry else {}),
    }


def _channels(count: int) -> str:
    """One, a multiple of what vectors hold, or a tail behind the last whole vector."""
    return "one" if count == 1 else "whole" if count % 8 == 0 else "tail"


def _window(geometry: Geometry, channels: int) -> dict[str, str]:
    groups = geometry.groups
    return {
        "stride": "one" if set(geometry.stride) == {1} else "more",
        "dilation": "one" if set(geometry.dilation) == {1} else "more",
        "gaps": "some" if any(axis.stride > axis.extent for axis in geometry.axes) else "none",
        "groups": "one" if groups == 1 else "depthwise" if groups == channels else "some",
        "crops": _crops(geometry),
    }


def _crops(geometry: Geometry) -> str:
    lows, highs = zip(*geometry.crops, strict=True)
    if min(lows) < 0 or min(highs) < 0:
        return "prepended" if min(lows) < 0 else "appended"
    if lows != highs:
        return "asymmetric"
    return "symmetric" if any(lows) else "none"


def factor_pairs(case: Case) -> set[Need]:
    return {("factors", *pair) for pair in combinations(factors(case).items(), 2)}
