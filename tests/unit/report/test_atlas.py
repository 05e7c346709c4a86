"""The atlas: which window every spelling takes."""

from __future__ import annotations

import pytest

from conformance.conventions import NAMES
from conformance.geometry import Axis
from conformance.report.atlas import KERNELS, STRIDES, measured_windows, picture, windows


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("stride", STRIDES)
def test_every_convention_is_there_once_with_each_spelling(kernel: int, stride: int) -> None:
    """No spelling stands twice, and none of the six conventions is missing."""
    found = windows(kernel, stride)
    assert {window.convention for window in found} == set(NAMES)
    names = [(window.convention, window.spelling) for window in found]
    assert len(names) == len(set(names))


def test_the_same_shape_with_other_numbers_is_marked() -> None:
    """Kernel 3, stride 2: torch with padding 1 and output_padding 1 against same; kernel 4, stride
    2: they agree.
    """
    odd = {(w.convention, w.spelling): w for w in windows(3, 2)}
    torch, same = odd["torch", "padding=1, output_padding=1"], odd["keras", "same"]
    assert (torch.axis.out, same.axis.out) == (8, 8)
    assert (picture(torch.axis), picture(same.axis)) == (".oooooooo", "oooooooo.")
    assert torch.alike
    assert same.alike
    even = {(w.convention, w.spelling): w for w in windows(4, 2)}
    assert even["torch", "padding=1"].axis == even["keras", "same"].axis
    assert not even["keras", "valid"].alike


def test_measured_is_what_its_own_framework_computed() -> None:
    """A native case that conforms on an adapter of its convention, and nothing else."""
    axes = [{"kernel": 3, "stride": 2, "dilation": 1, "crop_low": 0, "crop_high": 1}]
    cases = {
        "a": {"native": {"keras": {}}, "geometry": {"axes": axes}},
        "b": {"native": None, "geometry": {"axes": axes}},
        "c": {"native": {"keras": {}}, "geometry": None},
    }
    conforming = [("a", "keras"), ("a", "torch"), ("b", "keras"), ("c", "keras")]
    measured = measured_windows(cases, conforming)
    assert measured == {("keras", 3, 2, 0, 1)}
    marked = [(w.convention, w.spelling) for w in windows(3, 2, measured) if w.measured]
    assert marked == [("keras", "same")]


def test_a_window_is_drawn() -> None:
    """Cut, kept and appended, in order."""
    assert picture(Axis(size=2, kernel=3, stride=2, crop_low=1, crop_high=-1)) == ".oooo+"
    assert picture(Axis(size=2, kernel=3, stride=2, crop_low=-2, crop_high=2)) == "++ooo.."
