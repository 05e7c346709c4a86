"""The numbers that a proof is made on, as every framework keeps them, and what is right for
them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conformance import conventions
from conformance.geometry import Geometry
from conformance.oracle.reference import transpose_into_window
from conformance.porting.layer import Channels
from conformance.porting.layouts import SPATIAL, Layout, permutation
from conformance.porting.recipes import Plan

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """Operands in one framework-free form: x (N, C_in, *spatial), w (C_in, C_out / groups,
    *kernel), b (C_out,) or None.
    """

    x: Array
    w: Array
    b: Array | None

    def program_arrays(self, order: str, layout: Layout, groups: int) -> list[Array]:
        """The arrays that a program takes: x with its axes in this order, the kernel in the
        source's layout.
        """
        x = self.x.transpose(permutation("NC" + SPATIAL[self.x.ndim - 2], order))
        return [x, stored(self.w, layout, groups), *([] if self.b is None else [self.b])]


def integers(geometry: Geometry, channels: Channels, *, bias: bool, seed: int = 1) -> Numbers:
    """Integers in [-4, 4] whose sums float32 holds exactly: smaller ones where a sum has very many
    terms.
    """
    random = np.random.RandomState(seed)
    terms = channels.c_in // geometry.groups * int(np.prod(geometry.kernel))
    most = 4 if terms * 16 + 4 <= 2**24 else 1
    shape = (channels.c_in, channels.c_out // geometry.groups, *geometry.kernel)
    x = random.randint(-most, most + 1, (channels.batch, channels.c_in, *geometry.size))
    w = random.randint(-most, most + 1, shape)
    return Numbers(x=x, w=w, b=random.randint(-most, most + 1, channels.c_out) if bias else None)


def stored(w: Array, layout: Layout, groups: int) -> Array:
    """The transposed convolution's own kernel as a layout keeps it."""
    rank = w.ndim - 2
    if layout.flipped:
        w = np.flip(w, tuple(range(2, w.ndim)))
    if layout.groups_in_output:
        c_in, c_out, *size = w.shape
        w = (
            w.reshape(groups, c_in // groups, c_out, *size)
            .swapaxes(0, 1)
            .reshape(c_in // groups, groups * c_out, *size)
        )
    return w.transpose(permutation("IO" + SPATIAL[rank], layout.kernel))


def canonical(y: Array, order: str) -> Array:
    """An output as (N, C_out, *out)."""
    return (
        y.transpose(permutation(order, "NC" + SPATIAL[y.ndim - 2])) if y.ndim == len(order) else y
    )


def oracle(numbers: Numbers, geometry: Geometry) -> Array:
    """The right output (N, C_out, *out), from the oracle."""
    b = None if numbers.b is None else np.asarray(numbers.b, np.float64)
    return transpose_into_window(
        np.asarray(numbers.x, np.float64), np.asarray(numbers.w, np.float64), b, geometry
    )


def plan_on_oracle(numbers: Numbers, plan: Plan, geometry: Geometry) -> Array:
    """A plan with the oracle in place of the target's call, whose window is read from its arguments
    by the convention.
    """
    x, w = np.pad(numbers.x, [(0, 0), (0, 0), *plan.pad]), numbers.w
    if plan.block_diagonal:
        w = _block_diagonal(w, geometry.groups)
    if plan.insert_zeros:
        dilated = np.zeros((*w.shape[:2], *plan.geometry.kernel), w.dtype)
        dilated[
            (slice(None), slice(None), *(slice(None, None, step) for step in geometry.dilation))
        ] = w
        w = dilated
    called = conventions.get(plan.target).geometry(
        plan.native, size=plan.geometry.size, kernel=plan.geometry.kernel
    )
    y = oracle(Numbers(x=x, w=w, b=numbers.b), called)
    return y[
        (
            slice(None),
            slice(None),
            *(slice(low, n - high) for (low, high), n in zip(plan.cut, y.shape[2:], strict=True)),
        )
    ]


def _block_diagonal(w: Array, groups: int) -> Array:
    i, o = w.shape[0] // groups, w.shape[1]
    blocks = np.zeros((w.shape[0], o * groups, *w.shape[2:]), w.dtype)
    for g in range(groups):
        blocks[g * i : (g + 1) * i, g * o : (g + 1) * o] = w[g * i : (g + 1) * i]
    return blocks
