"""What a model of an older opset cannot say."""

from __future__ import annotations

import pytest

from conformance.conventions import Native
from conformance.conventions.onnx import unsaid_by_opset

PLAIN: Native = {"strides": [2], "dilations": [1], "group": 1, "output_padding": [0]}


def unsaid(opset: int, dtype: str = "float32", **more: object) -> str | None:
    """Of four elements under a kernel of three, whose full output has nine."""
    return unsaid_by_opset(opset, {**PLAIN, **more}, dtype, size=[4], kernel=[3])


@pytest.mark.parametrize("opset", [1, 10, 11, 21, 22, 26])
def test_pads_are_said_by_every_opset(opset: int) -> None:
    """Nothing about them has changed."""
    assert unsaid(opset, pads=[1, 0]) is None


@pytest.mark.parametrize(("opset", "names"), [(1, False), (21, False), (22, True), (26, True)])
def test_bfloat16_is_named_from_opset_22_on(opset: int, names: bool) -> None:
    """float16 is named by all."""
    assert (unsaid(opset, "bfloat16") is None) is names
    assert unsaid(opset, "float16") is None


@pytest.mark.parametrize("word", ["SAME_UPPER", "SAME_LOWER"])
def test_same_means_another_size_before_opset_11(word: str) -> None:
    """The input's own instead of its product with the stride."""
    assert "the input's size" in str(unsaid(10, auto_pad=word))
    assert unsaid(11, auto_pad=word) is None


@pytest.mark.parametrize(("out", "is_odd"), [(9, False), (8, True), (7, False), (10, True)])
def test_an_odd_total_is_split_otherwise_before_opset_11(out: int, is_odd: bool) -> None:
    """An even one has two halves alike, whichever end comes first."""
    assert (unsaid(10, output_shape=[out]) is not None) is is_odd
    assert unsaid(11, output_shape=[out]) is None


def test_a_kernel_shape_that_is_not_the_kernels_is_for_the_engine_to_refuse() -> None:
    """A model of an older opset says it as one of a newer does."""
    assert unsaid(10, kernel_shape=[4]) is None
