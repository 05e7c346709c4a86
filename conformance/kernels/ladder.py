"""The rungs of a ladder: what a kernel is asked, from its own call up to all that its signature
takes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from conformance.geometry import problems
from conformance.kernels import judgements
from conformance.kernels.call import Arguments, KernelCall
from conformance.kernels.rungs import RUNGS, Rung
from conformance.kernels.subject import Subject

VALUES = ("normal", "wide", "cancelling", "integers", "zeros", "impulse")
FEW_VALUES = ("normal", "cancelling")
"""Of a call that takes seconds."""
DTYPES = ("float64", "float16", "bfloat16")
MOST_SMALL = 2_000_000
"""Products of a call that is not the candidate's own, so that a rung takes a second."""
MOST_SECONDS = 10.0
"""After which a rung that is not the first has no more calls."""
SIZES = (1, 2, 5, 7, 13, 16, 17, 31, 33)


def small(call: KernelCall, batch: int = 2) -> KernelCall:
    """The same call of fewer samples and smaller axes, where the whole truth takes no time."""
    if call.arguments is None:
        return replace(call, shapes=call.small)
    arguments = call.arguments
    [x, *others] = call.shapes
    reach = [2 * -(-axis.extent // axis.stride) + 3 for axis in arguments.geometry(x[2:]).axes]
    size = [min(n, r + 2 * number) for number, (n, r) in enumerate(zip(x[2:], reach, strict=True))]
    shape = (min(x[0], batch), x[1], *size)
    return replace(call, shapes=(shape, *others))


def values(base: KernelCall, kinds: Sequence[str] = VALUES) -> Iterator[KernelCall]:
    """Its own arguments with other numbers."""
    for number, kind in enumerate(kinds):
        yield replace(base, numbers=kind, seed=base.seed + 40 + number, own=False)


def special(base: KernelCall) -> Iterator[KernelCall]:
    """Numbers that are not finite, or hardly more than zero."""
    for number, kind in enumerate(("special", "subnormal")):
        yield replace(base, numbers=kind, seed=base.seed + 50 + number, own=False)


def sizes(base: KernelCall) -> Iterator[KernelCall]:
    """Other batches and other spatial sizes, those of tiles and beside them."""
    [x, *others] = base.shapes
    if others:
        return
    rank = len(x) - 2
    yield replace(base, shapes=((1, *x[1:]),), own=False)
    yield replace(base, shapes=((3, *x[1:]),), own=False)
    for number, size in enumerate(SIZES):
        spatial = tuple(
            size if axis == number % rank else min(x[2 + axis], SIZES[axis + 2])
            for axis in range(rank)
        )
        made = replace(base, shapes=((1, x[1], *spatial),), seed=base.seed + number, own=False)
        if _has_output(made):
            yield made


def _has_output(call: KernelCall) -> bool:
    return call.arguments is None or not problems(call.arguments.geometry(call.shapes[0][2:]))


def dtypes(base: KernelCall) -> Iterator[KernelCall]:
    """Its own arguments in other dtypes."""
    for dtype in DTYPES:
        if dtype != base.dtype:
            yield replace(base, dtype=dtype, own=False)


def gradients(base: KernelCall) -> Iterator[KernelCall]:
    """The gradients of its own arguments."""
    yield replace(base, gradients=True, own=False)


VARIED = ("kernel_size", "stride", "padding", "output_padding", "dilation", "groups", "bias")
DRAWS = 12


def arguments(
    own: KernelCall, names: Sequence[str], defaults: Mapping[str, Any], seed: int
) -> Iterator[KernelCall]:
    """Other arguments: those that stand among the names of the signature. Of a module `names` are
    in the order of its constructor, and channels stay what they are.
    """
    assert own.arguments is not None, "a plain call"
    random = np.random.Generator(np.random.SFC64(seed))
    varied = [name for name in VARIED if name in names or name == "kernel_size"]
    base = small(own)
    for number in range(DRAWS):
        variation = _variation(own.arguments, varied, random, defaults)
        size = [int(n) for n in random.integers(2, 8, variation.rank)]
        shape = (1 + number % 2, variation.in_channels, *size)
        call = replace(base, shapes=(shape,), arguments=variation, seed=seed + number, own=False)
        if own.values is not None:
            values = _constructor_values(own.values, names, variation, defaults)
            if values is None:
                continue
            call = replace(call, values=values)
        if not problems(variation.geometry(size)) and _is_legal(variation):
            yield call


def _is_legal(a: Arguments) -> bool:
    """Whether torch takes it: output_padding must be smaller than stride or dilation."""
    return all(
        extra < max(stride, dilation)
        for extra, stride, dilation in zip(a.output_padding, a.stride, a.dilation, strict=True)
    )


def _variation(
    usual: Arguments,
    varied: Sequence[str],
    random: np.random.Generator,
    defaults: Mapping[str, Any],
) -> Arguments:
    def of_axes(name: str, low: int, high: int) -> tuple[int, ...]:
        if name not in varied:
            return tuple(getattr(usual, name))
        alike = not isinstance(defaults.get(name, ()), tuple | list)
        count = 1 if alike else usual.rank
        numbers = tuple(int(n) for n in random.integers(low, high + 1, count))
        return numbers * usual.rank if alike else numbers

    kernel = of_axes("kernel_size", 1, 5)
    stride = of_axes("stride", 1, 3)
    common = math.gcd(usual.in_channels, usual.out_channels)
    divisors = [n for n in range(1, min(common, 8) + 1) if common % n == 0]
    groups = int(random.choice(divisors)) if "groups" in varied else usual.groups
    bias = bool(random.integers(2)) if "bias" in varied else usual.bias
    return replace(
        usual,
        kernel_size=kernel,
        stride=stride,
        padding=of_axes("padding", 0, 2),
        output_padding=of_axes("output_padding", 0, 1),
        dilation=of_axes("dilation", 1, 2),
        groups=groups,
        bias=bias,
    )


def _constructor_values(
    own: Sequence[Any], names: Sequence[str], variation: Arguments, defaults: Mapping[str, Any]
) -> tuple[Any, ...] | None:
    """The constructor's arguments in order, as far as they must be given to say what was drawn;
    None where one before has no default.
    """
    values: list[Any] = []
    for number, name in enumerate(names):
        before = own[number] if number < len(own) else defaults.get(name)
        if name in VARIED:
            value = getattr(variation, name)
            if name not in ("groups", "bias"):
                was_tuple = isinstance(before, tuple | list)
                value = list(value) if was_tuple else value[0]
            values.append(value)
        elif before == "required":
            return None
        else:
            values.append(before)
    return tuple(values)


Builder = Callable[[KernelCall], Iterator[KernelCall]]
BUILDERS: dict[str, Builder] = {
    "special": special,
    "sizes": sizes,
    "dtypes": dtypes,
    "gradients": gradients,
}


def climb(
    subject: Subject,
    own: KernelCall,
    names: Sequence[str],
    defaults: Mapping[str, Any],
    chosen: Sequence[str] = tuple(RUNGS),
) -> Iterator[Rung]:
    """Rung after rung, of those that are chosen; the first is judged thoroughly, at its own size
    and at a small one. Where it is right at its own size alone, so are the others asked there.
    """
    first = Rung(name="own")
    reduced = replace(small(own), own=False)
    quick = None if reduced.shapes == own.shapes else subject.judge(reduced, thoroughly=True)
    whole = subject.judge(own, thoroughly=True)
    is_made_for_it = quick is not None and whole.is_right and not quick.is_right
    first.judgements = [whole] if quick is None or is_made_for_it else [quick, whole]
    yield first
    is_huge = subject.is_plain and judgements.is_huge(own)
    base = own if is_made_for_it and not is_huge else reduced
    for name in chosen:
        if name == "own":
            continue
        rung = Rung(name=name)
        calls: Iterator[KernelCall]
        if name == "values":
            kinds = VALUES if subject.is_plain and not is_huge else FEW_VALUES
            calls = values(own, kinds) if is_made_for_it else values(reduced)
        elif name != "arguments":
            calls = BUILDERS[name](base)
        elif subject.is_plain and own.arguments is not None:
            calls = arguments(own, names, defaults, own.seed + 1000)
        else:
            rung.why = "a model of several operations is judged with its own arguments"
            calls = iter(())
        if name == "sizes" and quick is not None and is_made_for_it:
            rung.judgements.append(quick)
        _judge(subject, rung, calls)
        yield rung


def _judge(subject: Subject, rung: Rung, calls: Iterator[KernelCall]) -> None:
    began = time.monotonic()
    for call in calls:
        if time.monotonic() - began > MOST_SECONDS:
            rung.why = f"ended after {MOST_SECONDS:g} s: not all of its calls were made"
            break
        rung.judgements.append(subject.judge(call))
