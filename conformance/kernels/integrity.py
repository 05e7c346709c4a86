"""What a kernel does beside its result: to its inputs, to what it returned, and to whoever looks.

A candidate has a process and a folder of its own. It is never told the seed of the numbers, and
what the reference writes lies in another folder.

A result is read when the call returns, and once more after the inputs have been overwritten: what
is a view of them, is computed when it is looked at, or is still being written changes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from conformance.corpus.tensors import Array
from conformance.kernels import arrays
from conformance.kernels.arrays import Described
from conformance.kernels.call import KernelCall
from conformance.kernels.judgements import Judgement
from conformance.kernels.process import Asked, NotAnsweredError
from conformance.outcomes import Crashed

BROKEN = "broken"
"""A result that is right and a candidate that is not: `cause` says how."""

CAUSES = {
    "input-changed": "the call writes to its inputs",
    "lazy-result": "what it returns is not a plain tensor: it may compute when it is looked at",
    "result-changes": "what it returned changes afterwards: it is a view of the inputs, computed "
    "when it is looked at, or still being written",
    "result-reused": "called again, it returns the memory of the result before, which somebody may "
    "still have",
    "stale-result": "called again at the same place with other numbers, it returns what was right "
    "for those before",
    "first-calls-only": "it is right at first, and wrong when it is called again",
    "calls-reference": "it has the reference, or this suite, compute the result",
    "functions-replaced": "it replaces functions by which results are compared, read or timed",
}

PACKAGE = Path(__file__).resolve().parents[1]
TRUTHS = ("oracle", "verdicts")
"""Packages that compute what is right."""
MOST_COPIED = 1 << 28
"""Bytes of an array that is copied out of the candidate's reach."""


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

    def again(
        self, candidate: Asked, first_sum: int, received: Callable[[Any], Array]
    ) -> str | None:
        """The same of a second look, after the inputs are gone; `first_sum` is the first look's."""
        for _, array in self._inputs:
            array.reshape(-1).view(np.uint8)[...] = 0x7F  # as a number, one that nobody draws
        answer = candidate.ask("again")
        return None if arrays.checksum(received(answer)) == first_sum else "result-changes"


def received(described: Any, folder: Path) -> Array:
    """The array that an answer names: a copy, unless it is huge, so that nobody writes to it any
    more. Raises NotAnsweredError where it names none in the folder.
    """
    try:
        file = Path(described["file"])
        if file.parent == folder and not file.is_symlink():
            array = arrays.opened(described)
            return np.array(array) if array.nbytes < MOST_COPIED else array
    except (KeyError, TypeError, ValueError, OSError):
        pass
    raise NotAnsweredError("candidate", Crashed(message="its answer names no array of its own"))


def tampering(
    candidate: Asked, facts: dict[str, Any], problem: dict[str, Any] | None, operators: set[str]
) -> tuple[str, str] | None:
    """The cause of what is strange in what the last call runs, which is made once more, and what
    exactly; None where nothing is. What it comes to of torch is added to `operators`.
    """
    try:
        answer = candidate.ask("hear")
    except NotAnsweredError:  # who cannot be listened to
        return None
    if facts["form"] != "operator":  # which is what is called, whoever answers
        operators |= set(answer["operators"])
    if "files" not in answer:  # an engine
        return None
    if facts.get("inherits_forward"):
        return "calls-reference", "its forward is that of Model"
    ours = [Path(each) for each in answer["files"] if each.startswith(f"{PACKAGE}/")]
    foreign = [each for each in ours if each.relative_to(PACKAGE).parts[0] in TRUTHS]
    file = (problem or {}).get("file")
    if file is not None and file in answer["files"] and file != facts["file"]:
        return "calls-reference", f"it runs {Path(file).name}"
    if foreign:
        return "calls-reference", f"it runs {foreign[0].relative_to(PACKAGE.parent)}"
    if answer["replaced"] and facts["form"] != "operator":
        return "functions-replaced", ", ".join(answer["replaced"])
    return None


def broken(call: KernelCall, cause: str, detail: str = "") -> Judgement:
    """The judgement on a call after which something was not as it must be."""
    text = f"{CAUSES[cause]}: {detail}" if detail else CAUSES[cause]
    return Judgement(call=call, status=BROKEN, text=text, cause=cause, cause_text=CAUSES[cause])
