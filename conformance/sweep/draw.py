"""Random calls that a convention has arguments for, the corners of the geometry more often than
chance would have them.

Kernels larger than what is left of the output, strides above the kernel, padding so large that some
taps reach no output, outputs of one element, groups with one channel and with several, batches of
none; and those of `corners.py`. Who says the shape alone is asked for calls without output too,
which are to be refused.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from conformance import conventions
from conformance.conventions import Native, Unrepresentable
from conformance.geometry import Axis, Geometry
from conformance.sweep.call import Dtype, SweepCall
from conformance.sweep.corners import CORNERS, Corner

MOST_PRODUCTS = 60_000  # of a call: a sweep is many small calls
MOST_OUTPUTS = 4096
LARGEST_SIZE = {1: 12, 2: 6, 3: 4}
LARGEST_KERNEL = {1: 7, 2: 5, 3: 4}
MANY_CHANNELS = (16, 17)  # the width of a vector register, and one more
SEEDS = 1000
SHARE_OF_CORNERS = 0.55

ALL_RANKS = (1, 2, 3)
MIXED_DTYPES: tuple[Dtype, ...] = (
    "float32", "float32", "float32", "float64", "float16", "bfloat16"
)  # fmt: skip
"""What is drawn where nobody names dtypes: float32 most often."""

_GROUPED = ("torch", "tensorflow", "jax", "onnx")
_EXPLICIT = ("torch", "onnx", "jax", "flax")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """The ranks, dtypes and quantities to draw from; what stands twice comes twice as often."""

    ranks: Sequence[int] = ALL_RANKS
    dtypes: Sequence[Dtype] = MIXED_DTYPES
    gradients: bool = True

    @property
    def words(self) -> tuple[str, ...]:
        """The options of the command that say so."""
        ranks = () if tuple(self.ranks) == ALL_RANKS else self.ranks
        dtypes = () if tuple(self.dtypes) == MIXED_DTYPES else self.dtypes
        return (
            *(word for rank in ranks for word in ("--rank", str(rank))),
            *(word for dtype in dtypes for word in ("--dtype", dtype)),
            *(() if self.gradients else ("--no-gradients",)),
        )


class Drawer:
    """Draws calls for one convention: the same number of the same seed is the same call, whatever
    was drawn before.
    """

    def __init__(self, seed: int, convention: str, wish: Wish, *, quantity: str = "output") -> None:
        self._seed, self._random, self._quantity = seed, Random(), quantity
        self._name, self._convention, self._wish = convention, conventions.get(convention), wish
        self._corners = [corner for corner in CORNERS if convention in corner.conventions]
        self.redrawn: Counter[str] = Counter()
        """Why draws were thrown away, and how often."""

    def draw(self, number: int) -> SweepCall:
        """A call that has arguments in the convention, makes sense and is exact; of a shape nothing
        is summed, and a call without output is one to refuse.
        """
        self._random = Random(f"{self._seed} {self._name} {number}")
        while True:
            call = self._candidate()
            reason = obstacle(call, self._name, self._quantity)
            if reason is None:
                return call
            self.redrawn[reason] += 1

    def _candidate(self) -> SweepCall:
        random = self._random
        rank = random.choice(self._wish.ranks)
        corner = random.choice(self._corners) if random.random() < SHARE_OF_CORNERS else Corner()
        geometry = self._window(corner.of_axes(self._axes(rank), random, self._name))
        geometry = corner.of_window(geometry, random)
        groups, inside, outside = self._channels()
        call = SweepCall(
            geometry=replace(geometry, groups=groups),
            batch=random.choices((0, 1, 2, 3), (3, 45, 35, 17))[0],
            in_per_group=inside,
            out_per_group=outside,
            bias=random.random() < 0.5,
            dtype=random.choice(self._wish.dtypes),
            seed=random.randrange(1, SEEDS),
            gradients=self._wish.gradients and self._quantity != "shape",
        )
        call = corner.of_call(call, random)
        if obstacle(call, self._name, self._quantity) == INEXACT:
            return replace(call, small=True)
        return call

    def _axes(self, rank: int) -> list[Axis]:
        """Axes without a window; now and then all are the same but for their size."""
        random = self._random
        axes = [
            Axis(
                size=random.randint(1, LARGEST_SIZE[rank]),
                kernel=random.randint(1, LARGEST_KERNEL[rank]),
                stride=random.choices((1, 2, 3, 4), (35, 35, 18, 12))[0],
                dilation=random.choices((1, 2, 3), (65, 22, 13))[0],
            )
            for _ in range(rank)
        ]
        if random.random() < 0.25:
            axes = [replace(axes[0], size=axis.size) for axis in axes]
        if self._name == "keras":  # which documents that it does not take both
            plain = "stride" if random.random() < 0.3 else "dilation"
            axes = [replace(axis, **{plain: 1}) for axis in axes]
        return axes

    def _channels(self) -> tuple[int, int, int]:
        """(groups, input and output channels per group)."""
        random = self._random
        groups = 1
        if self._name in _GROUPED and random.random() < 0.4:
            groups = random.randint(2, 8)
            if random.random() < 0.5:  # depthwise, with a multiplier
                return groups, 1, random.choice((1, 1, 2, 3))
        inside, outside = (
            random.randint(1, max(1, 8 // groups)),
            random.randint(1, max(1, 8 // groups)),
        )
        if random.random() < 0.08:
            groups, inside = 1, random.choice(MANY_CHANNELS)
        if random.random() < 0.08:
            groups, outside = 1, random.choice(MANY_CHANNELS)
        return groups, inside, outside

    def _window(self, axes: list[Axis]) -> Geometry:
        """The axes with a window of the kind that the convention's users ask for."""
        random = self._random
        if self._name in _EXPLICIT or (
            self._name == "tensorflow" and len(axes) == 2 and random.random() < 0.5
        ):
            symmetric = self._name == "torch" or (self._name == "onnx" and random.random() < 0.5)
            appended = self._name in ("jax", "flax")
            return Geometry(
                axes=tuple(
                    self._cropped(axis, symmetric=symmetric, prepends=appended) for axis in axes
                )
            )
        native = self._keras(axes) if self._name == "keras" else self._tensorflow(axes)
        sizes, kernels = [axis.size for axis in axes], [axis.kernel for axis in axes]
        return self._convention.geometry(native, size=sizes, kernel=kernels)

    def _cropped(self, axis: Axis, *, symmetric: bool, prepends: bool) -> Axis:
        random = self._random
        extra = random.randrange(max(axis.stride, axis.dilation)) if random.random() < 0.5 else 0
        style = random.random()
        if style < 0.2:  # nothing is cut
            low, high = 0, -extra
        elif style < 0.65:  # as layers are written: at most the dilated kernel
            low = random.randint(0, axis.extent)
            high = low - extra if symmetric else random.randint(-extra, axis.extent)
        else:  # hardly anything is left
            total = axis.full - random.choice((1, 1, 2, 3))
            low = max(0, (total + extra) // 2 if symmetric else random.randint(0, max(0, total)))
            high = low - extra if symmetric else total - low
        if prepends and random.random() < 0.2:
            low = -random.randint(1, 3)
        return replace(axis, crop_low=low, crop_high=high)

    def _keras(self, axes: list[Axis]) -> Native:
        random = self._random
        extras = [random.randrange(axis.stride) for axis in axes] if random.random() < 0.5 else None
        return {
            "strides": [axis.stride for axis in axes],
            "padding": random.choice(("same", "valid")),
            "output_padding": extras,
            "dilation_rate": [axis.dilation for axis in axes],
        }

    def _tensorflow(self, axes: list[Axis]) -> Native:
        random = self._random
        padding = random.choice(("SAME", "VALID"))
        longest = [
            axis.size * axis.stride if padding == "SAME" else axis.full + axis.stride - 1
            for axis in axes
        ]
        return {
            "strides": [axis.stride for axis in axes],
            "padding": padding,
            "output_shape": [
                most - random.randrange(axis.stride)
                for most, axis in zip(longest, axes, strict=True)
            ],
            "dilations": [axis.dilation for axis in axes],
            "groups": 1,
        }


INEXACT = "sums that the dtype does not hold exactly"


def obstacle(call: SweepCall, convention: str, quantity: str = "output") -> str | None:
    """Why a call is not to be made, None if it is."""
    if call.must_fail and quantity != "shape":
        return "no output"
    if call.products > MOST_PRODUCTS or math.prod(call.y_shape) > MOST_OUTPUTS:
        return "too large"
    if isinstance(conventions.get(convention).native(call.geometry), Unrepresentable):
        return f"no arguments in {convention}'s spelling"
    return None if quantity == "shape" or call.exact else INEXACT
