"""`check`: a callable through the corpus, in this process."""

from __future__ import annotations

import inspect
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from conformance.adapters import Unsupported as NotSupported
from conformance.check_report import LazyVerdict, Report
from conformance.corpus.case import Case
from conformance.corpus.expected import check_guards
from conformance.corpus.selection import select
from conformance.corpus.tensors import Array, numeric_array
from conformance.corpus.truths import LARGE_BYTES, Truths
from conformance.errors import SelectionError
from conformance.geometry import canonical_padding
from conformance.outcomes import Gradients, Outcome, Output, Raised, Unsupported, message_of
from conformance.printing import complain
from conformance.verdicts import messages
from conformance.verdicts.assessment import assess_gradients, assess_output
from conformance.verdicts.diagnosis import diagnosed, diagnosed_gradients
from conformance.verdicts.verdict import Verdict
from conformance.wording import counted
from conformance.workers.frames import frames_of

SILENCE = 15.0
"""Seconds after which a check that goes on says how far it is, on standard error."""

BY_NAME = ("stride", "padding", "output_padding", "dilation", "groups")
"""Arguments of a callable that are given by name."""

Kernel = Callable[..., Any]


def check(
    kernel: Kernel,
    cases: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None = None,
    *,
    raises: bool = False,
    progress: bool = True,
) -> Report:
    """Run a callable through every case that is not tagged `slow`, and compare what it returns with
    the oracle.

    `kernel` is a callable, or one with its gradients: a pair of callables, or an object with the
    methods `forward` and `gradients`. The first is called as `kernel(x, w, bias, *, stride,
    padding, output_padding, dilation, groups)` with x (N, C_in, *spatial), w (C_in, C_out / groups,
    *kernel) and bias (C_out,) or None as NumPy arrays of the case's dtype, and everything but
    groups as one entry per spatial axis: `padding` a (low, high) pair of which high is never
    negative, `output_padding` what is appended beyond the full output; a negative low pad prepends
    zeros. It returns (N, C_out, *out) and raises `conformance.Unsupported` for what it does not do;
    for cases that must be refused it has to raise something else. The gradients of sum(output *
    cotangent) are asked for in cases that have a cotangent (N, C_out, *out), as `gradients(x, w,
    bias, cotangent, ...)` with the same arguments by name: it returns those with respect to x, w
    and bias, each of its operand's shape; the last is None without a bias. Cases with operands of
    two dtypes are passed over: nothing in these calls says which dtype the output should have.

    `cases` is a path, a full name or a glob of them, or several; without it, the shipped corpus.
    With `raises`, AssertionError if anything fails. Unless `progress` is false, the first failure
    is told on standard error when it happens, and from time to time how far the check is.
    """
    selection = select(_words(cases))
    truths = Truths()
    check_guards(selection.cases, truths)
    concerned = [
        case for case in selection.cases if case.geometry is not None and not case.other_dtypes
    ]
    verdicts = list(_verdicts(_Asked.of(kernel), concerned, truths, progress=progress))
    report = Report(verdicts=tuple(verdicts), _cases={case.name: case for case in concerned})
    if raises and not report.ok:
        raise AssertionError(str(report))
    return report


def _verdicts(
    asked: _Asked, cases: Sequence[Case], truths: Truths, *, progress: bool
) -> Iterator[Verdict]:
    """Of every case that on its output, and that on its gradients where both have them."""
    teller = _Teller(len(cases)) if progress else None
    for case in cases:
        verdict = _verdict(asked, case, truths)
        yield verdict
        if asked.gradients is not None and case.gradients is not None:
            verdict = _verdict_on_gradients(asked, case, truths)
            yield verdict
        if teller is not None:
            teller.tell(verdict)


class _Teller:
    """Tells standard error what goes on: the first failure, and from time to time how far it is."""

    def __init__(self, total: int) -> None:
        self._total, self._done, self._failing = total, 0, 0
        self._last = time.monotonic()

    def tell(self, verdict: Verdict) -> None:
        self._done += 1
        self._failing += verdict.fails
        if verdict.fails and self._failing == 1:
            complain(messages.brief(verdict))
        elif time.monotonic() - self._last > SILENCE:
            complain(f"{self._done} of {counted(self._total, 'case')}, {self._failing} fail")
            self._last = time.monotonic()


def _words(cases: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None) -> list[str]:
    if cases is None:
        return []
    several: list[Any] = list(cases) if isinstance(cases, list | tuple) else [cases]
    if not all(isinstance(one, str | os.PathLike) for one in several):
        raise SelectionError(
            f"cases is {cases!r:.80}, should be a path, a full name or a glob of them, or a list "
            "of those"
        )
    return [os.fspath(one) for one in several]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What is checked: how it is called, and its gradients where it has them."""

    name: str
    forward: Callable[..., Any]
    gradients: Callable[..., Any] | None

    @staticmethod
    def of(kernel: Any) -> _Asked:
        """Raises SelectionError where that is nothing that can be called."""
        name = getattr(kernel, "__name__", type(kernel).__name__)
        forward, gradients = kernel, None
        if isinstance(kernel, tuple) and len(kernel) == 2:
            forward, gradients = kernel
            name = getattr(forward, "__name__", type(forward).__name__)
        elif callable(getattr(kernel, "forward", None)) and hasattr(kernel, "gradients"):
            forward, gradients = kernel.forward, kernel.gradients
        if not callable(forward) or not (gradients is None or callable(gradients)):
            raise SelectionError(
                f"kernel is {kernel!r:.80}, should be a callable, a pair of callables (the output "
                "and its gradients), or an object with the methods forward and gradients"
            )
        _check_signature("kernel", forward, ("x", "w", "bias"))
        if gradients is not None:
            _check_signature("gradients", gradients, ("x", "w", "bias", "cotangent"))
        return _Asked(name=name, forward=forward, gradients=gradients)


def _check_signature(what: str, function: Callable[..., Any], operands: Sequence[str]) -> None:
    """Raise SelectionError for a function that cannot be called so: every case would fail by it."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return  # a function in C, which does not say
    try:
        signature.bind(*operands, **dict.fromkeys(BY_NAME))
    except TypeError:
        should = ", ".join((*operands, "*", *BY_NAME))
        raise SelectionError(f"{what} takes {signature!s:.200}, should take ({should})") from None


def _verdict(asked: _Asked, case: Case, truths: Truths) -> Verdict:
    outcome = _call(asked.forward, case, truths)
    truth = truths(case).truth
    verdict = assess_output(case, truth, outcome, adapter=asked.name, device="cpu", briefly=True)
    if verdict.status != "differs" or not isinstance(outcome, Output):
        return verdict
    small_outcome = (
        outcome if outcome.y.nbytes <= LARGE_BYTES else None
    )  # a large one is computed again if anybody asks

    def explain() -> Verdict:
        made = small_outcome or _call(asked.forward, case, truths)
        truth = truths(case).truth
        assessed = assess_output(case, truth, made, adapter=asked.name, device="cpu")
        return diagnosed(assessed, made, truth)

    return LazyVerdict.of(verdict, explain)


def _verdict_on_gradients(asked: _Asked, case: Case, truths: Truths) -> Verdict:
    assert asked.gradients is not None
    outcome = _call(asked.gradients, case, truths, truths(case).cotangent)
    of_case = truths(case).gradient_truths
    verdict = assess_gradients(case, of_case, outcome, adapter=asked.name, device="cpu")
    if verdict.status != "differs":
        return verdict
    return LazyVerdict.of(verdict, lambda: diagnosed_gradients(verdict, outcome, of_case))


def _call(
    function: Callable[..., Any], case: Case, truths: Truths, cotangent: Array | None = None
) -> Outcome:
    """The outcome of the function, which computes gradients where there is a cotangent."""
    assert case.geometry is not None
    geometry = case.geometry
    padding, output_padding = canonical_padding(geometry.crops)
    operands = [None if array is None else array.copy() for array in truths(case).tensors]
    if cotangent is not None:
        operands.append(cotangent.copy())
    try:
        with np.errstate(
            over="ignore", under="ignore", invalid="ignore"
        ):  # some cases are there to overflow
            result = function(
                *operands,
                stride=geometry.stride,
                padding=tuple(padding),
                output_padding=tuple(output_padding),
                dilation=geometry.dilation,
                groups=geometry.groups,
            )
    except NotSupported as error:
        return Unsupported(reason=error.reason)
    except NotImplementedError as error:
        return Unsupported(reason=str(error) or "NotImplementedError", raised="NotImplementedError")
    except (Exception, SystemExit) as error:
        return Raised(
            type=type(error).__name__, message=message_of(error), traceback=frames_of(error)
        )
    try:
        return _read(result, gradients=cotangent is not None, bias=operands[2] is not None)
    except (TypeError, ValueError) as error:
        return Raised(
            type=type(error).__name__, message=message_of(error), stage="while reading the result"
        )


def _read(result: Any, *, gradients: bool, bias: bool) -> Outcome:
    """The result as an outcome. Raises TypeError or ValueError where it is no numbers."""
    if not gradients:
        return Output(y=numeric_array(result))
    dx, dw, db = result
    return Gradients(
        input=numeric_array(dx), kernel=numeric_array(dw), bias=numeric_array(db) if bias else None
    )
