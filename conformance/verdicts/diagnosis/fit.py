"""Which elements of a result does a candidate account for?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from conformance.corpus.tensors import dtype_of
from conformance.oracle import Truth
from conformance.oracle.bound import bound
from conformance.oracle.reference import Float64


def slack(truth: Truth) -> float:
    """How far an element may be from what a mistake makes of it: nothing where the case is exact,
    else twice the largest bound.

    A mistake changes the sums but hardly their size.
    """
    if truth.exact:
        return 0.0
    limit = bound(truth)
    return 2 * float(np.max(limit, where=np.isfinite(limit), initial=0.0))


def matching_elements(
    got: Float64, candidate: Float64, dtype: str, limit: float | Float64
) -> NDArray[np.bool_]:
    """Which elements of `got` the candidate, of the same shape, has too: rounded to the dtype, or
    within the limit.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        rounded = candidate.astype(dtype_of(dtype)).astype(np.float64)
        return np.asarray(
            (got == rounded)
            | (np.isnan(got) & np.isnan(rounded))
            | (np.isfinite(rounded) & (np.abs(got - candidate) <= limit))
        )


def is_right(got: Float64, truth: Truth) -> NDArray[np.bool_]:
    """Which elements of `got`, of the output's shape, are right: bit for bit or within their own
    bound.
    """
    return matching_elements(got, truth.y, truth.dtype, 0.0 if truth.exact else bound(truth))
