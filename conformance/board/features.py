"""What an engine supports, feature by feature: how the cases that have a feature came out."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from conformance.board.entries import Entry, Named, standing
from conformance.corpus.traits import traits_of_line
from conformance.record.reduction import ARRAYS

Line = Mapping[str, Any]

_BY_TRAIT = {
    "one spatial axis": "one spatial axis",
    "two spatial axes": "two spatial axes",
    "three spatial axes": "three spatial axes",
    "operands of two dtypes": "operands of two dtypes",
    "bias": "a bias",
    "stride above 1": "a stride above 1",
    "kernel shorter than the stride": "a kernel shorter than the stride",
    "dilation above 1": "dilation above 1",
    "groups above 1": "groups above 1",
    "depthwise: one input channel per group": "one input channel per group",
    "crops that differ at start and end": "start and end cut unequally",
    "negative crop at the start: zeros": "zeros at the start",
    "negative crop at the end: zeros": "zeros appended at the end",
    "axes that differ": "axes that differ",
    "empty axes": "an empty axis",
}
"""Feature -> the trait of a case that has it."""

_DTYPES = ("float32", "float64", "float16", "bfloat16")


def _output_padding(line: Line) -> bool:
    """Whether an axis is cut less at its end: what PyTorch and Keras call output_padding."""
    axes = (line.get("geometry") or {"axes": ()})["axes"]
    return any(axis["crop_high"] < axis["crop_low"] for axis in axes)


def _special(line: Line) -> bool:
    """Whether NaN or an infinity was put into an operand, or the sign of zero matters."""
    put = (
        number
        for key in ARRAYS
        for _, number in ((line.get(key) or {}).get("make") or {}).get("put", ())
    )
    return "signed-zero" in line["tags"] or any(not math.isfinite(float(one)) for one in put)


_BY_LINE: dict[str, Callable[[Line], bool]] = {
    "end cut less than the start: output_padding": _output_padding,
    "NaN, infinities, signed zeros": _special,
    "arguments in the framework's own words": lambda line: line.get("native") is not None,
}

GRADIENTS = "gradients"
REFUSALS = "invalid arguments are refused"
FEATURES = (
    *list(_BY_TRAIT)[:3],
    *_DTYPES,
    *list(_BY_TRAIT)[3:],
    *_BY_LINE,
    GRADIENTS,
    REFUSALS,
)
"""All features, in the order of telling."""


def features_of(line: Line) -> frozenset[str]:
    """The features of a case, by its line."""
    if line.get("must_fail"):
        return frozenset([REFUSALS])
    traits = traits_of_line(line)
    found = {feature for feature, trait in _BY_TRAIT.items() if trait in traits}
    found |= {feature for feature, holds in _BY_LINE.items() if holds(line)}
    return frozenset(found | {dtype for dtype in _DTYPES if line.get("dtype") == dtype})


def support(entry: Entry, features: Mapping[Named, Iterable[str]]) -> dict[str, Counter[str]]:
    """By feature: how many verdicts fall into each standing. `features` are those of a case; a
    verdict on gradients counts for gradients alone.
    """
    counts: dict[str, Counter[str]] = {feature: Counter() for feature in FEATURES}
    for (case, quantity), verdict in entry.verdicts.items():
        of_case = features[case, entry.source.digests[case]]
        for feature in [GRADIENTS] if quantity == "gradients" else of_case:
            counts[feature][standing(verdict)] += 1
    return counts
