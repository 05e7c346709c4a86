"""What the result of one call is worth: against the derived bound, against samples of it where the
call is huge, or against a whole model in float64.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from conformance.corpus.tensors import Array
from conformance.kernels import sampling
from conformance.kernels.call import Arguments, KernelCall, hidden_seed, products
from conformance.oracle import GradientTruth, Truth, gradient_truths, truth_of
from conformance.oracle.reference import Float64
from conformance.outcomes import Crashed, Raised, TimedOut
from conformance.verdicts.compare import compare
from conformance.verdicts.diagnosis import diagnose
from conformance.verdicts.diagnosis.gradients import diagnose_gradient

MOST_PRODUCTS = 300_000_000
"""Of a call of which all of the truth is computed."""
MOST_ELEMENTS = 1 << 24

RIGHT, WRONG, RAISED, CRASHED, LATE = "right", "wrong", "raised", "crashed", "late"
NOT_TAKEN = "not-taken"
"""The candidate says that it does not do this."""
NO_TRUTH = "no-truth"
"""The reference itself cannot do it: nothing can be said of the candidate."""

GRADIENTS_OF = ("input", "kernel", "bias")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A call and what came of it; `text` says what is wrong, `cause` which mistake explains it,
    `truth` what the result was held against, and `frames` where the candidate raised.
    """

    call: KernelCall
    status: str
    text: str = ""
    cause: str | None = None
    cause_text: str | None = None
    truth: str = ""
    over_bound: float | None = None
    frames: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def is_right(self) -> bool:
        return self.status == RIGHT

    def as_json(self) -> dict[str, Any]:
        """For a program."""
        return {
            "call": str(self.call),
            "status": self.status,
            "text": self.text,
            "cause": self.cause,
            "cause_text": self.cause_text,
            "truth": self.truth,
            "error_over_bound": self.over_bound,
            "frames": list(self.frames),
            "notes": list(self.notes),
        }


def of_failure(
    call: KernelCall, failure: Raised | Crashed | TimedOut, frames: Sequence[str] = ()
) -> Judgement:
    """The judgement on a call that gave no result."""
    if isinstance(failure, TimedOut):
        text = f"gave no answer within {failure.seconds:g} s"
        return Judgement(call=call, status=LATE, text=text)
    if isinstance(failure, Crashed):
        return Judgement(call=call, status=CRASHED, text=failure.message)
    taken = failure.type not in ("NotImplementedError", "Unsupported")
    text = f"{failure.type}: {failure.message}"
    status = RAISED if taken else NOT_TAKEN
    return Judgement(call=call, status=status, text=text, frames=tuple(frames))


def is_huge(call: KernelCall) -> bool:
    """Whether only samples of the truth are computed."""
    arguments = call.arguments
    assert arguments is not None, "a plain call"
    [x, *_] = call.shapes
    y = arguments.output_shape(x)
    return products(call) > MOST_PRODUCTS or max(math.prod(x), math.prod(y)) > MOST_ELEMENTS


def of_output(call: KernelCall, x: Array, kernel: Array, bias: Array | None, y: Array) -> Judgement:
    """The judgement on the output y (N, C_out, *out) of a plain transposed convolution."""
    assert call.arguments is not None, "a plain call"
    geometry = call.arguments.geometry(x.shape[2:])
    if is_huge(call):
        return _of_samples(call, call.arguments, (x, kernel, bias), y)
    truth = truth_of(x, kernel, bias, geometry, call.dtype)
    compared = compare(y, truth)
    criterion = (
        "every element, exactly" if truth.exact else "every element, within its derived bound"
    )
    if compared.mismatch is None:
        return Judgement(
            call=call, status=RIGHT, truth=criterion, over_bound=compared.error_over_bound
        )
    diagnosis = diagnose(y, truth, compared.precision)
    return _wrong(call, compared.mismatch["text"], diagnosis, criterion, compared.error_over_bound)


def _wrong(
    call: KernelCall,
    text: str,
    diagnosis: dict[str, Any] | None,
    criterion: str,
    over_bound: float | None = None,
) -> Judgement:
    cause, cause_text = (
        (None, None) if diagnosis is None else (diagnosis["name"], diagnosis["text"])
    )
    return Judgement(
        call=call, status=WRONG, text=text, cause=cause, cause_text=cause_text, truth=criterion,
        over_bound=over_bound,
    )  # fmt: skip


def _of_samples(
    call: KernelCall,
    arguments: Arguments,
    operands: tuple[Array, Array, Array | None],
    y: Array,
) -> Judgement:
    x, kernel, bias = operands
    due = arguments.output_shape(x.shape)
    if y.shape != due or y.dtype != x.dtype:
        text = f"out is {y.dtype.name}{list(y.shape)}, should be {x.dtype.name}{list(due)}"
        return _wrong(call, text, None, "the shape")
    sample = sampling.find(
        x, kernel, bias, arguments.geometry(x.shape[2:]), y, hidden_seed(call.seed, "samples")
    )
    status = RIGHT if sample.text is None else WRONG
    return Judgement(
        call=call, status=status, text=sample.text or "", truth=sample.looked,
        over_bound=sample.over_bound,
    )  # fmt: skip


def of_gradients(
    call: KernelCall,
    operands: tuple[Array, Array, Array | None],
    cotangent: Array,
    gradients: Sequence[Array | None],
) -> Judgement:
    """The judgement on the gradients of sum(y * cotangent), in the order of the operands."""
    assert call.arguments is not None, "a plain call"
    geometry = call.arguments.geometry(operands[0].shape[2:])
    truths: dict[str, GradientTruth] = gradient_truths(*operands, cotangent, geometry, call.dtype)
    criterion = "every element of every gradient, within its derived bound"
    largest = 0.0
    for name, gradient in zip(GRADIENTS_OF, gradients, strict=False):
        if name not in truths:
            continue
        if gradient is None:
            return _wrong(call, f"there is no gradient of the {name}", None, criterion)
        compared = compare(gradient, truths[name], name=f"d{name}")
        if compared.mismatch is not None:
            explained = diagnose_gradient(gradient, truths[name])
            return _wrong(call, compared.mismatch["text"], explained, criterion)
        largest = max(largest, compared.error_over_bound or 0.0)
    return Judgement(call=call, status=RIGHT, truth=criterion, over_bound=largest)


def of_model(
    call: KernelCall, y: Array, want: Float64, allowed: Float64, name: str = "out"
) -> Judgement:
    """The judgement on the output of a model of several operations, given that in float64 and how
    far a right one may be from it.
    """
    criterion = (
        "the model in float64, every element within what rounding makes of it, measured by "
        "perturbation and by the model's own error"
    )
    if y.shape != want.shape or y.dtype.name != call.dtype:
        text = f"{name} is {y.dtype.name}{list(y.shape)}, should be {call.dtype}{list(want.shape)}"
        return _wrong(call, text, None, criterion)
    got = y.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.abs(got - want)
        wrong = ~((error <= allowed) | (got == want) | (np.isnan(got) & np.isnan(want)))
        ratio = float(np.nanmax(error / np.maximum(allowed, np.finfo(float).tiny), initial=0.0))
    if not wrong.any():
        return Judgement(call=call, status=RIGHT, truth=criterion, over_bound=ratio)
    at = tuple(int(i) for i in np.argwhere(wrong)[0])
    text = (
        f"{name}{list(at)}={got[at]:.9g}, should be {want[at]:.9g}; "
        f"{int(wrong.sum()):,} of {wrong.size:,} elements differ"
    )
    return _wrong(call, text, None, criterion, ratio)


def fits(y: Array, want: Float64, allowed: Float64) -> bool:
    """Whether what a mistake makes of a model explains a result that differs."""
    if y.shape != want.shape:
        return False
    got = y.astype(np.float64)
    with np.errstate(invalid="ignore"):
        near = (np.abs(got - want) <= allowed) | (np.isnan(got) & np.isnan(want))
    return bool(near.all())


def truth_of_layer(x: Float64, kernel: Array, bias: Array | None, arguments: Arguments) -> Truth:
    """The truth of the transposed convolution inside a model, in float64."""
    return truth_of(x, kernel, bias, arguments.geometry(x.shape[2:]), "float64")
