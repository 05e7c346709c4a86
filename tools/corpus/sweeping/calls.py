"""One call of the sweep."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from conformance.conventions import Native
from conformance.corpus.tensors import Tensors
from conformance.geometry import Geometry

_INTEGERS = (-4, -3, -2, -1, 1, 2, 3, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call: the arguments in normal form, the window predicted for them, and the operands'
    recipe.

    `part` says why it is made: "native", arguments drawn at random; "canonical", what
    `native(geometry)` gives; "other", a spelling of a window that the convention calls
    Unrepresentable; "equal", the canonical spelling of a window with the same numbers as an
    Unrepresentable one, for a size of 1 does not see its stride nor a kernel of 1 its dilation.
    """

    part: str
    native: Native
    geometry: Geometry
    seed: int

    def tensors(self) -> Tensors:
        """Integers from -4 to 4 without 0, float32, so that no window hides behind zeros; one call
        in four has a bias.
        """
        rng = np.random.RandomState(self.seed)
        groups = self.geometry.groups
        batch, per_group_in, per_group_out = rng.randint(1, 3, 3)
        shapes = (
            (batch, per_group_in * groups, *self.geometry.size),
            (per_group_in * groups, per_group_out, *self.geometry.kernel),
        )
        x, kernel, bias = (
            rng.choice(_INTEGERS, shape).astype(np.float32)
            for shape in (*shapes, (per_group_out * groups,))
        )
        return Tensors(x=x, kernel=kernel, bias=bias if rng.randint(4) == 0 else None)

    def size(self) -> tuple[int, ...]:
        """For choosing the smallest example of several."""
        axes = self.geometry.axes
        return (
            len(axes),
            sum(
                a.size + a.kernel + a.stride + a.dilation + abs(a.crop_low) + abs(a.crop_high)
                for a in axes
            ),
        )

    def text(self) -> str:
        size, kernel = (
            "x".join(map(str, numbers)) for numbers in (self.geometry.size, self.geometry.kernel)
        )
        return (
            f"size {size}, kernel {kernel}, {self.native}: predicted crops "
            f"{self.geometry.crops}, out {self.geometry.out}"
        )
