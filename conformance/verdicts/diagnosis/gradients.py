"""The mistake that a wrong gradient is: the mistakes of the output, made of the adjoint, and those
that are read off the gradient itself.

A mistake about the arguments that only copies numbers of an operand from place to place is told by
the places; its adjoint adds up what each place of the operand receives.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from conformance.corpus.tensors import Array
from conformance.oracle import GradientTruth
from conformance.oracle.bound import bound
from conformance.oracle.gradients import bias_gradient, input_gradient, kernel_gradient
from conformance.oracle.reference import Float64
from conformance.oracle.truth import SIGNIFICAND_BITS
from conformance.verdicts.diagnosis.arguments import argument_mistakes
from conformance.verdicts.diagnosis.factors import factors_of
from conformance.verdicts.diagnosis.fit import matching_elements
from conformance.verdicts.diagnosis.mistake import Call, Mistake
from conformance.verdicts.diagnosis.orders import exchanged_axes, order_of, order_text
from conformance.verdicts.diagnosis.outputs import moved_results
from conformance.verdicts.diagnosis.slices import Slicing, factors_text, snapped

MOST_SAMPLES = 64
"""Samples, or output channels, that are each left out to see whether that explains a gradient."""

NEAR = 2.0**-12
"""The relative error within which a factor is taken for a simple number."""

FORMATS = {11: "TF32 or float16", 8: "bfloat16"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Differentiated:
    """A call, its cotangent (N, C_out, *out), and which operand's gradient is asked for."""

    call: Call
    cotangent: Float64
    of: str

    def gradient(self, call: Call | None = None, cotangent: Float64 | None = None) -> Float64:
        """The gradient, of another call or cotangent where given."""
        call = self.call if call is None else call
        cotangent = self.cotangent if cotangent is None else cotangent
        if self.of == "input":
            return input_gradient(call.w, cotangent, call.geometry)
        if self.of == "kernel":
            return kernel_gradient(call.x, cotangent, call.geometry)
        return bias_gradient(cotangent, call.geometry)


def diagnose_gradient(got: Array, truth: GradientTruth) -> dict[str, Any] | None:
    """{"name", "text", "share", "also"} of what explains a gradient that differs, element for
    element; None if nothing does.

    `got` has any shape and real dtype. Mistakes that fit equally are in `also`.
    """
    if np.iscomplexobj(got) or not got.size:
        return None
    limit = 0.0 if truth.exact else float(np.max(bound(truth), initial=0.0)) * 2
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        values = got.astype(np.float64)
        fitting = [
            mistake
            for mistake in _mistakes(values, truth)
            if mistake.y is not None and _explains(mistake.y, values, truth, limit)
        ]
    if not fitting:
        return None
    by_name = {mistake.name: mistake for mistake in reversed(fitting)}
    first = fitting[0]
    also = [
        {"name": name, "text": mistake.text}
        for name, mistake in reversed(by_name.items())
        if name != first.name
    ]
    text = "; or, which fits as well: ".join(
        [first.text, *("; ".join(entry["text"] for entry in also[:6]) for _ in also[:1])]
    )
    return {"name": first.name, "text": f"d{truth.of}: {text}", "share": 1.0, "also": also}


def _explains(y: Float64, got: Float64, truth: GradientTruth, limit: float) -> bool:
    """Whether y, which is not the truth, is `got`."""
    if y.shape != got.shape or (
        y.shape == truth.y.shape and np.array_equal(y, truth.y, equal_nan=True)
    ):
        return False
    few_ulps = 4 * 2.0 ** -SIGNIFICAND_BITS[truth.dtype] * np.abs(y)
    return bool(matching_elements(got, y, truth.dtype, limit + few_ulps).all())


def _mistakes(got: Float64, truth: GradientTruth) -> Iterator[Mistake]:
    differentiated = _differentiated(truth)
    yield from _of_the_adjoint(differentiated)
    yield from _of_sums(differentiated)
    yield from _exchanged(truth, got)
    if got.shape == truth.y.shape:
        if truth.of == "input":
            yield from moved_results(truth.y, got)
        yield from _of_slices(got, truth)
        yield from _rounded(truth)
        if not got.any():
            yield Mistake(name="left-zero", text="the gradient is zero everywhere", y=got)


def _differentiated(truth: GradientTruth) -> _Differentiated:
    """The call of which this is a gradient; an operand that the gradient does not depend on is
    zero.
    """
    geometry, cotangent = truth.geometry, truth.operands[-1]
    batch, c_out = cotangent.shape[:2]
    if truth.of == "input":
        w = truth.operands[0]
        x = np.zeros((batch, len(w), *geometry.size))
    elif truth.of == "kernel":
        x = truth.operands[0]
        w = np.zeros((x.shape[1], c_out // geometry.groups, *geometry.kernel))
    else:
        x = np.zeros((batch, geometry.groups, *geometry.size))
        w = np.zeros((geometry.groups, c_out // geometry.groups, *geometry.kernel))
    call = Call(x=x, w=w, bias=None, geometry=geometry)
    return _Differentiated(call=call, cotangent=cotangent, of=truth.of)


def _of_the_adjoint(differentiated: _Differentiated) -> Iterator[Mistake]:
    """The gradients of what mistakes about the arguments make of the call."""
    call, of = differentiated.call, differentiated.of
    if of == "bias":
        return
    positions = replace(call, x=_numbered(call.x), w=_numbered(call.w))
    for mistake in argument_mistakes(positions):
        wrong = mistake.call
        if wrong is None or not wrong.makes_sense:
            continue
        numbers = replace(wrong, x=_gathered(call.x, wrong.x), w=_gathered(call.w, wrong.w))
        gradient = differentiated.gradient(numbers, _fitted(differentiated.cotangent, wrong.shape))
        own, moved = (call.x, wrong.x) if of == "input" else (call.w, wrong.w)
        yield Mistake(
            name=mistake.name, text=mistake.text, y=_adjoint_of_copies(own, moved, gradient)
        )


def _numbered(operand: Float64) -> Float64:
    """The position of every number, from 1 on: 0 stands for a zero that is put in."""
    return np.arange(1.0, operand.size + 1).reshape(operand.shape)


def _gathered(operand: Float64, positions: Float64) -> Float64:
    """The operand's numbers from these positions."""
    return np.asarray(np.concatenate([[0.0], operand.ravel()])[positions.astype(int)])


def _adjoint_of_copies(operand: Float64, positions: Float64, gradient: Float64) -> Float64:
    """What every place of the operand receives of the gradient of its copies."""
    sums = np.zeros(operand.size + 1)
    np.add.at(sums, positions.astype(int).ravel(), gradient.ravel())
    return sums[1:].reshape(operand.shape)


def _fitted(cotangent: Float64, shape: tuple[int, ...]) -> Float64:
    """The cotangent as a kernel reads it that takes it for one of another shape: cut or continued
    with zeros at the ends.
    """
    read = np.zeros(shape)
    common = tuple(
        slice(0, min(own, other)) for own, other in zip(cotangent.shape, shape, strict=True)
    )
    read[common] = cotangent[common]
    return read


def _of_sums(differentiated: _Differentiated) -> Iterator[Mistake]:
    """Sums over samples, output channels or positions that lack one, that are one alone, or that
    are averaged.
    """
    cotangent, of = differentiated.cotangent, differentiated.of
    right = differentiated.gradient()
    if of != "input":
        yield from _averaged(right, cotangent.shape)
    summed = [("output channel", 1)] if of == "input" else [("sample", 0)]
    for axis in range(2, cotangent.ndim if of != "input" else 2):
        where = f" on axis {axis - 2}" if cotangent.ndim > 3 else ""
        summed.append((f"output position{where}", axis))
    for noun, axis in summed:
        length = cotangent.shape[axis]
        if not 1 < length <= MOST_SAMPLES:
            continue
        for number in range(length):
            alone = np.zeros_like(cotangent)
            at = (slice(None),) * axis + (number,)
            alone[at] = cotangent[at]
            part = differentiated.gradient(cotangent=alone)
            text = f"{noun} {number} stands for all"
            yield Mistake(name="one-stands-for-all", text=text, y=part)
            text = f"{noun} {number} is left out of the sum"
            yield Mistake(name="left-out-of-sum", text=text, y=right - part)


def _averaged(right: Float64, shape: Sequence[int]) -> Iterator[Mistake]:
    """Means instead of sums; the cotangent has that shape (N, C_out, *out)."""
    batch, positions = shape[0], math.prod(shape[2:])
    for what, count in (
        ("the samples", batch),
        ("the output positions", positions),
        ("the samples and output positions", batch * positions),
    ):
        if count > 1:
            text = f"it is the mean over {what} instead of the sum"
            yield Mistake(name="averaged", text=text, y=right / count)


def _exchanged(truth: GradientTruth, got: Float64) -> Iterator[Mistake]:
    """The gradient with its axes exchanged, mirrored, or of another layout in memory."""
    if truth.y.ndim < 3:
        return
    for mistake in exchanged_axes(truth.y, got.shape):
        name = mistake.name.replace("output-", "gradient-")
        if name == "gradient-mirrored" and truth.of == "kernel":
            name = "kernel-not-flipped"
        yield replace(mistake, name=name, text=mistake.text.replace("the result", "the gradient"))


def _slicings(truth: GradientTruth) -> Iterator[Slicing]:
    """The ways to cut a gradient into slices."""
    shape, geometry = truth.y.shape, truth.geometry
    names = {
        "input": ("samples", "input-channels", "input-positions"),
        "kernel": ("input-channels", "output-channels", "taps"),
        "bias": ("output-channels", "output-channels", "output-channels"),
    }[truth.of]
    for axis, length in enumerate(shape):
        key = names[min(axis, 2)]
        noun = key.replace("-", " ")[:-1]
        where = f" on axis {axis - 2}" if axis > 1 and geometry.rank > 1 else ""
        if length > 1:
            yield Slicing(key=key, noun=noun, axis=axis, of=np.arange(length), where=where)
    channels = {"input": 1, "kernel": 0, "bias": 0}[truth.of]
    if 1 < geometry.groups < shape[channels]:
        of_groups = np.arange(shape[channels]) // (shape[channels] // geometry.groups)
        yield Slicing(key="groups", noun="group", axis=channels, of=of_groups)


def _of_slices(got: Float64, truth: GradientTruth) -> Iterator[Mistake]:
    """The gradient times a number, with a factor per slice, or with slices in another order."""
    y = truth.y
    if not (np.isfinite(y).all() and np.isfinite(got).all()):
        return
    ratios = (got / y)[y != 0]
    if ratios.size:
        factor = float(snapped(np.array([np.median(ratios)]), NEAR)[0])
        text = f"every element is {factor:.6g} times what it should be"
        yield Mistake(name="scaled", text=text, y=factor * y)
    limit = float(np.max(bound(truth), initial=0.0))
    for slicing in _slicings(truth):
        factors = factors_of(slicing, got, y)
        if factors is not None:
            kind, text = factors_text(snapped(factors, NEAR), slicing.noun, slicing.where)
            spread = slicing.spread(snapped(factors, NEAR), y.ndim)
            yield Mistake(name=f"{slicing.key}-{kind}", text=text, y=spread * y)
        order = order_of(y, got, slicing.axis, truth.dtype, limit)
        if order is not None and slicing.count == y.shape[slicing.axis]:
            text = f"the {slicing.noun}s{slicing.where} are {order_text(order)}"
            yield Mistake(
                name=f"{slicing.key}-permuted", text=text, y=np.take(y, order, slicing.axis)
            )


def _rounded(truth: GradientTruth) -> Iterator[Mistake]:
    """The gradient of operands rounded to fewer bits."""
    for bits, formats in FORMATS.items():
        if bits < SIGNIFICAND_BITS[truth.dtype]:
            text = f"the gradient has {bits} significant bits: {formats}"
            rounded = f"{text} (the operands rounded to it)"
            yield Mistake(name="low-precision", text=rounded, y=truth.rounded(bits))
