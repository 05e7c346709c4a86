"""The finding of one call, and those of all calls of an adapter."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from conformance.corpus.tensors import Tensors
from conformance.oracle import transpose_into_window
from sweeping.calls import Call


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One call's status, and what explains it in words that calls with the same cause share."""

    call: Call
    status: str
    cause: str = ""
    detail: str = ""

    @property
    def fails(self) -> bool:
        """Whether the module or the framework is wrong here, and nobody knew."""
        if self.status == "agrees":
            return self.call.part == "other"
        if self.status == "refused":
            return self.call.part == "canonical"
        return self.status in ("differs", "crashed")


@dataclass(slots=True, kw_only=True)
class Sweep:
    """The findings of one adapter for all its calls."""

    adapter: str
    findings: list[Finding] = field(default_factory=list)
    unrepresentable: int = 0
    cut: int = 0
    seconds: float = 0.0

    def counts(self, part: str) -> Counter[str]:
        return Counter(finding.status for finding in self.findings if finding.call.part == part)

    @property
    def failures(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.fails]


def expected(call: Call, tensors: Tensors) -> Any:
    """The oracle on the predicted window; where that has nothing, an array with no elements."""
    out = [max(n, 0) for n in call.geometry.out]
    if 0 in out:
        return np.zeros((len(tensors.x), tensors.kernel.shape[1] * call.geometry.groups, *out))
    bias = None if tensors.bias is None else tensors.bias.astype(np.float64)
    return transpose_into_window(
        tensors.x.astype(np.float64), tensors.kernel.astype(np.float64), bias, call.geometry
    )


def taken(call: Call, tensors: Tensors, y: Any) -> str:
    """The crops of the window whose numbers these are, as far as one is found."""
    axes = call.geometry.axes
    if len(y.shape) != 2 + len(axes) or 0 in y.shape:
        return "empty"
    for lows in itertools.product(*(range(-axis.stride - 4, axis.full) for axis in axes)):
        moved = tuple(
            replace(axis, crop_low=low, crop_high=axis.full - low - out)
            for axis, low, out in zip(axes, lows, y.shape[2:], strict=True)
        )
        other = replace(call, geometry=replace(call.geometry, axes=moved))
        if np.array_equal(expected(other, tensors), y):
            return f"crops {other.geometry.crops}"
    return "of no crops"
