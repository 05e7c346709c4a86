"""The name of a case, and its summary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from conformance import conventions
from conformance.geometry import Geometry
from native.calls import Call

LETTERS = {
    "s": ("strides", "stride"),
    "d": ("dilation", "dilation_rate", "dilations", "rhs_dilation", "kernel_dilation"),
    "p": ("pads", "padding"),
    "q": ("output_padding",),
    "l": ("output_size", "output_shape"),
}


def identity(framework: str, call: Call) -> str:
    """A readable id: the name, then k(ernel), s(tride), d(ilation), p(adding), q for
    output_padding, l(ength of the output).

    What all axes share stands once, but for the kernel, which shows how many axes there are.
    """
    if call.error:
        return "refused-" + call.name
    normal = conventions.normal_form(framework, call.arguments, len(call.size))
    parts = [call.name, "k" + "x".join(map(str, call.kernel))]
    for name, keys in LETTERS.items():
        value = next((normal[key] for key in keys if normal.get(key) is not None), None)
        if isinstance(value, list) and (name != "q" or "output_padding" in call.arguments):
            parts.append(letter(name, value))
    if normal.get("transpose_kernel"):
        parts.append("transposed")
    if normal.get("use_consistent_padding") is False:
        parts.append("not-consistent")
    return "-".join(parts)


def letter(name: str, values: Sequence[Any]) -> str:
    words = [
        "_".join(map(str, value)) if isinstance(value, list) else str(value) for value in values
    ]
    return name + (words[0] if len(set(words)) == 1 else "x".join(words))


def summary(framework: str, call: Call, geometry: Geometry | None) -> str:
    """The case in a sentence: for a refused call its arguments, else the crops at the start and the
    end of the full output.
    """
    if geometry is None:
        assert call.error
        return call.error[0].upper() + call.error[1:] + "."
    full = "x".join(map(str, geometry.full))
    crops = " x ".join(f"({low}, {high})" for low, high in geometry.crops)
    sentence = f"The full output of {full} is cropped by {crops} at its start and end"
    if min(map(min, geometry.crops)) < 0:
        sentence += " (negative: zeros are added)"
    if splits(framework, call, geometry):
        return sentence + ". Engines disagree where a kernel is shorter than its stride."
    return sentence + "."


def splits(framework: str, call: Call, geometry: Geometry) -> bool:
    """Whether this is ONNX's SAME_* with a kernel shorter than its stride, where engines give one
    of two sizes.
    """
    same = (
        framework == "onnx"
        and call.arguments.get("auto_pad", "").startswith("SAME")
        and "output_shape" not in call.arguments
    )
    return same and any(axis.extent < axis.stride for axis in geometry.axes)
