"""A wrong gradient gets the name of its mistake."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from conformance.geometry import Axis, Geometry
from conformance.oracle.gradients import GradientTruth, gradient_truths
from conformance.verdicts.diagnosis.gradients import diagnose_gradient

GEOMETRY = Geometry(
    axes=(
        Axis(size=4, kernel=4, stride=2, dilation=1, crop_low=1, crop_high=1),
        Axis(size=5, kernel=3, stride=1, dilation=2, crop_low=1, crop_high=0),
    ),
    groups=2,
)


@pytest.fixture(scope="module")
def operands() -> dict[str, np.ndarray]:
    """Of a call with 3 samples, 4 input and 6 output channels in 2 groups."""
    random = np.random.RandomState(0)
    shapes = {
        "x": (3, 4, *GEOMETRY.size),
        "kernel": (4, 3, *GEOMETRY.kernel),
        "cotangent": (3, 6, *GEOMETRY.out),
    }
    return {name: random.randint(-4, 5, shape).astype("f4") for name, shape in shapes.items()}


def truths_of(operands: dict[str, np.ndarray], geometry: Geometry = GEOMETRY) -> Any:
    bias = np.zeros(6, "f4")
    return gradient_truths(
        operands["x"], operands["kernel"], bias, operands["cotangent"], geometry, "float32"
    )


@pytest.fixture(scope="module")
def truths(operands: dict[str, np.ndarray]) -> dict[str, GradientTruth]:
    made: dict[str, GradientTruth] = truths_of(operands)
    return made


WRONG: list[tuple[str, str, Callable[[np.ndarray], np.ndarray]]] = [
    ("kernel", "kernel-not-flipped", lambda dw: np.flip(dw, (2, 3))),
    ("kernel", "scaled", lambda dw: dw * 2),
    ("kernel", "averaged", lambda dw: dw / 3),
    ("kernel", "input-channels-left-out", lambda dw: dw * (np.arange(4) < 3)[:, None, None, None]),
    ("kernel", "output-channels-permuted", lambda dw: dw[:, ::-1]),
    ("kernel", "taps-left-out", lambda dw: dw * (np.arange(4) < 3)[:, None]),
    ("input", "samples-permuted", lambda dx: dx[::-1]),
    ("input", "input-channels-scaled", lambda dx: dx * np.array([1, 2, 4, 0.5])[:, None, None]),
    ("input", "gradient-axes-exchanged", lambda dx: dx.swapaxes(0, 1)),
    ("input", "gradient-mirrored", lambda dx: dx[..., ::-1]),
    ("input", "left-zero", lambda dx: dx * 0),
    ("input", "shifted-window", lambda dx: np.roll(dx, 1, 3)),
    ("bias", "averaged", lambda db: db / 3),
    ("bias", "output-channels-permuted", lambda db: db[::-1]),
    ("bias", "scaled", lambda db: db * -1),
]


@pytest.mark.parametrize(("of", "name", "change"), WRONG)
def test_what_is_done_to_a_gradient_is_named(
    of: str,
    name: str,
    change: Callable[[np.ndarray], np.ndarray],
    truths: dict[str, GradientTruth],
) -> None:
    """The text says which gradient."""
    said = diagnose_gradient(change(truths[of].y).astype("f4"), truths[of])
    assert said is not None
    assert name in {said["name"], *(entry["name"] for entry in said["also"])}
    assert said["text"].startswith(f"d{of}: ")


def test_sums_over_part_are_named(
    operands: dict[str, np.ndarray], truths: dict[str, GradientTruth]
) -> None:
    """A sample alone, a sample that is left out, and an output channel that is."""
    first = {**operands, "cotangent": operands["cotangent"] * np.eye(3)[0].reshape(-1, 1, 1, 1)}
    said = diagnose_gradient(truths_of(first)["kernel"].y.astype("f4"), truths["kernel"])
    assert said is not None
    assert said["name"] == "one-stands-for-all"
    for axis, of in ((0, "kernel"), (0, "bias"), (1, "input")):
        cotangent = operands["cotangent"].copy()
        cotangent[(slice(None),) * axis + (1,)] = 0
        without = truths_of({**operands, "cotangent": cotangent})[of]
        said = diagnose_gradient(without.y.astype("f4"), truths[of])
        assert said is not None
        assert said["name"] == "left-out-of-sum", of


@pytest.mark.parametrize("of", ["input", "kernel"])
def test_mistakes_about_the_arguments_are_those_of_the_output(
    of: str, operands: dict[str, np.ndarray], truths: dict[str, GradientTruth]
) -> None:
    """The backward pass of another window, with the cotangent as it is."""
    swapped = replace(
        GEOMETRY,
        axes=tuple(
            replace(axis, crop_low=axis.crop_high, crop_high=axis.crop_low)
            for axis in GEOMETRY.axes
        ),
    )
    wrong = truths_of(operands, swapped)[of]
    said = diagnose_gradient(wrong.y.astype("f4"), truths[of])
    assert said is not None
    assert "ends-swapped" in {said["name"], *(entry["name"] for entry in said["also"])}


def test_a_right_gradient_and_noise_have_no_name(truths: dict[str, GradientTruth]) -> None:
    noise = np.random.RandomState(0)
    for truth in truths.values():
        assert diagnose_gradient(truth.y.astype("f4"), truth) is None
        wrong = noise.randint(-40, 41, truth.y.shape).astype("f4")
        assert diagnose_gradient(wrong, truth) is None
