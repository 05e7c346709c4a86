"""A normalisation that one model folds into a layer and the other applies behind it.

Behind a layer of the one stands z = s * y + t, one s and t for each output channel; the kernel of
the other is s times that of the one, and its bias s * b + t. What s and t are is read off the run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from conformance.comparison.calls import LayerCall
from conformance.comparison.factors import along, factors
from conformance.comparison.kernels import near
from conformance.comparison.results import Finding
from conformance.comparison.tensors import layouts
from conformance.corpus.tensors import Array
from conformance.models import Activation
from conformance.oracle.reference import Float64

_FARTHEST = 3  # operators behind a layer
_LINE = 2.0**-16
_ALIKE = 2.0**-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Affine:
    """z = s * y + t of the operator `name`; s and t are (C_out,), z is (N, C_out, *out)."""

    name: str
    s: Float64
    t: Float64
    z: Array


def affine_behind(call: LayerCall, activations: Sequence[Activation]) -> Affine | None:
    """The normalisation behind a call: the first operator after it that is affine in its output,
    with a factor and an offset for each channel, and does something.
    """
    y = call.y
    if y is None or call.position is None or call.layer.activation is not None:
        return None
    for activation in activations[call.position + 1 : call.position + 1 + _FARTHEST]:
        if activation.layer is not None:
            return None
        for _, z in layouts(activation.output.load()):
            if z.shape == y.shape and z.dtype == y.dtype:
                lines = _lines(y.astype(np.float64), z.astype(np.float64))
                if lines is not None:
                    return Affine(name=activation.name, s=lines[0], t=lines[1], z=z)
    return None


def _lines(y: Float64, z: Float64) -> tuple[Float64, Float64] | None:
    """(s, t) of every channel by least squares, if that is all there is and it is not nothing."""
    channels = y.shape[1]
    a = np.moveaxis(y, 1, 0).reshape(channels, -1)
    b = np.moveaxis(z, 1, 0).reshape(channels, -1)
    middle, height = a.mean(1, keepdims=True), b.mean(1, keepdims=True)
    spread = ((a - middle) ** 2).sum(1)
    if not (spread > 0).all() or not np.isfinite(b).all():
        return None
    s = ((a - middle) * (b - height)).sum(1) / spread
    t = height[:, 0] - s * middle[:, 0]
    rest = abs(s[:, np.newaxis] * a + t[:, np.newaxis] - b).max(1)
    if (rest > _LINE * (abs(b).max(1) + abs(t))).any() or _is_cut(a, b):
        return None
    return s, t


def _is_cut(a: Float64, b: Float64) -> bool:
    """Whether every channel of b is that of a, or nothing, as behind a ReLU."""
    return bool(((a == b).all(1) | (b == 0).all(1)).all())


def folded_findings(
    kernel: Float64,
    bias: Float64 | None,
    other: Float64,
    other_bias: Float64 | None,
    affine: Affine,
) -> list[Finding] | None:
    """What is wrong with a kernel (C_in, C_out / groups, *kernel) and a bias that should hold a
    normalisation; empty if they hold it, None where they hold nothing of the kind.
    """
    if kernel.shape != other.shape:
        return None
    groups = len(affine.s) // kernel.shape[1]
    a, b = (part.reshape(groups, -1, *part.shape[1:]) for part in (kernel, other))
    folded = np.stack([factors(*pair, 1) for pair in zip(a, b, strict=True)]).ravel()
    expected = _times_outputs(kernel, folded, groups)
    if near(kernel, other):
        return None
    if not near(expected, other):
        return _on_another_axis(kernel, other, affine)
    return [*_wrong_factors(folded, affine), *_wrong_offsets(bias, other_bias, affine)]


def _times_outputs(kernel: Float64, by: Float64, groups: int) -> Float64:
    parts = np.split(kernel, groups)
    return np.concatenate(
        [
            part * along(s, 1, kernel.ndim)
            for part, s in zip(parts, np.split(by, groups), strict=True)
        ]
    )


def _on_another_axis(kernel: Float64, other: Float64, affine: Affine) -> list[Finding] | None:
    by = factors(kernel, other, 0)
    if not near(kernel * along(by, 0, kernel.ndim), other) or len(by) != len(affine.s):
        return None
    if (abs(by - affine.s) > _ALIKE * abs(affine.s)).any():
        return None
    text = (
        f"{affine.name} is folded along the kernel's input channels, should be along its output "
        "channels"
    )
    return [Finding(name="batch-norm-on-wrong-axis", text=text)]


def _wrong_factors(folded: Float64, affine: Affine) -> Iterator[Finding]:
    wrong = np.flatnonzero(abs(folded - affine.s) > _ALIKE * abs(affine.s))
    if len(wrong):
        first = f"{folded[wrong[0]]:.6g} on output channel {wrong[0]}, should be "
        text = (
            f"{affine.name} is folded with other factors on {len(wrong)} of {len(folded)} output "
            f"channels: {first}{affine.s[wrong[0]]:.6g}"
        )
        yield Finding(name="batch-norm-factors", text=text)


def _wrong_offsets(
    bias: Float64 | None, other_bias: Float64 | None, affine: Affine
) -> Iterator[Finding]:
    b = np.zeros(len(affine.s)) if bias is None else bias
    have = np.zeros(len(affine.s)) if other_bias is None else other_bias
    due = affine.s * b + affine.t
    allowed = _ALIKE * np.maximum(abs(affine.s * b), abs(affine.t)) + _ALIKE * abs(affine.z).max()
    wrong = np.flatnonzero(abs(have - due) > allowed.astype(np.float64))
    if len(wrong):
        known = "the bias is not scaled" if np.allclose(have, b + affine.t, rtol=1e-3) else ""
        known = "the bias is left as it was" if bias is not None and near(have, b) else known
        text = (
            f"{affine.name} is folded into the kernel and not into the bias"
            f"{': ' + known if known else ''}: bias[{wrong[0]}]={have[wrong[0]]:.6g}, should be "
            f"{due[wrong[0]]:.6g}"
        )
        yield Finding(name="batch-norm-offsets", text=text)
