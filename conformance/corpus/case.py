"""The model of a case: what goes in, what must come out, and where it was written."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from conformance import geometry as geo
from conformance.conventions import Dtypes, Native, Unrepresentable, dtype_arguments, get
from conformance.geometry import Geometry, Problem

DTYPES = ("float32", "float64", "float16", "bfloat16")
KINDS_OF_VALUES = ("integers", "signs", "wide", "normal", "ones", "arange", "one-hot")
OPERANDS = ("input", "kernel", "bias")
DEFAULT_SEEDS = {"input": 1, "kernel": 2, "bias": 3, "gradients": 4}

Shape = tuple[int, ...]


def products(x: Sequence[int], kernel: Sequence[int]) -> int:
    """Products of one call on an input (N, C_in, *spatial) and a kernel (C_in, C_out / groups,
    *kernel).
    """
    return math.prod(x) * math.prod(kernel[1:])


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayLiteral:
    """An array written out: its numbers in C order."""

    shape: Shape
    numbers: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """An array to be made: `values` names how, `put` then places single numbers at full indices."""

    shape: Shape
    values: str
    seed: int
    index: Shape | None = None
    put: tuple[tuple[Shape, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """An array in a safetensors file inside the folder of the case file; `sha256` is that of its
    dtype, shape and bytes.
    """

    shape: Shape
    file: str
    tensor: str
    sha256: str
    folder: Path = field(compare=False, repr=False)


Source = ArrayLiteral | Made | Filed


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """The guard of an array of the oracle: its numbers in C order, their digest, or the sum of
    their magnitudes.
    """

    numbers: tuple[float, ...] | None = None
    sha256: str | None = None
    sum_abs: float | None = None

    @property
    def complete(self) -> bool:
        """Whether it says anything about the numbers."""
        return self.numbers is not None or self.sha256 is not None or self.sum_abs is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected(Guard):
    """The guard of the oracle: of the output and its shape, and of the gradients by operand."""

    shape: Shape | None = None
    gradients: Mapping[str, Guard] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where a case is written: the file, and the line of each (dotted) key, "" for the case
    itself.
    """

    file: Path
    lines: Mapping[str, int]

    def at(self, key: str) -> str:
        """FILE:LINE of a key, of the nearest key above it, or of the case."""
        while key and key not in self.lines:
            key = key.rpartition(".")[0]
        return f"{self.file}:{self.lines[key]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One call with its arguments and what must come of it.

    `geometry` is None only for a native case that must be refused: its arguments have no window.
    `gradients` is the cotangent, of the output's shape, where the gradients of sum(output *
    cotangent) are asked for too. `dtype` is that of the output and of all operands but those that
    `other_dtypes` names.
    """

    name: str
    summary: str
    source: str
    spatial: int
    input: Source
    kernel: Source
    bias: Source | None
    gradients: Source | None = None
    dtype: Literal["float32", "float64", "float16", "bfloat16"]
    other_dtypes: Mapping[str, str] = field(default_factory=dict)
    geometry: Geometry | None
    native: tuple[str, Native] | None
    must_fail: bool
    expected: Expected | None
    tags: tuple[str, ...]
    location: Location = field(compare=False)

    @property
    def output_shape(self) -> Shape:
        """The output's shape (N, C_out, *out)."""
        if self.geometry is None:
            raise ValueError(f"{self.name} has no geometry")
        return (
            self.input.shape[0],
            self.kernel.shape[1] * self.geometry.groups,
            *self.geometry.out,
        )

    def dtype_of(self, operand: str) -> str:
        """The dtype of an operand: "input", "kernel" or "bias"."""
        return self.other_dtypes.get(operand, self.dtype)

    @property
    def dtypes(self) -> Dtypes:
        """The dtypes of all operands and of the output."""
        return Dtypes(
            input=self.dtype_of("input"),
            kernel=self.dtype_of("kernel"),
            bias=None if self.bias is None else self.dtype_of("bias"),
            output=self.dtype,
        )

    @property
    def products(self) -> int:
        """Products of one call, those that are cut off counted."""
        return products(self.input.shape, self.kernel.shape)

    def problems(self) -> list[Problem]:
        """The problems that keep the call from having an output, each with the key it is reported
        at; empty if it has one.
        """
        if self.geometry is None:
            return []
        return geo.call_problems(
            self.geometry,
            x=self.input.shape,
            kernel=self.kernel.shape,
            bias=None if self.bias is None else self.bias.shape,
        )

    def arguments(self, convention: str) -> Native | Unrepresentable:
        """The case in a convention's own arguments: as written if it is that convention's native
        case; with those for the output's dtype where operands have another.
        """
        if self.native is not None and self.native[0] == convention:
            native: Native | Unrepresentable = self.native[1]
        elif self.geometry is None:
            assert self.native is not None
            return Unrepresentable(
                reason=f"The case is a rule of {self.native[0]}'s own arguments."
            )
        else:
            native = get(convention).native(self.geometry)
        if not self.other_dtypes or isinstance(native, Unrepresentable):
            return native
        extra = dtype_arguments(convention, self.dtypes)
        return extra if isinstance(extra, Unrepresentable) else {**native, **extra}

    def concerns(self, convention: str) -> bool:
        """Whether an adapter of that convention runs the case: a native error case is one
        framework's own.
        """
        return self.geometry is not None or (
            self.native is not None and self.native[0] == convention
        )
