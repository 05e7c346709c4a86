"""Two biases: the same, or which other one it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from conformance.comparison.kernels import near, rounded_to
from conformance.comparison.results import Finding
from conformance.oracle.reference import Float64
from conformance.verdicts.diagnosis.mistake import Call
from conformance.verdicts.diagnosis.operands import operand_mistakes
from conformance.wording import counted


def bias_findings(
    call: Call, other: Float64 | None, elsewhere: Mapping[str, Float64]
) -> list[Finding]:
    """What the target's bias (C_out,) is instead of that of the source's `call`; empty if it is the
    same. `elsewhere` has the biases of the source's other layers by their name.
    """
    length = call.w.shape[1] * call.geometry.groups
    bias = np.zeros(length) if call.bias is None else call.bias
    have = np.zeros(length) if other is None else other
    if near(bias, have):
        return []
    return list(_named(call, bias, have, elsewhere))[:1]


def _named(
    call: Call, bias: Float64, have: Float64, elsewhere: Mapping[str, Float64]
) -> Iterator[Finding]:
    if not have.any():
        yield Finding(name="bias-dropped", text="the bias is dropped")
    for name, foreign in elsewhere.items():
        if near(foreign, have):
            yield Finding(name="bias-of-another-layer", text=f"the bias is that of {name}")
    if not bias.any():
        yield Finding(name="bias-added", text="there is a bias, and the source has none")
    rounded = rounded_to(bias, have)
    if rounded is not None:
        yield Finding(name="bias-rounded", text=f"the bias is rounded to {rounded}")
    small = replace(call, bias=bias, x=np.zeros((1, call.w.shape[0], *[1] * call.geometry.rank)))
    for mistake in operand_mistakes(small):
        made = mistake.call
        if made is not None and made.bias is not None and near(made.bias, have):
            yield Finding(name=mistake.name, text=mistake.text)
    if bias.shape == have.shape:
        yield from _numbers(bias, have)
    text = f"the bias has {counted(have.size, 'element')}, should have {bias.size}"
    yield Finding(name="bias-of-another-shape", text=text)


def _numbers(bias: Float64, have: Float64) -> Iterator[Finding]:
    if near(np.sort(bias), np.sort(have)):
        order = np.empty(len(bias), int)
        order[np.argsort(have, kind="stable")] = np.argsort(bias, kind="stable")
        yield Finding(name="bias-permuted", text=f"the bias is permuted: {order.tolist()[:16]}")
    factor = float((bias * have).sum() / max(float((bias * bias).sum()), 1e-300))
    if near(bias * factor, have):
        yield Finding(name="bias-scaled", text=f"the bias is {factor:.6g} times as large")
    wrong = np.flatnonzero(abs(bias - have) > 2.0**-20 * np.maximum(abs(bias), abs(have)))
    first = f"bias[{wrong[0]}]={have[wrong[0]]:.6g}, should be {bias[wrong[0]]:.6g}"
    text = f"{len(wrong)} of {counted(bias.size, 'element')} of the bias are others; {first}"
    yield Finding(name="other-bias", text=text)
