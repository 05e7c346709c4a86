"""The model of a case: its output's shape, its problems, its arguments in each convention, and
where it stands.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from conformance import conventions
from conformance.conventions import Unrepresentable
from conformance.corpus.case import Case, Expected, Location, Made
from conformance.geometry import Axis, Geometry


def test_output_shape_is_batch_channels_of_all_groups_and_the_window(
    a_case: Callable[..., Case],
) -> None:
    """C_out is the kernel's second axis times the groups."""
    geometry = Geometry(
        axes=(Axis(size=3, kernel=2, stride=2), Axis(size=3, kernel=2, crop_low=1)), groups=2
    )
    assert a_case(geometry=geometry).output_shape == (1, 6, 6, 3)


def test_without_geometry_there_is_no_output_shape(a_case: Callable[..., Case]) -> None:
    """A native case that must be refused has no window, and asking for it says which case it is."""
    case = a_case(geometry=None, native=("torch", {}), must_fail=True)
    with pytest.raises(ValueError, match="folder/file/one has no geometry"):
        case.output_shape  # noqa: B018 - the property itself raises
    assert case.problems() == []


def test_problems_are_those_of_the_call(a_case: Callable[..., Case]) -> None:
    """Window and channels are both judged, each at its key."""
    bias = Made(shape=(4,), values="ones", seed=1)
    geometry = Geometry(axes=(Axis(size=3, kernel=2, stride=0), Axis(size=3, kernel=2)))
    assert [problem.key for problem in a_case(bias=bias, geometry=geometry).problems()] == [
        "stride",
        "bias",
    ]
    assert a_case().problems() == []


def test_a_native_case_keeps_its_own_arguments(a_case: Callable[..., Case]) -> None:
    """Its convention gets the arguments as written, the others those of the geometry."""
    written = {
        "strides": [2, 2],
        "padding": "valid",
        "output_padding": None,
        "dilation_rate": [1, 1],
        "more": "untouched",
    }
    case = a_case(native=("keras", written))
    assert case.arguments("keras") is written
    assert case.arguments("torch") == conventions.get("torch").native(case.geometry)


def test_without_geometry_other_conventions_cannot_spell_it(a_case: Callable[..., Case]) -> None:
    """A rule of one framework's arguments has a reason in place of arguments elsewhere, which names
    that framework.
    """
    case = a_case(geometry=None, native=("keras", {}), must_fail=True)
    answer = case.arguments("torch")
    assert isinstance(answer, Unrepresentable)
    assert "keras" in answer.reason
    assert case.arguments("keras") == {}


def test_a_native_error_case_concerns_its_own_convention_alone(a_case: Callable[..., Case]) -> None:
    """Cases with a window concern every convention, one framework's own rule only that
    framework.
    """
    rule = a_case(geometry=None, native=("keras", {}), must_fail=True)
    assert [name for name in conventions.NAMES if rule.concerns(name)] == ["keras"]
    assert all(a_case(native=("keras", {})).concerns(name) for name in conventions.NAMES)


def test_a_place_gives_the_nearest_key_above() -> None:
    """A key that is not written is found at the key above it, and at last at the case."""
    location = Location(
        file=Path("cases/a.yaml"), lines={"": 3, "expected": 9, "expected.shape": 10}
    )
    assert [location.at(key) for key in ("expected.shape", "expected.values", "bias", "")] == [
        "cases/a.yaml:10", "cases/a.yaml:9", "cases/a.yaml:3", "cases/a.yaml:3",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("expected", "complete"),
    [
        (Expected(shape=(1, 1, 1)), False),
        (Expected(numbers=()), True),
        (Expected(sha256="0" * 64), True),
        (Expected(sum_abs=0.0), True),
    ],
)
def test_expected_is_complete_where_it_says_something_of_the_numbers(
    expected: Expected, complete: bool
) -> None:
    """A shape alone is not complete; numbers, a digest or a sum of magnitudes are, whatever they
    are.
    """
    assert expected.complete is complete


def test_where_a_case_is_written_is_no_part_of_what_it_is(a_case: Callable[..., Case]) -> None:
    """Two cases that differ in their place alone are equal."""
    assert a_case() == a_case(location=Location(file=Path("elsewhere.yaml"), lines={"": 1}))
    assert a_case() != a_case(tags=("slow",))


def test_dtypes_add_to_the_arguments_or_rule_the_call_out(a_case: Callable[..., Case]) -> None:
    """What asks for the output's dtype stands beside the window; a reason names all dtypes."""
    case = a_case(other_dtypes={"input": "bfloat16", "kernel": "bfloat16"})
    window = a_case().arguments("jax")
    assert case.arguments("jax") == {**window, "preferred_element_type": "float32"}
    answer = case.arguments("onnx")
    assert isinstance(answer, Unrepresentable)
    assert "an input in bfloat16, a kernel in bfloat16, and an output in float32" in answer.reason


def test_a_native_case_of_two_dtypes_keeps_its_own_arguments_too(
    a_case: Callable[..., Case],
) -> None:
    written = {"strides": [2, 2], "padding": "VALID"}
    case = a_case(native=("flax", written), other_dtypes={"input": "float16", "kernel": "float16"})
    assert case.arguments("flax") == {**written, "dtype": "float32"}
