"""When a result passes: the comparisons of public suites, and one of a user's own.

A rule is given the result and what is expected, both in float64 after they were rounded to the
dtype of the test, and of one shape: a result of another shape passes nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from conformance.oracle.reference import Float64


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """`|got - want| <= atol + rtol * |want|` everywhere, as in `numpy.isclose`; NaN equals NaN."""

    atol: float
    rtol: float

    def passes(self, got: Float64, want: Float64) -> bool:
        """Whether the result is taken for right."""
        return bool(np.allclose(got, want, rtol=self.rtol, atol=self.atol, equal_nan=True))

    def __str__(self) -> str:
        parts = [
            f"{self.atol:g}" if self.atol else "",
            f"{self.rtol:.3g} of the value" if self.rtol else "",
        ]
        return "within " + " + ".join(filter(None, parts)) if any(parts) else "equal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Switched:
    """`atol` where what is expected is smaller than `below`, else `rtol` times that."""

    atol: float
    rtol: float
    below: float

    def passes(self, got: Float64, want: Float64) -> bool:
        """Whether the result is taken for right."""
        allowed = np.where(abs(want) < self.below, self.atol, self.rtol * abs(want))
        return bool(np.all(abs(got - want) <= allowed))

    def __str__(self) -> str:
        return (
            f"within {self.rtol:g} of the value, or {self.atol:g} where it is below {self.below:g}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ulps:
    """So many float32 numbers apart at most; +0 and -0 are one."""

    most: int

    def passes(self, got: Float64, want: Float64) -> bool:
        """Whether the result is taken for right."""
        apart = abs(_position(got) - _position(want))
        return bool(not np.isnan(got).any() and np.all(apart <= self.most))

    def __str__(self) -> str:
        return f"within {self.most} ULP"


def _position(values: Float64) -> Any:
    """How many float32 numbers lie between zero and each value, with its sign."""
    bits = values.astype(np.float32).view(np.int32).astype(np.int64)
    return np.where(bits < 0, -(bits & 0x7FFFFFFF), bits)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanSquare:
    """The sum of squared errors, as a part of the sum of squares, of the whole output."""

    most: float

    def passes(self, got: Float64, want: Float64) -> bool:
        """Whether the result is taken for right."""
        if not np.isfinite(got).all():
            return False
        return bool(((got - want) ** 2).sum() <= self.most * (want**2).sum())

    def __str__(self) -> str:
        return f"normalised mean squared error up to {self.most:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation:
    """Pearson's correlation coefficient of the whole output."""

    least: float

    def passes(self, got: Float64, want: Float64) -> bool:
        """Whether the result is taken for right."""
        if np.array_equal(got, want):
            return True
        if not np.isfinite(got).all() or got.size < 2:
            return False
        with np.errstate(invalid="ignore", divide="ignore"):
            return bool(np.corrcoef(got.ravel(), want.ravel())[0, 1] >= self.least)

    def __str__(self) -> str:
        return f"correlation of at least {self.least:g}"


Rule = Close | Switched | Ulps | MeanSquare | Correlation


def rule_of(spelt: Mapping[str, float]) -> Rule:
    """The rule that a suite's file spells. Raises ValueError for another spelling."""
    match sorted(spelt):
        case ["atol", "rtol"]:
            return Close(atol=spelt["atol"], rtol=spelt["rtol"])
        case ["atol", "below", "rtol"]:
            return Switched(atol=spelt["atol"], rtol=spelt["rtol"], below=spelt["below"])
        case ["exact"]:
            return Close(atol=0.0, rtol=0.0)
        case ["ulp"]:
            return Ulps(most=int(spelt["ulp"]))
        case ["nmse"]:
            return MeanSquare(most=spelt["nmse"])
        case ["pcc"]:
            return Correlation(least=spelt["pcc"])
    raise ValueError(f"a rule of {sorted(spelt)}, should be one that conformance.audit.rules has")
