"""The result of a comparison of two models: plain data that terminal, JSON and page lay out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Status = Literal["same", "rounding", "reordered", "inherited", "wrong"]

MEANINGS: Mapping[str, str] = {
    "same": "every number is the same",
    "rounding": "the same but for rounding",
    "reordered": "the same numbers with channels in another order",
    "inherited": "right by itself, and what comes in differs",
    "wrong": "wrong here",
}
"""Every status of a pair in words, the least grave first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was found out about a pair: a name for programs, a sentence for people."""

    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One call of a layer as its model has it; shapes are (N, C, *spatial), None if it was not
    run.
    """

    layer: str
    operator: str
    arguments: Mapping[str, Any]
    kernel: str
    kernel_shape: tuple[int, ...]
    input_shape: tuple[int, ...] | None
    output_shape: tuple[int, ...] | None
    window: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A layer of the source beside that of the target.

    - `matched`: how they were matched, such as "weights" or "order".
    - `wrong`: the mistakes here, empty unless `status` is "wrong".
    - `notes`: what differs and does no harm.
    - `incoming`, `outgoing`: the largest difference of what comes in and goes out, over the largest
      magnitude of the source's; None where shapes differ or a side was not run, infinite where one
      is finite and the other is not.
    - `of_bound`: the largest error of the target's output as a multiple of the bound, on the
      target's own input.
    """

    source: Side
    target: Side
    matched: str
    status: Status
    wrong: tuple[Finding, ...]
    notes: tuple[str, ...]
    incoming: float | None
    outgoing: float | None
    of_bound: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """The first tensor of any operator that departs, and the last ones that agree; names of the
    source and of the target, None where there is none.
    """

    source: str
    target: str | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputPair:
    """An output of both models: `difference` over the largest magnitude, of whole numbers the share
    that differs, None where shapes differ; `movement` is that of the source from itself when its
    input is rounded otherwise, None where it was not asked.
    """

    source: str
    target: str
    difference: float | None
    agrees: bool
    text: str
    movement: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelComparison:
    """Two models side by side; `source` and `target` say what each is, in words."""

    source: str
    target: str
    pairs: tuple[Pair, ...]
    alone: tuple[Finding, ...]
    departure: Departure | None
    outputs: tuple[OutputPair, ...]
    notes: tuple[str, ...]

    @property
    def equivalent(self) -> bool:
        """Whether no layer is wrong or without its other, and every output agrees."""
        return (
            not any(pair.status == "wrong" for pair in self.pairs)
            and not self.alone
            and all(output.agrees for output in self.outputs)
        )

    def content(self) -> dict[str, Any]:
        """The comparison as JSON types; a difference that is not finite is None."""
        return {"format": 1, "equivalent": self.equivalent, **_finite(asdict(self))}


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
