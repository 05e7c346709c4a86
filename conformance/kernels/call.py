"""One call to a kernel: its arguments, its shapes and what its numbers are like."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from conformance.corpus.case import Shape
from conformance.corpus.case import products as of_shapes
from conformance.corpus.tensors import Array, dtype_of
from conformance.geometry import Geometry, from_padding

NUMBERS = {
    "unit": "uniform in [0, 1)",
    "normal": "normal, of both signs",
    "wide": "of 24 orders of two",
    "cancelling": "large and of alternating sign, so that sums cancel",
    "integers": "small integers, of which every sum is exact",
    "zeros": "all zero",
    "impulse": "zero but for one number",
    "special": "normal, with NaN, infinities and subnormals",
    "subnormal": "subnormal",
}
"""How numbers are made, by name."""

_OFFSET = 64.0
ORDER = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "output_padding")
ORDER_AFTER = ("groups", "bias", "dilation")
"""Of torch's constructor."""
_SUBNORMAL = {"float64": -1026, "float32": -130, "bfloat16": -130, "float16": -18}
"""Powers of two by which normal numbers become subnormal ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """A transposed convolution as torch has it; everything but groups and channels has one entry
    per spatial axis.
    """

    in_channels: int
    out_channels: int
    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    output_padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int = 1
    bias: bool = True

    @staticmethod
    def of_layer(layer: Mapping[str, Any]) -> Arguments:
        """Of what the reference tells of a layer."""
        per_axis = ("kernel_size", "stride", "padding", "output_padding", "dilation")
        return Arguments(
            in_channels=layer["in_channels"],
            out_channels=layer["out_channels"],
            groups=layer["groups"],
            bias=layer["bias"],
            **{name: tuple(layer[name]) for name in per_axis},
        )

    @property
    def rank(self) -> int:
        return len(self.kernel_size)

    @property
    def kernel_shape(self) -> Shape:
        """(C_in, C_out / groups, *kernel)."""
        return (self.in_channels, self.out_channels // self.groups, *self.kernel_size)

    def geometry(self, size: Sequence[int]) -> Geometry:
        """The window on an input of these spatial sizes."""
        return from_padding(
            size=size,
            kernel=self.kernel_size,
            stride=self.stride,
            padding=[(p, p) for p in self.padding],
            output_padding=self.output_padding,
            dilation=self.dilation,
            groups=self.groups,
        )

    def output_shape(self, x: Shape) -> Shape:
        """(N, C_out, *out) of an input x (N, C_in, *size)."""
        return (x[0], self.out_channels, *self.geometry(x[2:]).out)

    def spelt(self) -> dict[str, Any]:
        """As a function takes them: an int where all axes have the same."""
        return {
            "stride": _spelt(self.stride),
            "padding": _spelt(self.padding),
            "output_padding": _spelt(self.output_padding),
            "groups": self.groups,
            "dilation": _spelt(self.dilation),
        }

    def per_axis(self) -> dict[str, Any]:
        """With an entry per axis."""
        return {
            "stride": list(self.stride),
            "padding": list(self.padding),
            "output_padding": list(self.output_padding),
            "groups": self.groups,
            "dilation": list(self.dilation),
        }

    def __str__(self) -> str:
        parts = [f"{self.in_channels}, {self.out_channels}, {_spelt(self.kernel_size)}"]
        for name, usual in (
            ("stride", 1), ("padding", 0), ("output_padding", 0), ("dilation", 1)
        ):  # fmt: skip
            value = getattr(self, name)
            if any(each != usual for each in value):
                parts.append(f"{name}={_spelt(value)}")
        if self.groups != 1:
            parts.append(f"groups={self.groups}")
        if not self.bias:
            parts.append("bias=False")
        return f"ConvTranspose{self.rank}d({', '.join(parts)})"


def _spelt(values: Sequence[int]) -> int | tuple[int, ...]:
    return values[0] if len(set(values)) == 1 else tuple(values)


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelCall:
    """What is asked of a candidate; `values` are its constructor's arguments, in order, of a
    module, and `shapes` those of its inputs (N, C_in, *size).
    """

    shapes: tuple[Shape, ...]
    arguments: Arguments | None = None
    values: tuple[Any, ...] | None = None
    dtype: str = "float32"
    numbers: str = "normal"
    seed: int = 1
    gradients: bool = False
    small: tuple[Shape, ...] = ()
    """Of a model of several operations: smaller inputs that it takes."""
    own: bool = False
    """Whether the inputs are those that the problem itself makes."""

    @property
    def size(self) -> int:
        """The numbers of its inputs."""
        return sum(math.prod(shape) for shape in self.shapes)

    def __str__(self) -> str:
        shapes = ", ".join(str(list(shape)) for shape in self.shapes)
        what = f"{self.arguments} on " if self.arguments is not None else ""
        numbers = "the problem's own" if self.own else NUMBERS[self.numbers]
        dtype = "" if self.dtype == "float32" else f" {self.dtype}"
        return f"{what}{shapes}{dtype}, numbers {numbers}"


def products(call: KernelCall) -> int:
    """The products of a plain call."""
    assert call.arguments is not None, "a plain call"
    return of_shapes(call.shapes[0], call.arguments.kernel_shape)


def layer_values(arguments: Arguments) -> list[Any]:
    """The arguments of torch's constructor, in order."""
    return [getattr(arguments, name) for name in (*ORDER, *ORDER_AFTER)]


def hidden_seed(seed: int, purpose: str) -> int:
    """Another seed of a seed, from which that one cannot be told: who is given that of the weights
    knows nothing of the inputs, or of which elements are looked at.
    """
    digest = hashlib.sha256(f"{seed} for {purpose}".encode()).digest()
    return int.from_bytes(digest[:4], "little") >> 1


def numbers(kind: str, shape: Shape, dtype: str, seed: int) -> Array:
    """An array of a kind of `NUMBERS`."""
    random = np.random.Generator(np.random.SFC64(seed))
    if kind == "unit":
        return random.random(shape, np.float32).astype(dtype_of(dtype), copy=False)
    if kind == "zeros" or 0 in shape:
        return np.zeros(shape, dtype_of(dtype))
    if kind == "integers":
        return random.integers(-4, 5, shape).astype(dtype_of(dtype))
    if kind == "impulse":
        array = np.zeros(shape)
        array.reshape(-1)[random.integers(array.size)] = 1.0
        return array.astype(dtype_of(dtype))
    array = random.standard_normal(shape, np.float32).astype(np.float64)
    if kind == "wide":
        half = 4 if dtype == "float16" else 12
        array = np.ldexp(array, random.integers(-half, half + 1, shape))
    elif kind == "cancelling":
        signs = np.where(np.arange(array.size) % 2, -1.0, 1.0).reshape(shape)
        array += _OFFSET * signs
    elif kind == "subnormal":
        array = np.ldexp(array, _SUBNORMAL.get(dtype, _SUBNORMAL["float32"]))
    elif kind == "special":
        flat = array.reshape(-1)
        put = (math.nan, math.inf, -math.inf, 1e-40, -1e-42, -0.0)
        for value in put:
            flat[random.integers(flat.size)] = value
    with np.errstate(over="ignore"):
        return array.astype(dtype_of(dtype))


def weights(kind: str, shape: Shape, dtype: str, seed: int) -> Array:
    """Of a kernel (C_in, C_out / groups, *kernel) or a bias: integers where the input has them, so
    that sums are exact, else small numbers of both signs.
    """
    if kind == "integers":
        return numbers("integers", shape, dtype, seed)
    fan = max(math.prod(shape) // shape[0], 1)
    random = np.random.Generator(np.random.SFC64(seed))
    uniform = random.uniform(-1.0, 1.0, shape) / math.sqrt(fan)
    return np.asarray(uniform).astype(dtype_of(dtype))
