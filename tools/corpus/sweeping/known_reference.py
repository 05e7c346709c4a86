"""Failures of ONNX's ReferenceEvaluator that a source reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from conformance.corpus.tensors import Tensors
from conformance.outcomes import Outcome, Output
from sweeping.calls import Call
from sweeping.findings import Finding, expected


def known_of_the_reference(finding: Finding, tensors: Tensors, outcome: Outcome) -> str | None:
    """The source that tells of a failure of the evaluator, which checks nothing and has groups
    wrong.
    """
    call = finding.call
    if not isinstance(outcome, Output):
        return _refused(call)
    if _is_ruled_out(call):
        return (
            "it computes what the specification rules out: "
            "cases/known_differences/conventions.yaml, onnx 1.23.2"
        )
    return _other_window(call, tensors, outcome) or _other_bias(call, tensors, outcome)


def _refused(call: Call) -> str | None:
    pairs = zip(call.geometry.axes, call.native["output_padding"], strict=True)
    if any(axis.stride <= extra < axis.dilation for axis, extra in pairs):
        return (
            "stride <= output_padding < dilation is refused: "
            "cases/known_differences/conventions.yaml, onnx 1.23.2"
        )
    return "groups: onnx/onnx#8446" if call.native["group"] > 1 else None


def _is_ruled_out(call: Call) -> bool:
    """Whether a pad or an output_padding is below 0, or the latter reaches stride and dilation."""
    extras = call.native["output_padding"]
    bounds = [max(axis.stride, axis.dilation) for axis in call.geometry.axes]
    return min(call.native.get("pads", [0]) + extras) < 0 or any(
        q >= bound for q, bound in zip(extras, bounds, strict=True)
    )


def _other_window(call: Call, tensors: Tensors, outcome: Output) -> str | None:
    native, axes = call.native, call.geometry.axes
    named = native.get("auto_pad", "").startswith("SAME")
    if "pads" in native and named and _has(call, native["pads"], tensors, outcome):
        return (
            "pads win over auto_pad, which the specification rules out together: measured with "
            "onnx 1.23.2"
        )
    if (
        "output_shape" in native
        and not named
        and _has(call, native.get("pads", [0] * len(axes)), tensors, outcome)
    ):
        return "output_shape without SAME_* starts at the pads, 0 without any: onnx/onnx#4527"
    pairs = zip(axes, native["output_padding"], strict=True)
    if (
        named
        and any(axis.full + extra < axis.out for axis, extra in pairs)
        and call.part == "other"
    ):
        return (
            "a total padding below 0 is halved downwards, which the specification does not "
            "say: measured with onnx 1.23.2"
        )
    return None


def _other_bias(call: Call, tensors: Tensors, outcome: Output) -> str | None:
    groups = call.native["group"]
    if tensors.bias is not None and groups > 1:
        first = np.tile(tensors.bias[: tensors.kernel.shape[1]], groups)
        if np.array_equal(expected(call, tensors._replace(bias=first)), outcome.y):
            return "every group gets the bias of the first: onnx/onnx#8446"
    return None


def _has(call: Call, lows: Sequence[int], tensors: Tensors, outcome: Output) -> bool:
    """Whether the output is that of the window of its own size that begins at the first of
    `lows`.
    """
    sizes = outcome.y.shape[2:]
    axes = tuple(
        replace(axis, crop_low=low, crop_high=axis.full - low - out)
        for axis, low, out in zip(call.geometry.axes, lows, sizes, strict=False)
    )
    return np.array_equal(
        expected(replace(call, geometry=replace(call.geometry, axes=axes)), tensors), outcome.y
    )
