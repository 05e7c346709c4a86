"""The whole of two runs: their outputs, and the first tensor of any operator that departs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from conformance.comparison.results import Departure, OutputPair
from conformance.comparison.tensors import difference_in_any_layout, limit
from conformance.corpus.tensors import Array
from conformance.models import Activation, Model


def outputs_of(source: Model, target: Model) -> Iterator[OutputPair]:
    """The outputs of both, those of one name together, else in order."""
    names = list(target.outputs)
    for place, (name, stored) in enumerate(source.outputs.items()):
        other = name if name in names else names[place] if place < len(names) else None
        if other is None:
            text = f"output {name} is not there in the target"
            yield OutputPair(source=name, target="", difference=None, agrees=False, text=text)
            continue
        yield _output(name, stored.load(), other, target.outputs[other].load())


def _output(name: str, a: Array, other: str, b: Array) -> OutputPair:
    apart, moved = difference_in_any_layout(a, b)
    agrees = apart is not None and apart <= limit(a, b)
    label = name if name == other else f"{name} = {other}"
    if apart is None:
        text = f"output {label}: shape {list(b.shape)}, should be {list(a.shape)}"
    elif apart == 0:
        text = f"output {label}: every number is the same"
    else:
        text = f"output {label}: differs by {apart:.2g} of its largest magnitude"
    return OutputPair(
        source=name,
        target=other,
        difference=None if apart is None or not np.isfinite(apart) else apart,
        agrees=agrees,
        text=text + (f" ({moved})" if moved else ""),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tensor:
    place: int
    activation: Activation
    size: int


def departure(source: Model, target: Model) -> Departure | None:
    """The first tensor of the source that the target has not, where it has another one of its size
    that the source has not; None where there is none. Tensors are known by their numbers.
    """
    theirs = [
        _Tensor(place=n, activation=a, size=_size(a)) for n, a in enumerate(target.activations)
    ]
    known: set[int] = set()
    missing: list[tuple[Activation, int]] = []
    last = 0
    agreeing: tuple[Activation, Activation] | None = None
    pairs: list[tuple[Activation, Activation] | None] = []
    for activation in source.activations:
        other = _same(activation, [tensor for tensor in theirs if tensor.size == _size(activation)])
        pairs.append(agreeing)
        if other is None:
            missing.append((activation, last))
        else:
            known.add(other.place)
            last = max(last, other.place)
            agreeing = (activation, other.activation)
    places = {id(activation): n for n, activation in enumerate(source.activations)}
    for activation, after in missing:
        before = pairs[places[id(activation)]]
        stranger = next(
            (
                t
                for t in theirs
                if t.place >= after and t.place not in known and t.size == _size(activation)
            ),
            None,
        )
        if stranger is not None:
            return _departure(activation, stranger.activation, before)
    if missing and len(missing) == len(source.activations):
        return _departure(missing[0][0], None, None)
    return None


def _size(activation: Activation) -> int:
    return int(np.prod(activation.output.shape))


def _same(activation: Activation, candidates: Sequence[_Tensor]) -> _Tensor | None:
    """The first tensor that holds the same numbers, in any layout."""
    a = activation.output.load()
    if a.dtype.kind not in "fV" or a.size < 2:
        return None
    for tensor in candidates:
        b = tensor.activation.output.load()
        apart, _ = difference_in_any_layout(a, b)
        if apart is not None and apart <= limit(a, b):
            return tensor
    return None


def _departure(
    activation: Activation, other: Activation | None, before: tuple[Activation, Activation] | None
) -> Departure:
    text = f"{activation.name} ({activation.operator})"
    if other is not None:
        apart, _ = difference_in_any_layout(activation.output.load(), other.output.load())
        by = "" if apart is None else f" differs by {apart:.2g} of its largest magnitude from"
        text += f"{by or ' has another shape than'} {other.name} ({other.operator})"
    if before is not None:
        text += f"; {before[0].name} = {before[1].name} still agrees"
    return Departure(
        source=activation.name, target=None if other is None else other.name, text=text
    )
