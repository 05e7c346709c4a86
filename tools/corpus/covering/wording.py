"""The name of a case, and its summary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from covering.arguments import Arguments
from covering.designs import Row

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
    parts += [row["values"]] if row["values"] != "integers" else []
    return "-".join(parts)


def alike(values: Sequence[Any]) -> str:
    return "x".join(map(str, values)) if len(set(values)) > 1 else str(values[0])


def summary(row: Row, drawn: Arguments) -> str:
    """The call in a sentence of the levels that are not plain."""
    stride = "unequal strides" if row["stride"] == "unequal" else f"stride {drawn.stride[0]}"
    parts = [stride + " with gaps" * (row["gaps"] == "present"), PADDINGS.get(row["padding"])]
    if any(drawn.output_padding):
        parts.append(f"output_padding {alike(drawn.output_padding)}")
    if row["dilation"] != "one":
        parts.append(
            "unequal dilations" if row["dilation"] == "unequal" else f"dilation {drawn.dilation[0]}"
        )
    match row["groups"]:
        case "two" | "three" as number:
            parts.append(f"{number} groups")
        case "depthwise":
            parts.append("one group per channel")
        case "multiplier":
            parts.append(f"{drawn.outputs // drawn.groups} output channels per input channel")
    phrases = [part for part in parts if part]
    kernel = KERNELS.get(row["kernel"], f"a kernel of {row['kernel']}")
    listed = ", ".join(phrases[:-1]) + " and " + phrases[-1] if len(phrases) > 1 else phrases[0]
    return f"{kernel[0].upper()}{kernel[1:]} meets {listed}."
