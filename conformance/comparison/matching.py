"""Which layer of the target is which of the source: by their weights, then by name, then by
order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from conformance.comparison.calls import LayerCall
from conformance.comparison.factors import along, factors
from conformance.comparison.tensors import difference, limit
from conformance.errors import UsageError
from conformance.oracle.reference import Float64
from conformance.wording import instead

_LIKE = 2.0**-4
_MOST_MARKS = 2**14


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Two calls that belong together, and by what."""

    source: LayerCall
    target: LayerCall
    by: str


def match(
    source: Sequence[LayerCall], target: Sequence[LayerCall], names: Mapping[str, str]
) -> tuple[list[Match], list[LayerCall], list[LayerCall]]:
    """(pairs in the source's order, the source's calls without a pair, the target's).

    `names` are pairs that the user gives. Raises UsageError for a name that no layer has.
    """
    _check(source, target, names)
    pairs: dict[int, tuple[int, str]] = {}
    _by_names(source, target, names, pairs, "--map")
    _by_weights(source, target, pairs)
    same = {call.name: call.name for call in source}
    _by_names(source, target, same, pairs, "name")
    for is_same in (_same_shape, _same_rank):
        _in_order(source, target, pairs, is_same)
    matches = [
        Match(source=source[position], target=target[other], by=by)
        for position, (other, by) in sorted(pairs.items())
    ]
    left = [call for position, call in enumerate(source) if position not in pairs]
    return matches, left, [c for position, c in enumerate(target) if position not in _taken(pairs)]


def _taken(pairs: Mapping[int, tuple[int, str]]) -> set[int]:
    return {other for other, _ in pairs.values()}


def _check(
    source: Sequence[LayerCall], target: Sequence[LayerCall], names: Mapping[str, str]
) -> None:
    for which, calls, asked in (("A", source, names), ("B", target, names.values())):
        known = {call.name for call in calls}
        for name in asked:
            if name not in known:
                raise UsageError(
                    f"--map: {which} has no transposed convolution {name}, "
                    f"{instead(name, sorted(known))}"
                )


def _by_names(
    source: Sequence[LayerCall],
    target: Sequence[LayerCall],
    names: Mapping[str, str],
    pairs: dict[int, tuple[int, str]],
    by: str,
) -> None:
    """Pair the calls of layers of these names, in their order. Raises UsageError for layers of
    `--map` that cannot be compared.
    """
    for position, call in enumerate(source):
        wanted = names.get(call.name)
        for other, candidate in enumerate(target):
            if position in pairs or wanted is None or other in _taken(pairs):
                continue
            if candidate.name == wanted and _same_rank(call, candidate):
                pairs[position] = (other, by)
            elif candidate.name == wanted and by == "--map":
                raise UsageError(
                    f"--map {call.name}={wanted}: kernels of {len(call.kernel_shape) - 2} and "
                    f"{len(candidate.kernel_shape) - 2} spatial axes, should be of the same"
                )


def _by_weights(
    source: Sequence[LayerCall], target: Sequence[LayerCall], pairs: dict[int, tuple[int, str]]
) -> None:
    """Pair calls that have the same weights, first those that get the same input too.

    Where a call's weights are those of a layer that gets something else, while a layer with a
    kernel of that shape gets the same, the weights are in the wrong layer: what comes in decides.
    """
    alike = list(_alike(source, target))
    for position, other in alike:
        is_free = position not in pairs and other not in _taken(pairs)
        if is_free and _meets(source[position], target[other]):
            pairs[position] = (other, "weights")
    for position, other in sorted(alike, key=lambda pair: pair[0]):
        if position in pairs or other in _taken(pairs):
            continue
        here = [
            n
            for n, call in enumerate(target)
            if n not in _taken(pairs)
            and _same_shape(source[position], call)
            and _meets(source[position], call)
        ]
        pairs[position] = (here[0], "what comes in") if here else (other, "weights")


def _alike(source: Sequence[LayerCall], target: Sequence[LayerCall]) -> Iterator[tuple[int, int]]:
    """Places of calls whose weights are the same but for order, factors and rounding: the likest
    first, then those that stand alike in order.
    """
    marks = [[_marks(call) for call in calls] for calls in (source, target)]
    scored = []
    for position, a in enumerate(marks[0]):
        for other, b in enumerate(marks[1]):
            one, two = source[position], target[other]
            is_alike = _same_rank(one, two) and len(a) == len(b)
            if is_alike and np.prod(one.kernel_shape) == np.prod(two.kernel_shape):
                apart = _apart(a, b)
                if apart > _LIKE and _are_scaled(one, two):
                    apart = _LIKE
                if apart <= _LIKE:
                    scored.append((round(apart, 6), abs(position - other), position, other))
    yield from ((position, other) for _, _, position, other in sorted(scored))


def _marks(call: LayerCall) -> Float64:
    """The weights in ascending order; of a large kernel, those at ranks that are evenly spaced,
    which are as near to another's as all of them, and less than the kernels of a whole model.
    """
    assert call.layer.kernel is not None
    weights = call.layer.kernel.load()
    if weights.dtype.itemsize < 4:
        weights = weights.astype(np.float32)
    weights = np.sort(weights, axis=None)
    ranks = np.linspace(0, len(weights) - 1, min(len(weights), _MOST_MARKS)).astype(int)
    return np.asarray(weights[ranks], np.float64)


def _apart(a: Float64, b: Float64) -> float:
    norm = float(np.linalg.norm(a))
    return float(np.linalg.norm(a - b)) / norm if norm else float(np.linalg.norm(b) > 0)


def _are_scaled(a: LayerCall, b: LayerCall) -> bool:
    """Whether b's kernel is a's with a factor for every input or output channel."""
    if a.kernel_shape != b.kernel_shape:
        return False
    corners = a.corner, b.corner
    if not any(_is_scaled(*corners, axis, 2.0**-11) for axis in (0, 1)):
        return False
    kernels = a.kernel, b.kernel
    return any(_is_scaled(*kernels, axis, 2.0**-12) for axis in (0, 1))


def _is_scaled(a: Float64, b: Float64, axis: int, most: float) -> bool:
    return _apart(b, a * along(factors(a, b, axis), axis, a.ndim)) <= most


def _meets(one: LayerCall, other: LayerCall) -> bool:
    """Whether the same comes in."""
    a, b = one.x, other.x
    if a is None or b is None:
        return False
    apart = difference(a, b)
    return apart is not None and apart <= limit(a, b)


def _same_shape(one: LayerCall, other: LayerCall) -> bool:
    return one.kernel_shape == other.kernel_shape


def _same_rank(one: LayerCall, other: LayerCall) -> bool:
    return len(one.kernel_shape) == len(other.kernel_shape)


def _in_order(
    source: Sequence[LayerCall],
    target: Sequence[LayerCall],
    pairs: dict[int, tuple[int, str]],
    is_same: Callable[[LayerCall, LayerCall], bool],
) -> None:
    """Pair what is left in order, where no pair crosses another."""
    for position, call in enumerate(source):
        if position in pairs:
            continue
        taken = _taken(pairs)
        for other, candidate in enumerate(target):
            if (
                other not in taken
                and is_same(call, candidate)
                and _keeps_order(pairs, position, other)
            ):
                pairs[position] = (other, "order")
                break


def _keeps_order(pairs: Mapping[int, tuple[int, str]], position: int, other: int) -> bool:
    return all((one < position) == (two < other) for one, (two, _) in pairs.items())
