"""Compositions: constants that undo each other, and an optimizer's mistake that they show."""

from __future__ import annotations

import numpy as np
import pytest

from conformance.adapters import Unsupported
from conformance.adapters.composition import added, normalization


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("bias", [None, [5.0, -3.0, 2.0, 7.0]])
def test_a_normalization_and_its_signs_add_the_bias(groups: int, bias: list[float] | None) -> None:
    """Exactly, of integers: nothing is rounded."""
    kernel = np.zeros((2, 4 // groups, 1), np.float32)
    constants = normalization(kernel, None if bias is None else np.array(bias, np.float32), groups)
    y = np.arange(-6, 6, dtype=np.float32).reshape(3, 4)
    normal = (y - constants.mean) / np.sqrt(constants.variance) * constants.scale + constants.shift
    assert (normal * constants.signs == y + (0 if bias is None else bias)).all()
    assert (normal != y).any()


def test_no_shift_of_the_channels_is_unseen() -> None:
    """A factor that was taken from another channel has another sign somewhere."""
    signs = normalization(np.zeros((1, 16, 1), np.float32), None, 1).signs
    assert all((np.roll(signs, shift) != signs).any() for shift in range(1, 16))
    assert set(signs) == {-1.0, 1.0}


def test_what_nothing_can_follow_is_refused_in_words() -> None:
    """A bias of another length, which `+` would broadcast, and groups that do not divide."""
    kernel = np.zeros((3, 2, 1), np.float32)
    with pytest.raises(Unsupported, match="cannot be given 1 numbers for 2 channels"):
        added(kernel, np.ones(1, np.float32), 1)
    with pytest.raises(Unsupported, match="make no 2 groups"):
        added(kernel, None, 2)
