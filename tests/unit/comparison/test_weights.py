"""Two kernels, two biases and two windows: which mistake makes the one of the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from conformance.comparison.biases import bias_findings
from conformance.comparison.kernels import near, relation
from conformance.comparison.windows import window_findings
from conformance.geometry import Geometry, from_padding
from conformance.verdicts.diagnosis.mistake import Call


def geometry(groups: int = 1, **changes: Any) -> Geometry:
    arguments = {
        "size": (5, 6), "kernel": (3, 4), "stride": (2, 1), "padding": ((1, 1), (1, 1)),
        "output_padding": (1, 0), "dilation": (1, 1), "groups": groups,
    }  # fmt: skip
    return from_padding(**(arguments | changes))


def call(c_in: int = 6, c_out: int = 5, groups: int = 1) -> Call:
    random = np.random.RandomState(3)
    w = random.standard_normal((c_in, c_out, 3, 4)).astype(np.float32).astype(np.float64)
    bias = random.standard_normal(c_out * groups).astype(np.float32).astype(np.float64)
    return Call(x=np.zeros((1, c_in, 5, 6)), w=w, bias=bias, geometry=geometry(groups))


def test_the_rounding_of_effective_weights_is_no_difference() -> None:
    """An exporter computes weight norm anew, in another order; a factor of 1.00001 is one."""
    made = call()
    assert relation(made, made.w * (1 + 2.0**-22)).kind == "same"
    assert not near(made.w, made.w * 1.00001)
    assert relation(made, made.w * 1.00001).findings[0].name == "kernel-scaled"


def test_orders_of_both_kinds_of_channels_are_found_at_once() -> None:
    """The target's channel n is the source's order[n]."""
    made = call()
    related = relation(made, made.w[[2, 0, 1, 5, 3, 4]][:, [4, 3, 0, 1, 2]])
    assert related.kind == "reordered"
    assert related.inputs.tolist() == [2, 0, 1, 5, 3, 4]
    assert related.outputs.tolist() == [4, 3, 0, 1, 2]


@pytest.mark.parametrize(
    ("change", "name", "words"),
    [
        (lambda w: w[:, :, :, ::-1], "kernel-not-flipped", "on axis 1"),
        (lambda w: w.astype(np.float16).astype(float), "kernel-rounded", "float16"),
        (lambda w: np.take(w, [1, 2, 0], 2), "taps-permuted", "on axis 0"),
        (lambda w: w * np.array([1, 1, 3, 1])[None, None, None], "taps-scaled", "factor 3"),
        (lambda w: w[:, :4], "kernel-of-another-shape", "[6, 4, 3, 4]"),
        (lambda w: w[::-1, ::-1, ::-1] * 0.5 + 1, "other-kernel", "kernel[0, 0, 0, 0]="),
    ],
)
def test_a_kernel_is_named(change: Any, name: str, words: str) -> None:
    """Layouts and roundings under their names, everything else by its numbers."""
    made = call()
    related = relation(made, change(made.w))
    assert related.kind == "other"
    assert related.findings[0].name == name
    assert words in related.findings[0].text


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda b: np.zeros_like(b), "bias-dropped"),
        (lambda b: np.roll(b, 2), "bias-rolled"),
        (lambda b: b[[0, 2, 1, 4, 3]], "bias-permuted"),
        (lambda b: b * 3, "bias-scaled"),
        (lambda b: b.astype(np.float16).astype(float), "bias-rounded"),
        (lambda b: np.arange(5.0), "bias-of-another-layer"),
        (lambda b: b + 1, "other-bias"),
        (lambda b: b[:3], "bias-of-another-shape"),
    ],
)
def test_a_bias_is_named(change: Any, name: str) -> None:
    """One finding; the other layers' biases are looked through too."""
    made = call()
    (finding,) = bias_findings(made, change(made.bias), {"up2": np.arange(5.0)})
    assert finding.name == name


def test_no_bias_and_a_bias_of_zeros_are_the_same() -> None:
    """Exporters write zeros where a layer has none."""
    made = call()
    plain = Call(x=made.x, w=made.w, bias=None, geometry=made.geometry)
    assert bias_findings(plain, np.zeros(5), {}) == []
    assert bias_findings(plain, None, {}) == []
    assert bias_findings(plain, np.ones(5), {})[0].name == "bias-added"


@pytest.mark.parametrize(
    ("changes", "name", "words"),
    [
        ({"stride": (1, 2), "padding": ((1, 1), (1, 1))}, "strides-swapped", "stride 1 on axis 0"),
        ({"output_padding": (0, 0)}, "output-padding-ignored", "cropped by 1 at the start and 1"),
        ({"padding": ((1, 1), (2, 0))}, "shifted-window", "shifted by (0, 1)"),
        ({"stride": (3, 1)}, "other-stride", "stride 3 on axis 0, should be 2"),
    ],
)
def test_a_window_is_named(changes: Any, name: str, words: str) -> None:
    """By the mistake that makes it, and always with the numbers of the axis."""
    (finding,) = window_findings(call(), geometry(**changes))
    assert finding.name == name
    assert words in finding.text


def test_what_cannot_be_told_is_no_difference() -> None:
    """Dilation of a kernel of one tap, stride of one input."""
    lone = {"size": (1, 6), "kernel": (3, 1), "padding": ((0, 0), (0, 0)), "output_padding": (0, 0)}
    one = geometry(**lone, stride=(2, 1), dilation=(1, 1))
    made = Call(x=np.zeros((1, 6, 1, 6)), w=np.ones((6, 5, 3, 1)), bias=None, geometry=one)
    assert window_findings(made, geometry(**lone, stride=(3, 1), dilation=(1, 4))) == []
