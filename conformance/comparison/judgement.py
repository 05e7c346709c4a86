"""One pair of layers: each by itself on its own activations, the target's on the source's too.

A layer "by itself" is the definition in float64 on what came in when its model ran; what its
framework computed is held against that within the bound of an error, so that nothing that happened
before the layer counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from conformance.comparison.alike import written_alike
from conformance.comparison.biases import bias_findings
from conformance.comparison.calls import LayerCall, side
from conformance.comparison.definition import Checked, checked, geometry_at, with_activation
from conformance.comparison.folding import Affine, folded_findings
from conformance.comparison.kernels import Order, Relation, near, relation
from conformance.comparison.matching import Match
from conformance.comparison.results import Finding, Pair, Status
from conformance.comparison.tensors import difference, limit
from conformance.comparison.windows import window_findings
from conformance.corpus.tensors import Array, dtype_of
from conformance.errors import ModelError
from conformance.geometry import Geometry
from conformance.oracle import Truth
from conformance.oracle.reference import Float64
from conformance.verdicts.compare import compare
from conformance.verdicts.diagnosis import diagnose
from conformance.verdicts.diagnosis.mistake import Call

UNNAMED = {
    "other-kernel", "kernel-of-another-shape", "other-bias", "bias-of-another-shape",
    "other-window", "other-groups", "other-stride", "other-dilation",
}  # fmt: skip
"""Findings that say that something is another and not which mistake it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a pair is judged beside: the source's other layers, their biases by name, and the
    normalisation behind either call.
    """

    others: Sequence[LayerCall]
    biases: Mapping[str, Float64]
    behind_source: Affine | None
    behind_target: Affine | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A pair, and how the target's kernel is related to the source's."""

    pair: Pair
    relation: Relation


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    """How two layers differ as they are written: by weights and by arguments; `folded` says which
    side holds the normalisation that stands behind the other.
    """

    relation: Relation
    findings: tuple[Finding, ...]
    folded: str | None = None


def judge(match: Match, context: Context) -> Judged:
    """Whether a layer is wrong by itself, and why. Raises ModelError for arguments that stand for
    no window.
    """
    a, b = match.source, match.target
    shape = a.input_shape() or b.input_shape()
    try:
        right, other = _windows(a, b, shape)
        written = _written(a, b, right, other, context)
        on_source, on_target = checked(a), checked(b)
    except ValueError as error:
        raise ModelError(f"{a.name} or {b.name}: {error}") from None
    wrong = list(written.findings)
    notes: list[str] = []
    if wrong and on_source is not None and other is not None and written.folded is None:
        wrong, harmless = _on_the_source(b, other, on_source.truth, wrong, written.relation)
        notes += harmless
    for result, which in ((on_source, "source"), (on_target, "target")):
        for finding, is_rounding in _of_engine(result, which):
            notes += [finding.text] if is_rounding else []
            wrong += [] if is_rounding else [finding]
    notes += _notes(a, b, written, context)
    incoming, outgoing, status = _flow(a, b, written, context, on_target)
    pair = Pair(
        source=side(a),
        target=side(b),
        matched=match.by,
        status="wrong" if wrong else status,
        wrong=tuple(wrong),
        notes=tuple(notes),
        incoming=incoming,
        outgoing=outgoing,
        of_bound=None if on_target is None else on_target.comparison.error_over_bound,
    )
    return Judged(pair=pair, relation=written.relation)


def _windows(
    a: LayerCall, b: LayerCall, shape: tuple[int, ...] | None
) -> tuple[Geometry | None, Geometry | None]:
    """The windows of both for the source's input; None where no input is known."""
    if shape is None:
        return None, None
    return a.geometry(shape), geometry_at(b, shape)


def _written(
    a: LayerCall,
    b: LayerCall,
    right: Geometry | None,
    other: Geometry | None,
    context: Context,
) -> _Written:
    call, kernel, other = written_alike(a, b, right, other)
    windows = [] if right is None or other is None else window_findings(call, other)
    related = relation(call, kernel)
    if related.kind == "other":
        folded = _folded(a, b, context)
        if folded is not None:
            side_of_it, findings = folded
            return _Written(
                relation=replace(related, kind="same"),
                findings=(*findings, *windows),
                folded=side_of_it,
            )
    if related.outputs is not None and _is_left(call.bias, b.bias, related.outputs):
        related = replace(related, kind="other", outputs=None)
    weights = list(related.findings) if related.kind == "other" else []
    if weights and weights[0].name in UNNAMED:
        weights = [*_foreign_kernel(b.kernel, context), *weights][:1]
    bias = bias_findings(_reordered(call, related), b.bias, context.biases)
    return _Written(relation=related, findings=(*weights, *bias, *windows))


def _is_left(bias: Float64 | None, other: Float64 | None, order: Order) -> bool:
    """Whether a bias has stayed where the output channels of the kernel have moved."""
    if bias is None or other is None or len(bias) != len(order):
        return False
    return near(bias, other) and not near(bias[order], other)


def _folded(a: LayerCall, b: LayerCall, context: Context) -> tuple[str, list[Finding]] | None:
    """(which side holds the normalisation behind the other, what is wrong with that)."""
    behind = context.behind_source, context.behind_target
    if behind[0] is not None and behind[1] is None:
        findings = folded_findings(a.kernel, a.bias, b.kernel, b.bias, behind[0])
        return None if findings is None else ("target", findings)
    if behind[1] is not None and behind[0] is None:
        findings = folded_findings(b.kernel, b.bias, a.kernel, a.bias, behind[1])
        return None if findings is None else ("source", findings)
    return None


def _foreign_kernel(kernel: Float64, context: Context) -> Iterator[Finding]:
    for call in context.others:
        if call.kernel_shape == kernel.shape and near(call.corner, kernel[:16, :16]):
            if not near(call.kernel, kernel):
                continue
            text = f"the kernel is that of {call.name}"
            yield Finding(name="kernel-of-another-layer", text=text)


def _reordered(call: Call, related: Relation) -> Call:
    """The call with its bias in the target's order of output channels."""
    if call.bias is None or related.outputs is None or len(call.bias) != len(related.outputs):
        return call
    return replace(call, bias=call.bias[related.outputs])


def _on_the_source(
    b: LayerCall, other: Geometry, truth: Truth, findings: Sequence[Finding], related: Relation
) -> tuple[list[Finding], list[str]]:
    """The target's layer on the source's own activations: (what is wrong, what is harmless)."""
    x = truth.x if related.inputs is None else truth.x[:, related.inputs]
    made = Call(x=x, w=b.kernel, bias=b.bias, geometry=other)
    y = made.output()
    if y is None:
        text = "the target's arguments have no output for the source's input"
        return [*findings, Finding(name="no-output", text=text)], []
    if related.outputs is not None and y.shape[1] == len(related.outputs):
        y = y[:, np.argsort(related.outputs)]
    with np.errstate(over="ignore", invalid="ignore"):
        got = y.astype(dtype_of(truth.dtype))
    comparison = compare(got, truth)
    if comparison.mismatch is None:
        return [], [f"written otherwise and the same here: {entry.text}" for entry in findings]
    if all(finding.name in UNNAMED for finding in findings):
        diagnosis = diagnose(got, truth, comparison.precision)
        if diagnosis is not None:
            named = Finding(name=diagnosis["name"], text=f"it is instead: {diagnosis['text']}")
            return [named, *findings], []
    return list(findings), []


def _of_engine(result: Checked | None, which: str) -> Iterator[tuple[Finding, bool]]:
    """A framework's own result that is not what its layer's weights and arguments give, and whether
    that is rounding: coarser than its dtype allows, and no mistake of who ported the layer.
    """
    if result is None or result.comparison.mismatch is None:
        return
    diagnosis = diagnose(result.y, result.truth, result.comparison.precision)
    is_rounding = diagnosis is not None and diagnosis["name"].startswith("low-precision")
    instead = f"; it is instead: {diagnosis['text']}" if diagnosis else ""
    text = (
        f"the {which}'s framework computes something else than its weights and arguments say: "
        f"{result.comparison.mismatch['text']}{instead}"
    )
    yield Finding(name=f"{which}-computes-otherwise", text=text), is_rounding


def _notes(a: LayerCall, b: LayerCall, written: _Written, context: Context) -> Iterator[str]:
    if written.folded is not None:
        behind = context.behind_source if written.folded == "target" else context.behind_target
        assert behind is not None
        yield f"{behind.name} is folded into the {written.folded}'s layer"
    if written.relation.kind == "reordered":
        yield from (finding.text for finding in written.relation.findings)
    if a.dtype != b.dtype:
        yield f"the source's weights are {a.dtype}, the target's {b.dtype}"
    for call, which in ((a, "source"), (b, "target")):
        if call.activation is None:
            yield f"the {which} did not run this layer: weights and arguments alone are compared"


def _flow(
    a: LayerCall, b: LayerCall, written: _Written, context: Context, on_target: Checked | None
) -> tuple[float | None, float | None, Status]:
    """(how far apart what comes in is, likewise what goes out, the status of a layer that is right
    by itself).
    """
    if a.activation is None or b.activation is None:
        return None, None, "same"
    x, other_x = a.x, b.x
    assert x is not None
    assert other_x is not None
    incoming = difference(_taken(x, written.relation.inputs), other_x)
    y, other_y = _outputs(a, b, written, context)
    outgoing = difference(_taken(y, written.relation.outputs), other_y)
    if incoming is None or incoming > limit(x, other_x):
        return incoming, outgoing, "inherited"
    if written.relation.kind == "reordered":
        return incoming, outgoing, "reordered"
    return incoming, outgoing, "rounding" if incoming or outgoing else "same"


def _taken(array: Array, order: Order | None) -> Array:
    if order is None or array.shape[1] != len(order):
        return array
    return np.take(array, order, 1)


def _outputs(
    a: LayerCall, b: LayerCall, written: _Written, context: Context
) -> tuple[Array, Array]:
    """What goes out of both, a normalisation and an activation that only one has within its layer
    applied to the other.
    """
    y, other = a.y, b.y
    assert y is not None
    assert other is not None
    if written.folded == "target" and context.behind_source is not None:
        y = context.behind_source.z
    if written.folded == "source" and context.behind_target is not None:
        other = context.behind_target.z
    return with_activation(y, a, b), with_activation(other, b, a)
