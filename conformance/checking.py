"""`check`: a callable through the corpus, in this process."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from conformance import messages
from conformance.adapters import Unsupported as NotSupported
from conformance.case import Case
from conformance.compare import judge
from conformance.diagnosis import diagnosed
from conformance.geometry import canonical_padding
from conformance.guards import check_guards
from conformance.kept import kept_truths
from conformance.outcomes import Outcome, Output, Raised, Unsupported, told
from conformance.selection import select
from conformance.tensors import numeric_array
from conformance.truths import Truths
from conformance.verdict import Verdict

MOST_TOLD = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The verdicts of a check, one per case; a verdict's attributes are the keys of the record's verdict line."""

    verdicts: tuple[Verdict, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing fails. Known differences do not apply."""
        return not any(verdict.fails for verdict in self.verdicts)

    def __str__(self) -> str:
        failing = [verdict for verdict in self.verdicts if verdict.fails]
        lines = [f"{len(failing)} of {len(self.verdicts)} cases fail"]
        for verdict in failing[:MOST_TOLD]:
            lines += [messages.headline(verdict) + ":", *(f"    {line}" for line in messages.details(verdict))]
        if len(failing) > MOST_TOLD:
            lines.append(f"and {len(failing) - MOST_TOLD} more")
        return "\n".join(lines)


def check(kernel: Callable[..., Any], cases: str | os.PathLike[str] | None = None, *, raises: bool = False) -> Report:
    """Run a callable through every case that is not tagged `slow`, and compare what it returns with the oracle.

    It is called as `kernel(x, w, bias, *, stride, padding, output_padding, dilation, groups)` with x (N, C_in, *spatial),
    w (C_in, C_out / groups, *kernel) and bias (C_out,) or None as NumPy arrays of the case's dtype, and everything but groups
    as one entry per spatial axis: `padding` a (low, high) pair of which high is never negative, `output_padding` what is
    appended beyond the full output; a negative low pad prepends zeros. It returns (N, C_out, *out) and raises
    `conformance.Unsupported` for what it does not do; for cases that must be refused it has to raise something else.

    `cases` is a path, a full name or a glob of them; without it, the shipped corpus. With `raises`, AssertionError if anything
    fails.
    """
    selection = select([] if cases is None else [os.fspath(cases)])
    truths = kept_truths()
    check_guards(selection.cases, truths)
    name = getattr(kernel, "__name__", type(kernel).__name__)
    verdicts = []
    for case in selection.cases:
        if case.geometry is None:
            continue
        outcome = _call(kernel, case, truths)
        truth = truths(case).truth
        verdicts.append(diagnosed(judge(case, truth, outcome, adapter=name, device="cpu"), outcome, truth))
    report = Report(verdicts=tuple(verdicts))
    if raises and not report.ok:
        raise AssertionError(str(report))
    return report


def _call(kernel: Callable[..., Any], case: Case, truths: Truths) -> Outcome:
    assert case.geometry is not None
    geometry = case.geometry
    padding, output_padding = canonical_padding(geometry.crops)
    x, w, bias = (None if array is None else array.copy() for array in truths(case).tensors)
    try:
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):  # some cases are there to overflow
            y = kernel(
                x,
                w,
                bias,
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
        return Raised(type=type(error).__name__, message=told(error))
    try:
        return Output(y=numeric_array(y))
    except (TypeError, ValueError) as error:
        return Raised(type=type(error).__name__, message=told(error), stage="while reading the result")
