"""The mistakes of the diagnosis that a case detects."""

from __future__ import annotations

import numpy as np

from conformance.corpus.tensors import dtype_of
from conformance.oracle import Truth
from conformance.verdicts.compare import compare
from conformance.verdicts.diagnosis.detection import detection


def detected(truth: Truth) -> set[str]:
    """The mistakes of docs/diagnosis.md that a case detects: those that are made, and those that
    are read off a result.
    """
    names = set(detection(truth).detected)
    y, dtype = truth.y, dtype_of(truth.dtype)
    with np.errstate(over="ignore"):
        doubled = 2 * y
    wrong = {
        "other-window": np.pad(y, [(0, 0)] * (y.ndim - 1) + [(0, 1)]),
        "scaled": doubled,
        "left-zero": np.where(np.arange(y.size).reshape(y.shape) < y.size // 2, y, 0),
    }
    if (
        truth.bias is not None and truth.bias.size > 3
    ):  # of three, every order is reversed, moved on or dealt out
        order = [1, 0, *range(2, truth.bias.size)]
        exchanged = (truth.bias[order] - truth.bias).reshape(-1, *[1] * (y.ndim - 2))
        wrong["bias-permuted"] = y + exchanged
    with np.errstate(over="ignore", invalid="ignore"):
        return names | {
            name
            for name, got in wrong.items()
            if compare(got.astype(dtype), truth).mismatch is not None
        }
