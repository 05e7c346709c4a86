"""Aspects that should not matter: whether a sample is alone, how many threads compute, how memory
is laid out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from conformance.corpus.tensors import Array
from conformance.oracle import GradientTruth, Truth
from conformance.outcomes import Gradients, Outcome, Output, Perturbed, Raised, Unsupported
from conformance.verdicts.compare import between

TruthsByName = Mapping[str, Truth | GradientTruth]


def variation(
    outcome: Outcome, perturbed: Perturbed, truths: TruthsByName
) -> dict[str, Any] | None:
    """How an outcome in another circumstance departs from the usual one: what `between` says, of
    the array where it is worst.

    None if it is the same, or cannot be compared: the other has no such call. `truths` has the
    output's by the name "out", or those of the gradients by operand.
    """
    if isinstance(perturbed.outcome, Unsupported):
        return None
    if not isinstance(perturbed.outcome, Output | Gradients):
        return {
            "largest": None,
            "over_bound": None,
            "beyond": True,
            "text": _description(perturbed.outcome),
        }
    usual, other = _arrays(outcome), _arrays(perturbed.outcome)
    if perturbed.sample is not None:
        usual = {
            name: array[perturbed.sample : perturbed.sample + 1]
            for name, array in usual.items()
            if name in ("out", "input")
        }
        truths = {
            name: _of_sample(truth, perturbed.sample)
            for name, truth in truths.items()
            if name in usual
        }
    departures = list(_departures(usual, other, truths))
    return max(departures, key=lambda one: (one["beyond"], one["largest"] or 0.0), default=None)


def _departures(
    usual: Mapping[str, Array], other: Mapping[str, Array], truths: TruthsByName
) -> Iterator[dict[str, Any]]:
    for name, array in usual.items():
        apart = between(
            array, other[name], truths[name], name=name if name == "out" else f"d{name}"
        )
        if apart is not None:
            yield apart


def _arrays(outcome: Outcome) -> dict[str, Array]:
    if isinstance(outcome, Output):
        return {"out": outcome.y}
    assert isinstance(outcome, Gradients), "there is something to compare"
    arrays = {"input": outcome.input, "kernel": outcome.kernel, "bias": outcome.bias}
    return {name: array for name, array in arrays.items() if array is not None}


def _description(outcome: Outcome) -> str:
    if isinstance(outcome, Raised):
        return f"raised {outcome.type}: {outcome.message}"
    what = getattr(outcome, "message", None) or getattr(outcome, "reason", "")
    return f"{type(outcome).__name__.lower()}: {what}"


def _of_sample(truth: Truth | GradientTruth, i: int) -> Truth | GradientTruth:
    """The truth of one sample of a batch; of the gradients, of the input's alone."""
    if isinstance(truth, Truth):
        return replace(truth, x=truth.x[i : i + 1], y=truth.y[i : i + 1])
    kernel, cotangent = truth.operands
    return replace(truth, operands=(kernel, cotangent[i : i + 1]), y=truth.y[i : i + 1])
