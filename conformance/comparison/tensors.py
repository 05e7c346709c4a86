"""Two tensors of different frameworks: how far apart, up to where the channels stand.

What is said here locates and never judges a layer: `LIMITS` are flat, because nothing bounds the
rounding of a whole model. Where they are passed, `movement` measures it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from conformance.corpus.tensors import Array

LIMITS = {"float64": 2.0**-40, "float32": 2.0**-13, "float16": 2.0**-6, "bfloat16": 2.0**-4}
"""The difference, over the largest magnitude, up to which rounding upstream may explain a
tensor."""


def limit(*arrays: Array) -> float:
    """The largest of the limits of arrays; whole numbers have none."""
    return max(LIMITS.get(array.dtype.name, 0.0) for array in arrays)


def difference(a: Array, b: Array) -> float | None:
    """The largest difference over the largest magnitude of a, of whole numbers the share of those
    that differ; None where shapes differ, infinity where one is not finite and the other is.
    """
    if a.shape != b.shape:
        return None
    if not a.size:
        return 0.0
    if are_whole(a, b):
        return float(np.mean(a != b))
    one, other = a.astype(np.float64), b.astype(np.float64)
    if not np.array_equal(np.isfinite(one), np.isfinite(other)):
        return float("inf")
    with np.errstate(invalid="ignore"):
        apart = np.where(np.isfinite(one), abs(one - other), 0.0).max()
        largest = np.where(np.isfinite(one), abs(one), 0.0).max()
    if apart == 0:
        return 0.0
    return float(apart / largest) if largest else float("inf")


def are_whole(*arrays: Array) -> bool:
    """Whether arrays hold whole numbers: labels, indices or masks, of which none is nearly
    another.
    """
    return all(array.dtype.kind in "iub" for array in arrays)


def layouts(array: Array) -> Iterator[tuple[str, Array]]:
    """An array as it is, with its channels first, with its channels last, and without axes of one
    element.
    """
    yield "", array
    if array.ndim > 2:
        yield "channels last became channels first", np.moveaxis(array, -1, 1)
        yield "channels first became channels last", np.moveaxis(array, 1, -1)


def difference_in_any_layout(a: Array, b: Array) -> tuple[float | None, str]:
    """The smallest difference of a from b as it is or with its channels moved, and how."""
    best: tuple[float | None, str] = (None, "")
    for text, moved in layouts(b):
        apart = difference(a, moved)
        if apart is not None and (best[0] is None or apart < best[0]):
            best = (apart, text)
    if best[0] is None and np.squeeze(a).shape == np.squeeze(b).shape != a.shape:
        return difference(np.squeeze(a), np.squeeze(b)), "without axes of one element"
    return best
