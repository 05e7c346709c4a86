"""What a kernel does beside its result: to its inputs, to what it returned, and to whoever looks.

A result is read when the call returns, and once more after the inputs have been overwritten: what
is a view of them, is computed when it is looked at, or is still being written changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from conformance.corpus.tensors import Array
from conformance.kernels import arrays
from conformance.kernels.arrays import Described
from conformance.kernels.call import KernelCall
from conformance.kernels.judging import Judgement
from conformance.kernels.process import Asked

BROKEN = "broken"
"""A result that is right and a candidate that is not: `cause` says how."""

CAUSES = {
    "input-changed": "the call writes to its inputs",
    "lazy-result": "what it returns is no plain tensor: it may compute when it is looked at",
    "result-changes": "what it returned changes afterwards: it is a view of the inputs, computed "
    "when it is looked at, or still being written",
    "stale-result": "called again at the same place with other numbers, it returns what was right "
    "for those before",
    "first-calls-only": "it is right at first, and wrong when it is called again",
    "calls-reference": "its forward is the reference's own",
}


class Checks:
    """Of one call, whose inputs are shared with the candidate."""

    def __init__(self, inputs: Sequence[tuple[Described, Array]]) -> None:
        self._inputs = inputs
        self._sums = [arrays.checksum(array) for _, array in inputs]

    def after_call(self, answer: dict[str, Any]) -> str | None:
        """The cause of what is strange right after the call; None where nothing is."""
        now = [arrays.checksum(array) for _, array in self._inputs]
        if now != self._sums:
            return "input-changed"
        return None if answer["plain"] else "lazy-result"

    def again(self, candidate: Asked, kept: int) -> str | None:
        """The same of a second look, after the inputs are gone; `kept` is the first look's sum."""
        for _, array in self._inputs:
            array.reshape(-1).view(np.uint8)[...] = 0x7F  # as a number, one that nobody draws
        answer = candidate.ask("again")
        return None if arrays.checksum(arrays.opened(answer["y"])) == kept else "result-changes"


def broken(call: KernelCall, cause: str) -> Judgement:
    """The judgement on a call after which something was not as it must be."""
    return Judgement(
        call=call, status=BROKEN, text=CAUSES[cause], cause=cause, cause_text=CAUSES[cause]
    )
