"""Failures that a source reports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from conformance.corpus.tensors import Tensors
from conformance.outcomes import Outcome, Output, Unsupported
from sweeping.calls import Call
from sweeping.findings import Finding, expected
from sweeping.known_reference import known_of_the_reference


def known(adapter: str, finding: Finding, tensors: Tensors, outcome: Outcome) -> str | None:
    """The source that tells of this failure, or None: precise conditions, so that a failure next to
    a known one is seen.
    """
    rule = RULES.get((adapter, finding.status))
    return rule(finding, tensors, outcome) if rule is not None and finding.fails else None


def _onnxruntime_refuses(finding: Finding, _: Tensors, outcome: Outcome) -> str | None:
    call = finding.call
    extras = zip(call.geometry.axes, call.native["output_padding"], strict=True)
    if (
        any(axis.stride <= extra < axis.dilation for axis, extra in extras)
        and "inconsistent with input" in finding.cause
    ):
        return "stride <= output_padding < dilation is refused: microsoft/onnxruntime#14208"
    return None


def _onnxruntime_differs(finding: Finding, tensors: Tensors, outcome: Outcome) -> str | None:
    other = onnxruntime_window(finding.call)
    if (
        other is not None
        and isinstance(outcome, Output)
        and np.array_equal(outcome.y, expected(other, tensors))
    ):
        return (
            "a total padding below 0 is taken for 0: "
            "cases/known_differences/conventions.yaml, measured with 1.31.1"
        )
    return None


def onnxruntime_window(call: Call) -> Call | None:
    """The window that ONNX Runtime takes where a total padding is below 0: nothing prepended, and
    SAME_* appends nothing.
    """
    native, axes = call.native, []
    if "output_shape" not in native and not native.get("auto_pad", "").startswith("SAME"):
        return None
    for axis, extra in zip(call.geometry.axes, native["output_padding"], strict=True):
        if axis.full + extra < axis.out:
            out = axis.out if "output_shape" in native else axis.full + extra
            axis = replace(axis, crop_low=0, crop_high=axis.full - out)
        axes.append(axis)
    return replace(call, geometry=replace(call.geometry, axes=tuple(axes)))


def _tensorflow_refuses(finding: Finding, _: Tensors, outcome: Outcome) -> str | None:
    native, axes, message = finding.call.native, finding.call.geometry.axes, finding.cause
    dilated = any(axis.dilation > 1 for axis in axes)
    explicit = not isinstance(native["padding"], str)
    if explicit and dilated and "do not yet support dilation rates" in message:
        return "dilation with explicit padding does not go to oneDNN: tensorflow/tensorflow#28264"
    if (
        explicit
        and native["groups"] > 1
        and "Gradients for grouped convolutions are not supported" in message
    ):
        return "groups with explicit padding do not go to oneDNN: measured with tensorflow 2.21.0"
    if (
        native["groups"] > 1
        and len(axes) == 3
        and "input and filter must have the same depth" in message
    ):
        return "tf.nn.conv3d_transpose has no groups on the CPU: measured with tensorflow 2.21.0"
    return None


def _tensorflow_agrees(finding: Finding, _: Tensors, outcome: Outcome) -> str | None:
    # (L - extent) / stride + 1 is 1 for L - extent > -stride where division truncates;
    # TensorFlow's own kernels refuse it
    axes = finding.call.geometry.axes
    outside = [axis for axis in axes if not axis.full <= axis.out < axis.full + axis.stride]
    if finding.call.native["padding"] == "VALID" and all(
        a.size == 1 and a.full - a.stride < a.out < a.full for a in outside
    ):
        return (
            "oneDNN takes VALID with an output shorter than the kernel from a size of "
            "1: measured with tensorflow 2.21.0"
        )
    return None


def _jax_refuses(finding: Finding, _: Tensors, outcome: Outcome) -> str | None:
    if finding.call.native["feature_group_count"] > 1 and isinstance(outcome, Unsupported):
        return "jax.lax.conv_transpose has no groups: conformance/adapters/jax.py"
    return None


def _xla_crashes(finding: Finding, _: Tensors, outcome: Outcome) -> str | None:
    if "Window dimensions do not match RHS shape" in finding.cause:
        return "abort in XLA's algebraic simplifier: cases/known_differences/jax.yaml"
    return None


def _keras_tensorflow_refuses(finding: Finding, _: Tensors, outcome: Outcome) -> str | None:
    native, axes = finding.call.native, finding.call.geometry.axes
    extras = zip(axes, native["output_padding"] or [], strict=False)
    if native["padding"] == "same" and any(
        axis.extent % 2 == 0 and extra == 0 for axis, extra in extras
    ):
        return "same, an even kernel and output_padding 0: cases/known_differences/tensorflow.yaml"
    return None


Rule = Callable[[Finding, Tensors, Outcome], str | None]

RULES: dict[tuple[str, str], Rule] = {
    ("onnxruntime", "refused"): _onnxruntime_refuses,
    ("onnxruntime", "differs"): _onnxruntime_differs,
    ("tensorflow", "refused"): _tensorflow_refuses,
    ("tensorflow", "agrees"): _tensorflow_agrees,
    ("jax", "refused"): _jax_refuses,
    ("keras-tensorflow", "refused"): _keras_tensorflow_refuses,
    **{
        (adapter, "crashed"): _xla_crashes
        for adapter in ("jax", "jax-general", "flax", "keras-jax")
    },
    **{
        ("onnx-reference", status): known_of_the_reference
        for status in ("agrees", "refused", "differs", "crashed")
    },
}
"""The rules for known failures, by adapter and status."""
