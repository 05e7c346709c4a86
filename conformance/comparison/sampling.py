"""Both models are read and run on one sample, whatever layout each wants it in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from conformance.comparison.movement import Movement, movement, rounded_samples
from conformance.corpus.tensors import Array
from conformance.errors import ModelError
from conformance.models import Model, Sample, read_model
from conformance.models.formats import format_of

Say = Callable[[str, str], None]

_CHANNELS_LAST = {"keras", "SavedModel", "LiteRT"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How both models are read: the sample, the files of weights of the source and of the target,
    and who is told how far it has come.
    """

    inputs: Sequence[Sample] = ()
    weights: tuple[str | None, str | None] = (None, None)
    unsafe: bool = False
    say: Say = field(default=lambda path, text: None)

    def read(self, path: str, weights: str | None, inputs: Sequence[Sample]) -> Model:
        return read_model(
            path,
            inputs=inputs,
            weights=weights,
            activations=True,
            unsafe=self.unsafe,
            say=lambda text: self.say(path, text),
        )


@contextmanager
def read_both(source: str, target: str, reading: Reading) -> Iterator[tuple[Model, Model]]:
    """Both models with their activations: the source on the sample, the target on the numbers that
    the source met, their channels moved where the target wants them elsewhere. Where the source has
    no sample of its own and the target has, it is the target's.

    Raises ModelError where either cannot be read or run.
    """
    paths = (source, target)
    try:
        first = reading.read(source, reading.weights[0], reading.inputs)
    except ModelError as error:
        if reading.inputs or "--input" not in str(error):
            raise
        paths = (target, source)
        try:
            first = reading.read(target, reading.weights[1], ())
        except ModelError:
            raise error from None
    weights = reading.weights[1 if paths[0] == source else 0]
    with first, _second(first, paths[1], weights, reading) as second:
        yield (first, second) if paths[0] == source else (second, first)


def moves_of(source: Model, path: str, reading: Reading) -> Movement | None:
    """How far the source itself moves when its input is rounded otherwise: it is read and run once
    more. None where it has no input to round, or does not run on it.
    """
    names = any(sample.name for sample in reading.inputs)
    samples = rounded_samples(source, by_name=names)
    if samples is None:
        return None
    reading.say(path, "runs once more, with its input rounded otherwise")
    try:
        rounded = reading.read(path, reading.weights[0], samples)
    except ModelError:
        return None
    with rounded:
        return movement(source, rounded)


def _second(first: Model, path: str, weights: str | None, reading: Reading) -> Model:
    problem: ModelError | None = None
    for samples in _samples(first, path):
        try:
            return reading.read(path, weights, samples)
        except ModelError as error:
            problem = problem or error
    assert problem is not None
    raise problem


def _samples(first: Model, path: str) -> Iterator[list[Sample]]:
    """The sample of the first model, as it is and with its channels moved, the likelier first; of
    several inputs by their names, which the second may have too, then by position.
    """
    entries = [entry for entry in first.inputs if entry.sample is not None]
    arrays = [entry.sample.load() for entry in entries if entry.sample is not None]
    names = [None if entry.name.isdigit() else entry.name for entry in entries]
    by_name = len(names) > 1 and None not in names
    has = _has_channels_last(first.format, first.versions)
    wants = _has_channels_last(format_of(path), ())
    moves: list[Callable[[Array], Array]] = [lambda array: array, _to_first if has else _to_last]
    if wants is not None and wants is not has:
        moves.reverse()
    for called in (names, [None] * len(names)) if by_name else ([None] * len(names),):
        for move in moves:
            yield [
                Sample(name=name, shape=moved.shape, array=np.ascontiguousarray(moved))
                for name, moved in zip(called, map(move, arrays), strict=True)
            ]


def _to_last(array: Array) -> Array:
    return np.moveaxis(array, 1, -1) if array.ndim > 2 else array


def _to_first(array: Array) -> Array:
    return np.moveaxis(array, -1, 1) if array.ndim > 2 else array


def _has_channels_last(format: str, packages: Iterable[str]) -> bool | None:
    """Whether models of a format, or of a package that was imported for one, have their channels
    last; None where that cannot be said.
    """
    if format != "callable":
        return format in _CHANNELS_LAST
    known = set(packages)
    return True if known & {"keras", "jax"} else False if known else None
