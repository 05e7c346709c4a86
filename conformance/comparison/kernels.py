"""Two kernels: the same up to a named layout, order, factor or rounding, or other numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from conformance.comparison.factors import factor_findings
from conformance.comparison.results import Finding
from conformance.corpus.tensors import dtype_of
from conformance.oracle.reference import Float64
from conformance.oracle.truth import significand
from conformance.verdicts.diagnosis.mistake import Call
from conformance.verdicts.diagnosis.operands import operand_mistakes

NEAR = 2.0**-20
"""The relative difference up to which two weights are the same: effective weights, such as those of
weight norm, are computed anew by an exporter, in float32 and in another order."""
_BITS = {11: "TF32", 8: "bfloat16", 4: "float8 (E4M3)", 3: "float8 (E5M2)"}

Order = NDArray[np.int_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """The target's kernel seen from the source's.

    `inputs` and `outputs` are orders of channels: the target's channel n is the source's order[n].
    """

    kind: Literal["same", "reordered", "other"]
    findings: tuple[Finding, ...] = ()
    inputs: Order | None = None
    outputs: Order | None = None


def near(a: Float64, b: Float64) -> bool:
    """Whether all weights are the same but for the rounding of their own computation.

    A slice of the first axis is compared at a time, which takes little memory and ends early.
    """
    if a.shape != b.shape:
        return False
    slices = zip(a, b, strict=True) if a.ndim > 1 else [(a, b)]
    return all(bool((abs(x - y) <= NEAR * np.maximum(abs(x), abs(y))).all()) for x, y in slices)


def relation(call: Call, other: Float64) -> Relation:
    """What the target's kernel (C_in, C_out / groups, *kernel) is, seen from the call of the
    source.

    Layouts are tried first, under the names of docs/diagnosis.md, then orders of channels and taps,
    then factors along an axis, then rounding.
    """
    w = call.w
    if near(w, other):
        return Relation(kind="same")
    orders = _orders(w, other)
    if orders is not None:
        inputs, outputs = orders
        return Relation(
            kind="reordered",
            findings=tuple(_order_findings(inputs, outputs)),
            inputs=inputs,
            outputs=outputs,
        )
    finders = (_rounded, _layouts, _taps, lambda call, other: factor_findings(call.w, other, near))
    for finder in finders:
        findings = tuple(finder(call, other))
        if findings:
            return Relation(kind="other", findings=findings)
    return Relation(kind="other", findings=(_elements(w, other),))


def rounded_to(a: Float64, b: Float64) -> str | None:
    """The format of few bits to which b is a rounded, if it is that and a is not."""
    if a.shape != b.shape:
        return None
    for name in ("float16", "bfloat16"):
        with np.errstate(over="ignore"):
            rounded = a.astype(dtype_of(name)).astype(np.float64)
        if (rounded == b).all() or (name == "float16" and _but_for_the_least(a, rounded, b)):
            return name
    return next(
        (name for bits, name in _BITS.items() if np.array_equal(significand(a, bits), b)), None
    )


def _but_for_the_least(a: Float64, rounded: Float64, b: Float64) -> bool:
    """Whether b is a in float16 where that has numbers as small: converters replace what would
    become zero by the least number that does not, or by zero.
    """
    least = float(np.finfo(np.float16).smallest_subnormal)
    is_small = abs(a) < 4 * least
    return bool(
        ((rounded == b) | (is_small & (abs(a - b) <= 4 * least))).all() and not is_small.all()
    )


def _rounded(call: Call, other: Float64) -> Iterator[Finding]:
    name = rounded_to(call.w, other)
    if name is not None:
        yield Finding(name="kernel-rounded", text=f"the kernel is rounded to {name}")
    elif call.w.shape == other.shape and (levels := _levels(call.w, other)) is not None:
        text = f"the kernel is quantised to {levels} levels, each next to the source's weight"
        yield Finding(name="kernel-quantised", text=text)


def _levels(w: Float64, other: Float64) -> int | None:
    """How many levels there are on either side of zero, if the weights are whole multiples of one
    step, of the kernel or of each channel, and next to the source's.
    """
    for axes in ((), (0,), (1,)):
        others = tuple(n for n in range(w.ndim) if n not in axes)
        largest = abs(other).max(others, keepdims=True)
        for levels in (127, 7):
            steps = other * levels / np.maximum(largest, 1e-300)
            is_whole = abs(steps - np.round(steps)).max() <= 2.0**-12
            if is_whole and (abs(w - other) <= largest / levels).all():
                return levels
    return None


def _layouts(call: Call, other: Float64) -> Iterator[Finding]:
    """The mistakes about a kernel that make exactly this one."""
    small = replace(call, x=np.zeros((1, call.w.shape[0], *[1] * call.geometry.rank)))
    names = set()
    for mistake in operand_mistakes(small):
        made = mistake.call
        if made is None or made.w is call.w or mistake.name in names:
            continue
        if near(made.w, other):
            names.add(mistake.name)
            yield Finding(name=mistake.name, text=mistake.text)


def _orders(w: Float64, other: Float64) -> tuple[Order | None, Order | None] | None:
    """(order of input channels, order of output channels) that make `other` of w."""
    if w.shape != other.shape:
        return None
    for axes in ((1,), (0,), (0, 1)):
        orders = dict.fromkeys((0, 1))
        seen = w
        for axis in reversed(axes):
            order = _order(seen, other, axis, blind=0 if axis == 1 and len(axes) == 2 else None)
            orders[axis] = order
            seen = np.take(seen, order, axis)
        if near(seen, other):
            return orders[0], orders[1]
    return None


def _order(w: Float64, other: Float64, axis: int, *, blind: int | None = None) -> Order:
    """The order of slices along an axis in which `other` is likeliest to be w, by one number for
    each; `blind` to the order of another axis.
    """
    random = np.random.RandomState(0)
    a, b = (w, other) if blind is None else (_powers(w, blind), _powers(other, blind))
    a, b = (np.moveaxis(part, axis, 0).reshape(part.shape[axis], -1) for part in (a, b))
    weights = random.standard_normal(a.shape[1])
    order = np.empty(len(a), int)
    order[np.argsort(b @ weights, kind="stable")] = np.argsort(a @ weights, kind="stable")
    return order


def _powers(w: Float64, axis: int) -> Float64:
    return np.stack([w.sum(axis), (w**2).sum(axis)], -1)[np.newaxis]


def _order_findings(inputs: Order | None, outputs: Order | None) -> Iterator[Finding]:
    for word, order in (("input", inputs), ("output", outputs)):
        if order is not None and not np.array_equal(order, np.arange(len(order))):
            text = f"{word} channels are in another order{listed(order)}"
            yield Finding(name=f"{word}-channels-permuted", text=text)


def listed(order: Sequence[int] | Order) -> str:
    """An order that is short enough to be read."""
    return f": {[int(n) for n in order]}" if len(order) <= 16 else ""


def _taps(call: Call, other: Float64) -> Iterator[Finding]:
    """Taps in another order, on one axis."""
    for axis in range(2, call.w.ndim) if call.w.shape == other.shape else ():
        order = _order(call.w, other, axis)
        if near(np.take(call.w, order, axis), other) and len(order) > 2:
            is_reversed = np.array_equal(order, np.arange(len(order))[::-1])
            if not is_reversed:
                text = f"taps of the kernel on axis {axis - 2} are in another order{listed(order)}"
                yield Finding(name="taps-permuted", text=text)


def _elements(w: Float64, other: Float64) -> Finding:
    """How many weights are other ones, and where the first is."""
    if w.shape != other.shape:
        text = f"the kernel is of shape {list(other.shape)}, should be {list(w.shape)}"
        return Finding(name="kernel-of-another-shape", text=text)
    wrong = abs(w - other) > NEAR * np.maximum(abs(w), abs(other))
    index = [int(n) for n in np.argwhere(wrong)[0]]
    first = f"kernel{index}={other[tuple(index)]:.6g}, should be {w[tuple(index)]:.6g}"
    count = int(wrong.sum())
    if count <= w.size // 10:
        return Finding(
            name="weights-changed", text=f"{count} of {w.size} weights are others; {first}"
        )
    return Finding(name="other-kernel", text=f"the kernel is another one; {first}")
