"""The public suites: their files load, and their calls make sense."""

from __future__ import annotations

import numpy as np
import pytest

from conformance.audit.count import ACTIVATIONS, MOST_PRODUCTS
from conformance.audit.suite import Suite, suites
from conformance.geometry import call_problems


@pytest.mark.parametrize("suite", suites(), ids=lambda suite: suite.slug)
def test_every_call_makes_sense(suite: Suite) -> None:
    """Every configuration has an output, an activation that is known, and at least one test."""
    for one in suite.configurations:
        bias = (one.w[1] * one.geometry.groups,) if one.bias else None
        assert not call_problems(one.geometry, x=one.x, kernel=one.w, bias=bias)
        assert one.activation in ACTIVATIONS
        assert one.tests >= 1
    assert suite.tests >= len(suite.configurations)


@pytest.mark.parametrize("suite", suites(), ids=lambda suite: suite.slug)
def test_what_is_right_passes(suite: Suite) -> None:
    """A suite's comparison takes the right result, rounded to float32, for right."""
    for one in suite.configurations:
        if one.products <= min(MOST_PRODUCTS, 100_000):
            y = one.truth().y
            assert one.rule.passes(y.astype(np.float32).astype(np.float64), y)


def test_numbers_are_as_the_suite_has_them() -> None:
    """Listed ones are used, ones are ones, and what is drawn lies where it should, twice alike."""
    by_slug = {suite.slug: suite for suite in suites()}
    (first, *_) = by_slug["tflite"].configurations
    assert first.truth().x.ravel().tolist() == list(range(1, 17))
    assert (by_slug["tensorflow"].configurations[0].truth().kernel == 1).all()
    drawn = by_slug["tinygrad"].configurations[0]
    x = drawn.truth().x
    assert 1.5 < abs(x).max() <= 2
    assert (x == drawn.truth().x).all()


def test_a_kernel_is_drawn_as_its_framework_does() -> None:
    """PyTorch's default reaches to one over the root of C_out times taps; inputs begin at 0."""
    (one, *_) = next(suite for suite in suites() if suite.slug == "kernelbench").configurations
    truth = one.truth()
    reach = 1 / np.sqrt(64 * 9)
    assert 0.99 * reach < abs(truth.kernel).max() <= reach
    assert 0 <= truth.x.min() < truth.x.max() < 1


def test_a_suite_may_have_the_calls_of_another() -> None:
    """KernelBench in half precision: the same calls, another dtype and tolerance."""
    by_slug = {suite.slug: suite for suite in suites()}
    single, half = by_slug["kernelbench"], by_slug["kernelbench-half"]
    assert [one.geometry for one in half.configurations] == [
        one.geometry for one in single.configurations
    ]
    assert {one.dtype for one in half.configurations} == {"float16"}
    assert {one.rule for one in half.configurations} != {one.rule for one in single.configurations}


def test_a_test_may_have_a_dtype_of_its_own() -> None:
    """FlagGems tests two axes in three dtypes, each call in one."""
    (suite,) = (suite for suite in suites() if suite.slug == "flaggems")
    assert {one.dtype for one in suite.configurations} == {"float32", "float16", "bfloat16"}
    assert suite.passes.endswith("0.016 (bfloat16)")


def test_a_published_result_is_the_truth() -> None:
    """TFLite's AccuracyTest lists what comes out: 1615, 1938, 4689, ..."""
    found = [
        one.truth().y.ravel()[:4].tolist()
        for suite in suites()
        if suite.slug == "tflite"
        for one in suite.configurations
    ]
    assert [1615.0, 1938.0, 4689.0, 2605.0] in found
