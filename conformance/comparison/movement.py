"""How far does a model itself move when its input is rounded otherwise?

Nothing bounds the rounding of a whole model, and some enlarge it: the tail of a sigmoid, an argmax
between equals, a long chain. What the model makes of the same input with every number moved by one
unit in the last place is what rounding is worth there, measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from conformance.comparison.tensors import difference, limit
from conformance.corpus.tensors import Array
from conformance.models import Model, Sample, StoredArray

FACTOR = 8
"""How many times its own movement a tensor may differ: frameworks round in every operator, and the
input is moved once."""
MOST = 0.25
"""The largest difference that any movement allows: beyond that the numbers are others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """The differences of a model from itself: of every activation and of what comes into it, by
    their place in the run, and of every output by name. None where a shape changes, or for nothing.
    """

    activations: Sequence[float | None] = ()
    incoming: Sequence[float | None] = ()
    outputs: Mapping[str, float | None]


def rounded_samples(model: Model, *, by_name: bool) -> list[Sample] | None:
    """What a model was run on, every floating-point number moved by one unit in its last place, up
    or down at random; None where it has no such input.
    """
    samples, is_moved = [], False
    random = np.random.RandomState(1)
    for entry in model.inputs:
        if entry.sample is None:
            return None
        array = entry.sample.load()
        if array.dtype.kind == "f":
            array, is_moved = _moved(array, random), True
        name = entry.name if by_name else None
        samples.append(Sample(name=name, shape=array.shape, array=array))
    return samples if is_moved else None


def _moved(array: Array, random: np.random.RandomState) -> Array:
    ends = np.where(random.rand(*array.shape) < 0.5, -np.inf, np.inf).astype(array.dtype)
    moved: Array = np.nextafter(array, ends)
    return np.where(np.isfinite(array), moved, array)


def movement(model: Model, rounded: Model) -> Movement:
    """How far a model moved; `rounded` is the same on the rounded samples."""
    runs = model.activations, rounded.activations
    is_same_run = [entry.name for entry in runs[0]] == [entry.name for entry in runs[1]]
    pairs = list(zip(*runs, strict=True)) if is_same_run else []
    return Movement(
        activations=[_apart(one.output, other.output) for one, other in pairs],
        incoming=[_apart(one.input, other.input) for one, other in pairs],
        outputs={
            name: _apart(stored, rounded.outputs.get(name))
            for name, stored in model.outputs.items()
        },
    )


def _apart(one: StoredArray | None, other: StoredArray | None) -> float | None:
    if one is None or other is None or one.shape != other.shape:
        return None
    return difference(one.load(), other.load())


def explained(own: float | None) -> float | None:
    """The difference that a movement explains; None where it is not known."""
    return None if own is None else min(FACTOR * own, MOST)


def allowed(own: float | None, *arrays: Array) -> float:
    """How far arrays may differ, one of which moves by `own` itself."""
    return max(limit(*arrays), explained(own) or 0.0)
