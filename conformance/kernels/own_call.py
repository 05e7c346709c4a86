"""The call that a candidate is made for: what its problem says, what its constructor takes, or
what most decoders have.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from conformance.corpus.case import Shape
from conformance.errors import UsageError
from conformance.kernels.call import Arguments, KernelCall
from conformance.kernels.options import Options
from conformance.kernels.process import NotAnsweredError, sentence
from conformance.kernels.subject import Subject, shapes_of

MOST_OF_A_MODEL = 1 << 22
"""Numbers in the input or the output of a model of several operations, of which all is computed in
float64 several times."""
MOST_PRODUCTS_OF_A_MODEL = 2**31
"""Of one call of it."""
SMALL_AXES = (12, 16, 32)
FRESH = 1 << 31

USUAL = Arguments(
    in_channels=8,
    out_channels=12,
    kernel_size=(3, 3),
    stride=(2, 2),
    padding=(1, 1),
    output_padding=(1, 1),
    dilation=(1, 1),
)
"""The own call of a candidate that nobody gave a problem: what most decoders have."""
USUAL_SIZE = (9, 11, 6)


def own_call(options: Options, subject: Subject) -> KernelCall:
    """The call that the candidate is made for."""
    seed = options.seed if options.seed is not None else time.time_ns() % FRESH
    problem = subject.problem
    if problem is None or not problem["inputs"]:
        rank = options.rank or (rank_of(subject.facts["name"]) if subject.is_module else 2)
        usual = _usual(rank)
        shape = (2, usual.in_channels, *USUAL_SIZE[:rank])
        values = _usual_values(subject, usual) if subject.is_module else None
        return KernelCall(
            shapes=(shape,), arguments=usual, values=values, seed=seed, numbers="normal"
        )
    assert subject.reference is not None, "a problem has one"
    values = tuple(problem["values"])
    shapes = shapes_of(problem)
    try:
        made = subject.reference.ask("make", values=list(values), seed=seed, dtype="float32")
        layers = made["layers"]
        plain = subject.reference.ask("is_plain", shapes=list(shapes))["plain"]
    except NotAnsweredError as error:
        raise UsageError(f"{options.problem or options.file} {sentence(error)}") from None
    subject.is_plain = plain
    if not layers:
        raise UsageError(
            f"{options.problem or options.file} has no transposed convolution, should be a problem "
            "with at least one"
        )
    call = KernelCall(shapes=shapes, values=values, seed=seed, numbers="unit", own=True)
    if plain or not subject.is_module:
        subject.is_plain = True
        return replace(call, arguments=Arguments.of_layer(layers[0]))
    return _of_model(subject, call)


def _of_model(subject: Subject, call: KernelCall) -> KernelCall:
    """The own call of a model of several operations: with fewer samples, and then smaller axes,
    where the whole truth would be too much, and with a smaller one beside it.
    """
    shapes = call.shapes
    while _cost(subject, shapes) > 1:
        fewer = _of_batch(shapes, max(1, shapes[0][0] // 2))
        shapes = fewer if shapes[0][0] > 1 else _halved(shapes)
        if shapes[0][0] < 1 or _cost(subject, shapes) == math.inf:
            raise UsageError(f"a call of inputs {list(map(list, call.shapes))} is too large")
    own = call
    if shapes != call.shapes:
        own = replace(call, shapes=shapes, own=False)
        subject.notes.append(
            f"judged on {', '.join(str(list(each)) for each in shapes)} instead of "
            f"{', '.join(str(list(each)) for each in call.shapes)}: a model of several operations "
            "is computed in float64 as a whole"
        )
    smaller = _of_batch(own.shapes, 2)
    for size in SMALL_AXES if len(smaller) == 1 else ():
        reduced = tuple((*each[:2], *(min(n, size) for n in each[2:])) for each in smaller)
        if _cost(subject, reduced) < math.inf:
            return replace(own, small=reduced)
    return replace(own, small=smaller)


def _cost(subject: Subject, shapes: Sequence[Shape]) -> float:
    """A call as a multiple of the largest of which the whole truth is computed; infinite where the
    model does not take it.
    """
    assert subject.reference is not None, "a model has one"
    try:
        answer = subject.reference.ask("shape", shapes=list(shapes))
    except NotAnsweredError:
        return math.inf
    numbers = max(math.prod(each) for each in (*shapes, answer["shape"]))
    cost: float = max(numbers / MOST_OF_A_MODEL, answer["products"] / MOST_PRODUCTS_OF_A_MODEL)
    return cost


def _of_batch(shapes: Sequence[Shape], most: int) -> tuple[Shape, ...]:
    batch = shapes[0][0]
    return tuple((min(batch, most), *each[1:]) if each[:1] == (batch,) else each for each in shapes)


def _halved(shapes: Sequence[Shape]) -> tuple[Shape, ...]:
    """With the largest spatial axis of the only input half as long."""
    [shape] = shapes if len(shapes) == 1 else [()]
    if not shape or max(shape[2:]) < 2:
        return ((0,),)
    axis = 2 + max(range(len(shape) - 2), key=lambda number: shape[2 + number])
    return ((*shape[:axis], shape[axis] // 2, *shape[axis + 1 :]),)


def _usual(rank: int) -> Arguments:
    cut = {
        name: (getattr(USUAL, name) * rank)[:rank]
        for name in ("kernel_size", "stride", "padding", "output_padding", "dilation")
    }
    return replace(USUAL, **cut)


def _usual_values(subject: Subject, usual: Arguments) -> tuple[Any, ...]:
    """The constructor's arguments, in its order. Raises UsageError where it is no layer's."""
    values: list[Any] = []
    for name, default in subject.facts["parameters"].items():
        if hasattr(usual, name):
            value = getattr(usual, name)
            values.append(value[0] if isinstance(value, tuple) else value)
        elif default == "required":
            raise UsageError(
                f"{subject.facts['name']} takes {name}, which no layer of torch does: say with "
                "--problem FILE what it is made of"
            )
        else:
            values.append(default)
    return tuple(values)


def rank_of(name: str) -> int:
    """How many spatial axes a name speaks of."""
    return next((rank for rank in (1, 2, 3) if f"{rank}d" in name.lower()), 2)
