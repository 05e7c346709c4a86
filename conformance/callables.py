"""`check`: a callable through the corpus, in this process."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from conformance.adapters import Unsupported as NotSupported
from conformance.corpus.case import Case
from conformance.corpus.expected import check_guards
from conformance.corpus.selection import select
from conformance.corpus.tensors import numeric_array
from conformance.corpus.traits import traits_of
from conformance.corpus.truth_store import kept_truths
from conformance.corpus.truths import LARGE_BYTES, Truths
from conformance.errors import SelectionError
from conformance.geometry import canonical_padding
from conformance.outcomes import Outcome, Output, Raised, Unsupported, told
from conformance.record import signatures
from conformance.verdicts import messages
from conformance.verdicts.assessment import assess_output
from conformance.verdicts.diagnosis import diagnosed
from conformance.verdicts.facts import explanation
from conformance.verdicts.verdict import Verdict

MOST_TOLD = 12
"""Failures that a report explains: a diagnosis takes far longer than the call that it is of."""

SILENCE = 15.0
"""Seconds after which a check that goes on says how far it is, on standard error."""

Kernel = Callable[..., Any]


def _late(name: str) -> Any:
    """A field of a lazy verdict that is explained before it is read."""

    def read(lazy: _Lazy) -> Any:
        lazy._look()
        return getattr(lazy, name)

    return property(read, lambda lazy, value: object.__setattr__(lazy, name, value))


class _Lazy(Verdict):
    """A verdict on a wrong result that is explained when somebody asks for its diagnosis or its
    precision, once.
    """

    __slots__ = ("_diagnosis", "_explain", "_precision")

    _diagnosis: dict[str, Any] | None
    _precision: dict[str, Any] | None
    _explain: Callable[[], Verdict] | None

    @staticmethod
    def of(verdict: Verdict, explain: Callable[[], Verdict]) -> _Lazy:
        lazy = _Lazy(**{entry.name: getattr(verdict, entry.name) for entry in fields(Verdict)})
        object.__setattr__(lazy, "_explain", explain)
        return lazy

    def _look(self) -> None:
        explain = getattr(self, "_explain", None)  # a copy has none, but what was found
        if explain is not None:
            whole = explain()
            object.__setattr__(self, "_diagnosis", whole.diagnosis)
            object.__setattr__(self, "_precision", whole.precision)
            object.__setattr__(self, "_explain", None)

    diagnosis = _late("_diagnosis")
    precision = _late("_precision")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The verdicts of a check, one per case; a verdict's attributes are the keys of the record's
    verdict line.

    The `diagnosis` and the `precision` of one that differs are found when they are asked for.
    """

    verdicts: tuple[Verdict, ...]
    _cases: dict[str, Case] = field(default_factory=dict, repr=False)

    @property
    def ok(self) -> bool:
        """Whether nothing fails. Known differences do not apply."""
        return not any(verdict.fails for verdict in self.verdicts)

    def __str__(self) -> str:
        failing = [verdict for verdict in self.verdicts if verdict.fails]
        lines = [f"{len(failing)} of {len(self.verdicts)} cases fail"]
        groups = self._groups(failing)
        share = max(1, MOST_TOLD // max(1, len(groups)))
        for group in groups[:MOST_TOLD]:
            lines += _cause(group, share, self._cases)
        if len(groups) > MOST_TOLD:
            lines.append(f"and {len(groups) - MOST_TOLD} more ways to fail")
        return "\n".join(lines)

    def _groups(self, failing: Sequence[Verdict]) -> list[signatures.Group]:
        traits = {name: traits_of(case) for name, case in self._cases.items()}
        passing = (verdict for verdict in self.verdicts if verdict.status == "conforms")
        return signatures.grouped(
            failing,
            passing,
            traits.__getitem__,
            lambda name: self._cases[name].products,
            _signature,
        )


def _signature(verdict: Verdict) -> signatures.Signature:
    """How a verdict fails, without its diagnosis."""
    message = None if verdict.message is None else verdict.message.partition("\n")[0]
    return (
        verdict.adapter,
        verdict.status,
        verdict.kind,
        signatures.without_numbers(message or ""),
    )


def _cause(group: signatures.Group, share: int, cases: dict[str, Case]) -> Iterator[str]:
    """A group's smallest cases by diagnosis, as many as are looked at; the others are counted."""
    words = signatures.told(group)
    if words:
        yield words + ":"
    by_name: dict[str | None, list[Verdict]] = {}
    for verdict in group.verdicts[:share]:
        by_name.setdefault(verdict.mistake, []).append(verdict)
    for alike in by_name.values():
        case = cases[alike[0].case]
        yield messages.headline(alike[0]) + ":"
        yield from (
            f"    {line}"
            for line in messages.about({"summary": case.summary, "source": case.source})
        )
        yield from (f"    {line}" for line in explanation(alike[0]))
        if len(alike) > 1:
            yield (
                f"    and so do {len(alike) - 1} of the {min(share, len(group.verdicts)) - 1} "
                "others that were looked at"
            )


def check(
    kernel: Kernel,
    cases: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None = None,
    *,
    raises: bool = False,
    progress: bool = True,
) -> Report:
    """Run a callable through every case that is not tagged `slow`, and compare what it returns with
    the oracle.

    It is called as `kernel(x, w, bias, *, stride, padding, output_padding, dilation, groups)` with
    x (N, C_in, *spatial), w (C_in, C_out / groups, *kernel) and bias (C_out,) or None as NumPy
    arrays of the case's dtype, and everything but groups as one entry per spatial axis: `padding` a
    (low, high) pair of which high is never negative, `output_padding` what is appended beyond the
    full output; a negative low pad prepends zeros. It returns (N, C_out, *out) and raises
    `conformance.Unsupported` for what it does not do; for cases that must be refused it has to
    raise something else.

    `cases` is a path, a full name or a glob of them, or several; without it, the shipped corpus.
    With `raises`, AssertionError if anything fails. Unless `progress` is false, the first failure
    is told on standard error when it happens, and from time to time how far the check is.
    """
    selection = select(_words(cases))
    truths = kept_truths()
    check_guards(selection.cases, truths)
    concerned = [case for case in selection.cases if case.geometry is not None]
    name = getattr(kernel, "__name__", type(kernel).__name__)
    teller = _Teller(len(concerned)) if progress else None
    verdicts = []
    for case in concerned:
        verdict = _verdict(kernel, name, case, truths)
        verdicts.append(verdict)
        if teller is not None:
            teller.tell(verdict)
    report = Report(verdicts=tuple(verdicts), _cases={case.name: case for case in concerned})
    if raises and not report.ok:
        raise AssertionError(str(report))
    return report


class _Teller:
    """Tells standard error what goes on: the first failure, and from time to time how far it is."""

    def __init__(self, total: int) -> None:
        self._total, self._done, self._failing = total, 0, 0
        self._last = time.monotonic()

    def tell(self, verdict: Verdict) -> None:
        self._done += 1
        self._failing += verdict.fails
        if verdict.fails and self._failing == 1:
            print(messages.brief(verdict), file=sys.stderr, flush=True)
        elif time.monotonic() - self._last > SILENCE:
            print(
                f"{self._done} of {self._total} cases, {self._failing} fail",
                file=sys.stderr,
                flush=True,
            )
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


def _verdict(kernel: Kernel, name: str, case: Case, truths: Truths) -> Verdict:
    outcome = _call(kernel, case, truths)
    truth = truths(case).truth
    verdict = assess_output(case, truth, outcome, adapter=name, device="cpu", briefly=True)
    if verdict.status != "differs" or not isinstance(outcome, Output):
        return verdict
    kept = (
        outcome if outcome.y.nbytes <= LARGE_BYTES else None
    )  # a large one is computed again if anybody asks

    def explain() -> Verdict:
        made = kept or _call(kernel, case, truths)
        truth = truths(case).truth
        return diagnosed(assess_output(case, truth, made, adapter=name, device="cpu"), made, truth)

    return _Lazy.of(verdict, explain)


def _call(kernel: Callable[..., Any], case: Case, truths: Truths) -> Outcome:
    assert case.geometry is not None
    geometry = case.geometry
    padding, output_padding = canonical_padding(geometry.crops)
    x, w, bias = (None if array is None else array.copy() for array in truths(case).tensors)
    try:
        with np.errstate(
            over="ignore", under="ignore", invalid="ignore"
        ):  # some cases are there to overflow
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
        return Raised(
            type=type(error).__name__, message=told(error), stage="while reading the result"
        )
