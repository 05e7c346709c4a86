"""How precisely an engine seems to have computed: significand bits, from the size of its errors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from conformance.oracle import GradientTruth, Truth
from conformance.oracle.bound import per_truth, roundings
from conformance.oracle.reference import Float64
from conformance.oracle.truth import SIGNIFICAND_BITS

_FORMATS = {53: ("float64",), 24: ("float32",), 11: ("TF32", "float16"), 8: ("bfloat16",)}


def effective_precision(
    error: Float64, truth: Truth | GradientTruth, *, within: bool = False
) -> dict[str, Any] | None:
    """Significand bits of the operands that would explain the error, by least squares, and the
    formats that fit.

    Rounding both operands of every product to p bits gives an element the variance 2 c 4^-p * sum
    of (x w)^2, and rounding the result (and adding the bias) c 4^-p * (y^2 + (y - b)^2): the
    relative error of one rounding is uniform in +-2^-p / m for a significand m in [1, 2), and m is
    taken as logarithmically distributed (Benford), so c = (3 / 8) / (3 ln 2). What rounding the
    result explains is not held against the operands. An accumulator of few bits lowers the figure
    as the sums get longer, so a format fits that has up to 2.5 bits more; operands that a format
    holds exactly raise it, so first the result of these operands rounded to 11 and to 8 bits is
    computed, and where its errors are as large, that is it. Where the errors are `within` the
    bound, the dtype itself explains them. None where nothing was rounded.
    """
    own = SIGNIFICAND_BITS[truth.dtype]
    finite, products, results = _squares(truth)
    seen = float(np.square(error[finite]).sum())
    if not seen or not products or not all(map(math.isfinite, (seen, products, results))):
        return None
    share = (3 / 8) / (3 * math.log(2))
    of_results = share * 4.0**-own * results
    bits = float(own)
    if seen > 4 * of_results:
        bits = min(bits, -0.5 * math.log2((seen - of_results) / products / (2 * share)))
    if within:
        return {"bits": round(bits), "formats": [truth.dtype]}
    for known in (11, 8):
        predicted = truth.rounded(known)[finite] - truth.y[finite]
        if (
            known < own
            and 0.625 <= math.sqrt(seen / max(float((predicted**2).sum()), seen * 1e-9)) <= 1.6
        ):
            return {"bits": known, "formats": list(_FORMATS[known])}
    fitting = [known for known in sorted(_FORMATS) if bits - 0.75 <= known <= bits + 2.5]
    return {"bits": round(bits), "formats": list(_FORMATS[fitting[0]]) if fitting else []}


@per_truth
def _squares(truth: Truth | GradientTruth) -> tuple[Any, float, float]:
    """Which elements are finite, as an index, and over these the sums of the squares of all
    products and of what is rounded.
    """
    mask = np.isfinite(truth.y)
    finite: Any = ... if mask.all() else mask
    parts = roundings(truth)
    return (
        finite,
        float(truth.squares[finite].sum()),
        sum(float(np.square(part[finite]).sum()) for part in parts),
    )


def is_rounding(error: Float64, truth: Truth | GradientTruth) -> bool:
    """Whether every error is small beside the sum of magnitudes; a larger one is another sum, and
    has no precision.
    """
    return bool(error.any()) and bool(
        (error <= 2.0**-6 * truth.magnitude)[np.isfinite(truth.magnitude)].all()
    )
