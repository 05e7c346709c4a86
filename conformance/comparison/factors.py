"""Factors along one axis of a kernel, and what leaves such factors."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from conformance.comparison.results import Finding
from conformance.oracle.reference import Float64

_ALIKE = 2.0**-18
_AXES = {0: ("input", "input-channels-scaled"), 1: ("output", "output-channels-scaled")}


def factors(a: Float64, b: Float64, axis: int) -> Float64:
    """The factor of every slice of b along an axis that is nearest to a's, by least squares; 1
    where a's slice is nothing but zeros.
    """
    others = tuple(n for n in range(a.ndim) if n != axis)
    squares = (a * a).sum(others)
    products = (a * b).sum(others)
    return np.asarray(
        np.divide(products, squares, out=np.ones_like(products), where=squares > 0), np.float64
    )


def along(values: Float64, axis: int, rank: int) -> Float64:
    """One number a slice, in the shape that multiplies an array of this rank along an axis."""
    return values.reshape([-1 if n == axis else 1 for n in range(rank)])


def factor_findings(
    a: Float64, b: Float64, near: Callable[[Float64, Float64], bool]
) -> Iterator[Finding]:
    """Factors along output channels, input channels or taps that make b of a."""
    for axis in (1, 0, *range(2, a.ndim)) if a.shape == b.shape else ():
        by = factors(a, b, axis)
        if not near(a * along(by, axis, a.ndim), b):
            continue
        if np.ptp(by) <= _ALIKE * abs(by).max():
            yield Finding(
                name="kernel-scaled", text=f"the kernel is {by.mean():.6g} times as large"
            )
        elif axis < 2:
            word, name = _AXES[axis]
            yield Finding(name=name, text=_text(by, f"{word} channel"))
        else:
            yield Finding(name="taps-scaled", text=_text(by, f"tap on axis {axis - 2}"))
        return


def _text(by: Float64, noun: str) -> str:
    changed = np.flatnonzero(abs(by - 1) > _ALIKE)
    if len(changed) <= min(3, len(by) // 2):
        listed = ", ".join(f"{noun} {n} has the factor {by[n]:.6g}" for n in changed)
        return f"{listed}; all others are right"
    return (
        f"every {noun} has a factor of its own, from {by.min():.4g} to {by.max():.4g}, as a "
        "normalisation leaves that is folded in or left out"
    )
