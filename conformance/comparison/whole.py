"""The whole of two runs: their outputs, and the first tensor of any operator that departs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from conformance.comparison.movement import Movement, allowed, explained
from conformance.comparison.results import Departure, OutputPair
from conformance.comparison.tensors import are_whole, difference_in_any_layout, limit
from conformance.corpus.tensors import Array
from conformance.models import Activation, Model


def outputs_of(
    source: Model, target: Model, own: Movement | None = None, *, reached: str | None = None
) -> Iterator[OutputPair]:
    """The outputs of both, those of one name together, else in order. `own` is how far the source
    itself moves, where that was asked: it allows an output as much, unless something else has
    `reached` a layer, of that name.
    """
    names = list(target.outputs)
    for position, (name, stored) in enumerate(source.outputs.items()):
        other = name if name in names else names[position] if position < len(names) else None
        if other is None:
            text = f"output {name} is not there in the target"
            yield OutputPair(source=name, target="", difference=None, agrees=False, text=text)
            continue
        moved = None if own is None else own.outputs.get(name)
        a, b = stored.load(), target.outputs[other].load()
        most = allowed(moved if reached is None else None, a, b)
        label = name if name == other else f"{name} = {other}"
        output = _output(label, a, b, most, moved)
        if reached is not None and not output.agrees:
            text = f"{output.text}, which does not explain what comes into {reached}"
            output = replace(output, text=text)
        yield replace(output, source=name, target=other)


def _output(label: str, a: Array, b: Array, most: float, own: float | None) -> OutputPair:
    apart, moved = difference_in_any_layout(a, b)
    agrees = apart is not None and apart <= most
    if apart is None:
        text = f"output {label}: shape {list(b.shape)}, should be {list(a.shape)}"
    elif apart == 0:
        text = f"output {label}: every number is the same"
    elif are_whole(a, b):
        text = f"output {label}: {apart:.2%} of its numbers differ"
    else:
        text = f"output {label}: differs by {apart:.2g} of its largest magnitude"
    if own is not None:
        by = f"{own:.2%} of them" if are_whole(a, b) else f"{own:.2g}"
        text += f"; the source itself moves by {by} when its input is rounded otherwise"
    return OutputPair(
        source="",
        target="",
        difference=None if apart is None or not np.isfinite(apart) else apart,
        agrees=agrees,
        movement=own,
        text=text + (f" ({moved})" if moved else ""),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tensor:
    position: int
    activation: Activation
    size: int
    largest: float
    limit: float
    own: float | None


def departure(source: Model, target: Model, own: Movement | None = None) -> Departure | None:
    """The first tensor of the source that the target has not, where it has another one of its size
    that the source has not; None where there is none. Tensors are known by their numbers.
    """
    mine, theirs = _tensors(source, own), _tensors(target)
    same = [_same(tensor, theirs) for tensor in mine]
    known = {other.position for other in same if other is not None}
    before: tuple[Activation, Activation] | None = None
    last = 0
    for tensor, other in zip(mine, same, strict=True):
        if other is not None:
            last, before = max(last, other.position), (tensor.activation, other.activation)
            continue
        strangers = (t for t in theirs[last:] if t.position not in known and t.size == tensor.size)
        stranger = next(strangers, None)
        if stranger is not None:
            return _departure(tensor.activation, stranger.activation, before)
    nothing = mine and not known
    return _departure(mine[0].activation, None, None) if nothing else None


def _tensors(model: Model, own: Movement | None = None) -> list[_Tensor]:
    """The tensors that can be known by their numbers: shapes and indices are the same in many
    places.
    """
    tensors: list[_Tensor] = []
    moved = own.activations if own is not None else ()
    for position, activation in enumerate(model.activations):
        array = activation.output.load()
        if array.dtype.kind not in "fV" or array.size < 2:
            continue
        largest = float(np.max(abs(array.astype(np.float64))))
        tensors.append(
            _Tensor(
                position=len(tensors),
                activation=activation,
                size=array.size,
                largest=largest,
                limit=limit(array),
                own=moved[position] if position < len(moved) else None,
            )
        )
    return tensors


def _same(tensor: _Tensor, candidates: Sequence[_Tensor]) -> _Tensor | None:
    """The first tensor that holds the same numbers, in any layout."""
    a = tensor.activation.output.load()
    movement = explained(tensor.own) or 0.0
    for other in candidates:
        if other.size != tensor.size:
            continue
        most = max(tensor.limit, other.limit, movement)
        if not (
            abs(other.largest - tensor.largest) <= most * tensor.largest or np.isnan(tensor.largest)
        ):
            continue  # before its file is opened: a model has thousands
        apart, _ = difference_in_any_layout(a, other.activation.output.load())
        if apart is not None and apart <= most:
            return other
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
