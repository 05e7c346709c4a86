"""How a framework keeps inputs, kernels and outputs in memory: one letter per axis, and what else
differs of a kernel.

Letters are N and C for batch and channels, I and O for a kernel's input and output channels, and D,
H, W for the spatial axes. Everything is described from the transposed convolution's own kernel,
(C_in, C_out / groups, *kernel).
"""

from __future__ import annotations

from dataclasses import dataclass

SPATIAL = {1: "W", 2: "HW", 3: "DHW"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The axes of input, kernel and output; whether the kernel is kept flipped; where its groups
    are.

    `groups_in_output` is False for a kernel of (C_in, C_out / groups), True for one of (C_in /
    groups, C_out).
    """

    x: str
    kernel: str
    y: str
    flipped: bool = False
    groups_in_output: bool = False


def layout_of(
    framework: str, rank: int, *, transpose_kernel: bool = False, groups: int = 1
) -> Layout:
    """The layout that a framework's call has if nothing is said about it."""
    spatial = SPATIAL[rank]
    first, last = "NC" + spatial, f"N{spatial}C"
    match framework:
        case "torch" | "onnx":
            return Layout(x=first, kernel="IO" + spatial, y=first)
        case "keras" | "tensorflow":
            return Layout(x=last, kernel=spatial + "OI", y=last)
        case _ if transpose_kernel:
            return Layout(x=last, kernel=spatial + "OI", y=last)
        case _:
            return Layout(
                x=last,
                kernel=spatial + "IO",
                y=last,
                flipped=True,
                groups_in_output=framework == "jax" and groups > 1,
            )


def permutation(have: str, want: str) -> tuple[int, ...]:
    """The axes to give to `transpose` to come from one order of letters to another."""
    return tuple(have.index(letter) for letter in want)


def shape_in(order: str, sizes: dict[str, int]) -> tuple[int, ...]:
    """The shape of an array whose axes have these letters."""
    return tuple(sizes[letter] for letter in order)


def kernel_shape(
    layout: Layout, *, c_in: int, c_out: int, kernel: tuple[int, ...], groups: int
) -> tuple[int, ...]:
    """The shape in which this layout keeps a kernel."""
    sizes = dict(zip(SPATIAL[len(kernel)], kernel, strict=True))
    if layout.groups_in_output:
        return shape_in(layout.kernel, {"I": c_in // groups, "O": c_out, **sizes})
    return shape_in(layout.kernel, {"I": c_in, "O": c_out // groups, **sizes})


def words(order: str, *, groups: str = "") -> str:
    """An order of letters as a person reads it: (C_in, C_out / groups, kH, kW) or (N, H, W, C)."""
    if "N" in order:
        return f"({', '.join(order)})"
    inner, outer = (
        ("C_in / groups", "C_out")
        if groups == "output"
        else ("C_in", "C_out / groups" if groups else "C_out")
    )
    return f"({', '.join({'I': inner, 'O': outer}.get(letter, 'k' + letter) for letter in order)})"
