"""The part of an array that is kept: all of a small one, of a larger one the window round what is
wrong.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from conformance.corpus.tensors import Array

MOST_ELEMENTS = 4096  # of an array that the record holds whole

WINDOW = 8  # positions per spatial axis shown round the first mismatch of a larger one


def excerpt(array: Array, index: list[int] | None) -> dict[str, Any]:
    """An array for the record: whole up to 4096 elements, else the window round an index, with
    where it starts.
    """
    if array.size <= MOST_ELEMENTS:
        return {"shape": list(array.shape), "values": np.real(array).astype(np.float64).tolist()}
    index = index or [0] * array.ndim
    starts = (
        [*index[:2], *(max(0, i - WINDOW // 2) for i in index[2:])]
        if array.ndim > 2
        else [0] * array.ndim
    )
    window = tuple(
        slice(start, start + (1 if axis < 2 else WINDOW)) for axis, start in enumerate(starts)
    )
    return {
        "shape": list(array.shape),
        "start": starts,
        "values": np.real(array[window]).astype(np.float64).tolist(),
    }
