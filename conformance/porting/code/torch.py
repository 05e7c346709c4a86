"""torch's programs: a `torch.nn.ConvTranspose` layer with its weights set."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.porting.code.spelling import WHY_PAD, Spoken, keywords, short, sliced
from conformance.porting.layouts import Layout
from conformance.porting.recipes import Plan

IMPORTS: Sequence[str] = ("import numpy as np", "import torch")


def spelled(spoken: Spoken) -> str:
    arguments, geometry = spoken.explicit_arguments, spoken.geometry
    arguments.pop("output_size", None)  # the call of the layer takes it
    if not any(arguments.get("output_padding") or ()):
        arguments.pop("output_padding", None)
    arguments |= {} if spoken.bias else {"bias": False}
    sizes = f"{spoken.c_in}, {spoken.c_out}, {short(geometry.kernel)}"
    return f"torch.nn.ConvTranspose{geometry.rank}d({sizes}{keywords(arguments)})"


def body(call: str, plan: Plan, layout: Layout, bias: bool) -> list[str]:
    lines = [
        f"layer = {call}",
        "with torch.no_grad():",
        "    layer.weight.copy_(torch.from_numpy(convert(weight)))",
    ]
    lines += ["    layer.bias.copy_(torch.from_numpy(np.asarray(bias)))"] if bias else []
    lines.append("x = torch.as_tensor(x)")
    pad = tuple(
        number for pair in reversed(plan.pad) for number in pair
    )  # torch pads the last axis first
    if any(pad):
        lines.append(f"x = torch.nn.functional.pad(x, {pad}){WHY_PAD}")
    size = f", output_size={plan.native['output_size']}" if "output_size" in plan.native else ""
    return [*lines, f"return layer(x{size}){sliced(plan.cut, layout.y)}"]
