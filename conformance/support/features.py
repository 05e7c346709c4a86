"""The features of a case, by which it is counted what an engine supports."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from conformance.corpus.traits import Traits, traits_of_line
from conformance.record.reduction import ARRAYS

Line = Mapping[str, Any]
_Axis = Mapping[str, int]

Holds = Callable[[Line, Traits], bool]
"""Whether a case has a feature, by its line and its traits."""

_OUTPUT_SIZES = ("output_size", "output_shape")
"""The arguments of conventions by which a caller says the size of the output."""


def _any_axis(holds: Callable[[_Axis], bool]) -> Holds:
    return lambda line, _: any(map(holds, (line.get("geometry") or {"axes": ()})["axes"]))


def _trait(trait: str) -> Holds:
    return lambda _, traits: trait in traits


def _dtype(name: str) -> Holds:
    return lambda line, _: line.get("dtype") == name


def _sized(line: Line, _: Traits) -> bool:
    """Whether a framework's own arguments say the size of the output."""
    return any(
        arguments.get(key) is not None
        for arguments in (line.get("native") or {}).values()
        for key in _OUTPUT_SIZES
    )


def _special(line: Line, _: Traits) -> bool:
    """Whether NaN or an infinity was put into an operand, or the sign of zero matters."""
    put = (
        number
        for key in ARRAYS
        for _, number in ((line.get(key) or {}).get("make") or {}).get("put", ())
    )
    return "signed-zero" in line["tags"] or any(not math.isfinite(float(one)) for one in put)


_HOLDS: dict[str, tuple[str, Holds]] = {
    "1-D": ("one spatial axis", _trait("one spatial axis")),
    "2-D": ("two spatial axes", _trait("two spatial axes")),
    "3-D": ("three spatial axes", _trait("three spatial axes")),
    "float32": ("dtype float32", _dtype("float32")),
    "float64": ("dtype float64", _dtype("float64")),
    "float16": ("dtype float16", _dtype("float16")),
    "bfloat16": ("dtype bfloat16", _dtype("bfloat16")),
    "mixed dtypes": ("operands of two dtypes", _trait("operands of two dtypes")),
    "bias": ("a bias", _trait("a bias")),
    "stride": ("a stride above 1 on some axis", _trait("a stride above 1")),
    "kernel < stride": (
        "a kernel shorter than the stride on some axis",
        _trait("a kernel shorter than the stride"),
    ),
    "dilation": ("a dilation above 1 on some axis", _trait("dilation above 1")),
    "dilation with stride": (
        "stride and dilation above 1 on one axis",
        _any_axis(lambda axis: axis["stride"] > 1 and axis["dilation"] > 1),
    ),
    "groups": ("more than one group", _trait("groups above 1")),
    "depthwise": (
        "one input channel per group, more than one group",
        _trait("one input channel per group"),
    ),
    "asymmetric padding": (
        "more cropped at the end of an axis than at its start",
        _any_axis(lambda axis: axis["crop_high"] > axis["crop_low"]),
    ),
    "output_padding": (
        "less cropped at the end of an axis than at its start",
        _any_axis(lambda axis: axis["crop_high"] < axis["crop_low"]),
    ),
    "negative padding, start": (
        "zeros before the full output on some axis",
        _trait("zeros at the start"),
    ),
    "negative padding, end": (
        "zeros after the full output on some axis",
        _trait("zeros appended at the end"),
    ),
    "output size": ("the size of the output as an argument", _sized),
    "axes that differ": (
        "stride, dilation, kernel or crop differ from axis to axis",
        _trait("axes that differ"),
    ),
    "empty tensors": ("an axis of length 0 in an operand", _trait("an empty axis")),
    "special values": ("NaN, infinities or signed zeros in an operand", _special),
    "native arguments": (
        "arguments in the framework's own words",
        lambda line, _: line.get("native") is not None,
    ),
}

GRADIENTS = "gradients"
REFUSALS = "invalid input rejected"
MEANINGS: Mapping[str, str] = {
    **{feature: meaning for feature, (meaning, _) in _HOLDS.items()},
    GRADIENTS: "the gradients of all operands, and no other check",
    REFUSALS: "arguments or shapes that must be rejected, and no other check",
}
"""Feature -> which cases have it, in the order of telling."""

FEATURES = tuple(MEANINGS)

ALIASES: Mapping[str, tuple[str, ...]] = {
    "1-D": ("1d", "conv1d", "conv1dtranspose"),
    "2-D": ("2d", "conv2d", "conv2dtranspose"),
    "3-D": ("3d", "conv3d", "conv3dtranspose", "volume"),
    "float32": ("f32", "fp32"),
    "float64": ("f64", "fp64", "double"),
    "float16": ("f16", "fp16", "half"),
    "bfloat16": ("bf16",),
    "mixed dtypes": ("mixed",),
    "stride": ("strides", "strided"),
    "dilation": ("dilations", "dilated", "dilation_rate", "rhs_dilation"),
    "groups": ("group", "grouped", "feature_group_count"),
    "asymmetric padding": ("asymmetric",),
    "output_padding": ("output_paddings", "outpad"),
    "negative padding, start": ("negative",),
    "output size": ("output_size", "output_shape"),
    "empty tensors": ("empty",),
    "special values": ("nan", "nans", "inf", "infinity", "infinities"),
    "native arguments": ("native",),
    GRADIENTS: ("gradient", "grad", "backward"),
    REFUSALS: ("invalid", "rejected", "refused"),
}
"""Feature -> other words for it that people search by, in lower case."""

FAMILIES: Mapping[tuple[str, ...], tuple[str, ...]] = {
    ("dtype", "dtypes"): ("float32", "float64", "float16", "bfloat16", "mixed dtypes"),
    ("rank", "ranks", "dimension", "dimensions", "dimensional"): ("1-D", "2-D", "3-D"),
}
"""Words that people search by -> the features that they mean, each by itself."""


def features_of(line: Line) -> frozenset[str]:
    """The features of a case, by its line."""
    if line.get("must_fail"):
        return frozenset([REFUSALS])
    traits = traits_of_line(line)
    return frozenset(feature for feature, (_, holds) in _HOLDS.items() if holds(line, traits))
