"""The largest error that rounding can explain, per element, with n the number of its terms (the
bias counted) and r that of its roundings to the dtype:

    |got - y| <= ((1 + u_out)^r * gamma(n, u) + gamma(n, 2^-53)) * B + u_out * R + (n + 1) * eta
    R = |y| and r = 1 without a bias, R = |y| + |y - b| and r = 2 with one
    gamma(n, u) = min(n*u / (1 - n*u), exp(lambda * sqrt(n) * u + n*u^2 / (1 - u)) - 1),  lambda = 6

for any order of summation: the first term of the minimum is N. Higham, Accuracy and Stability of
Numerical Algorithms, ch. 3; the second N. Higham and T. Mary, SIAM J. Sci. Comput. 41(5), 2019,
whose probability of failure falls as exp(-lambda^2 / 2). The second gamma is the oracle's own
error. There are no tolerances to tune.

The sum s of the products comes out of the accumulator as s' with |s' - s| <= gamma * B, and is
rounded once, to s'(1 + d) with |d| <= u_out / (1 + u_out): the error is at most |s' - s|(1 + |d|)
+ |d||s|. Only a bias that is added to what was rounded makes a second rounding, of v + b where v
stands for s: that is |v - s|(1 + |d|) + |d||y|, and |d|(1 + |d|) <= u_out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import TypeVar
from weakref import WeakKeyDictionary

import numpy as np

from conformance.oracle import GradientTruth, Truth
from conformance.oracle.reference import Float64
from conformance.oracle.truth import SIGNIFICAND_BITS

LAMBDA = 6.0

_EXPONENT_OF_SMALLEST_SUBNORMAL = {
    "float64": -1074,
    "float32": -149,
    "float16": -24,
    "bfloat16": -133,
}

Made = TypeVar("Made")


def gamma(n: Float64, u: float) -> Float64:
    """The relative error bound of a sum of n products: the smaller of the certain and the probable
    one.
    """
    with np.errstate(divide="ignore", over="ignore"):
        probable = np.expm1(LAMBDA * np.sqrt(n) * u + n * u**2 / (1 - u))
        certain = np.where(
            n * u < 1, n * u / np.maximum(1 - n * u, np.finfo(np.float64).tiny), np.inf
        )
    return np.asarray(np.minimum(certain, probable))


def per_truth(
    make: Callable[[Truth | GradientTruth], Made],
) -> Callable[[Truth | GradientTruth], Made]:
    """What is made of a truth once, and held as long as that is: all adapters are compared with the
    same.
    """
    cache: WeakKeyDictionary[Truth | GradientTruth, Made] = WeakKeyDictionary()

    @wraps(make)
    def of(truth: Truth | GradientTruth) -> Made:
        if truth not in cache:
            cache[truth] = make(truth)
        return cache[truth]

    return of


def roundings(truth: Truth | GradientTruth) -> tuple[Float64, ...]:
    """What an engine rounds to the dtype: the result, and before a bias the sum of the products."""
    before = truth.before_bias
    return (truth.y,) if before is truth.y else (truth.y, before)


@per_truth
def bound(truth: Truth | GradientTruth) -> Float64:
    """The largest error that rounding can explain, per element, of the shape of the output.

    16-bit dtypes are held to a float32 accumulator: their engines have one, and those that have not
    show it.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        rounded = roundings(truth)
    largest = rounding_bound(truth.dtype, truth.terms, truth.magnitude, rounded)
    largest.setflags(write=False)
    return largest


def rounding_bound(
    dtype: str, terms: Float64, magnitude: Float64, rounded: Sequence[Float64]
) -> Float64:
    """The bound of elements of so many terms, whose magnitudes sum up to B; `rounded` is what an
    engine rounds to the dtype.
    """
    u = 2.0**-53 if dtype == "float64" else 2.0**-24
    u_out = 2.0 ** -SIGNIFICAND_BITS[dtype]
    eta = max(
        2.0 ** (_EXPONENT_OF_SMALLEST_SUBNORMAL[dtype] - 1), 2.0**-1074
    )  # float64 cannot hold half of its own
    with np.errstate(invalid="ignore", over="ignore"):
        sums = (1 + u_out) ** len(rounded) * gamma(terms, u) + gamma(terms, 2.0**-53)
        once = u_out * sum(abs(values) for values in rounded)
        return np.asarray(sums * magnitude + once + (terms + 1) * eta)
