"""One drawn call: everything that a case says of it, in the few numbers that are drawn and
shrunk.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal

import numpy as np

from conformance.corpus.case import Case, Location, Made, Shape
from conformance.corpus.tensors import Array, Tensors, dtype_of
from conformance.geometry import Geometry, problems
from conformance.oracle import GradientTruth, Truth, gradient_truths, truth_of
from conformance.oracle.truth import SIGNIFICAND_BITS

Dtype = Literal["float32", "float64", "float16", "bfloat16"]
NONFINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}

LARGEST = 4
"""The magnitude of the largest number that the recipe `integers` makes."""

MOST_CACHED = 1024
"""The most numbers of every seed that are cached; an array of more has them made anew."""

_NOWHERE = Location(file=Path("sweep.yaml"), lines={"": 1})


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """One number of an operand that is not finite; `position` counts in C order, from the start
    again where the operand is shorter.
    """

    role: Literal["input", "kernel"]
    position: int
    value: Literal["nan", "inf", "-inf"]

    def index(self, shape: Shape) -> Shape:
        """The full index in an operand that is not empty."""
        rest = self.position % math.prod(shape)
        index: list[int] = []
        for size in reversed(shape):
            rest, number = divmod(rest, size)
            index.insert(0, number)
        return tuple(index)


@dataclass(frozen=True, kw_only=True)
class SweepCall:
    """A call with integers for numbers.

    The input is made from `seed`, kernel, bias and cotangent from the next ones: with seed 1 those
    that a case file has by default. The numbers are of -4 to 4; `small` operands of -1 to 1, for
    sums that the dtype would not hold otherwise. One number may be put that is not finite. With
    `gradients` it is the gradients that are asked for, too.
    """

    geometry: Geometry
    batch: int = 1
    in_per_group: int = 1
    out_per_group: int = 1
    bias: bool = False
    dtype: Dtype = "float32"
    seed: int = 1
    small: bool = False
    put: Put | None = None
    gradients: bool = False

    @property
    def x_shape(self) -> Shape:
        """The input's shape (N, C_in, *size)."""
        return (self.batch, self.in_per_group * self.geometry.groups, *self.geometry.size)

    @property
    def kernel_shape(self) -> Shape:
        """The kernel's shape (C_in, C_out / groups, *kernel)."""
        return (self.in_per_group * self.geometry.groups, self.out_per_group, *self.geometry.kernel)

    @property
    def y_shape(self) -> Shape:
        """The output's shape (N, C_out, *out)."""
        return (self.batch, self.out_per_group * self.geometry.groups, *self.geometry.out)

    @property
    def must_fail(self) -> bool:
        """Whether it is to be refused, since it has no output."""
        return bool(problems(self.geometry))

    @property
    def products(self) -> int:
        """Multiplications of the full output."""
        return math.prod(self.x_shape) * self.out_per_group * math.prod(self.geometry.kernel)

    @property
    def cost(self) -> int:
        """The number that shrinking reduces: the sum of all that is drawn, a batch of one and seed
        1 being the plainest.
        """
        axes = sum(
            a.size + a.kernel + a.stride + a.dilation + abs(a.crop_low) + abs(a.crop_high)
            for a in self.geometry.axes
        )
        channels = self.geometry.groups + self.in_per_group + self.out_per_group
        numbers = (self.seed != 1) + self.small
        if self.put is not None:
            numbers += 1 + (self.put.position > 0) + (self.put.value != "nan")
        return axes + channels + abs(self.batch - 1) + self.bias + numbers

    @cached_property
    def case(self) -> Case:
        """The case that this is, without a location in a file."""
        return Case(
            name="sweep",
            summary="",
            source="",
            spatial=self.geometry.rank,
            input=self._source(self.x_shape, 0, "input"),
            kernel=self._source(self.kernel_shape, 1, "kernel"),
            bias=self._source((self.out_per_group * self.geometry.groups,), 2, "bias")
            if self.bias
            else None,
            gradients=self._recipe(self.y_shape, 3) if self.gradients else None,
            dtype=self.dtype,
            geometry=self.geometry,
            native=None,
            must_fail=self.must_fail,
            expected=None,
            tags=(),
            location=_NOWHERE,
        )

    @cached_property
    def tensors(self) -> Tensors:
        """Its arrays: the numbers that the case's own recipe makes."""
        bias = (self.out_per_group * self.geometry.groups,)
        return Tensors(
            x=self._placed(self._array(self.x_shape, 0, self.largest), "input"),
            kernel=self._placed(self._array(self.kernel_shape, 1, self.largest), "kernel"),
            bias=self._array(bias, 2, self.largest) if self.bias else None,
        )

    @cached_property
    def truth(self) -> Truth:
        """The truth of the call. That it is exact is stated beforehand where the number of terms
        shows it already.
        """
        truth = truth_of(*self.tensors, self.geometry, self.dtype)
        terms = self.in_per_group * math.prod(self.geometry.kernel)
        if self.put is None and self._holds(terms * self.largest**2 + self.largest):
            vars(truth)["exact"] = True  # else computed from another transposed convolution
        return truth

    @cached_property
    def cotangent(self) -> Array:
        """Of the output's shape and never small, since a case file cannot say so."""
        return self._array(self.y_shape, 3, LARGEST)

    @cached_property
    def gradient_truths(self) -> dict[str, GradientTruth]:
        """The truth of the call's gradients."""
        truths = gradient_truths(*self.tensors, self.cotangent, self.geometry, self.dtype)
        terms = {
            "input": self.out_per_group * math.prod(self.geometry.kernel) * self.largest,
            "kernel": self.batch * math.prod(self.geometry.size) * self.largest,
            "bias": self.batch * math.prod(self.geometry.out),
        }
        for of, truth in truths.items():
            if self.put is None and self._holds(terms[of] * LARGEST):
                vars(truth)["exact"] = True
        return truths

    @property
    def exact(self) -> bool:
        """Whether every order of summation gives the same bits, so that one wrong bit is a
        failure; what is not finite is left out of account.
        """
        if self.put is not None:
            return replace(self, put=None).exact
        return self.truth.exact and not (
            self.gradients and any(not truth.exact for truth in self.gradient_truths.values())
        )

    @property
    def largest(self) -> int:
        """Magnitude of the largest number that its operands may have."""
        return 1 if self.small else LARGEST

    def _holds(self, magnitude: int) -> bool:
        return magnitude <= 1 << SIGNIFICAND_BITS[self.dtype]

    def _array(self, shape: Shape, number: int, largest: int) -> Array:
        count = math.prod(shape)
        return (
            _numbers(self.seed + number, largest, max(MOST_CACHED, count))[:count]
            .reshape(shape)
            .astype(dtype_of(self.dtype))
        )

    def _placed(self, array: Array, role: str) -> Array:
        """The array with what is put into this operand."""
        if self.put is not None and self.put.role == role and array.size:
            array = array.copy()
            array[self.put.index(array.shape)] = NONFINITE[self.put.value]
        return array

    def _source(self, shape: Shape, number: int, role: str) -> Made:
        made = self._recipe(shape, number)
        if self.put is not None and self.put.role == role and 0 not in shape:
            placed = (self.put.index(shape), NONFINITE[self.put.value])
            made = replace(made, put=(placed,))
        return replace(made, values="signs") if self.small else made

    def _recipe(self, shape: Shape, number: int) -> Made:
        return Made(shape=shape, values="integers", seed=self.seed + number)


@lru_cache(maxsize=2048)
def _numbers(seed: int, largest: int, count: int) -> Array:
    """The first numbers of a seed, which are those of every shorter array: seeding costs more than
    a call's other arithmetic.
    """
    return np.random.RandomState(seed).randint(-largest, largest + 1, count)
