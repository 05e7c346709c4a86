"""ncnn models of one deconvolution: the text of its parameters, and its weights.

Parameters have numbers, by ncnn's documentation (docs/developer-guide/operators.md, Deconvolution,
Deconvolution1D, Deconvolution3D and their depthwise likes, which are those with groups).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from conformance.conventions import onnx as convention

_AXES: dict[int, tuple[dict[str, int], ...]] = {
    1: ({"kernel": 1, "dilation": 2, "stride": 3, "begin": 4, "end": 15, "extra": 18, "out": 20},),
    2: (
        {
            "kernel": 11,
            "dilation": 12,
            "stride": 13,
            "begin": 14,
            "end": 16,
            "extra": 19,
            "out": 21,
        },
        {"kernel": 1, "dilation": 2, "stride": 3, "begin": 4, "end": 15, "extra": 18, "out": 20},
    ),
    3: (
        {
            "kernel": 21,
            "dilation": 22,
            "stride": 23,
            "begin": 24,
            "end": 17,
            "extra": 20,
            "out": 27,
        },
        {
            "kernel": 11,
            "dilation": 12,
            "stride": 13,
            "begin": 14,
            "end": 16,
            "extra": 19,
            "out": 26,
        },
        {"kernel": 1, "dilation": 2, "stride": 3, "begin": 4, "end": 15, "extra": 18, "out": 25},
    ),
}
"""The numbers of the parameters of each spatial axis."""

_NAMES = {1: "Deconvolution1D", 2: "Deconvolution", 3: "Deconvolution3D"}
_DEPTHWISE = {
    1: "DeconvolutionDepthWise1D",
    2: "DeconvolutionDepthWise",
    3: "DeconvolutionDepthWise3D",
}
_SAME_UPPER, _SAME_LOWER = -233, -234


def parameters(x: Any, kernel: Any, bias: Any | None, native: dict[str, Any]) -> str:
    """The text of a net whose one layer makes blob y of blob x."""
    rank, groups = x.ndim - 2, native["group"]
    values = {0: kernel.shape[1] * groups, 5: int(bias is not None), 6: kernel.size}
    if groups > 1:
        values[7] = groups
    pads = _pads(native, x.shape[2:], kernel.shape[2:])
    for axis, numbers in enumerate(_AXES[rank]):
        values[numbers["kernel"]] = kernel.shape[2 + axis]
        values[numbers["dilation"]] = native["dilations"][axis]
        values[numbers["stride"]] = native["strides"][axis]
        values[numbers["extra"]] = native["output_padding"][axis]
        for key in ("begin", "end", "out"):
            values[numbers[key]] = pads[key][axis]
    name = (_DEPTHWISE if groups > 1 else _NAMES)[rank]
    words = " ".join(f"{number}={value}" for number, value in sorted(values.items()))
    return f"7767517\n2 2\nInput x 0 1 x\n{name} y 1 1 x y {words}\n"


def _pads(
    native: dict[str, Any], size: tuple[int, ...], kernel: tuple[int, ...]
) -> dict[str, list[int]]:
    """Pads; or a word for the side of an odd total, and the shape that it leads to."""
    rank, auto_pad = len(size), native.get("auto_pad", "NOTSET")
    if "output_shape" in native or auto_pad in ("SAME_UPPER", "SAME_LOWER"):
        word = _SAME_UPPER if auto_pad == "SAME_UPPER" else _SAME_LOWER
        out = list(convention.geometry(native, size=size, kernel=kernel).out)
        return {"begin": [word] * rank, "end": [word] * rank, "out": out}
    pads = native.get("pads", [0] * 2 * rank)  # with VALID there are none
    return {"begin": pads[:rank], "end": pads[rank:], "out": [0] * rank}


def weights(kernel: Any, bias: Any | None, groups: int) -> bytes:
    """The weights of that layer: a tag that says float32, the kernel as (groups, C_out / groups,
    C_in / groups, *kernel), the bias.
    """
    c_in, c_out = kernel.shape[0] // groups, kernel.shape[1]
    grouped = kernel.reshape(groups, c_in, c_out, *kernel.shape[2:]).swapaxes(1, 2)
    tag, tail = b"\0\0\0\0", b"" if bias is None else bias.astype("<f4").tobytes()
    return tag + np.ascontiguousarray(grouped, "<f4").tobytes() + tail
