"""The name of a case, and its summary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from covering.arguments import Arguments, geometry_of
from covering.designs import Design, Row

KERNELS = {
    "one": "a kernel of 1",
    "even": "an even kernel",
    "odd": "an odd kernel",
    "mixed": "a kernel of even and odd sizes",
}
KERNELS |= {"line": "a kernel of 1 along some axis"}

PADDINGS = {
    "half": "padding of at most half the kernel",
    "beyond": "padding of more than half the kernel",
    "start": "more padding at the start",
    "end": "more padding at the end",
    "crossed": "more padding at the start of one axis and at the end of the other",
    "prepended": "zeros prepended by negative padding",
    "appended": "zeros appended by negative padding",
}

FAR_PADDINGS = {
    "within": "padding",
    "start": "a start cropped beyond the kernel's reach",
    "end": "an end cropped beyond the kernel's reach",
    "both": "ends cropped beyond the kernel's reach",
    "appended": "zeros added by negative padding",
}


def identity(row: Row, drawn: Arguments) -> str:
    """k(ernel), s(tride), p(adding), q for output_padding, d(ilation), i(nput), c(hannels),
    g(roups), n for the batch.

    What all axes share stands once, but for kernel and input. Defaults are left out, and so are
    small integers and no bias.
    """
    pads = [str(low) if low == high else f"{low}_{high}" for low, high in drawn.padding]
    parts = ["k" + "x".join(map(str, drawn.kernel)), "s" + alike(drawn.stride)]
    parts += ["p" + alike(pads)] if row["padding"] != "none" else []
    parts += ["q" + alike(drawn.output_padding)] if any(drawn.output_padding) else []
    parts += ["d" + alike(drawn.dilation)] if row["dilation"] != "one" else []
    parts += ["i" + "x".join(map(str, drawn.size)), f"c{drawn.channels}to{drawn.outputs}"]
    parts += [f"g{drawn.groups}"] if drawn.groups > 1 else []
    parts += [f"n{drawn.batch}"] if drawn.batch > 1 else []
    parts += ["bias"] if row["bias"] == "present" else []
    parts += [drawn.dtype] if drawn.dtype != "float32" else []
    parts += [drawn.values] if drawn.values != "integers" else []
    return "-".join(parts)


def alike(values: Sequence[Any]) -> str:
    return "x".join(map(str, values)) if len(set(values)) > 1 else str(values[0])


def summary(design: Design, row: Row, drawn: Arguments) -> str:
    """The call in a sentence of the levels that are not plain."""
    if design.is_far:
        return far_summary(row, drawn)
    stride = "unequal strides" if row["stride"] == "unequal" else f"stride {drawn.stride[0]}"
    parts = [stride + " with gaps" * (row["gaps"] == "present"), PADDINGS.get(row["padding"])]
    if any(drawn.output_padding):
        parts.append(f"output_padding {alike(drawn.output_padding)}")
    if row["dilation"] != "one":
        parts.append(
            "unequal dilations" if row["dilation"] == "unequal" else f"dilation {drawn.dilation[0]}"
        )
    kernel = KERNELS.get(row["kernel"], f"a kernel of {row['kernel']}")
    return sentence(kernel, [*parts, group_words(row, drawn)])


def far_summary(row: Row, drawn: Arguments) -> str:
    """The call in a sentence of numbers: those of a far design are told apart by no level."""
    parts = [f"stride {alike(drawn.stride)}", FAR_PADDINGS.get(row["padding"])]
    if any(drawn.output_padding):
        parts.append(f"output_padding {alike(drawn.output_padding)}")
    if row["dilation"] != "one":
        parts.append(f"dilation {alike(drawn.dilation)}")
    parts.append(group_words(row, drawn))
    if drawn.batch > 1:
        parts.append(f"{drawn.batch} samples")
    out = "x".join(map(str, geometry_of(drawn).out))
    parts.append(f"an output of {out} in {drawn.dtype}")
    return sentence(f"a kernel of {'x'.join(map(str, drawn.kernel))}", parts)


def group_words(row: Row, drawn: Arguments) -> str | None:
    match row["groups"]:
        case "two" | "three" as number:
            return f"{number} groups"
        case "depthwise":
            return "one group per channel"
        case "multiplier":
            return f"{drawn.outputs // drawn.groups} output channels per input channel"
        case "single":
            return "one output channel per group"
    return None


def sentence(kernel: str, parts: Sequence[str | None]) -> str:
    phrases = [part for part in parts if part]
    listed = ", ".join(phrases[:-1]) + " and " + phrases[-1] if len(phrases) > 1 else phrases[0]
    return f"{kernel[0].upper()}{kernel[1:]} meets {listed}."
