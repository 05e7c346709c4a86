"""The rungs of the ladder, and what came of the calls of one."""

from __future__ import annotations

from dataclasses import dataclass, field

from conformance.kernels import judgements
from conformance.kernels.judgements import Judgement

RUNGS = {
    "own": "its own shape and arguments",
    "values": "other numbers: of both signs, wide, cancelling, zero",
    "special": "NaN, infinities and subnormals",
    "sizes": "other sizes",
    "arguments": "other arguments that its signature takes",
    "dtypes": "other dtypes",
    "gradients": "gradients",
}
REQUIRED = ("own", "values")
"""What must be right unless more is asked for: a kernel may be made for one call."""


@dataclass(slots=True, kw_only=True)
class Rung:
    """A rung and what came of its calls; `why` says why there are none."""

    name: str
    judgements: list[Judgement] = field(default_factory=list)
    why: str = ""

    @property
    def wrong(self) -> list[Judgement]:
        """Those that failed; who says that it does not take a call does not fail it."""
        passed = (judgements.RIGHT, judgements.NOT_TAKEN, judgements.NO_TRUTH)
        return [each for each in self.judgements if each.status not in passed]

    @property
    def status(self) -> str:
        """ "right", "wrong", "not-taken" where it takes none of the calls, or "not-tried"."""
        if self.wrong:
            return judgements.WRONG
        if any(each.is_right for each in self.judgements):
            return judgements.RIGHT
        statuses = {each.status for each in self.judgements}
        return judgements.NOT_TAKEN if judgements.NOT_TAKEN in statuses else "not-tried"
